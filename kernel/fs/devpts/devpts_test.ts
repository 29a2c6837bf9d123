import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  EAGAIN,
  EINVAL,
  EIO,
  ENOTTY,
  ENXIO,
  EPERM,
  ERESTARTSYS,
  ESRCH,
  isErrno,
} from "../../abi/errno.ts";
import { O_NOCTTY, O_RDWR } from "../../abi/fcntl.ts";
import { POLLHUP, POLLIN, POLLOUT, POLLPRI } from "../../abi/poll.ts";
import {
  SIGCONT,
  SIGHUP,
  SIGTTIN,
  SIGTTOU,
  SIGWINCH,
} from "../../abi/signal.ts";
import { S_IFCHR } from "../../abi/stat.ts";
import {
  ICANON,
  TCFLSH,
  TCGETS,
  TCOFLUSH,
  TCSETS,
  TERMIOS,
  TIOCGPGRP,
  TIOCGPTN,
  TIOCGPTPEER,
  TIOCGSID,
  TIOCGWINSZ,
  TIOCNOTTY,
  TIOCPKT,
  TIOCPKT_FLUSHWRITE,
  TIOCSCTTY,
  TIOCSPGRP,
  TIOCSPTLCK,
  TIOCSTI,
  TIOCSWINSZ,
  TOSTOP,
} from "../../abi/termios.ts";
import { TimerQueue } from "../../time/timer_queue.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import { DeviceRegistry } from "../../vfs/device_registry.ts";
import { Mount } from "../../vfs/mount.ts";
import { Dentry } from "../../vfs/dentry.ts";
import { FakeCaller, FakeJobControl } from "../fake_caller.ts";
import { parseDevptsOptions, type PtsInode } from "./devpts.ts";
import type { PtyMasterDescription } from "./pty_master.ts";
import { terminalOf } from "./tty.ts";
import { Terminals } from "./tty_drivers.ts";

const ARG = 64;

function setUp() {
  const caller = new FakeCaller();
  const services = { clock: caller.clock, timers: new TimerQueue() };
  const terminals = new Terminals(() => 30, services);
  const devices = new DeviceRegistry();
  terminals.register(devices);
  const fs = terminals.createInstance("gid=5,mode=620,ptmxmode=666");
  assert(!isErrno(fs));
  const mount = new Mount(1, fs, fs.rootDentry, null, null, 0, "devpts");
  const openNode = (name: string, by = caller, flags = O_RDWR) => {
    const inode = fs.find(name);
    assert(inode !== null);
    const place = mount.placeOf(new Dentry(fs, fs.rootDentry, name, inode));
    return devices.open(S_IFCHR, place, inode.rdev, flags, by);
  };
  const ioctl = (
    file: FileDescription,
    request: number,
    value: number | null = null,
    by = caller,
  ) => {
    if (value !== null) by.memory.writeU32(ARG, value);
    const result = file.ioctl(request, ARG, by);
    if (result !== 0) return result;
    return by.memory.readU32(ARG);
  };
  /** A terminal opened on both sides. */
  const pair = () => {
    const master = openNode("ptmx") as PtyMasterDescription;
    ioctl(master, TIOCSPTLCK, 0);
    const index = String(ioctl(master, TIOCGPTN));
    const program = openNode(index);
    assert(!isErrno(program));
    return { master, program, tty: master.pty.tty, index };
  };
  return { caller, terminals, fs, openNode, ioctl, pair, devices };
}

function readText(file: FileDescription, caller: FakeCaller, length = 100) {
  const result = file.read(caller.room(length), caller);
  return isErrno(result) ? result : caller.text(result);
}

Deno.test("Opening ptmx makes a locked terminal with a name", () => {
  const { openNode, ioctl, fs } = setUp();
  const master = openNode("ptmx");
  assert(!isErrno(master));
  assertEquals(ioctl(master, TIOCGPTN), 0);
  assertStrictEquals(openNode("0"), EIO);
  ioctl(master, TIOCSPTLCK, 0);
  const inode = fs.find("0") as PtsInode;
  assertEquals([inode.mode & 0o777, inode.gid], [0o620, 5]);
  assert(!isErrno(openNode("0")));
  const second = openNode("ptmx");
  assert(!isErrno(second));
  assertEquals(ioctl(second, TIOCGPTN), 1);
  master.release();
  assertEquals(fs.find("0"), null);
  assertEquals(fs.find("01"), null);
  const third = openNode("ptmx");
  assert(!isErrno(third));
  assertEquals(ioctl(third, TIOCGPTN), 0);
});

