/**
 * Priority-inheritance futexes: the word holds the owner's thread id, and the
 * kernel hands the lock over. All tasks have one priority here, so the longest
 * waiter is next. Source: futex(2), "Priority-inheritance futexes".
 * @module
 */
import {
  EAGAIN,
  EDEADLK,
  EINVAL,
  EPERM,
  type Errno,
  ESRCH,
  isErrno,
} from "../abi/errno.ts";
import {
  FUTEX_BITSET_MATCH_ANY,
  FUTEX_OWNER_DIED,
  FUTEX_TID_MASK,
  FUTEX_WAITERS,
} from "../abi/futex.ts";
import type { FutexKey } from "../mm/user_memory.ts";
import { FutexWaiter } from "./futex.ts";
import type { Task } from "./task.ts";

/** A task that waits for a lock, or for a condition that leads to one
 * (FUTEX_WAIT_REQUEUE_PI). */
export class PiWaiter extends FutexWaiter {
  lock: PiLock | null = null;
  /** The lock was handed to it. */
  isOwner = false;
  /** It was moved to the lock's queue. */
  isRequeued = false;

  constructor(
    readonly task: Task,
    /** Where this task's memory has the lock's word. */
    readonly addr: number,
    /** The lock that FUTEX_CMP_REQUEUE_PI may move it to. */
    readonly requeueKey: FutexKey | null = null,
  ) {
    super(FUTEX_BITSET_MATCH_ANY);
  }

  override abandon(): void {
    super.abandon();
    this.lock?.table.leave(this);
  }
}

/** A lock with waiters (struct futex_pi_state). */
class PiLock {
  readonly waiters = new Set<PiWaiter>();
  constructor(
    readonly table: PiFutexTable,
    readonly key: FutexKey,
    public owner: Task,
  ) {}
}

export class PiFutexTable {
  readonly #spaces = new Map<object, Map<number, PiLock>>();
  readonly #held = new Map<Task, Set<PiLock>>();

