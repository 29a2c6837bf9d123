/**
 * For tests: host descriptors as queues of bytes, with the reactor that tells
 * of them.
 * @module
 */
import { POLLHUP, POLLIN, POLLOUT } from "../../abi/poll.ts";
import type {
  HostFd,
  HostFiles,
  HostMemory,
  HostReactor,
  HostStat,
} from "../../host.ts";

const EAGAIN_RESULT = -11;
const EPERM_RESULT = -1;
const EPIPE_RESULT = -32;

/** One fake descriptor. */
export class FakeStream {
  /** Bytes that a read will find. */
  input: number[] = [];
  /** Bytes that were written: of a regular file its content. */
  output: number[] = [];
  /** How many more bytes a write takes before -EAGAIN. */
  room = Infinity;
  isInputClosed = false;
  isBroken = false;
  isClosed = false;
  isTerminal = false;
  windowSize: [number, number, number, number] = [24, 80, 0, 0];
  constructor(public mode: number, readonly isAlwaysReady = false) {}

  get events(): number {
    return (this.input.length > 0 ? POLLIN : 0) |
      (this.room > 0 ? POLLOUT : 0) | (this.isInputClosed ? POLLHUP : 0);
  }
  get written(): string {
    return String.fromCharCode(...this.output);
  }
}

export class FakeHostFiles implements HostFiles, HostReactor {
  readonly streams = new Map<HostFd, FakeStream>();
  readonly #tokens = new Map<HostFd, number>();
  readonly #events: { token: number; events: number }[] = [];
  revents = 0;

  constructor(readonly memory: HostMemory) {}

  add(fd: number, stream: FakeStream): HostFd {
    const hostFd = fd as HostFd; // the brand is the host's to give
    this.streams.set(hostFd, stream);
    return hostFd;
  }
  /** Input arrives on a descriptor. */
  feed(fd: HostFd, text: string): void {
    const stream = this.streams.get(fd)!;
    for (const c of text) stream.input.push(c.charCodeAt(0));
    this.signal(fd, POLLIN);
  }
  /** An edge for whoever watches. */
  signal(fd: HostFd, events: number): void {
    const token = this.#tokens.get(fd);
    if (token !== undefined) this.#events.push({ token, events });
  }

  read(fd: HostFd, memory: number, length: number, fileOffset: number): number {
    const stream = this.streams.get(fd)!;
    if (fileOffset >= 0) {
      const bytes = stream.output.slice(fileOffset, fileOffset + length);
      this.memory.write(memory, Uint8Array.from(bytes));
      return bytes.length;
    }
    if (stream.input.length === 0) {
      return stream.isInputClosed ? 0 : EAGAIN_RESULT;
    }
    const bytes = stream.input.splice(0, length);
    this.memory.write(memory, Uint8Array.from(bytes));
    return bytes.length;
  }
  write(
    fd: HostFd,
    memory: number,
    length: number,
    fileOffset: number,
  ): number {
    const stream = this.streams.get(fd)!;
    if (fileOffset >= 0) {
      const bytes = new Uint8Array(length);
      this.memory.read(memory, bytes);
      stream.output.splice(fileOffset, length, ...bytes);
      return length;
    }
    if (stream.isBroken) return EPIPE_RESULT;
    if (stream.room === 0) return EAGAIN_RESULT;
    const bytes = new Uint8Array(Math.min(length, stream.room));
    this.memory.read(memory, bytes);
    stream.output.push(...bytes);
    stream.room -= bytes.length;
    return bytes.length;
  }
  stat(fd: HostFd): HostStat {
    const { mode, output } = this.streams.get(fd)!;
    return {
      mode,
      size: output.length,
      ino: 1000 + fd,
      dev: 7,
      rdev: 0,
      nlink: 1,
      uid: 0,
      gid: 0,
      blocks: 0,
      blksize: 4096,
      atimeSec: 1,
      atimeNsec: 0,
      mtimeSec: 2,
      mtimeNsec: 0,
      ctimeSec: 3,
      ctimeNsec: 0,
    };
  }
  truncate(fd: HostFd, length: number): number {
    this.streams.get(fd)!.output.length = length;
    return 0;
  }
  allocate(): number {
    return EPERM_RESULT;
  }
  sync(): number {
    return 0;
  }
  close(fd: HostFd): void {
    this.streams.get(fd)!.isClosed = true;
  }
  isTerminal(fd: HostFd): boolean {
    return this.streams.get(fd)!.isTerminal;
  }
  getTermios(): number {
    return EPERM_RESULT;
  }
  setTermios(): number {
    return EPERM_RESULT;
  }
  getWindowSize(fd: HostFd): readonly [number, number, number, number] {
    return this.streams.get(fd)!.windowSize;
  }
  setWindowSize(
    fd: HostFd,
    size: readonly [number, number, number, number],
  ): number {
    this.streams.get(fd)!.windowSize = [...size];
    return 0;
  }

  watch(fd: HostFd, events: number, token: number): number {
    const stream = this.streams.get(fd)!;
    if (stream.isAlwaysReady) return EPERM_RESULT;
    this.#tokens.set(fd, token);
    return stream.events & events;
  }
  unwatch(fd: HostFd): void {
    this.#tokens.delete(fd);
  }
  next(): number {
    const event = this.#events.shift();
    if (event === undefined) return -1;
    this.revents = event.events;
    return event.token;
  }
  poll(fd: HostFd, events: number): number {
    return this.streams.get(fd)!.events & (events | POLLHUP);
  }
}
