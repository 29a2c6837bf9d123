/**
 * Wait queues: who wants to know that something changed. An object that can
 * become ready owns a WaitQueue; a parked Task, an epoll item or a poll(2)
 * table adds a Waiter to it. Waking never runs guest-visible work: it marks
 * Tasks runnable, and their handlers run again from the top.
 * @module
 */

/** Events are POLL* bits (kernel/abi/poll.ts); ALL wakes every waiter. */
export const ALL_EVENTS = 0x7fffffff;

/** One registration on one queue; reusable after it was removed. */
export abstract class Waiter {
  /** Maintained by WaitQueue. */
  queue: WaitQueue | null = null;
  prev: Waiter | null = null;
  next: Waiter | null = null;
  mask = 0;
  /** At most one exclusive waiter is woken per event (EPOLLEXCLUSIVE, accept). */
  isExclusive = false;

  /** Called with the events that happened. May remove waiters from the queue,
   * but not wake it. Returns false if it had no use for the event, so that an
   * exclusive wake-up goes on to the next. */
  abstract notify(events: number): boolean;
}

/** An intrusive list of waiters, in order of arrival. */
export class WaitQueue {
  #head: Waiter | null = null;
  #tail: Waiter | null = null;
  /** The waiter that a running wake-up visits next. A Task that polls one queue
   * through two descriptors leaves it with both waiters at once. */
  #cursor: Waiter | null = null;

  get isEmpty(): boolean {
    return this.#head === null;
  }

  /** Preconditions: the waiter is on no queue. */
  add(waiter: Waiter, mask: number): void {
    if (waiter.queue !== null) throw new Error("Waiter is already queued");
    waiter.queue = this;
    waiter.mask = mask;
    waiter.prev = this.#tail;
    waiter.next = null;
    if (this.#tail !== null) this.#tail.next = waiter;
    else this.#head = waiter;
    this.#tail = waiter;
  }

  /** Does nothing if the waiter is not on this queue. */
  remove(waiter: Waiter): void {
    if (waiter.queue !== this) return;
    if (this.#cursor === waiter) this.#cursor = waiter.next;
    if (waiter.prev !== null) waiter.prev.next = waiter.next;
    else this.#head = waiter.next;
    if (waiter.next !== null) waiter.next.prev = waiter.prev;
    else this.#tail = waiter.prev;
    waiter.queue = null;
    waiter.prev = null;
    waiter.next = null;
  }

  /** Notifies the waiters that asked for any of `events`. */
  wake(events: number = ALL_EVENTS): void {
    let waiter = this.#head;
    let exclusiveDone = false;
    while (waiter !== null) {
      this.#cursor = waiter.next;
      if (
        (waiter.mask & events) !== 0 && !(waiter.isExclusive && exclusiveDone)
      ) {
        const isExclusive = waiter.isExclusive;
        if (waiter.notify(events) && isExclusive) exclusiveDone = true;
      }
      waiter = this.#cursor;
    }
    this.#cursor = null;
  }

  /** Notifies at most `count` waiters; returns how many had use for it. */
  wakeSome(events: number, count: number): number {
    let woken = 0;
    let waiter = this.#head;
    while (waiter !== null && woken < count) {
      this.#cursor = waiter.next;
      if ((waiter.mask & events) !== 0 && waiter.notify(events)) woken++;
      waiter = this.#cursor;
    }
    this.#cursor = null;
    return woken;
  }
}