Deno.test("Bytes pass between the two sides of a terminal", () => {
  const { caller, pair } = setUp();
  const { master, program } = pair();
  assertStrictEquals(master.read(caller.room(9), caller), EAGAIN);
  assertStrictEquals(program.read(caller.room(9), caller), EAGAIN);
  assertEquals(program.write(caller.source("hi\n"), caller), 3);
  assertEquals(readText(master, caller), "hi\r\n");
  assertEquals(master.write(caller.source("typed\r"), caller), 6);
  assertEquals(program.readiness() & POLLIN, POLLIN);
  assertEquals(readText(program, caller), "typed\n");
  assertEquals(readText(master, caller), "typed\r\n");
});

Deno.test("Output stops when nobody reads it", () => {
  const { caller, pair } = setUp();
  const { master, program } = pair();
  let total = 0;
  for (;;) {
    const moved = program.write(caller.source("x".repeat(5000)), caller);
    if (isErrno(moved)) {
      assertStrictEquals(moved, EAGAIN);
      break;
    }
    total += moved;
  }
  assert(total > 60000 && total <= 65536);
  assertEquals(program.readiness() & POLLOUT, 0);
  assertEquals(master.read(caller.room(70000), caller), total);
  assertEquals(program.readiness() & POLLOUT, POLLOUT);
});

Deno.test("The last close of the program side is EIO for the master", () => {
  const { caller, pair, openNode, index } = { ...setUp(), index: "0" };
  const { master, program } = pair();
  program.write(caller.source("bye"), caller);
  program.release();
  assertEquals(master.readiness() & (POLLHUP | POLLIN), POLLHUP | POLLIN);
  assertEquals(readText(master, caller), "bye");
  assertStrictEquals(readText(master, caller), EIO);
  const again = openNode(index);
  assert(!isErrno(again));
  assertStrictEquals(readText(master, caller), EAGAIN);
});

Deno.test("Closing the master hangs up the program side", () => {
  const { caller, pair } = setUp();
  const { master, program, tty } = pair();
  assertEquals(tty.sessionId, 1);
  master.release();
  assertEquals(caller.jobControl.sent, [
    { group: 1, signo: SIGHUP },
    { group: 1, signo: SIGCONT },
  ]);
  assertEquals(terminalOf(caller), null);
  // Its foreground group is told when the leader exits.
  caller.jobControl.controllingTerminal?.onSessionEnd();
  assertEquals(caller.jobControl.sent.length, 4);
  assertEquals(readText(program, caller), "");
  assertStrictEquals(program.write(caller.source("x"), caller), EIO);
  assertEquals(program.readiness() & POLLHUP, POLLHUP);
  assertStrictEquals(program.ioctl(TCGETS, ARG, caller), EIO);
  assertStrictEquals(program.ioctl(TIOCSPGRP, ARG, caller), ENOTTY);
  program.release();
});

Deno.test("A session leader gets its first terminal as controlling one", () => {
  const { caller, pair, ioctl, openNode, devices } = setUp();
  const { program, tty } = pair();
  assertStrictEquals(caller.jobControl.controllingTerminal, tty);
  assertEquals(ioctl(program, TIOCGSID), 1);
  assertEquals(ioctl(program, TIOCGPGRP), 1);

  const stranger = new FakeCaller(caller.host);
  stranger.jobControl = new FakeJobControl(9, 9);
  const other = openNode("0", stranger);
  assert(!isErrno(other));
  assertEquals(stranger.jobControl.controllingTerminal, null);
  assertStrictEquals(ioctl(other, TIOCGPGRP, null, stranger), ENOTTY);
  assertStrictEquals(
    devices.open(S_IFCHR, other.path, 5 << 8, O_RDWR, stranger),
    ENXIO,
  );
  // With CAP_SYS_ADMIN and 1 it can be stolen.
  stranger.memory.writeU32(ARG, 0);
  assertStrictEquals(other.ioctl(TIOCSCTTY, 0, stranger), EPERM);
  assertEquals(other.ioctl(TIOCSCTTY, 1, stranger), 0);
  assertStrictEquals(stranger.jobControl.controllingTerminal, tty);
  assertEquals(caller.jobControl.controllingTerminal, null);
});

