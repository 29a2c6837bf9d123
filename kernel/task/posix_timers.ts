/**
 * POSIX timers of a process: timer_create(2) and its kin. A timer has at most
 * one signal pending; what expires until that is taken counts as overruns.
 * @module
 */
import { SI_TIMER, SIGEV_NONE, SIGEV_THREAD_ID } from "../abi/signal.ts";
import { Timer } from "../time/timer_queue.ts";
import type { CpuClock, CpuTimer } from "./cpu_clock.ts";
import type { IntervalSetting } from "./interval_timers.ts";
import { TimerSignal } from "./signal_info.ts";
import { sendToGroup, sendToTask } from "./signal_send.ts";
import type { Task } from "./task.ts";
import type { ThreadGroup } from "./thread_group.ts";

/** How a timer tells of its expiry; from struct sigevent. */
export interface TimerNotification {
  readonly notify: number;
  readonly signo: number;
  readonly valueLow: number;
  readonly valueHigh: number;
  /** For SIGEV_THREAD_ID. */
  readonly thread: Task | null;
}

const DELAYTIMER_MAX = 0x7fffffff;

export class PosixTimer extends Timer implements CpuTimer {
  intervalNs = 0;
  /** timer_getoverrun(2): of the last delivered signal. */
  overrun = 0;
  /** The next expiry on a CPU clock, ns; Infinity: not armed. */
  cpuDeadlineNs = Infinity;
  #missed = 0;
  readonly #signal: TimerSignal;

  constructor(
    readonly process: ThreadGroup,
    readonly id: number,
    /** CLOCK_* as given. */
    readonly clockId: number,
    /** The clock if it counts CPU time. */
    readonly cpuClock: CpuClock | null,
    readonly notification: TimerNotification,
  ) {
    super();
    const { signo, valueLow, valueHigh } = notification;
    this.#signal = new TimerSignal(
      this,
      signo,
      SI_TIMER,
      id,
      valueLow,
      valueHigh,
    );
  }

  get isSet(): boolean {
    return this.isArmed || this.cpuDeadlineNs !== Infinity;
  }

  override expire(nowNs: number): void {
    let missed = 0;
    if (this.intervalNs > 0) {
      missed = Math.floor((nowNs - this.deadlineNs) / this.intervalNs);
      const next = this.deadlineNs + (missed + 1) * this.intervalNs;
      this.process.leader.kernel.timers.arm(this, next);
    }
    this.#notify(missed);
  }

  checkCpuTime(): void {
    const used = this.cpuClock?.readNs() ?? 0;
    if (used < this.cpuDeadlineNs) return;
    let missed = 0;
    if (this.intervalNs > 0) {
      missed = Math.floor((used - this.cpuDeadlineNs) / this.intervalNs);
      this.cpuDeadlineNs += (missed + 1) * this.intervalNs;
    } else {
      this.cpuDeadlineNs = Infinity;
      this.process.leader.kernel.cpuTimers.delete(this);
    }
    this.#notify(missed);
  }

  #notify(missed: number): void {
    const { notify, thread } = this.notification;
    if (notify === SIGEV_NONE) return;
    if (this.#signal.isQueued) {
      this.#missed = Math.min(DELAYTIMER_MAX, this.#missed + missed + 1);
      return;
    }
    this.#missed = missed;
    const signal = this.#signal;
    if (notify === SIGEV_THREAD_ID && thread !== null) {
      sendToTask(thread, signal);
    } else sendToGroup(this.process, signal);
  }

  /** The signal is taken off its queue: what it says of overruns. */
  collectOverrun(): number {
    this.overrun = this.#missed;
    this.#missed = 0;
    return this.overrun;
  }

  /** `deadlineNs`: on CLOCK_MONOTONIC, or on the CPU clock; Infinity: none. */
  set(deadlineNs: number, intervalNs: number): void {
    const { timers, cpuTimers } = this.process.leader.kernel;
    this.intervalNs = intervalNs;
    this.overrun = 0;
    this.#missed = 0;
    timers.cancel(this);
    cpuTimers.delete(this);
    this.cpuDeadlineNs = Infinity;
    if (deadlineNs === Infinity) return;
    if (this.cpuClock === null) timers.arm(this, deadlineNs);
    else {
      this.cpuDeadlineNs = deadlineNs;
      cpuTimers.add(this);
    }
  }

  /** Time left and interval; zero if it is not armed. */
  remaining(): IntervalSetting {
    const { intervalNs } = this;
    if (!this.isSet) return { valueNs: 0, intervalNs };
    const { clock } = this.process.leader.kernel;
    const left = this.cpuClock === null
      ? this.deadlineNs - clock.monotonicNs()
      : this.cpuDeadlineNs - this.cpuClock.readNs();
    return { valueNs: Math.max(1, left), intervalNs };
  }
}

export class PosixTimers {
  readonly #timers = new Map<number, PosixTimer>();
  readonly #process: ThreadGroup;
  #nextId = 0;

  constructor(process: ThreadGroup) {
    this.#process = process;
  }

  get count(): number {
    return this.#timers.size;
  }

  create(
    clockId: number,
    cpuClock: CpuClock | null,
    notification: (id: number) => TimerNotification,
  ): PosixTimer {
    const id = this.#nextId++;
    const timer = new PosixTimer(
      this.#process,
      id,
      clockId,
      cpuClock,
      notification(id),
    );
    this.#timers.set(id, timer);
    return timer;
  }
  get(id: number): PosixTimer | null {
    return this.#timers.get(id) ?? null;
  }

  delete(id: number): boolean {
    const timer = this.#timers.get(id);
    if (timer === undefined) return false;
    timer.set(Infinity, 0);
    return this.#timers.delete(id);
  }

  /** exit(2) and execve(2). */
  cancelAll(): void {
    for (const id of [...this.#timers.keys()]) this.delete(id);
  }
}
