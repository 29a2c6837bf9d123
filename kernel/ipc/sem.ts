/**
 * System V semaphores: sets of counters with operations that take effect all
 * or none, and undo at exit. Source: semop(2), semctl(2).
 * @module
 */
import { EAGAIN, ERANGE, type Errno } from "../abi/errno.ts";
import { IPC_NOWAIT, SEM_UNDO, SEMAEM, SEMVMX } from "../abi/ipc.ts";
import { PendingWait } from "../sync/pending_wait.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import type { Identity } from "../vfs/caller.ts";
import { IpcObject, type IpcTable } from "./ipc_table.ts";

/** Where sets live; IpcNamespace is one. */
export interface SemaphoreHome {
  readonly semaphores: IpcTable<SemaphoreSet>;
  semaphoreCount: number;
}

/** struct sembuf. */
export interface SemaphoreOperation {
  readonly index: number;
  readonly change: number;
  readonly flags: number;
}

/** What a sleeping semop(2) waits for: counted by GETNCNT and GETZCNT. */
export class SemaphoreWait extends PendingWait {
  /** Index of the semaphore that holds it up; -1: it does not wait. */
  index = -1;
  isForZero = false;

  constructor(readonly set: SemaphoreSet) {
    super();
  }

  /** The call ended, in whatever way. */
  override abandon(): void {
    this.index = -1;
    this.set.waits.delete(this);
  }
}

export class SemaphoreSet extends IpcObject {
  readonly values: Int32Array;
  /** Process that operated last on each one. */
  readonly pids: Int32Array;
  /** Seconds since the epoch of the last semop; 0: none. */
  operationTime = 0;
  readonly waits = new Set<SemaphoreWait>();
  /** Woken when a value changed, or the set is gone. */
  readonly queue = new WaitQueue();
  /** Processes that have something to undo here. */
  readonly undoLists = new Set<UndoList>();

  constructor(
    key: number,
    mode: number,
    count: number,
    creator: Identity,
    nowSec: number,
  ) {
    super(key, mode, creator, nowSec);
    this.values = new Int32Array(count);
    this.pids = new Int32Array(count);
  }

  /** How many calls wait for semaphore `index` to grow, or to become zero. */
  waiting(index: number, kind: "growth" | "zero"): number {
    let count = 0;
    for (const wait of this.waits) {
      if (wait.index === index && wait.isForZero === (kind === "zero")) count++;
    }
    return count;
  }

  /**
   * Performs the operations, all or none. The semaphore index that they must
   * wait for in `wait`, then "wait"; EAGAIN for IPC_NOWAIT, ERANGE.
   */
  perform(
    operations: readonly SemaphoreOperation[],
    undo: UndoList | null,
    pid: number,
    nowSec: number,
    wait: SemaphoreWait,
  ): "done" | "wait" | Errno {
    let done = 0;
    let result: "done" | "wait" | Errno = "done";
    for (; done < operations.length; done++) {
      const operation = operations[done]!;
      const failed = this.#apply(operation, undo, wait);
      if (failed === null) continue;
      result = failed === "wait" && (operation.flags & IPC_NOWAIT) !== 0
        ? EAGAIN
        : failed;
      break;
    }
    if (result !== "done") {
      while (--done >= 0) this.#takeBack(operations[done]!, undo);
      return result;
    }
    let isChanged = false;
    for (const { index, change } of operations) {
      this.pids[index] = pid;
      if (change !== 0) isChanged = true;
    }
    this.operationTime = nowSec;
    wait.abandon();
    if (isChanged) this.queue.wake();
    return "done";
  }

  #apply(
    { index, change, flags }: SemaphoreOperation,
    undo: UndoList | null,
    wait: SemaphoreWait,
  ): "wait" | Errno | null {
    const value = this.values[index]!;
    const next = value + change;
    if (change === 0 ? value !== 0 : next < 0) {
      wait.index = index;
      wait.isForZero = change === 0;
      return "wait";
    }
    if (next > SEMVMX) return ERANGE;
    if ((flags & SEM_UNDO) !== 0 && undo !== null && change !== 0) {
      const adjustment = undo.of(this)[index]! - change;
      if (adjustment < -SEMAEM - 1 || adjustment > SEMAEM) return ERANGE;
      undo.of(this)[index] = adjustment;
    }
    this.values[index] = next;
    return null;
  }

  #takeBack(operation: SemaphoreOperation, undo: UndoList | null): void {
    const { index, change, flags } = operation;
    this.values[index]! -= change;
    if ((flags & SEM_UNDO) !== 0 && undo !== null && change !== 0) {
      undo.of(this)[index]! += change;
    }
  }

  /** SETVAL and SETALL: everybody's adjustments of the semaphore are void. */
  set(index: number, value: number, pid: number): void {
    this.values[index] = value;
    this.pids[index] = pid;
    for (const list of this.undoLists) list.of(this)[index] = 0;
  }

  remove(namespace: SemaphoreHome): void {
    namespace.semaphores.remove(this);
    namespace.semaphoreCount -= this.values.length;
    for (const list of [...this.undoLists]) list.forget(this);
    this.queue.wake();
  }
}

/** semadj of a process: what its exit adds to semaphores. Shared by tasks that
 * CLONE_SYSVSEM made. */
export class UndoList {
  readonly #adjustments = new Map<SemaphoreSet, Int32Array>();
  #users = 1;

  acquire(): UndoList {
    this.#users++;
    return this;
  }

  of(set: SemaphoreSet): Int32Array {
    let found = this.#adjustments.get(set);
    if (found === undefined) {
      found = new Int32Array(set.values.length);
      this.#adjustments.set(set, found);
      set.undoLists.add(this);
    }
    return found;
  }
  forget(set: SemaphoreSet): void {
    this.#adjustments.delete(set);
    set.undoLists.delete(this);
  }

  /** A task leaves; the last one's exit applies the adjustments. */
  release(pid: number, nowSec: number): void {
    if (--this.#users > 0) return;
    for (const [set, adjustments] of [...this.#adjustments]) {
      this.forget(set);
      for (const [index, adjustment] of adjustments.entries()) {
        if (adjustment === 0) continue;
        // Out of range it goes as far as it can, and never fails.
        const value = set.values[index]! + adjustment;
        set.values[index] = Math.max(0, Math.min(SEMVMX, value));
        set.pids[index] = pid;
      }
      set.operationTime = nowSec;
      set.queue.wake();
    }
  }
}
