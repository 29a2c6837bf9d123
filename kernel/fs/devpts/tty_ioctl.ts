/**
 * ioctl(2) of terminals, both sides. Requests of the master change the modes,
 * window and groups of the program side. Source: ioctl_tty(2).
 * @module
 */
import { CAP_SYS_ADMIN } from "../../abi/capability.ts";
import {
  EINVAL,
  EIO,
  ENOTTY,
  EPERM,
  type Errno,
  ESRCH,
  isErrno,
} from "../../abi/errno.ts";
import { SIGCONT, SIGHUP, SIGTTOU } from "../../abi/signal.ts";
import {
  CLOCAL,
  IXON,
  N_TTY,
  TCFLSH,
  TCGETA,
  TCGETS,
  TCGETS2,
  TCIFLUSH,
  TCIOFF,
  TCIOFLUSH,
  TCION,
  TCOFLUSH,
  TCOOFF,
  TCOON,
  TCSBRK,
  TCSBRKP,
  TCSETA,
  TCSETAF,
  TCSETAW,
  TCSETS,
  TCSETS2,
  TCSETSF,
  TCSETSF2,
  TCSETSW,
  TCSETSW2,
  TCXONC,
  TERMIO_SIZE,
  TERMIOS2_SIZE,
  TERMIOS_SIZE,
  TIOCCBRK,
  TIOCEXCL,
  TIOCGDEV,
  TIOCGETD,
  TIOCGEXCL,
  TIOCGPGRP,
  TIOCGSID,
  TIOCGSOFTCAR,
  TIOCGWINSZ,
  TIOCINQ,
  TIOCNOTTY,
  TIOCNXCL,
  TIOCOUTQ,
  TIOCPKT_DOSTOP,
  TIOCPKT_NOSTOP,
  TIOCSBRK,
  TIOCSCTTY,
  TIOCSETD,
  TIOCSPGRP,
  TIOCSSOFTCAR,
  TIOCSTI,
  TIOCSWINSZ,
  TIOCVHANGUP,
  VSTART,
  VSTOP,
} from "../../abi/termios.ts";
import type { Caller } from "../../vfs/caller.ts";
import { terminalOf, type Tty } from "./tty.ts";

/** Which descriptor asks. */
export interface TtySide {
  readonly side: "program" | "master";
  readonly isReadable: boolean;
}

