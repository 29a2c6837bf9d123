/**
 * timerfd: a timer whose expirations are counted and read. Source:
 * timerfd_create(2).
 *
 * A periodic timer is armed anew when somebody looks at it, not at every
 * expiration, so that a short period that nobody reads costs nothing; the
 * count then catches up by division.
 * @module
 */
import { EAGAIN, EFAULT, EINVAL, type Errno, isErrno } from "../abi/errno.ts";
import { O_RDWR } from "../abi/fcntl.ts";
import { POLLIN, POLLRDNORM } from "../abi/poll.ts";
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
} from "../abi/time.ts";
import type { IoBuffer } from "../mm/io_buffer.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import {
  type Clock,
  nsOfTimespec,
  type Timespec,
  timespecOfNs,
} from "../time/clock.ts";
import { Timer, type TimerQueue } from "../time/timer_queue.ts";
import { FileDescription } from "../vfs/file_description.ts";
import type { AnonInodes } from "./anon_inode.ts";

const READABLE = POLLIN | POLLRDNORM;
const TWO_32 = 4294967296;

/** The eight bytes on their way; used within one call only. */
const word = new DataView(new ArrayBuffer(8));
const wordBytes = new Uint8Array(word.buffer);

/** What a timer is set to: struct itimerspec. */
export interface TimerSetting {
  /** Time to the next expiration, ns; 0: disarmed. */
  readonly valueNs: number;
  /** Period, ns; 0: once. */
  readonly intervalNs: number;
}

/** What timers need of the kernel. */
export interface TimerServices {
  readonly clock: Clock;
  readonly timers: TimerQueue;
}

class Expiry extends Timer {
  constructor(readonly file: TimerFdDescription) {
    super();
  }
  override expire(): void {
    this.file.onExpiry();
  }
}

export class TimerFdDescription extends FileDescription {
  readonly #queue = new WaitQueue();
  readonly #expiry = new Expiry(this);
  readonly #services: TimerServices;
  /** CLOCK_*. */
  readonly #clockId: number;
  #intervalNs = 0;
  /** CLOCK_MONOTONIC of the expiration that is next, or was counted last. */
  #dueNs = 0;
  /** Expirations that nobody has read. */
  #ticks = 0;
  /** The last timerfd_settime(2) gave a time, not a duration. */
  #isAbsolute = false;

  constructor(
    inodes: AnonInodes,
    services: TimerServices,
    options: { readonly clockId: number; readonly flags: number },
  ) {
    super(inodes.placeOf("[timerfd]"), O_RDWR | options.flags);
    this.#services = services;
    this.#clockId = options.clockId;
  }

  override get isSeekable(): boolean {
    return false;
  }
  override get queue(): WaitQueue {
    return this.#queue;
  }
  override showInfo(): string {
    const { valueNs, intervalNs } = this.setting;
    const pair = (ns: number) => {
      const { sec, nsec } = timespecOfNs(ns);
      return `(${sec}, ${nsec})`;
    };
    return `clockid: ${this.#clockId}\n` +
      `ticks: ${this.#ticks}\n` +
      `settime flags: 0${this.#isAbsolute ? 1 : 0}\n` +
      `it_value: ${pair(valueNs)}\n` +
      `it_interval: ${pair(intervalNs)}\n`;
  }
  override readiness(): number {
    return this.#ticks > 0 ? READABLE : 0;
  }

  /** Called by the timer: the next look at it counts what came since. */
  onExpiry(): void {
    this.#ticks++;
    this.#queue.wake(READABLE);
  }

  /** timerfd_gettime(2). */
  get setting(): TimerSetting {
    this.#catchUp();
    const nowNs = this.#services.clock.monotonicNs();
    const valueNs = this.#expiry.isArmed
      // Due but not fired yet is not disarmed.
      ? Math.max(1, this.#dueNs - nowNs)
      : 0;
    return { valueNs, intervalNs: this.#intervalNs };
  }

  /** timerfd_settime(2): forgets old expirations. A `value` of zero disarms;
   * `isAbsolute`: it is a time of the timer's clock. */
  set(
    value: Timespec,
    interval: Timespec,
    options: { readonly isAbsolute: boolean },
  ): void {
    const { clock, timers } = this.#services;
    timers.cancel(this.#expiry);
    this.#ticks = 0;
    this.#intervalNs = nsOfTimespec(interval);
    this.#isAbsolute = options.isAbsolute;
    if (value.sec === 0 && value.nsec === 0) return;
    this.#dueNs = options.isAbsolute
      ? this.#monotonicAt(value)
      : clock.monotonicNs() + nsOfTimespec(value);
    timers.arm(this.#expiry, this.#dueNs);
  }

  #monotonicAt(time: Timespec): number {
    const { clock } = this.#services;
    switch (this.#clockId) {
      case CLOCK_REALTIME:
      case CLOCK_REALTIME_ALARM:
        return clock.monotonicAtRealtime(time);
      case CLOCK_BOOTTIME:
      case CLOCK_BOOTTIME_ALARM:
        return nsOfTimespec(time) + clock.monotonicNs() - clock.boottimeNs();
      default:
        return nsOfTimespec(time);
    }
  }

  /** A periodic timer that has fired counts what it missed and goes on. */
  #catchUp(): void {
    if (this.#ticks === 0 || this.#intervalNs === 0) return;
    if (this.#expiry.isArmed) return;
    const { clock, timers } = this.#services;
    const lateNs = Math.max(0, clock.monotonicNs() - this.#dueNs);
    const missed = Math.floor(lateNs / this.#intervalNs);
    this.#ticks += missed;
    this.#dueNs += (missed + 1) * this.#intervalNs;
    timers.arm(this.#expiry, this.#dueNs);
  }

  /** The count of expirations as a u64. EINVAL for less than 8 bytes, EAGAIN
   * if there were none, EFAULT. */
  override read(io: IoBuffer): number | Errno {
    if (io.remaining < 8) return EINVAL;
    if (this.#ticks === 0) return EAGAIN;
    this.#catchUp();
    word.setUint32(0, this.#ticks % TWO_32, true);
    word.setUint32(4, Math.floor(this.#ticks / TWO_32), true);
    this.#ticks = 0;
    const put = io.put(wordBytes, 0, 8);
    return put === 8 || isErrno(put) ? put : EFAULT;
  }

  protected override onClose(): void {
    this.#services.timers.cancel(this.#expiry);
  }
}
