/**
 * signalfd: pending signals as records to read. The task side gives a
 * SignalSource for whoever reads. Source: signalfd(2).
 *
 * poll(2) and epoll(7) have no caller here: they see the signals of the task
 * that read last, or else made the descriptor.
 * @module
 */
import { EAGAIN, EFAULT, EINVAL, type Errno, isErrno } from "../abi/errno.ts";
import { O_RDWR } from "../abi/fcntl.ts";
import { POLLIN, POLLRDNORM } from "../abi/poll.ts";
import {
  SI_KERNEL,
  SI_SIGIO,
  SI_TIMER,
  SI_USER,
  SIGBUS,
  SIGCHLD,
  SIGFPE,
  SIGILL,
  SIGINFO,
  SIGPOLL,
  SIGSEGV,
  SIGSYS,
  SIGTRAP,
} from "../abi/signal.ts";
import { SIGNALFD_SIGINFO, SIGNALFD_SIGINFO_SIZE } from "../abi/signalfd.ts";
import type { IoBuffer } from "../mm/io_buffer.ts";
import { Waiter, WaitQueue } from "../sync/wait_queue.ts";
import type { Caller } from "../vfs/caller.ts";
import { FileDescription } from "../vfs/file_description.ts";
import type { AnonInodes } from "./anon_inode.ts";

const READABLE = POLLIN | POLLRDNORM;
/** Where `payload` of a record begins in siginfo_t. */
const PAYLOAD_START = 12;

/** A pending signal: siginfo_t with its bytes from 12 on, null: all zero. */
export interface SignalRecord {
  readonly signo: number;
  readonly code: number;
  readonly errno: number;
  readonly payload: Uint8Array | null;
}

/** The pending signals of a task. */
export interface SignalSource {
  /** Woken when a blocked signal is sent. */
  readonly queues: readonly WaitQueue[];
  /** Masks are sigset_t as two words. */
  hasPending(maskLow: number, maskHigh: number): boolean;
  take(maskLow: number, maskHigh: number): SignalRecord | null;
}

/** Finds the signals of whoever reads. */
export type SignalSourceOf = (caller: Caller) => SignalSource;

/** Hands wake-ups of a task's queue on to the descriptor's own. */
class Forwarder extends Waiter {
  constructor(readonly to: WaitQueue) {
    super();
  }
  override notify(): boolean {
    this.to.wake(READABLE);
    return true;
  }
}

/** A record on its way; used within one call only. */
const record = new Uint8Array(SIGNALFD_SIGINFO_SIZE);
const recordView = new DataView(record.buffer);

export class SignalFdDescription extends FileDescription {
  readonly #queue = new WaitQueue();
  readonly #sourceOf: SignalSourceOf;
  #source: SignalSource | null = null;
  #forwarders: Forwarder[] = [];
  #maskLow: number;
  #maskHigh: number;

  constructor(
    inodes: AnonInodes,
    options: {
      readonly maskLow: number;
      readonly maskHigh: number;
      readonly flags: number;
      readonly sourceOf: SignalSourceOf;
      readonly caller: Caller;
    },
  ) {
    super(inodes.placeOf("[signalfd]"), O_RDWR | options.flags);
    this.#maskLow = options.maskLow;
    this.#maskHigh = options.maskHigh;
    this.#sourceOf = options.sourceOf;
    this.#bind(options.sourceOf(options.caller));
  }

  override get isSeekable(): boolean {
    return false;
  }
  override get queue(): WaitQueue {
    return this.#queue;
  }
  override showInfo(): string {
    const [high, low] = [this.#maskHigh, this.#maskLow].map((word) =>
      (word >>> 0).toString(16).padStart(8, "0")
    );
    return `sigmask:\t${high}${low}\n`;
  }
  override readiness(): number {
    const isReady = this.#source!.hasPending(this.#maskLow, this.#maskHigh);
    return isReady ? READABLE : 0;
  }

  /** signalfd(2) of an existing descriptor. */
  setMask(low: number, high: number): void {
    this.#maskLow = low;
    this.#maskHigh = high;
    this.#queue.wake(READABLE);
  }

