/**
 * membarrier(2): every other thread that runs is interrupted, and each has
 * passed a full barrier once it stopped. Source: membarrier(2).
 * @module
 */
import { EINVAL, EPERM, ERESTARTNOINTR, isErrno } from "../abi/errno.ts";
import * as mb from "../abi/membarrier.ts";
import { MemoryBarrier } from "../task/memory_barrier.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

/** What QUERY answers. Without rseq there is nothing for its fences. */
const COMMANDS = mb.MEMBARRIER_CMD_GLOBAL |
  mb.MEMBARRIER_CMD_GLOBAL_EXPEDITED |
  mb.MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |
  mb.MEMBARRIER_CMD_PRIVATE_EXPEDITED |
  mb.MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |
  mb.MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |
  mb.MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |
  mb.MEMBARRIER_CMD_GET_REGISTRATIONS;

export const membarrier = defineSyscall({
  name: "membarrier",
  support: { partial: "no rseq fences" },
  args: { cmd: "int", flags: "uint", cpu_id: "int" },
  run: (task, { cmd, flags }) => {
    if (flags !== 0) return EINVAL;
    const { memory } = task;
    switch (cmd) {
      case mb.MEMBARRIER_CMD_QUERY:
        return COMMANDS;
      case mb.MEMBARRIER_CMD_GLOBAL:
      case mb.MEMBARRIER_CMD_GLOBAL_EXPEDITED:
        return barrier(task, null);
      case mb.MEMBARRIER_CMD_PRIVATE_EXPEDITED:
      case mb.MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
        // Each is registered by the next bit.
        if ((memory.barrierRegistrations & (cmd << 1)) === 0) return EPERM;
        return barrier(task, memory);
      case mb.MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
      case mb.MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
      case mb.MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
        memory.barrierRegistrations |= cmd;
        return 0;
      case mb.MEMBARRIER_CMD_GET_REGISTRATIONS:
        return memory.barrierRegistrations;
      default:
        return EINVAL;
    }
  },
});

/** Waits until every running task of `memory` (null: of anyone) stopped. */
function barrier(task: Task, memory: Task["memory"] | null): SysResult {
  let pending = task.restart.data;
  if (!(pending instanceof MemoryBarrier)) {
    pending = new MemoryBarrier();
    const started = pending as MemoryBarrier;
    for (const other of task.kernel.rootPidNamespace.tasks()) {
      if (other === task || other.state !== "guest") continue;
      if (memory === null || other.memory === memory) started.awaitStop(other);
    }
    task.restart.data = started;
  }
  const started = pending as MemoryBarrier;
  if (started.isDone) return 0;
  const blocked = task.block(started.queue);
  return isErrno(blocked) ? ERESTARTNOINTR : blocked;
}
