/**
 * Who may look into another process. Source: ptrace(2), "Ptrace access mode
 * checking", with PTRACE_MODE_FSCREDS as proc uses it.
 * @module
 */
import { CAP_SYS_PTRACE } from "../../abi/capability.ts";
import { EACCES, type Errno } from "../../abi/errno.ts";
import { isSubset } from "../../task/credentials.ts";
import { Task } from "../../task/task.ts";
import type { Caller } from "../../vfs/caller.ts";

/** Null if `caller` may read the state of `target` (PTRACE_MODE_READ). The
 * modes ATTACH and READ differ for security modules only. EACCES. */
export function checkTraceAccess(caller: Caller, target: Task): Errno | null {
  if (!(caller instanceof Task)) return EACCES;
  if (caller.threadGroup === target.threadGroup) return null;
  const own = caller.credentials;
  if (own.has(CAP_SYS_PTRACE)) return null;
  const theirs = target.credentials;
  const isSameUser = own.fsuid === theirs.euid && own.fsuid === theirs.suid &&
    own.fsuid === theirs.uid && own.fsgid === theirs.egid &&
    own.fsgid === theirs.sgid && own.fsgid === theirs.gid;
  if (!isSameUser || !target.threadGroup.isDumpable) return EACCES;
  return isSubset(theirs.permitted, own.effective) ? null : EACCES;
}