  #find(key: FutexKey): PiLock | undefined {
    return this.#spaces.get(key.space)?.get(key.offset);
  }

  /** FUTEX_WAKE and FUTEX_WAIT do not belong on a lock. */
  isLock(key: FutexKey): boolean {
    return this.#find(key) !== undefined;
  }

  #own(lock: PiLock, task: Task): void {
    this.#held.get(lock.owner)?.delete(lock);
    lock.owner = task;
    let held = this.#held.get(task);
    if (held === undefined) this.#held.set(task, held = new Set());
    held.add(lock);
  }

  #drop(lock: PiLock): void {
    const held = this.#held.get(lock.owner);
    held?.delete(lock);
    if (held?.size === 0) this.#held.delete(lock.owner);
    const space = this.#spaces.get(lock.key.space);
    space?.delete(lock.key.offset);
    if (space?.size === 0) this.#spaces.delete(lock.key.space);
  }

  /**
   * Takes the lock for `task` if it is free: "taken", or "busy" with
   * FUTEX_WAITERS set if `mayWait`. EDEADLK, ESRCH, EFAULT, EINVAL.
   */
  tryLock(
    task: Task,
    addr: number,
    key: FutexKey,
    mayWait: "wait" | "try",
  ): "taken" | "busy" | Errno {
    const { memory } = task;
    for (;;) {
      const value = memory.readU32(addr);
      if (isErrno(value)) return value;
      const owner = value & FUTEX_TID_MASK;
      if (owner === task.tid) return EDEADLK;
      const hasWaiters = this.#find(key) !== undefined;
      let next: number;
      if (owner === 0 && !hasWaiters) {
        next = ((value & FUTEX_OWNER_DIED) | task.tid) >>> 0;
      } else if (mayWait === "try") return "busy";
      else {
        const found = this.#find(key)?.owner ?? task.namespace.task(owner);
        if (found === null || found.state === "dead") return ESRCH;
        next = (value | FUTEX_WAITERS) >>> 0;
      }
      const seen = next === value
        ? value
        : memory.compareExchangeU32(addr, value, next);
      if (isErrno(seen)) return seen;
      if (seen === value) {
        return (next & FUTEX_TID_MASK) === task.tid ? "taken" : "busy";
      }
    }
  }

  /** Queues `waiter` on a lock that tryLock() found busy. EINVAL: the word
   * names another owner than the kernel knows. ESRCH. */
  enqueue(waiter: PiWaiter, key: FutexKey): Errno | null {
    const { task, addr } = waiter;
    const value = task.memory.readU32(addr);
    if (isErrno(value)) return value;
    const owner = task.namespace.task(value & FUTEX_TID_MASK);
    let lock = this.#find(key);
    if (lock === undefined) {
      if (owner === null) return ESRCH;
      lock = new PiLock(this, key, owner);
      let space = this.#spaces.get(key.space);
      if (space === undefined) {
        this.#spaces.set(key.space, space = new Map());
      }
      space.set(key.offset, lock);
      this.#own(lock, owner);
    } else if (lock.owner !== owner) return EINVAL;
    waiter.lock = lock;
    lock.waiters.add(waiter);
    return null;
  }

  /** A waiter gives up; the last one's leaving keeps FUTEX_WAITERS, which the
   * owner's unlock clears. */
  leave(waiter: PiWaiter): void {
    const { lock } = waiter;
    if (lock === null) return;
    waiter.lock = null;
    lock.waiters.delete(waiter);
    if (lock.waiters.size === 0) this.#drop(lock);
  }

  /** FUTEX_UNLOCK_PI. EPERM: the caller does not own it. EFAULT. */
  unlock(task: Task, addr: number, key: FutexKey): Errno | null {
    const { memory } = task;
    for (;;) {
      const value = memory.readU32(addr);
      if (isErrno(value)) return value;
      if ((value & FUTEX_TID_MASK) !== task.tid) return EPERM;
      const lock = this.#find(key);
      if (lock !== undefined) {
        if (lock.owner !== task) return EINVAL;
        return this.#handOver(lock, 0);
      }
      const seen = memory.compareExchangeU32(addr, value, 0);
      if (isErrno(seen)) return seen;
      if (seen === value) return null;
    }
  }

  /** The longest waiter becomes the owner; `extra`: more bits of the word. */
  #handOver(lock: PiLock, extra: number): Errno | null {
    for (const next of lock.waiters) {
      lock.waiters.delete(next);
      const rest = lock.waiters.size > 0 ? FUTEX_WAITERS : 0;
      const word = (next.task.tid | rest | extra) >>> 0;
      const failed = storeForeign(next.task.memory, next.addr, word);
      next.lock = null;
      if (lock.waiters.size > 0) this.#own(lock, next.task);
      else this.#drop(lock);
      next.isOwner = true;
      next.isWoken = true;
      next.queue.wake();
      return failed;
    }
    return null;
  }

  /** FUTEX_CMP_REQUEUE_PI moves `waiter` to the lock, or gives it the lock at
   * once: "taken". */
  requeue(waiter: PiWaiter, key: FutexKey): "taken" | "queued" | Errno {
    const result = this.tryLock(waiter.task, waiter.addr, key, "wait");
    if (isErrno(result)) return result;
    waiter.isRequeued = true;
    if (result === "taken") {
      waiter.isOwner = true;
      waiter.isWoken = true;
      waiter.queue.wake();
      return "taken";
    }
    return this.enqueue(waiter, key) ?? "queued";
  }

  /** A task ends: its locks go to those who wait, marked. */
  releaseOwner(task: Task): void {
    const held = this.#held.get(task);
    if (held === undefined) return;
    for (const lock of [...held]) this.#handOver(lock, FUTEX_OWNER_DIED);
    this.#held.delete(task);
  }
}

/** The waiter's memory may be another process's. */
function storeForeign(
  memory: Task["memory"],
  addr: number,
  word: number,
): Errno | null {
  memory.acquire().beginForeign();
  const failed = memory.writeU32(addr, word);
  memory.endForeign();
  memory.release();
  return failed;
}

/** What FUTEX_TRYLOCK_PI and FUTEX_LOCK_PI answer for tryLock()'s result. */
export function lockResult(result: "taken" | "busy" | Errno): 0 | Errno {
  if (result === "taken") return 0;
  return result === "busy" ? EAGAIN : result;
}
