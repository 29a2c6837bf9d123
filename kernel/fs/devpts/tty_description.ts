/**
 * A descriptor of a terminal's program side: /dev/pts/N, /dev/tty,
 * /dev/console. Source: tty(4), termios(3).
 * @module
 */
import { CAP_SYS_ADMIN } from "../../abi/capability.ts";
import { EAGAIN, EBUSY, EIO, type Errno, isErrno } from "../../abi/errno.ts";
import { O_NOCTTY, O_NONBLOCK } from "../../abi/fcntl.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDNORM,
  POLLWRNORM,
} from "../../abi/poll.ts";
import { SIGTTIN, SIGTTOU } from "../../abi/signal.ts";
import { TIOCSPGRP, TOSTOP } from "../../abi/termios.ts";
import { ENOTTY } from "../../abi/errno.ts";
import type { IoBuffer } from "../../mm/io_buffer.ts";
import type { WaitQueue } from "../../sync/wait_queue.ts";
import type { Caller } from "../../vfs/caller.ts";
import { FileDescription } from "../../vfs/file_description.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { terminalOf, type Tty } from "./tty.ts";
import { ttyIoctl } from "./tty_ioctl.ts";

/** What a dead descriptor shows to poll(2). */
const HUNG_UP_EVENTS = POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM |
  POLLWRNORM;

/** Bytes written, on their way to output processing; used within one call. */
const chunk = new Uint8Array(2048);

/**
 * open(2) of a terminal's program side. EIO: its master is gone; EBUSY:
 * TIOCEXCL. A session leader without a terminal gets it as its controlling
 * one, unless O_NOCTTY.
 */
export function openTty(
  tty: Tty,
  path: VfsPath,
  flags: number,
  caller: Caller,
): FileDescription | Errno {
  if (tty.isMasterClosed) return EIO;
  if (tty.isExclusive && !caller.identity.has(CAP_SYS_ADMIN)) return EBUSY;
  const file = new TtyDescription(tty, path, flags);
  const { jobControl } = caller;
  if (
    (flags & O_NOCTTY) === 0 && file.isReadable && tty.sessionId === 0 &&
    jobControl.isSessionLeader && terminalOf(caller) === null
  ) tty.attach(jobControl);
  return file;
}

export class TtyDescription extends FileDescription {
  readonly #generation: number;

  /** Precondition: the master is open. */
  constructor(readonly tty: Tty, path: VfsPath, flags: number) {
    super(path, flags);
    this.#generation = tty.generation;
    tty.programOpened();
  }

  get #isHungUp(): boolean {
    return this.#generation !== this.tty.generation;
  }

  override get canSignal(): boolean {
    return true;
  }

  override get isSeekable(): boolean {
    return false;
  }
  override get queue(): WaitQueue {
    return this.tty.queue;
  }
  override readiness(): number {
    return this.#isHungUp ? HUNG_UP_EVENTS : this.tty.readiness;
  }
  override get readTimeoutNs(): number {
    return this.tty.discipline.readTimeoutNs;
  }
  override get readTimeoutResult(): number {
    return 0;
  }

  /** EIO: a background process that cannot be stopped. */
  override read(io: IoBuffer, caller: Caller): number | Errno {
    if (this.#isHungUp) return 0;
    const { tty } = this;
    const refused = tty.checkBackground(caller, SIGTTIN);
    if (refused !== null) return refused;
    if (io.remaining === 0) return 0;
    const moved = tty.discipline.read(io, tty.nowNs);
    if (moved === null) {
      if ((this.flags & O_NONBLOCK) === 0) {
        tty.wakeReadersAt(tty.discipline.wakeAtNs);
      }
      return EAGAIN;
    }
    tty.processInput();
    return moved;
  }

  override write(io: IoBuffer, caller: Caller): number | Errno {
    if (this.#isHungUp) return EIO;
    const { tty } = this;
    if ((tty.termios.lflag & TOSTOP) !== 0) {
      const refused = tty.checkBackground(caller, SIGTTOU);
      if (refused !== null) return refused;
    }
    let total = 0;
    while (io.remaining > 0 && tty.canWrite) {
      const taken = io.take(chunk, 0, chunk.length);
      if (isErrno(taken)) {
        if (total === 0) return taken;
        break;
      }
      const written = tty.output.write(chunk, taken);
      io.advance(written - taken);
      total += written;
      if (written < taken) break;
    }
    tty.outputAdded();
    return total > 0 || io.remaining === 0 ? total : EAGAIN;
  }

  override ioctl(
    request: number,
    argument: number,
    caller: Caller,
  ): number | Errno {
    if (this.#isHungUp) return request === TIOCSPGRP ? ENOTTY : EIO;
    return ttyIoctl(
      this.tty,
      {
        side: "program",
        isReadable: this.isReadable,
      },
      request,
      argument,
      caller,
    );
  }

  protected override onClose(): void {
    if (!this.#isHungUp) this.tty.programClosed();
  }
}
