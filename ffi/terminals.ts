/**
 * Terminals from the command line's side: pseudo-terminal pairs, raw mode, the
 * foreground group. What the kernel does with a donated terminal is in
 * files.ts. Source: termios(3), ioctl_tty(2).
 * @module
 */

import {
  BRKINT,
  CS8,
  CSIZE,
  ECHO,
  ECHONL,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNBRK,
  IGNCR,
  INLCR,
  ISIG,
  ISTRIP,
  IXON,
  OPOST,
  PARENB,
  PARMRK,
  TERMIOS,
  TERMIOS_SIZE,
  VMIN,
  VTIME,
} from "../kernel/abi/termios.ts";
import type { HostFd } from "../kernel/host.ts";
import { bind, type Binding, type Bound } from "./binding.ts";
import { must, nativePath } from "./library.ts";

const SYMBOLS = {
  host_tty_get_termios: { parameters: ["i32", "buffer"], result: "i32" },
  host_tty_set_termios: {
    parameters: ["i32", "i32", "buffer"],
    result: "i32",
  },
  host_tty_set_size: { parameters: ["i32", "buffer"], result: "i32" },
  host_tty_open_pair: { parameters: ["buffer"], result: "i32" },
  host_tty_get_foreground: { parameters: ["i32"], result: "i32" },
  host_tty_set_foreground: { parameters: ["i32", "i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The modes of a terminal, for putting them back. */
export type SavedModes = Uint8Array<ArrayBuffer>;

/** The terminals of the command line. */
export class Terminals implements Disposable {
  readonly #library: Bound<typeof SYMBOLS>;
  readonly #calls: Bound<typeof SYMBOLS>["symbols"];

  constructor(binding: Binding = "lasting") {
    this.#library = bind(nativePath("libhost.so"), SYMBOLS, binding);
    this.#calls = this.#library.symbols;
  }

  /** A new pseudo-terminal: master, slave. It becomes nobody's controlling
   * terminal. */
  openPair(): readonly [HostFd, HostFd] {
    const out = new Int32Array(2);
    must("openpty", this.#calls.host_tty_open_pair(out));
    return [out[0] as HostFd, out[1] as HostFd];
  }

  /** Sets raw mode as cfmakeraw(3) does; returns the modes from before. */
  makeRaw(fd: HostFd): SavedModes {
    const saved = new Uint8Array(TERMIOS_SIZE);
    must("tcgetattr", this.#calls.host_tty_get_termios(fd, saved));
    const raw = saved.slice();
    const view = new DataView(raw.buffer);
    const change = (offset: number, clear: number, set = 0) =>
      view.setUint32(
        offset,
        view.getUint32(offset, true) & ~clear | set,
        true,
      );
    change(
      TERMIOS.c_iflag,
      IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON,
    );
    change(TERMIOS.c_oflag, OPOST);
    change(TERMIOS.c_cflag, CSIZE | PARENB, CS8);
    change(TERMIOS.c_lflag, ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw[TERMIOS.c_cc + VMIN] = 1;
    raw[TERMIOS.c_cc + VTIME] = 0;
    must("tcsetattr", this.#calls.host_tty_set_termios(fd, 0, raw));
    return saved;
  }

  /** Puts the modes back; a terminal that has hung up is left alone. */
  restore(fd: HostFd, saved: SavedModes): void {
    this.#calls.host_tty_set_termios(fd, 0, saved);
  }

  /** Throws a HostError. */
  setWindowSize(fd: HostFd, rows: number, columns: number): void {
    must(
      "window size",
      this.#calls.host_tty_set_size(fd, Uint16Array.of(rows, columns, 0, 0)),
    );
  }

  /** Process group in the terminal's foreground, or a negative errno. */
  foregroundGroup(fd: HostFd): number {
    return this.#calls.host_tty_get_foreground(fd);
  }

  /** Puts a process group into the foreground: 0 or a negative errno. */
  setForegroundGroup(fd: HostFd, group: number): number {
    return this.#calls.host_tty_set_foreground(fd, group);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}
