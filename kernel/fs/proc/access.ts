/**
 * Who may look into another process through proc. Source: ptrace(2), "Ptrace
 * access mode checking".
 * @module
 */
import { EACCES, type Errno } from "../../abi/errno.ts";
import { mayTrace } from "../../task/ptrace_access.ts";
import { Task } from "../../task/task.ts";
import type { Caller } from "../../vfs/caller.ts";

/** Null if `caller` may read the state of `target`. EACCES. */
export function checkTraceAccess(caller: Caller, target: Task): Errno | null {
  if (!(caller instanceof Task)) return EACCES;
  return mayTrace(caller, target, "filesystem") ? null : EACCES;
}
