/**
 * Secure computing: what a task's mode or filters say of the system call it
 * makes. Source: seccomp(2).
 * @module
 */
import {
  AUDIT_ARCH_X86_64,
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
} from "../abi/seccomp.ts";
import { ENOSYS } from "../abi/errno.ts";
import { SIGKILL, SIGSYS } from "../abi/signal.ts";
import { SYSCALL_NUMBERS } from "../arch/x64/syscall_table.ts";
import { PTRACE_O_TRACESECCOMP } from "../abi/ptrace.ts";
import { seccompSignal } from "./signal_info.ts";
import type { SeccompFilter } from "./seccomp_filter.ts";
import { exitGroup, forceSignal } from "./signal_send.ts";
import { exitTask } from "./task_exit.ts";
import type { Task } from "./task.ts";

/** "strict": SECCOMP_MODE_STRICT. */
export type SeccompState = "strict" | SeccompFilter;

/** run: the call may go on. done: the registers have its result. trace: the
 * tracer decides. dead: the task is gone. */
export type SeccompVerdict = "run" | "done" | "trace" | "dead";

const MAX_ERRNO = 4095;
const STRICT_CALLS: ReadonlySet<number> = new Set([
  SYSCALL_NUMBERS["read"]!,
  SYSCALL_NUMBERS["write"]!,
  SYSCALL_NUMBERS["exit"]!,
  SYSCALL_NUMBERS["rt_sigreturn"]!,
]);

/** struct seccomp_data of the call being checked. */
const data = new Uint32Array(16);

/** Judges the call in `task.syscall` and `task.frame`. */
export function checkSeccomp(task: Task): SeccompVerdict {
  const { seccomp, registers } = task;
  if (seccomp === null) return "run";
  if (seccomp === "strict") {
    if (STRICT_CALLS.has(task.syscall)) return "run";
    exitTask(task, SIGKILL);
    return "dead";
  }
  data[0] = task.syscall;
  data[1] = AUDIT_ARCH_X86_64;
  data[2] = registers.getLow("rip");
  data[3] = registers.getHigh("rip");
  data.set(task.frame, 4);
  return obey(task, seccomp.run(data));
}

function obey(task: Task, result: number): SeccompVerdict {
  const { registers } = task;
  const value = result & SECCOMP_RET_DATA;
  switch ((result & SECCOMP_RET_ACTION_FULL) >>> 0) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
      return "run";
    case SECCOMP_RET_ERRNO:
      registers.setReturn(-Math.min(value, MAX_ERRNO));
      return "done";
    case SECCOMP_RET_TRAP:
      // The handler sees the number in rax, as before the call.
      registers.set("rax", task.syscall);
      forceSignal(
        task,
        seccompSignal(registers.get("rip"), task.syscall, value),
      );
      return "done";
    case SECCOMP_RET_TRACE:
      if (
        task.ptrace !== null &&
        (task.ptrace.options & PTRACE_O_TRACESECCOMP) !== 0
      ) {
        task.ptrace.message = value;
        return "trace";
      }
      registers.setReturn(-ENOSYS.code);
      return "done";
    case SECCOMP_RET_KILL_THREAD:
      if (task.threadGroup.tasks.size > 1) {
        exitTask(task, SIGSYS);
        return "dead";
      }
      break;
    default: // SECCOMP_RET_KILL_PROCESS, and whatever is unknown.
  }
  exitGroup(task.threadGroup, SIGSYS);
  return "done";
}