/** ENOTTY for requests that terminals do not have. */
export function ttyIoctl(
  tty: Tty,
  from: TtySide,
  request: number,
  argument: number,
  caller: Caller,
): number | Errno {
  switch (request) {
    case TCGETS:
      return caller.memory.writeBytes(argument, tty.termios.encode(false)) ?? 0;
    case TCGETS2:
      return caller.memory.writeBytes(argument, tty.termios.encode(true)) ?? 0;
    case TCGETA:
      return caller.memory.writeBytes(argument, tty.termios.encodeTermio()) ??
        0;
    case TCSETA:
    case TCSETAW:
    case TCSETAF:
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
      return setTermios(tty, request, argument, caller);
    case TIOCGWINSZ:
      return getWindowSize(tty, argument, caller);
    case TIOCSWINSZ:
      return setWindowSize(tty, argument, caller);
    case TIOCSCTTY:
      return from.side === "master"
        ? ENOTTY
        : setControlling(tty, from, argument, caller);
    case TIOCNOTTY:
      return giveUpControlling(tty, caller);
    case TIOCGPGRP:
      if (from.side === "program" && !tty.controls(caller)) return ENOTTY;
      return caller.memory.writeU32(argument, tty.foregroundGroup) ?? 0;
    case TIOCSPGRP:
      return setForegroundGroup(tty, argument, caller);
    case TIOCGSID:
      if (from.side === "program" && !tty.controls(caller)) return ENOTTY;
      if (tty.sessionId === 0) return ENOTTY;
      return caller.memory.writeU32(argument, tty.sessionId) ?? 0;
    case TIOCINQ: {
      const count = from.side === "master"
        ? tty.output.bytes.length
        : tty.discipline.readable;
      return caller.memory.writeU32(argument, count) ?? 0;
    }
    case TIOCOUTQ:
      // What was written is with the master at once: nothing is "in the
      // driver", and tcdrain(3) has nothing to wait for.
      return caller.memory.writeU32(argument, 0) ?? 0;
    case TCSBRK:
    case TCSBRKP:
    case TIOCSBRK:
    case TIOCCBRK:
      // A pseudo terminal has no line that could carry a break.
      return tty.checkBackground(caller, SIGTTOU) ?? 0;
    case TCFLSH:
      return tty.checkBackground(caller, SIGTTOU) ?? flush(tty, argument);
    case TCXONC:
      return tty.checkBackground(caller, SIGTTOU) ??
        controlFlow(tty, from, argument);
    case TIOCSTI:
      // Off, as with dev.tty.legacy_tiocsti=0: it lets a guest type for others.
      return EIO;
    case TIOCEXCL:
      tty.isExclusive = true;
      return 0;
    case TIOCNXCL:
      tty.isExclusive = false;
      return 0;
    case TIOCGEXCL:
      return caller.memory.writeU32(argument, Number(tty.isExclusive)) ?? 0;
    case TIOCGETD:
      return caller.memory.writeU32(argument, N_TTY) ?? 0;
    case TIOCSETD: {
      const discipline = caller.memory.readI32(argument);
      if (isErrno(discipline)) return discipline;
      return discipline === N_TTY ? 0 : EINVAL;
    }
    case TIOCGSOFTCAR: {
      const isLocal = (tty.termios.cflag & CLOCAL) !== 0;
      return caller.memory.writeU32(argument, Number(isLocal)) ?? 0;
    }
    case TIOCSSOFTCAR: {
      const isLocal = caller.memory.readI32(argument);
      if (isErrno(isLocal)) return isLocal;
      if (isLocal !== 0) tty.termios.cflag |= CLOCAL;
      else tty.termios.cflag &= ~CLOCAL;
      return 0;
    }
    case TIOCGDEV:
      return caller.memory.writeU32(argument, tty.device) ?? 0;
    case TIOCVHANGUP:
      if (!caller.identity.has(CAP_SYS_ADMIN)) return EPERM;
      tty.hangUp();
      return 0;
    default:
      return ENOTTY;
  }
}

/** Size of the structure that a TCSET* request takes. */
function sizeFor(request: number): number {
  switch (request) {
    case TCSETA:
    case TCSETAW:
    case TCSETAF:
      return TERMIO_SIZE;
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
      return TERMIOS2_SIZE;
    default:
      return TERMIOS_SIZE;
  }
}

function setTermios(
  tty: Tty,
  request: number,
  argument: number,
  caller: Caller,
): number | Errno {
  const refused = tty.checkBackground(caller, SIGTTOU);
  if (refused !== null) return refused;
  const size = sizeFor(request);
  const bytes = new Uint8Array(size);
  const fault = caller.memory.readBytes(argument, bytes);
  if (fault !== null) return fault;
  const isFlushing = request === TCSETSF || request === TCSETSF2 ||
    request === TCSETAF;
  if (isFlushing) tty.flushInput();
  const { discipline, termios } = tty;
  const wasCanonical = discipline.isCanonical;
  const hadFlowControl = hasFlowControl(tty);
  if (size === TERMIO_SIZE) termios.decodeTermio(bytes);
  else termios.decode(bytes);
  // N_TTY is the only discipline; another number does not stick.
  termios.line = N_TTY;
  discipline.modeChanged(wasCanonical);
  if ((termios.iflag & IXON) === 0) tty.startOutput();
  if (hadFlowControl !== hasFlowControl(tty)) {
    if (hadFlowControl) tty.report(TIOCPKT_NOSTOP, TIOCPKT_DOSTOP);
    else tty.report(TIOCPKT_DOSTOP, TIOCPKT_NOSTOP);
  }
  // Readers and pollers look again under the new rules.
  tty.queue.wake();
  tty.processInput();
  return 0;
}

