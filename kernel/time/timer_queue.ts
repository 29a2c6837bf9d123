/**
 * The kernel's timers: a binary heap of deadlines in CLOCK_MONOTONIC
 * nanoseconds. The run loop asks for the next deadline, sleeps, and fires what
 * has expired; nothing here reads a clock.
 * @module
 */

/** A deadline and what happens then. Reusable; armed at most once. */
export abstract class Timer {
  /** Maintained by TimerQueue: position in the heap, -1 when not armed. */
  heapIndex = -1;
  /** CLOCK_MONOTONIC nanoseconds. */
  deadlineNs = 0;

  get isArmed(): boolean {
    return this.heapIndex >= 0;
  }

  /** The deadline has passed; the timer is no longer armed. */
  abstract expire(nowNs: number): void;
}

/** Min-heap of armed timers. */
export class TimerQueue {
  #heap: Timer[] = [];

  /** Deadline of the earliest timer, Infinity if none is armed. */
  get nextDeadlineNs(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0]!.deadlineNs;
  }

  /** Arms, or re-arms, a timer. */
  arm(timer: Timer, deadlineNs: number): void {
    if (timer.heapIndex >= 0) this.cancel(timer);
    timer.deadlineNs = deadlineNs;
    this.#place(timer, this.#heap.length);
    this.#up(timer.heapIndex);
  }

  /** Does nothing if the timer is not armed. */
  cancel(timer: Timer): void {
    const index = timer.heapIndex;
    if (index < 0) return;
    timer.heapIndex = -1;
    const last = this.#heap.pop()!;
    if (last === timer) return;
    this.#place(last, index);
    this.#up(index);
    this.#down(last.heapIndex);
  }

  /** Fires every timer whose deadline is at or before `nowNs`. */
  expire(nowNs: number): void {
    while (this.nextDeadlineNs <= nowNs) {
      const timer = this.#heap[0]!;
      this.cancel(timer);
      timer.expire(nowNs);
    }
  }

  #place(timer: Timer, index: number): void {
    this.#heap[index] = timer;
    timer.heapIndex = index;
  }

  #up(start: number): void {
    let index = start;
    const timer = this.#heap[index]!;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = this.#heap[parent]!;
      if (above.deadlineNs <= timer.deadlineNs) break;
      this.#place(above, index);
      index = parent;
    }
    this.#place(timer, index);
  }

  #down(start: number): void {
    let index = start;
    const timer = this.#heap[index]!;
    const length = this.#heap.length;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (
        child + 1 < length &&
        this.#heap[child + 1]!.deadlineNs < this.#heap[child]!.deadlineNs
      ) child++;
      const below = this.#heap[child]!;
      if (below.deadlineNs >= timer.deadlineNs) break;
      this.#place(below, index);
      index = child;
    }
    this.#place(timer, index);
  }
}
