/**
 * Whether a task may look into, or change, another's memory and state. Source:
 * ptrace(2), "Ptrace access mode checking" (without security modules).
 * @module
 */
import { CAP_SYS_PTRACE } from "../abi/capability.ts";
import type { Task } from "./task.ts";

/** PTRACE_MODE_ATTACH and PTRACE_MODE_READ with real credentials. */
export function mayTrace(caller: Task, target: Task): boolean {
  if (caller.threadGroup === target.threadGroup) return true;
  const mine = caller.credentials;
  if (mine.has(CAP_SYS_PTRACE)) return true;
  const theirs = target.credentials;
  return mine.uid === theirs.uid && mine.uid === theirs.euid &&
    mine.uid === theirs.suid && mine.gid === theirs.gid &&
    mine.gid === theirs.egid && mine.gid === theirs.sgid &&
    target.threadGroup.isDumpable;
}
