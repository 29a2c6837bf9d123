/**
 * Futexes: queues of tasks keyed by a word of memory. Wake-ups are exact: a
 * waiter that was woken is marked, so a spurious run of its handler parks it
 * again. Source: futex(2).
 * @module
 */
import { EAGAIN, type Errno, isErrno } from "../abi/errno.ts";
import { FUTEX_BITSET_MATCH_ANY } from "../abi/futex.ts";
import type { FutexKey, UserMemory } from "../mm/user_memory.ts";
import { PendingWait } from "../sync/pending_wait.ts";
import { ALL_EVENTS, WaitQueue } from "../sync/wait_queue.ts";

/** One task waiting on one word; lives in the task's restart state. */
export class FutexWaiter extends PendingWait {
  isWoken = false;
  /** The bucket it stands in; FUTEX_REQUEUE moves it. */
  bucket: FutexBucket | null = null;
  /** Its task parks here. */
  readonly queue = new WaitQueue();
  /** Index within futex_waitv's array. */
  index = 0;

  constructor(readonly bitset: number) {
    super();
  }

  /** Its task ended: nobody's wake-up may be spent on it. */
  override abandon(): void {
    this.bucket?.table.remove(this);
  }
}

/** The waiters of one word, in order of arrival. */
class FutexBucket {
  readonly waiters = new Set<FutexWaiter>();
  constructor(readonly table: FutexTable, readonly key: FutexKey) {}
}

export class FutexTable {
  readonly #spaces = new Map<object, Map<number, FutexBucket>>();

  #bucket(key: FutexKey): FutexBucket | undefined {
    return this.#spaces.get(key.space)?.get(key.offset);
  }

  #bucketOrNew(key: FutexKey): FutexBucket {
    let space = this.#spaces.get(key.space);
    if (space === undefined) {
      space = new Map();
      this.#spaces.set(key.space, space);
    }
    let bucket = space.get(key.offset);
    if (bucket === undefined) {
      bucket = new FutexBucket(this, key);
      space.set(key.offset, bucket);
    }
    return bucket;
  }

  #dropIfEmpty(bucket: FutexBucket): void {
    if (bucket.waiters.size > 0) return;
    const space = this.#spaces.get(bucket.key.space);
    space?.delete(bucket.key.offset);
    if (space?.size === 0) this.#spaces.delete(bucket.key.space);
  }

  /** Enqueues a waiter. */
  add(key: FutexKey, waiter: FutexWaiter): void {
    const bucket = this.#bucketOrNew(key);
    waiter.bucket = bucket;
    bucket.waiters.add(waiter);
  }

  /** Takes a waiter off, woken or not. */
  remove(waiter: FutexWaiter): void {
    const { bucket } = waiter;
    if (bucket === null) return;
    waiter.bucket = null;
    bucket.waiters.delete(waiter);
    this.#dropIfEmpty(bucket);
  }

  /** The waiters of a word, longest first. */
  waitersOf(key: FutexKey): readonly FutexWaiter[] {
    const bucket = this.#bucket(key);
    return bucket === undefined ? [] : [...bucket.waiters];
  }

  /** Wakes at most `count` waiters whose bitset meets `bitset`. */
  wakeKey(
    key: FutexKey,
    count: number,
    bitset: number = FUTEX_BITSET_MATCH_ANY,
  ): number {
    const bucket = this.#bucket(key);
    if (bucket === undefined) return 0;
    let woken = 0;
    for (const waiter of bucket.waiters) {
      if (woken >= count) break;
      if ((waiter.bitset & bitset) === 0) continue;
      this.remove(waiter);
      waiter.isWoken = true;
      waiter.queue.wake(ALL_EVENTS);
      woken++;
    }
    return woken;
  }

  /** Wakes at a guest address, private and shared alike: for exit paths. */
  wake(memory: UserMemory, addr: number, count: number): number {
    const key = memory.futexKey(addr, true);
    return isErrno(key) ? 0 : this.wakeKey(key, count);
  }

  /** Wakes `wakeCount` waiters and moves up to `moveCount` others to `to`.
   * Returns how many it woke and moved. */
  requeue(
    from: FutexKey,
    to: FutexKey,
    wakeCount: number,
    moveCount: number,
  ): { readonly woken: number; readonly moved: number } {
    const woken = this.wakeKey(from, wakeCount);
    const source = this.#bucket(from);
    let moved = 0;
    if (source === undefined || moveCount === 0) return { woken, moved };
    const target = this.#bucketOrNew(to);
    for (const waiter of [...source.waiters]) {
      if (moved >= moveCount) break;
      moved++;
      if (target === source) continue;
      source.waiters.delete(waiter);
      waiter.bucket = target;
      target.waiters.add(waiter);
    }
    this.#dropIfEmpty(source);
    return { woken, moved };
  }

  /** Reads the word and compares: EAGAIN if it is not `expected`. EFAULT. */
  compare(memory: UserMemory, addr: number, expected: number): Errno | null {
    const value = memory.readU32(addr);
    if (isErrno(value)) return value;
    return value === expected >>> 0 ? null : EAGAIN;
  }
}