  #bind(source: SignalSource): void {
    if (source === this.#source) return;
    this.#unbind();
    this.#source = source;
    for (const queue of source.queues) {
      const forwarder = new Forwarder(this.#queue);
      queue.add(forwarder, READABLE);
      this.#forwarders.push(forwarder);
    }
  }
  #unbind(): void {
    for (const forwarder of this.#forwarders) {
      forwarder.queue?.remove(forwarder);
    }
    this.#forwarders = [];
  }

  /** As many records as there are signals and room. EINVAL: no room for one;
   * EAGAIN; EFAULT. */
  override read(io: IoBuffer, caller: Caller): number | Errno {
    if (io.remaining < SIGNALFD_SIGINFO_SIZE) return EINVAL;
    this.#bind(this.#sourceOf(caller));
    let total = 0;
    while (io.remaining >= SIGNALFD_SIGINFO_SIZE) {
      const signal = this.#source!.take(this.#maskLow, this.#maskHigh);
      if (signal === null) return total > 0 ? total : EAGAIN;
      encode(signal);
      const put = io.put(record, 0, SIGNALFD_SIGINFO_SIZE);
      if (isErrno(put) || put < SIGNALFD_SIGINFO_SIZE) {
        return total > 0 ? total : EFAULT;
      }
      total += put;
    }
    return total;
  }

  protected override onClose(): void {
    this.#unbind();
  }
}

type Layout = "kill" | "timer" | "poll" | "child" | "queue" | "fault" | "call";

/** Which members of siginfo_t's union are in use (siginfo_layout()). */
function layoutOf({ signo, code }: SignalRecord): Layout {
  if (code > SI_USER && code < SI_KERNEL) {
    switch (signo) {
      case SIGCHLD:
        return "child";
      case SIGPOLL:
        return "poll";
      case SIGILL:
      case SIGFPE:
      case SIGSEGV:
      case SIGBUS:
      case SIGTRAP:
        return "fault";
      case SIGSYS:
        return "call";
      default:
        return "kill";
    }
  }
  if (code === SI_TIMER) return "timer";
  if (code === SI_SIGIO) return "poll";
  return code < 0 ? "queue" : "kill";
}

/** Fills `record` as struct signalfd_siginfo. */
function encode(signal: SignalRecord): void {
  record.fill(0);
  const to = SIGNALFD_SIGINFO;
  recordView.setUint32(to.ssi_signo, signal.signo, true);
  recordView.setInt32(to.ssi_errno, signal.errno, true);
  recordView.setInt32(to.ssi_code, signal.code, true);
  const { payload } = signal;
  if (payload === null) return;
  const copy = (from: number, at: number, length: number) => {
    const start = from - PAYLOAD_START;
    record.set(payload.subarray(start, start + length), at);
  };
  const from = SIGINFO;
  switch (layoutOf(signal)) {
    case "kill":
      copy(from.si_pid, to.ssi_pid, 4);
      copy(from.si_uid, to.ssi_uid, 4);
      return;
    case "queue":
      copy(from.si_pid, to.ssi_pid, 4);
      copy(from.si_uid, to.ssi_uid, 4);
      copy(from.si_int, to.ssi_int, 4);
      copy(from.si_ptr, to.ssi_ptr, 8);
      return;
    case "timer":
      copy(from.si_tid, to.ssi_tid, 4);
      copy(from.si_overrun, to.ssi_overrun, 4);
      copy(from.si_int, to.ssi_int, 4);
      copy(from.si_ptr, to.ssi_ptr, 8);
      return;
    case "poll":
      copy(from.si_band, to.ssi_band, 4);
      copy(from.si_fd, to.ssi_fd, 4);
      return;
    case "child":
      copy(from.si_pid, to.ssi_pid, 4);
      copy(from.si_uid, to.ssi_uid, 4);
      copy(from.si_status, to.ssi_status, 4);
      copy(from.si_utime, to.ssi_utime, 8);
      copy(from.si_stime, to.ssi_stime, 8);
      return;
    case "fault":
      copy(from.si_addr, to.ssi_addr, 8);
      copy(from.si_addr_lsb, to.ssi_addr_lsb, 2);
      return;
    case "call":
      copy(from.si_call_addr, to.ssi_call_addr, 8);
      copy(from.si_syscall, to.ssi_syscall, 4);
      copy(from.si_arch, to.ssi_arch, 4);
      return;
  }
}
