/**
 * Interval timers of a process: setitimer(2) and alarm(2). ITIMER_REAL runs on
 * CLOCK_MONOTONIC; the CPU-time timers are checked by the run loop's tick.
 * @module
 */
import { SIGALRM, SIGPROF, SIGVTALRM } from "../abi/signal.ts";
import { ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL } from "../abi/time.ts";
import { Timer } from "../time/timer_queue.ts";
import type { CpuTimer } from "./cpu_clock.ts";
import { kernelSignal } from "./signal_info.ts";
import { sendToGroup } from "./signal_send.ts";
import type { ThreadGroup } from "./thread_group.ts";

/** Remaining time and interval, ns. */
export interface IntervalSetting {
  readonly valueNs: number;
  readonly intervalNs: number;
}

const OFF: IntervalSetting = { valueNs: 0, intervalNs: 0 };

class RealTimer extends Timer {
  intervalNs = 0;
  constructor(readonly process: ThreadGroup) {
    super();
  }
  override expire(nowNs: number): void {
    const { process } = this;
    sendToGroup(process, kernelSignal(SIGALRM));
    if (this.intervalNs === 0) return;
    const missed = Math.floor((nowNs - this.deadlineNs) / this.intervalNs);
    const next = this.deadlineNs + (missed + 1) * this.intervalNs;
    process.leader.kernel.timers.arm(this, next);
  }
}

/** A CPU-time timer: fires when the process's CPU time reaches `atNs`. */
interface CpuDeadline {
  atNs: number;
  intervalNs: number;
}

export class IntervalTimers implements CpuTimer {
  readonly #process: ThreadGroup;
  readonly #real: RealTimer;
  readonly #virtual: CpuDeadline = { atNs: Infinity, intervalNs: 0 };
  readonly #profile: CpuDeadline = { atNs: Infinity, intervalNs: 0 };

  constructor(process: ThreadGroup) {
    this.#process = process;
    this.#real = new RealTimer(process);
  }

  /** True if the run loop must look at CPU time. */
  get hasCpuTimer(): boolean {
    return this.#virtual.atNs !== Infinity || this.#profile.atNs !== Infinity;
  }

  #cpuTimer(which: number): CpuDeadline {
    return which === ITIMER_VIRTUAL ? this.#virtual : this.#profile;
  }
  #cpuNs(which: number): number {
    const { userNs, systemNs } = this.#process;
    return which === ITIMER_VIRTUAL ? userNs : userNs + systemNs;
  }

  get(which: number): IntervalSetting {
    if (which === ITIMER_REAL) {
      if (!this.#real.isArmed) return OFF;
      const now = this.#process.leader.kernel.clock.monotonicNs();
      // An armed timer never shows zero (getitimer(2)).
      const valueNs = Math.max(1000, this.#real.deadlineNs - now);
      return { valueNs, intervalNs: this.#real.intervalNs };
    }
    const timer = this.#cpuTimer(which);
    if (timer.atNs === Infinity) return OFF;
    const valueNs = Math.max(1000, timer.atNs - this.#cpuNs(which));
    return { valueNs, intervalNs: timer.intervalNs };
  }

  set(which: number, { valueNs, intervalNs }: IntervalSetting): void {
    if (which === ITIMER_REAL) {
      const { timers, clock } = this.#process.leader.kernel;
      this.#real.intervalNs = intervalNs;
      if (valueNs === 0) timers.cancel(this.#real);
      else timers.arm(this.#real, clock.monotonicNs() + valueNs);
      return;
    }
    const timer = this.#cpuTimer(which);
    timer.atNs = valueNs === 0 ? Infinity : this.#cpuNs(which) + valueNs;
    timer.intervalNs = intervalNs;
    this.#enlist();
  }

  /** The run loop looks at the timers of enlisted processes only. */
  #enlist(): void {
    const { cpuTimers } = this.#process.leader.kernel;
    if (this.hasCpuTimer) cpuTimers.add(this);
    else cpuTimers.delete(this);
  }

  /** Sends SIGVTALRM and SIGPROF that are due. */
  checkCpuTime(): void {
    this.#check(ITIMER_VIRTUAL, SIGVTALRM);
    this.#check(ITIMER_PROF, SIGPROF);
    this.#enlist();
  }

  #check(which: number, signo: number): void {
    const timer = this.#cpuTimer(which);
    const used = this.#cpuNs(which);
    if (used < timer.atNs) return;
    sendToGroup(this.#process, kernelSignal(signo));
    timer.atNs = timer.intervalNs === 0 ? Infinity : used + timer.intervalNs;
  }

  cancelAll(): void {
    this.#process.leader.kernel.timers.cancel(this.#real);
    this.#virtual.atNs = Infinity;
    this.#profile.atNs = Infinity;
    this.#enlist();
  }
}