Deno.test("The end of a session tells the foreground group, and no more", () => {
  const { caller, pair } = setUp();
  const { master, program, tty } = pair();
  tty.foregroundGroup = 6;
  caller.jobControl.controllingTerminal?.onSessionEnd();
  assertEquals(caller.jobControl.sent, [{ group: 6, signo: SIGHUP }]);
  assertEquals([tty.sessionId, tty.foregroundGroup], [0, 0]);
  assertEquals(program.write(caller.source("x"), caller), 1);
  assertEquals(readText(master, caller), "x");
});

Deno.test("O_NOCTTY and TIOCNOTTY leave a session without a terminal", () => {
  const { caller, openNode, ioctl } = setUp();
  const master = openNode("ptmx");
  assert(!isErrno(master));
  ioctl(master, TIOCSPTLCK, 0);
  const program = openNode("0", caller, O_RDWR | O_NOCTTY);
  assert(!isErrno(program));
  assertEquals(caller.jobControl.controllingTerminal, null);
  assertEquals(program.ioctl(TIOCSCTTY, 0, caller), 0);
  assertEquals(program.ioctl(TIOCNOTTY, 0, caller), 0);
  assertEquals(caller.jobControl.sent.length, 2);
  assertEquals(caller.jobControl.controllingTerminal, null);
  assertStrictEquals(program.ioctl(TIOCNOTTY, 0, caller), ENOTTY);
});

Deno.test("Background processes are stopped when they read or, with TOSTOP, write", () => {
  const { caller, pair } = setUp();
  const { program, tty } = pair();
  const { jobControl } = caller;
  jobControl.processGroupId = 2;
  assertStrictEquals(readText(program, caller), ERESTARTSYS);
  assertEquals(jobControl.sent.splice(0), [{ group: 2, signo: SIGTTIN }]);
  assertEquals(program.write(caller.source("x"), caller), 1);
  tty.termios.lflag |= TOSTOP;
  assertStrictEquals(program.write(caller.source("x"), caller), ERESTARTSYS);
  assertEquals(jobControl.sent.splice(0), [{ group: 2, signo: SIGTTOU }]);
  assertStrictEquals(program.ioctl(TCSETS, ARG, caller), ERESTARTSYS);
  jobControl.ignored.add(SIGTTOU).add(SIGTTIN);
  assertEquals(program.write(caller.source("x"), caller), 1);
  assertStrictEquals(readText(program, caller), EIO);
  jobControl.ignored.clear();
  jobControl.isOrphaned = true;
  assertStrictEquals(program.write(caller.source("x"), caller), EIO);
});

Deno.test("TIOCSPGRP takes groups of the caller's session only", () => {
  const { caller, pair, ioctl } = setUp();
  const { program, tty } = pair();
  caller.jobControl.groups.add(4);
  caller.jobControl.strangers.add(8);
  assertEquals(ioctl(program, TIOCSPGRP, 4), 4);
  assertEquals(tty.foregroundGroup, 4);
  caller.jobControl.processGroupId = 4;
  assertStrictEquals(ioctl(program, TIOCSPGRP, 8), EPERM);
  assertStrictEquals(ioctl(program, TIOCSPGRP, 77), ESRCH);
  assertStrictEquals(ioctl(program, TIOCSPGRP, -1), EINVAL);
});

