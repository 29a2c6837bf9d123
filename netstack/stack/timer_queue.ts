/**
 * Timers of a stack: a binary heap by deadline. A timer that is put off, which
 * happens with every acknowledgment, costs one assignment: the heap learns of
 * it when the old deadline comes up.
 * @module
 */
import { type Millis, NEVER } from "../clock.ts";

export class Timer {
  /** When it shall fire; NEVER: not armed. */
  deadline: Millis = NEVER;
  /** The deadline by which it stands in the heap; NEVER: not there. */
  heapKey: Millis = NEVER;
  heapIndex = 0;
  readonly onFire: () => void;

  constructor(onFire: () => void) {
    this.onFire = onFire;
  }
}

export class TimerQueue {
  readonly #heap: Timer[] = [];

  /** Arms a timer, or moves it. */
  arm(timer: Timer, deadline: Millis): void {
    timer.deadline = deadline;
    // An entry that is early enough finds the new deadline when it comes up.
    if (deadline < timer.heapKey) this.#insert(timer, deadline);
  }

  disarm(timer: Timer): void {
    timer.deadline = NEVER;
  }

  /** The earliest moment at which anything may be due; it may be too early. */
  nextDeadline(): Millis {
    this.#settle();
    return this.#heap[0]?.heapKey ?? NEVER;
  }

  /** Fires what is due. A timer armed for now by another one waits for the
   * next call, so that this one ends. */
  fire(now: Millis): void {
    let budget = this.#heap.length;
    while (budget-- > 0) {
      this.#settle();
      const timer = this.#heap[0];
      if (timer === undefined || timer.heapKey > now) return;
      this.#pop();
      timer.deadline = NEVER;
      timer.onFire();
    }
  }

  /** Brings the first entry in line with what its timer wants now. */
  #settle(): void {
    for (;;) {
      const timer = this.#heap[0];
      if (timer === undefined || timer.heapKey === timer.deadline) return;
      this.#pop();
      if (timer.deadline !== NEVER) this.#insert(timer, timer.deadline);
    }
  }

  #insert(timer: Timer, key: Millis): void {
    if (timer.heapKey !== NEVER) {
      // It stands there with a later key: move it up in place.
      timer.heapKey = key;
      this.#up(timer.heapIndex);
      return;
    }
    timer.heapKey = key;
    timer.heapIndex = this.#heap.push(timer) - 1;
    this.#up(this.#heap.length - 1);
  }

  #pop(): void {
    const first = this.#heap[0]!;
    first.heapKey = NEVER;
    const last = this.#heap.pop()!;
    if (last === first) return;
    this.#heap[0] = last;
    last.heapIndex = 0;
    this.#down(0);
  }

  #up(from: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.heapKey <= heap[at]!.heapKey) return;
      this.#swap(parent, at);
      at = parent;
    }
  }

  #down(from: number): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const least =
        right < heap.length && heap[right]!.heapKey < heap[left]!.heapKey
          ? right
          : left;
      if (heap[at]!.heapKey <= heap[least]!.heapKey) return;
      this.#swap(least, at);
      at = least;
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const [atA, atB] = [heap[a]!, heap[b]!];
    heap[a] = atB;
    heap[b] = atA;
    atB.heapIndex = a;
    atA.heapIndex = b;
  }
}
