/**
 * POSIX timers of a process: timer_create(2) and its kin. One pending signal
 * per timer; expirations meanwhile count as overruns.
 * @module
 */
import { SI_TIMER, SIGEV_NONE, SIGEV_THREAD_ID } from "../abi/signal.ts";
import { Timer } from "../time/timer_queue.ts";
import type { IntervalSetting } from "./interval_timers.ts";
import { timerSignal } from "./signal_info.ts";
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

export class PosixTimer extends Timer {
  intervalNs = 0;
  /** timer_getoverrun(2): of the last delivered signal. */
  overrun = 0;

  constructor(
    readonly process: ThreadGroup,
    readonly id: number,
    /** CLOCK_* as given. */
    readonly clockId: number,
    readonly notification: TimerNotification,
  ) {
    super();
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

  #notify(missed: number): void {
    const { notify, signo, valueLow, valueHigh, thread } = this.notification;
    if (notify === SIGEV_NONE) return;
    const isPending = this.process.pending.set.has(signo) ||
      (thread?.pending.set.has(signo) ?? false);
    if (isPending) {
      this.overrun = Math.min(DELAYTIMER_MAX, this.overrun + missed + 1);
      return;
    }
    this.overrun = missed;
    const info = timerSignal(
      signo,
      SI_TIMER,
      this.id,
      this.overrun,
      valueLow,
      valueHigh,
    );
    if (notify === SIGEV_THREAD_ID && thread !== null) sendToTask(thread, info);
    else sendToGroup(this.process, info);
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
    notification: (id: number) => TimerNotification,
  ): PosixTimer {
    const id = this.#nextId++;
    const timer = new PosixTimer(this.#process, id, clockId, notification(id));
    this.#timers.set(id, timer);
    return timer;
  }
  get(id: number): PosixTimer | null {
    return this.#timers.get(id) ?? null;
  }

  /** Time left and interval; zero if it is not armed. */
  remaining(timer: PosixTimer): IntervalSetting {
    if (!timer.isArmed) return { valueNs: 0, intervalNs: timer.intervalNs };
    const now = this.#process.leader.kernel.clock.monotonicNs();
    const valueNs = Math.max(1, timer.deadlineNs - now);
    return { valueNs, intervalNs: timer.intervalNs };
  }

  delete(id: number): boolean {
    const timer = this.#timers.get(id);
    if (timer === undefined) return false;
    this.#process.leader.kernel.timers.cancel(timer);
    return this.#timers.delete(id);
  }

  /** exit(2) and execve(2). */
  cancelAll(): void {
    for (const id of [...this.#timers.keys()]) this.delete(id);
  }
}