Deno.test("termios and the window size are the same from both sides", () => {
  const { caller, pair } = setUp();
  const { master, program, tty } = pair();
  assertEquals(master.ioctl(TCGETS, ARG, caller), 0);
  const lflagAt = ARG + TERMIOS.c_lflag;
  const lflag = caller.memory.readU32(lflagAt);
  assert(typeof lflag === "number" && (lflag & ICANON) !== 0);
  caller.memory.writeU32(lflagAt, lflag & ~ICANON);
  assertEquals(program.ioctl(TCSETS, ARG, caller), 0);
  assertEquals(tty.discipline.isCanonical, false);

  for (const [i, value] of [40, 120, 0, 0].entries()) {
    caller.memory.writeU16(ARG + 2 * i, value);
  }
  assertEquals(master.ioctl(TIOCSWINSZ, ARG, caller), 0);
  assertEquals(caller.jobControl.sent, [{ group: 1, signo: SIGWINCH }]);
  assertEquals(master.ioctl(TIOCSWINSZ, ARG, caller), 0);
  assertEquals(caller.jobControl.sent.length, 1);
  assertEquals(program.ioctl(TIOCGWINSZ, 256, caller), 0);
  assertEquals(caller.memory.readU16(258), 120);
});

Deno.test("Packet mode puts a status byte before the data", () => {
  const { caller, pair, ioctl } = setUp();
  const { master, program } = pair();
  ioctl(master, TIOCPKT, 1);
  program.write(caller.source("x"), caller);
  assertEquals(readText(master, caller), "\0x");
  program.write(caller.source("lost"), caller);
  assertEquals(program.ioctl(TCFLSH, TCOFLUSH, caller), 0);
  assertEquals(master.readiness() & (POLLPRI | POLLIN), POLLPRI | POLLIN);
  assertEquals(
    readText(master, caller),
    String.fromCharCode(TIOCPKT_FLUSHWRITE),
  );
  assertStrictEquals(readText(master, caller), EAGAIN);
});

Deno.test("TIOCGPTPEER opens the program side, TIOCSTI is refused", () => {
  const { caller, openNode, ioctl } = setUp();
  const master = openNode("ptmx");
  assert(!isErrno(master));
  assertStrictEquals(master.ioctl(TIOCGPTPEER, O_RDWR, caller), EIO);
  ioctl(master, TIOCSPTLCK, 0);
  assertEquals(master.ioctl(TIOCGPTPEER, O_RDWR | O_NOCTTY, caller), 0);
  const peer = caller.installed[0]!;
  assertEquals(peer.path.dentry.name, "0");
  assertEquals(peer.write(caller.source("p"), caller), 1);
  assertEquals(readText(master, caller), "p");
  assertStrictEquals(peer.ioctl(TIOCSTI, ARG, caller), EIO);
  assertStrictEquals(peer.ioctl(TIOCGPTN, ARG, caller), ENOTTY);
});

Deno.test("/dev/tty and /dev/console open the right terminal", () => {
  const { caller, pair, devices, terminals } = setUp();
  const { program, tty, master } = pair();
  const viaTty = devices.open(S_IFCHR, program.path, 5 << 8, O_RDWR, caller);
  assert(!isErrno(viaTty));
  viaTty.write(caller.source("t"), caller);
  const consoleDevice = (5 << 8) | 1;
  const { path } = program;
  assertStrictEquals(
    devices.open(S_IFCHR, path, consoleDevice, O_RDWR, caller),
    ENXIO,
  );
  terminals.console = tty;
  const viaConsole = devices.open(S_IFCHR, path, consoleDevice, O_RDWR, caller);
  assert(!isErrno(viaConsole));
  viaConsole.write(caller.source("c"), caller);
  assertEquals(readText(master, caller), "tc");
});

Deno.test("readDirectory() of devpts lists ptmx and the terminals", () => {
  const { pair, fs } = setUp();
  pair();
  pair();
  const names: string[] = [];
  const sink = {
    emit: (name: string) => names.push(name) < 99,
  };
  assertEquals(fs.root.readDirectory(0, sink), null);
  assertEquals(names, ["ptmx", "0", "1"]);
  names.length = 0;
  assertEquals(fs.root.readDirectory(4, sink), null);
  assertEquals(names, ["1"]);
  assertEquals(fs.options(), ",gid=5,mode=620,ptmxmode=666");
});

Deno.test("parseDevptsOptions() refuses what it does not know", () => {
  assertStrictEquals(parseDevptsOptions("mode=9"), EINVAL);
  assertStrictEquals(parseDevptsOptions("colour=red"), EINVAL);
  assertStrictEquals(parseDevptsOptions("max=5000"), EINVAL);
  assert(!isErrno(parseDevptsOptions("newinstance,max=4,uid=0")));
});