/** True if ^S and ^Q are the characters of flow control (TIOCPKT_DOSTOP). */
function hasFlowControl(tty: Tty): boolean {
  const { iflag, cc } = tty.termios;
  return (iflag & IXON) !== 0 && cc[VSTOP] === 0x13 && cc[VSTART] === 0x11;
}

function getWindowSize(
  tty: Tty,
  argument: number,
  caller: Caller,
): number | Errno {
  const { rows, columns, xpixel, ypixel } = tty.windowSize;
  return caller.memory.writeU16(argument, rows) ??
    caller.memory.writeU16(argument + 2, columns) ??
    caller.memory.writeU16(argument + 4, xpixel) ??
    caller.memory.writeU16(argument + 6, ypixel) ?? 0;
}

function setWindowSize(
  tty: Tty,
  argument: number,
  caller: Caller,
): number | Errno {
  const bytes = new Uint8Array(8);
  const fault = caller.memory.readBytes(argument, bytes);
  if (fault !== null) return fault;
  const view = new DataView(bytes.buffer);
  tty.setWindowSize({
    rows: view.getUint16(0, true),
    columns: view.getUint16(2, true),
    xpixel: view.getUint16(4, true),
    ypixel: view.getUint16(6, true),
  });
  return 0;
}

/** `argument` 1 with CAP_SYS_ADMIN takes the terminal from another session. */
function setControlling(
  tty: Tty,
  from: TtySide,
  argument: number,
  caller: Caller,
): number | Errno {
  const { jobControl, identity } = caller;
  if (jobControl.isSessionLeader && tty.controls(caller)) return 0;
  if (!jobControl.isSessionLeader || terminalOf(caller) !== null) return EPERM;
  if (tty.sessionId !== 0) {
    if (argument !== 1 || !identity.has(CAP_SYS_ADMIN)) return EPERM;
    tty.detach();
  }
  if (!from.isReadable && !identity.has(CAP_SYS_ADMIN)) return EPERM;
  tty.attach(jobControl);
  return 0;
}

/** Only the session leader's: a single process of a session cannot lose its
 * terminal here, because the session is what has one. */
function giveUpControlling(tty: Tty, caller: Caller): number | Errno {
  if (!tty.controls(caller)) return ENOTTY;
  if (!caller.jobControl.isSessionLeader) return ENOTTY;
  tty.signalForeground(SIGHUP);
  tty.signalForeground(SIGCONT);
  tty.detach();
  return 0;
}

function setForegroundGroup(
  tty: Tty,
  argument: number,
  caller: Caller,
): number | Errno {
  const refused = tty.checkBackground(caller, SIGTTOU);
  if (refused !== null) return refused === EIO ? ENOTTY : refused;
  const { jobControl } = caller;
  if (!tty.controls(caller) || tty.sessionId !== jobControl.sessionId) {
    return ENOTTY;
  }
  const group = caller.memory.readI32(argument);
  if (isErrno(group)) return group;
  if (group < 0) return EINVAL;
  if (!jobControl.hasGroup(group)) return ESRCH;
  if (!jobControl.isGroupInSession(group)) return EPERM;
  tty.foregroundGroup = group;
  return 0;
}

function flush(tty: Tty, which: number): number | Errno {
  switch (which) {
    case TCIFLUSH:
      tty.flushInput();
      return 0;
    case TCOFLUSH:
      tty.flushOutput();
      return 0;
    case TCIOFLUSH:
      tty.flushInput();
      tty.flushOutput();
      return 0;
    default:
      return EINVAL;
  }
}

function controlFlow(
  tty: Tty,
  from: TtySide,
  action: number,
): number | Errno {
  switch (action) {
    case TCOOFF:
      tty.stopOutput();
      return 0;
    case TCOON:
      tty.startOutput();
      return 0;
    case TCIOFF:
    case TCION: {
      // Asks the other side to pause or go on, by its own characters.
      const c = tty.termios.char(action === TCIOFF ? VSTOP : VSTART);
      if (c === 0) return 0;
      if (from.side === "program") {
        tty.output.bytes.push(c);
        tty.outputAdded();
      } else {
        tty.staged.push(c);
        tty.processInput();
      }
      return 0;
    }
    default:
      return EINVAL;
  }
}
