/**
 * For tests of files: a Caller over a small fake memory file. Guest address N
 * is memory-file offset N below GUEST_END and unmapped above; pages for the
 * kernel's own buffers come from beyond it.
 * @module
 */
import { EFAULT, EINVAL, type Errno } from "../abi/errno.ts";
import { IOVEC_SIZE } from "../abi/uio.ts";
import type { HostClock, HostMemory } from "../host.ts";
import { IoBuffer, MemoryBuffer } from "../mm/io_buffer.ts";
import type { FutexKey, UserMemory } from "../mm/user_memory.ts";
import { Clock } from "../time/clock.ts";
import type {
  Caller,
  ControllingTerminal,
  Identity,
  JobControl,
} from "../vfs/caller.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import type { FsContext } from "../vfs/fs_context.ts";

/** First guest address that faults, bytes. */
export const GUEST_END = 1 << 20;

export class FakeHostMemory implements HostMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #next = GUEST_END;
  /** Bytes handed out by allocate() and not released. */
  allocated = 0;

  constructor(readonly size = 8 << 20) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }
  get memory(): HostMemory {
    return this;
  }
  allocate(length: number): number {
    const at = this.#next;
    this.#next += length;
    if (this.#next > this.size) throw new Error("fake memory file is full");
    this.allocated += length;
    return at;
  }
  release(_offset: number, length: number): void {
    this.allocated -= length;
  }
  punch(offset: number, length: number): void {
    this.zero(offset, length);
  }
  populate(): void {}
  residentBytes(_offset: number, length: number): number {
    return length;
  }
  copy(to: number, from: number, length: number): void {
    this.bytes.copyWithin(to, from, from + length);
  }
  zero(offset: number, length: number): void {
    this.bytes.fill(0, offset, offset + length);
  }
  read(offset: number, into: Uint8Array): void {
    into.set(this.bytes.subarray(offset, offset + into.length));
  }
  write(offset: number, from: Uint8Array): void {
    this.bytes.set(from, offset);
  }
}

/** A cursor that faults where guest memory ends. */
class FakeBuffer extends IoBuffer {
  done = 0;
  readonly #ranges: { addr: number; length: number }[];
  constructor(
    memory: HostMemory,
    ranges: { addr: number; length: number }[],
  ) {
    super(memory);
    this.#ranges = ranges;
  }
  get remaining(): number {
    let total = -this.done;
    for (const range of this.#ranges) total += range.length;
    return total;
  }
  override run(maxLength: number): number | Errno {
    let skip = this.done;
    for (const { addr, length } of this.#ranges) {
      if (skip >= length) {
        skip -= length;
        continue;
      }
      const at = addr + skip;
      if (at >= GUEST_END) return EFAULT;
      this.runLength = Math.min(maxLength, length - skip, GUEST_END - at);
      return at;
    }
    throw new Error("run() beyond the end");
  }
  override advance(length: number): void {
    this.done += length;
  }
}

export class FakeUserMemory implements UserMemory {
  constructor(readonly host: FakeHostMemory) {}

  #view(addr: number, length: number): DataView | Errno {
    if (addr < 0 || addr + length > GUEST_END) return EFAULT;
    return new DataView(this.host.bytes.buffer, addr, length);
  }
  #read(addr: number, length: number, get: (view: DataView) => number) {
    const view = this.#view(addr, length);
    return view instanceof DataView ? get(view) : view;
  }
  #write(addr: number, length: number, set: (view: DataView) => void) {
    const view = this.#view(addr, length);
    if (!(view instanceof DataView)) return view;
    set(view);
    return null;
  }
  readU8(addr: number): number | Errno {
    return this.#read(addr, 1, (v) => v.getUint8(0));
  }
  readU16(addr: number): number | Errno {
    return this.#read(addr, 2, (v) => v.getUint16(0, true));
  }
  readI32(addr: number): number | Errno {
    return this.#read(addr, 4, (v) => v.getInt32(0, true));
  }
  readU32(addr: number): number | Errno {
    return this.#read(addr, 4, (v) => v.getUint32(0, true));
  }
  readU64(addr: number): number | Errno {
    return this.#read(addr, 8, (v) => Number(v.getBigUint64(0, true)));
  }
  readI64(addr: number): number | Errno {
    return this.#read(addr, 8, (v) => Number(v.getBigInt64(0, true)));
  }
  writeU8(addr: number, value: number): Errno | null {
    return this.#write(addr, 1, (v) => v.setUint8(0, value));
  }
  writeU16(addr: number, value: number): Errno | null {
    return this.#write(addr, 2, (v) => v.setUint16(0, value, true));
  }
  writeU32(addr: number, value: number): Errno | null {
    return this.#write(addr, 4, (v) => v.setUint32(0, value, true));
  }
  writeU64(addr: number, value: number): Errno | null {
    return this.#write(addr, 8, (v) => v.setBigInt64(0, BigInt(value), true));
  }
  writeI32s(addr: number, values: readonly number[]): Errno | null {
    return this.#write(addr, 4 * values.length, (v) => {
      for (const [i, value] of values.entries()) v.setInt32(4 * i, value, true);
    });
  }
  readBytes(addr: number, into: Uint8Array): Errno | null {
    if (addr + into.length > GUEST_END) return EFAULT;
    this.host.read(addr, into);
    return null;
  }
  writeBytes(addr: number, from: Uint8Array): Errno | null {
    if (addr + from.length > GUEST_END) return EFAULT;
    this.host.write(addr, from);
    return null;
  }
  readString(addr: number, maxBytes: number, tooLong: Errno): string | Errno {
    let text = "";
    for (let i = 0; i < maxBytes; i++) {
      if (addr + i >= GUEST_END) return EFAULT;
      const byte = this.host.bytes[addr + i]!;
      if (byte === 0) return text;
      text += String.fromCharCode(byte);
    }
    return tooLong;
  }
  buffer(addr: number, length: number): IoBuffer | Errno {
    return new FakeBuffer(this.host, [{ addr, length }]);
  }
  vector(iov: number, count: number): IoBuffer | Errno {
    if (count > 1024) return EINVAL;
    const ranges = [];
    for (let i = 0; i < count; i++) {
      const addr = this.readU64(iov + i * IOVEC_SIZE);
      const length = this.readU64(iov + i * IOVEC_SIZE + 8);
      if (typeof addr !== "number") return addr;
      if (typeof length !== "number") return length;
      ranges.push({ addr, length });
    }
    return new FakeBuffer(this.host, ranges);
  }
  compareExchangeU32(addr: number, expected: number, value: number) {
    const old = this.readU32(addr);
    if (old === expected) this.writeU32(addr, value);
    return old;
  }
  futexKey(addr: number): FutexKey | Errno {
    return { space: this, offset: addr };
  }
}

