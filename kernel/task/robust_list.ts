/**
 * Robust futexes: at the end of a thread, the locks it still holds are marked
 * FUTEX_OWNER_DIED and one waiter each is woken. The list is the guest's own
 * data: every word of it is checked. Source: get_robust_list(2), the kernel's
 * robust-futex-ABI document.
 * @module
 */
import { isErrno } from "../abi/errno.ts";
import {
  FUTEX_OWNER_DIED,
  FUTEX_TID_MASK,
  FUTEX_WAITERS,
} from "../abi/futex.ts";
import type { Task } from "./task.ts";

/** Linux walks no further (ROBUST_LIST_LIMIT). */
const MAX_ENTRIES = 2048;
/** struct robust_list_head: list.next, futex_offset, list_op_pending. */
const FUTEX_OFFSET = 8;
const PENDING = 16;

export function releaseRobustList(task: Task): void {
  const head = task.robustList;
  if (head === 0) return;
  task.robustList = 0;
  const { memory } = task;
  const offset = memory.readI64(head + FUTEX_OFFSET);
  const pending = memory.readU64(head + PENDING);
  if (isErrno(offset) || isErrno(pending)) return;
  let entry = memory.readU64(head);
  for (let i = 0; i < MAX_ENTRIES; i++) {
    if (isErrno(entry) || clearTag(entry) === head) break;
    const at = clearTag(entry);
    const next = memory.readU64(at);
    if (at !== clearTag(pending)) {
      markOwnerDead(task, at + offset, entry % 2 === 1 ? "pi" : "held");
    }
    entry = next;
  }
  const last = clearTag(pending);
  if (last === 0) return;
  markOwnerDead(task, last + offset, pending % 2 === 1 ? "pi" : "pending");
}

/** Bit 0 of an entry marks a PI futex. */
function clearTag(entry: number): number {
  return entry - (entry % 2);
}

function markOwnerDead(
  task: Task,
  addr: number,
  how: "held" | "pending" | "pi",
): void {
  const { memory } = task;
  for (;;) {
    const value = memory.readU32(addr);
    if (isErrno(value)) return;
    if (how === "pending" && value === 0) {
      task.kernel.futexes.wake(memory, addr, 1);
      return;
    }
    if ((value & FUTEX_TID_MASK) !== task.tid) return;
    const dead = ((value & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0;
    const old = memory.compareExchangeU32(addr, value, dead);
    if (isErrno(old)) return;
    if (old !== value) continue;
    // Those who wait for a PI futex are handed it.
    if (how !== "pi" && (value & FUTEX_WAITERS) !== 0) {
      task.kernel.futexes.wake(memory, addr, 1);
    }
    return;
  }
}
