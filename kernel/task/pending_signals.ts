/**
 * Queues of pending signals: one per Task, one per ThreadGroup. Standard
 * signals are pending at most once, real-time signals queue in order
 * (signal(7)).
 * @module
 */
import { SIGRTMIN } from "../abi/signal.ts";
import { type SignalInfo, TimerSignal } from "./signal_info.ts";
import { SignalSet } from "./signal_set.ts";

/** Signals that a CPU fault raises go first (signal(7), sigwaitinfo rules). */
const SYNCHRONOUS_LOW = (1 << 3) | (1 << 4) | (1 << 6) | (1 << 7) | (1 << 10) |
  (1 << 30);

export class PendingSignals {
  readonly set = new SignalSet();
  #queues: (SignalInfo[] | undefined)[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** False if it was a standard signal that is pending already. */
  add(info: SignalInfo): boolean {
    const { signo } = info;
    const isPending = this.set.has(signo);
    if (info instanceof TimerSignal) {
      // A timer's own entry, also beside another of a standard signal.
      if (info.isQueued) return false;
      info.isQueued = true;
    } else if (isPending && signo < SIGRTMIN) return false;
    const queue = this.#queues[signo] ??= [];
    queue.push(info);
    this.#count++;
    this.set.add(signo);
    return true;
  }

  /** Next signal within the mask words, or null. */
  take(low: number, high: number): SignalInfo | null {
    const signo = this.next(low, high);
    return signo === 0 ? null : this.takeSignal(signo);
  }

  /** Number of the signal that take() would give; 0 if none. */
  next(low: number, high: number): number {
    const faults = this.set.low & low & SYNCHRONOUS_LOW;
    const first = faults !== 0 ? faults : this.set.low & low;
    if (first !== 0) return 32 - Math.clz32(first & -first);
    const second = this.set.high & high;
    return second === 0 ? 0 : 64 - Math.clz32(second & -second);
  }

  takeSignal(signo: number): SignalInfo | null {
    const queue = this.#queues[signo];
    const info = queue?.shift();
    if (queue === undefined || info === undefined) return null;
    this.#count--;
    if (queue.length === 0) this.set.remove(signo);
    if (info instanceof TimerSignal) info.take();
    return info;
  }

  /** Forgets every pending instance of the signals in the masks. */
  discard(low: number, high: number): void {
    for (let signo = 1; signo <= 64; signo++) {
      const inMask = signo <= 32
        ? (low & (1 << (signo - 1))) !== 0
        : (high & (1 << (signo - 33))) !== 0;
      if (!inMask || !this.set.has(signo)) continue;
      for (const info of this.#queues[signo] ?? []) {
        this.#count--;
        if (info instanceof TimerSignal) info.isQueued = false;
      }
      this.#queues[signo] = undefined;
      this.set.remove(signo);
    }
  }
}