/** A clock that stands still until the test moves it. */
export class FakeHostClock implements HostClock {
  nowNs = 1e9;
  realtimeSec = 1_700_000_000;
  monotonicNs(): number {
    return this.nowNs;
  }
  realtimeOffset(): { sec: number; nsec: number } {
    return { sec: this.realtimeSec, nsec: 0 };
  }
  boottimeOffsetNs(): number {
    return 0;
  }
  sampleTsc() {
    return { tscLow: 0, tscHigh: 0, monotonicNs: this.nowNs };
  }
  guestCpuNs(): number {
    return 0;
  }
}

export class FakeIdentity implements Identity {
  readonly euid: number;
  readonly suid: number;
  readonly fsuid: number;
  readonly egid: number;
  readonly sgid: number;
  readonly fsgid: number;
  readonly groups: readonly number[] = [];
  constructor(readonly uid = 0, readonly gid = 0) {
    this.euid = this.suid = this.fsuid = uid;
    this.egid = this.sgid = this.fsgid = gid;
  }
  has(): boolean {
    return this.uid === 0;
  }
  isInGroup(gid: number): boolean {
    return gid === this.gid;
  }
}

/** Job control of one process; signals sent are recorded. */
export class FakeJobControl implements JobControl {
  isSessionLeader = true;
  isOrphaned = false;
  controllingTerminal: ControllingTerminal | null = null;
  readonly ignored = new Set<number>();
  readonly sent: { group: number; signo: number }[] = [];
  /** Groups of this session, and of others. */
  readonly groups: Set<number>;
  readonly strangers = new Set<number>();
  constructor(public processGroupId = 1, public sessionId = 1) {
    this.groups = new Set([processGroupId]);
  }
  ignoresOrBlocks(signo: number): boolean {
    return this.ignored.has(signo);
  }
  signalProcessGroup(group: number, signo: number): void {
    this.sent.push({ group, signo });
  }
  signalSessionLeader(signo: number): void {
    this.sent.push({ group: this.sessionId, signo });
  }
  hasGroup(group: number): boolean {
    return this.groups.has(group) || this.strangers.has(group);
  }
  isGroupInSession(group: number): boolean {
    return this.groups.has(group);
  }
}

/** A Caller with the conveniences that tests need. */
export class FakeCaller implements Caller {
  readonly host: FakeHostMemory;
  readonly memory: FakeUserMemory;
  readonly hostClock = new FakeHostClock();
  readonly clock = new Clock(this.hostClock);
  identity: Identity = new FakeIdentity();
  jobControl = new FakeJobControl();
  readonly lockOwner = { waitsFor: null };
  processId = 1;
  threadId = 1;
  /** Signals raised on this caller. */
  readonly raised: number[] = [];

  constructor(host = new FakeHostMemory()) {
    this.host = host;
    this.memory = new FakeUserMemory(host);
  }
  get fsContext(): FsContext {
    throw new Error("this fake has no file system context");
  }
  limit(): number {
    return Infinity;
  }
  raise(signo: number): void {
    this.raised.push(signo);
  }
  /** Files that an ioctl opened; descriptors are their places here. */
  readonly installed: FileDescription[] = [];
  installFile(file: FileDescription, _flags: number): number {
    return this.installed.push(file) - 1;
  }

  /** A cursor over bytes of the text, for write(). */
  source(text: string): IoBuffer {
    const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    this.host.write(4096, bytes);
    return new MemoryBuffer(this.host, 4096, bytes.length);
  }
  /** A cursor with room for `length` bytes, for read(). */
  room(length: number): IoBuffer {
    return new MemoryBuffer(this.host, 1 << 19, length);
  }
  /** What was stored in the last room(). */
  text(length: number): string {
    return String.fromCharCode(
      ...this.host.bytes.subarray(1 << 19, (1 << 19) + length),
    );
  }
}
