/**
 * The master of a pseudo terminal: what a terminal emulator, sshd or script(1)
 * holds after opening /dev/ptmx. Source: pty(7), ioctl_tty(2), TIOCPKT.
 * @module
 */
import { EAGAIN, EINVAL, EIO, type Errno, isErrno } from "../../abi/errno.ts";
import { O_ACCMODE, O_NOCTTY, O_NONBLOCK } from "../../abi/fcntl.ts";
import { SIGINT, SIGQUIT, SIGTSTP } from "../../abi/signal.ts";
import {
  TIOCGPKT,
  TIOCGPTLCK,
  TIOCGPTN,
  TIOCGPTPEER,
  TIOCPKT,
  TIOCPKT_DATA,
  TIOCSIG,
  TIOCSPTLCK,
} from "../../abi/termios.ts";
import type { IoBuffer } from "../../mm/io_buffer.ts";
import type { WaitQueue } from "../../sync/wait_queue.ts";
import type { Caller } from "../../vfs/caller.ts";
import { FileDescription } from "../../vfs/file_description.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import type { Pty } from "./pty.ts";
import { ttyIoctl } from "./tty_ioctl.ts";
import { openTty } from "./tty_description.ts";

const chunk = new Uint8Array(2048);

export class PtyMasterDescription extends FileDescription {
  constructor(readonly pty: Pty, path: VfsPath, flags: number) {
    super(path, flags);
  }

  override get canSignal(): boolean {
    return true;
  }

  override get isSeekable(): boolean {
    return false;
  }
  override get queue(): WaitQueue {
    return this.pty.tty.masterQueue;
  }
  override readiness(): number {
    return this.pty.tty.masterReadiness;
  }

  /** In packet mode one status byte comes first, or alone. EIO: the program
   * side was closed and nothing is left. */
  override read(io: IoBuffer, _caller: Caller): number | Errno {
    const { tty } = this.pty;
    if (io.remaining === 0) return 0;
    let moved = 0;
    if (tty.isPacketMode && tty.packetStatus !== 0) {
      const put = putByte(io, tty.packetStatus);
      if (!isErrno(put)) tty.packetStatus = 0;
      return put;
    }
    if (tty.output.bytes.length === 0) {
      return tty.isProgramClosed ? EIO : EAGAIN;
    }
    if (tty.isPacketMode) {
      const put = putByte(io, TIOCPKT_DATA);
      if (isErrno(put) || io.remaining === 0) return put;
      moved = put;
    }
    const data = tty.output.bytes.moveTo(io);
    if (isErrno(data)) return data;
    tty.outputRemoved();
    return moved + data;
  }

  override write(io: IoBuffer, _caller: Caller): number | Errno {
    const { tty } = this.pty;
    if (tty.isProgramClosed) return EIO;
    let total = 0;
    while (io.remaining > 0 && tty.staged.room > 0) {
      const length = Math.min(chunk.length, tty.staged.room);
      const taken = io.take(chunk, 0, length);
      if (isErrno(taken)) {
        if (total === 0) return taken;
        break;
      }
      this.pty.receive(chunk, taken);
      total += taken;
      if (taken < length) break;
    }
    return total > 0 || io.remaining === 0 ? total : EAGAIN;
  }

  override ioctl(
    request: number,
    argument: number,
    caller: Caller,
  ): number | Errno {
    const { pty } = this;
    const { tty } = pty;
    const { memory } = caller;
    switch (request) {
      case TIOCGPTN:
        return memory.writeU32(argument, pty.index) ?? 0;
      case TIOCSPTLCK: {
        const value = memory.readI32(argument);
        if (isErrno(value)) return value;
        pty.isLocked = value !== 0;
        return 0;
      }
      case TIOCGPTLCK:
        return memory.writeU32(argument, Number(pty.isLocked)) ?? 0;
      case TIOCGPTPEER:
        return this.#openPeer(argument, caller);
      case TIOCPKT: {
        const value = memory.readI32(argument);
        if (isErrno(value)) return value;
        tty.isPacketMode = value !== 0;
        tty.packetStatus = 0;
        return 0;
      }
      case TIOCGPKT:
        return memory.writeU32(argument, Number(tty.isPacketMode)) ?? 0;
      case TIOCSIG:
        if (
          argument !== SIGINT && argument !== SIGQUIT && argument !== SIGTSTP
        ) return EINVAL;
        tty.signalForeground(argument);
        return 0;
      default: {
        const { isReadable } = this;
        const side = "master";
        return ttyIoctl(tty, { side, isReadable }, request, argument, caller);
      }
    }
  }

  /** A descriptor of the program side, without its name. EIO: locked. */
  #openPeer(flags: number, caller: Caller): number | Errno {
    const { pty } = this;
    if (pty.isLocked) return EIO;
    const place = pty.placeIn(this.path.mount);
    const kept = flags & (O_ACCMODE | O_NONBLOCK | O_NOCTTY);
    const file = openTty(pty.tty, place, kept, caller);
    if (isErrno(file)) return file;
    file.flags &= ~O_NOCTTY;
    return caller.installFile(file, flags);
  }

  protected override onClose(): void {
    this.pty.close();
  }
}

function putByte(io: IoBuffer, byte: number): number | Errno {
  chunk[0] = byte;
  return io.put(chunk, 0, 1);
}
