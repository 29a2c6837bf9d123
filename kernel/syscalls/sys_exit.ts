/**
 * exit(2) and exit_group(2).
 * @module
 */
import { W_EXITCODE } from "../abi/wait.ts";
import { stopBeforeEnd } from "../task/ptrace.ts";
import { exitGroup } from "../task/signal_send.ts";
import { BLOCKED, UNCHANGED } from "../task/task_block.ts";
import { exitTask } from "../task/task_exit.ts";
import { defineSyscall } from "./syscall.ts";

export const exit = defineSyscall({
  name: "exit",
  support: "full",
  args: { status: "int" },
  run: (task, { status }) => {
    const code = W_EXITCODE(status);
    if (stopBeforeEnd(task, code, "handler")) return BLOCKED;
    exitTask(task, code);
    return UNCHANGED;
  },
});

export const exitGroupCall = defineSyscall({
  name: "exit_group",
  support: "full",
  args: { status: "int" },
  run: (task, { status }) => {
    exitGroup(task.threadGroup, W_EXITCODE(status));
    return UNCHANGED;
  },
});
