/**
 * eventfd(2): a 64-bit counter as a file. The counter is kept as two u32
 * halves, because its whole range matters and a double does not hold it.
 * @module
 */
import { EAGAIN, EFAULT, EINVAL, type Errno, isErrno } from "../abi/errno.ts";
import { O_NONBLOCK, O_RDWR } from "../abi/fcntl.ts";
import { POLLERR, POLLIN, POLLOUT } from "../abi/poll.ts";
import type { IoBuffer } from "../mm/io_buffer.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import { FileDescription } from "../vfs/file_description.ts";
import type { AnonInodes } from "./anon_inode.ts";

const MAX_U32 = 0xffffffff;

/** The eight bytes on their way; used within one call only. */
const word = new DataView(new ArrayBuffer(8));
const wordBytes = new Uint8Array(word.buffer);

/** What eventfd2(2) asks for. */
export interface EventFdOptions {
  /** First value, u32. */
  readonly initial: number;
  /** EFD_SEMAPHORE: read(2) takes one. */
  readonly isSemaphore: boolean;
  readonly isNonBlocking: boolean;
}

export class EventFdDescription extends FileDescription {
  readonly #queue = new WaitQueue();
  readonly #isSemaphore: boolean;
  #high = 0;
  #low: number;

  constructor(inodes: AnonInodes, options: EventFdOptions) {
    const flags = O_RDWR | (options.isNonBlocking ? O_NONBLOCK : 0);
    super(inodes.placeOf("[eventfd]"), flags);
    this.#low = options.initial;
    this.#isSemaphore = options.isSemaphore;
  }

  override get isSeekable(): boolean {
    return false;
  }
  override get queue(): WaitQueue {
    return this.#queue;
  }

  /** The counter in hexadecimal. */
  get counterText(): string {
    const hex = (word: number) => word.toString(16).padStart(8, "0");
    return (hex(this.#high) + hex(this.#low)).replace(/^0+(?=.)/, "");
  }
  override showInfo(): string {
    return `eventfd-count: ${this.counterText.padStart(16)}\n`;
  }

  override readiness(): number {
    const isZero = this.#high === 0 && this.#low === 0;
    let events = isZero ? 0 : POLLIN;
    // Writing 1 must be possible; 2^64 - 1 is reached by the kernel only.
    if (this.#high !== MAX_U32 || this.#low < MAX_U32 - 1) events |= POLLOUT;
    if (this.#high === MAX_U32 && this.#low === MAX_U32) events |= POLLERR;
    return events;
  }

  /** EINVAL for less than 8 bytes, EAGAIN at zero, EFAULT. */
  override read(io: IoBuffer): number | Errno {
    if (io.remaining < 8) return EINVAL;
    if (this.#high === 0 && this.#low === 0) return EAGAIN;
    word.setUint32(0, this.#isSemaphore ? 1 : this.#low, true);
    word.setUint32(4, this.#isSemaphore ? 0 : this.#high, true);
    if (!this.#isSemaphore) this.#low = this.#high = 0;
    else if (this.#low > 0) this.#low--;
    else {
      this.#low = MAX_U32;
      this.#high--;
    }
    this.#queue.wake(POLLOUT);
    // As on Linux the counter is taken even if the store faults.
    const put = io.put(wordBytes, 0, 8);
    return put === 8 || isErrno(put) ? put : EFAULT;
  }

  /** EINVAL for less than 8 bytes or 2^64 - 1, EAGAIN if the counter would
   * pass 2^64 - 2, EFAULT. */
  override write(io: IoBuffer): number | Errno {
    if (io.remaining < 8) return EINVAL;
    const taken = io.take(wordBytes, 0, 8);
    if (isErrno(taken)) return taken;
    if (taken < 8) return EFAULT;
    const addLow = word.getUint32(0, true);
    const addHigh = word.getUint32(4, true);
    if (addLow === MAX_U32 && addHigh === MAX_U32) return EINVAL;
    const low = this.#low + addLow;
    const high = this.#high + addHigh + (low > MAX_U32 ? 1 : 0);
    const isOver = high > MAX_U32 ||
      (high === MAX_U32 && low >>> 0 === MAX_U32);
    if (isOver) return EAGAIN;
    this.#low = low >>> 0;
    this.#high = high;
    if (this.readiness() & POLLIN) this.#queue.wake(POLLIN);
    return 8;
  }
}
