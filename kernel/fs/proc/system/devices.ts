/**
 * /proc/devices, tty/drivers, interrupts: the hardware, or the lack of it.
 * There are no block devices and no interrupts. Source: proc_devices(5),
 * proc_tty(5), proc_interrupts(5).
 * @module
 */
import {
  MEM_MAJOR,
  TTYAUX_MAJOR,
  UNIX98_PTY_MASTER_MAJOR,
  UNIX98_PTY_SLAVE_MAJOR,
} from "../../../abi/dev.ts";

/** Majors that have a driver (kernel/fs/dev, kernel/fs/devpts). */
const CHARACTER_DEVICES: readonly (readonly [major: number, name: string])[] = [
  [MEM_MAJOR, "mem"],
  [TTYAUX_MAJOR, "/dev/tty"],
  [TTYAUX_MAJOR, "/dev/console"],
  [TTYAUX_MAJOR, "/dev/ptmx"],
  [UNIX98_PTY_MASTER_MAJOR, "ptm"],
  [UNIX98_PTY_SLAVE_MAJOR, "pts"],
];

export function devices(): string {
  const rows = CHARACTER_DEVICES
    .map(([number, name]) => `${`${number}`.padStart(3)} ${name}\n`);
  return `Character devices:\n${rows.join("")}\nBlock devices:\n`;
}

/** Name, path, major, minors and kind of each terminal driver. */
const TTY_DRIVERS:
  readonly (readonly [string, string, number, string, string])[] = [
    ["/dev/tty", "/dev/tty", TTYAUX_MAJOR, "0", "system:/dev/tty"],
    ["/dev/console", "/dev/console", TTYAUX_MAJOR, "1", "system:console"],
    ["/dev/ptmx", "/dev/ptmx", TTYAUX_MAJOR, "2", "system"],
    ["pty_slave", "/dev/pts", UNIX98_PTY_SLAVE_MAJOR, "0-1048575", "pty:slave"],
    [
      "pty_master",
      "/dev/ptm",
      UNIX98_PTY_MASTER_MAJOR,
      "0-1048575",
      "pty:master",
    ],
  ];

export function ttyDrivers(): string {
  let text = "";
  for (const [name, path, number, minors, kind] of TTY_DRIVERS) {
    text += `${name.padEnd(20)} ${path.padEnd(13)} ` +
      `${`${number}`.padStart(3)} ${minors.padStart(7)} ${kind}\n`;
  }
  return text;
}

export function interrupts(cpuCount: number): string {
  let text = " ".repeat(11);
  for (let cpu = 0; cpu < cpuCount; cpu++) text += `CPU${`${cpu}`.padEnd(8)}`;
  return `${text}\n`;
}
