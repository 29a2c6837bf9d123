/**
 * Blocking: the one place where a task parks, and where EINTR, a restart or a
 * timeout is decided.
 *
 * A handler that cannot finish returns task.block(queue, mask, deadline). That
 * parks the task; on wake-up the same handler runs again from its first line
 * with the same arguments, and finds out for itself whether it can go on. What
 * must survive between runs is plain data in task.restart. If a signal is due
 * instead, block() returns ERESTARTSYS, and if the deadline has passed
 * ETIMEDOUT; the handler translates these where its man page differs
 * (ERESTARTNOHAND for poll, EAGAIN or 0 for a timeout, the count moved so
 * far).
 * @module
 */
import { ERESTARTSYS, type Errno, ETIMEDOUT } from "../abi/errno.ts";
import { ALL_EVENTS, Waiter, type WaitQueue } from "../sync/wait_queue.ts";
import { Timer } from "../time/timer_queue.ts";
import type { Task } from "./task.ts";

/** The handler parked its task. */
export const BLOCKED: unique symbol = Symbol("blocked");
export type Blocked = typeof BLOCKED;
/** The handler left the registers as they should be (sigreturn, execve). */
export const UNCHANGED: unique symbol = Symbol("unchanged");
export type Unchanged = typeof UNCHANGED;

/** What a handler keeps between its runs. Plain data; cleared at the entry of
 * each new system call. */
export class RestartState {
  /** Absolute CLOCK_MONOTONIC deadline, -1 before the first block. */
  deadlineNs = -1;
  /** Bytes (or items) already moved. */
  done = 0;
  /** Anything else; must be plain data. */
  data: object | null = null;

  reset(): void {
    this.deadlineNs = -1;
    this.done = 0;
    this.data = null;
  }
}

class TaskWaiter extends Waiter {
  constructor(readonly task: Task) {
    super();
  }
  override notify(_events: number): boolean {
    return this.task.blocker.wake();
  }
}

class DeadlineTimer extends Timer {
  constructor(readonly task: Task) {
    super();
  }
  override expire(_nowNs: number): void {
    this.task.blocker.wake();
  }
}

/** A task's means of waiting. */
export class Blocker {
  readonly #task: Task;
  readonly #waiters: TaskWaiter[] = [];
  #used = 0;
  readonly #timer: DeadlineTimer;
  #isParked = false;
  /** True if signals do not end the wait (vfork, exec's de_thread). */
  isUninterruptible = false;

  constructor(task: Task) {
    this.#task = task;
    this.#timer = new DeadlineTimer(task);
  }

  get isParked(): boolean {
    return this.#isParked;
  }

  /** Adds a queue to wait on; park() or cancel() must follow. */
  waitOn(queue: WaitQueue, mask: number = ALL_EVENTS): void {
    let waiter = this.#waiters[this.#used];
    if (waiter === undefined) {
      waiter = new TaskWaiter(this.#task);
      this.#waiters.push(waiter);
    }
    this.#used++;
    waiter.isExclusive = false;
    queue.add(waiter, mask);
  }

  /** Parks until one of the queues wakes, or the deadline. */
  park(deadlineNs: number): Blocked | Errno {
    if (this.#task.hasPendingSignal) {
      this.cancel();
      return ERESTARTSYS;
    }
    return this.#park(deadlineNs);
  }

  /** Like park(), but only a fatal signal ends it. */
  parkUninterruptible(): Blocked {
    this.isUninterruptible = true;
    this.#isParked = true;
    return BLOCKED;
  }

  #park(deadlineNs: number): Blocked | Errno {
    if (deadlineNs !== Infinity) {
      const kernel = this.#task.kernel;
      if (kernel.clock.monotonicNs() >= deadlineNs) {
        this.cancel();
        return ETIMEDOUT;
      }
      kernel.timers.arm(this.#timer, deadlineNs);
    }
    this.#isParked = true;
    return BLOCKED;
  }

  /** Makes a parked task runnable; false if it was not parked. */
  wake(): boolean {
    if (!this.#isParked) return false;
    this.#isParked = false;
    this.isUninterruptible = false;
    this.cancel();
    this.#task.kernel.makeRunnable(this.#task);
    return true;
  }

  /** Leaves all queues and disarms the timer. */
  cancel(): void {
    for (let i = 0; i < this.#used; i++) {
      const waiter = this.#waiters[i]!;
      waiter.queue?.remove(waiter);
    }
    this.#used = 0;
    // poll(2) on thousands of descriptors should not keep them for ever.
    if (this.#waiters.length > 64) this.#waiters.length = 64;
    this.#task.kernel.timers.cancel(this.#timer);
  }
}
