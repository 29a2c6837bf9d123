/**
 * Whether a task may look into, or change, another's memory and state. Source:
 * ptrace(2), "Ptrace access mode checking" (without security modules).
 * @module
 */
import { CAP_SYS_PTRACE } from "../abi/capability.ts";
import { isSubset } from "./credentials.ts";
import type { Task } from "./task.ts";

/** Who counts as the caller: PTRACE_MODE_REALCREDS for system calls about a
 * process, PTRACE_MODE_FSCREDS for files of proc. */
export type TraceIdentity = "real" | "filesystem";

/** PTRACE_MODE_ATTACH and PTRACE_MODE_READ, which only security modules tell
 * apart. */
export function mayTrace(
  caller: Task,
  target: Task,
  identity: TraceIdentity = "real",
): boolean {
  if (caller.threadGroup === target.threadGroup) return true;
  const mine = caller.credentials;
  if (mine.has(CAP_SYS_PTRACE)) return true;
  const isReal = identity === "real";
  const uid = isReal ? mine.uid : mine.fsuid;
  const gid = isReal ? mine.gid : mine.fsgid;
  const theirs = target.credentials;
  const isSameUser = uid === theirs.uid && uid === theirs.euid &&
    uid === theirs.suid && gid === theirs.gid && gid === theirs.egid &&
    gid === theirs.sgid;
  if (!isSameUser || !target.threadGroup.isDumpable) return false;
  // Nobody may reach what he is not allowed to do himself.
  return isSubset(theirs.permitted, isReal ? mine.permitted : mine.effective);
}
