/**
 * fork(2), vfork(2), clone(2), clone3(2), set_tid_address(2), gettid(2).
 * Policy only; the making of a task lives in ../task/task_clone.ts.
 * @module
 */
import { E2BIG, EFAULT, EINVAL, type Errno, isErrno } from "../abi/errno.ts";
import {
  PTRACE_EVENT_VFORK_DONE,
  PTRACE_O_TRACEVFORKDONE,
} from "../abi/ptrace.ts";
import {
  CLONE_ARGS,
  CLONE_ARGS_SIZE,
  CLONE_ARGS_SIZE_VER0,
  CLONE_DETACHED,
  CLONE_NEWTIME,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_THREAD,
  CLONE_VFORK,
  CLONE_VM,
  CSIGNAL,
} from "../abi/sched.ts";
import { NSIG, SIGCHLD } from "../abi/signal.ts";
import {
  type CloneArguments,
  cloneEvent,
  cloneTask,
  isCloneTraced,
} from "../task/task_clone.ts";
import { stopForEvent } from "../task/ptrace.ts";
import { BLOCKED } from "../task/task_block.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

const PAGE_SIZE = 4096;
/** Bits of the upper word of clone3's flags. */
const CLEAR_SIGHAND_HIGH = 1;
const INTO_CGROUP_HIGH = 2;

const NOTHING: CloneArguments = {
  flags: 0,
  clearSignalHandlers: false,
  exitSignal: SIGCHLD,
  stackPointer: 0,
  tls: 0,
  parentTid: 0,
  childTid: 0,
  pidFd: 0,
  setTid: 0,
};

/** Makes the child, and lets a tracer know; a vfork parent then waits until
 * the child execs or exits. */
function start(task: Task, args: CloneArguments): SysResult {
  // Later runs: after the tracer's look or the wait; done holds the child's id.
  if (task.restart.done > 0) return finish(task, args);
  const child = cloneTask(task, args);
  if (isErrno(child)) return child;
  task.restart.done = child.tid;
  if (isCloneTraced(task, args)) {
    task.ptrace!.message = child.tid;
    stopForEvent(task, cloneEvent(args).event, "handler");
    return BLOCKED;
  }
  return finish(task, args);
}

function finish(task: Task, args: CloneArguments): SysResult {
  if (task.vforkChild !== null) return task.blocker.parkUninterruptible();
  const { ptrace, restart } = task;
  const isVfork = (args.flags & CLONE_VFORK) !== 0;
  if (isVfork && ptrace !== null && ptrace.has(PTRACE_O_TRACEVFORKDONE)) {
    ptrace.pendingEvent = PTRACE_EVENT_VFORK_DONE;
    ptrace.message = restart.done;
  }
  return restart.done;
}

export const fork = defineSyscall({
  name: "fork",
  support: "full",
  args: {},
  run: (task) => start(task, NOTHING),
});

export const vfork = defineSyscall({
  name: "vfork",
  support: "full",
  args: {},
  run: (task) => start(task, { ...NOTHING, flags: CLONE_VFORK | CLONE_VM }),
});

export const clone = defineSyscall({
  name: "clone",
  support: { partial: "new namespaces other than UTS fail with EINVAL" },
  args: {
    flags: "flags",
    stack: "addr",
    parent_tid: "addr",
    child_tid: "addr",
    tls: "addr",
  },
  run: (task, { flags, stack, parent_tid, child_tid, tls }) => {
    // The old call gives the pidfd through parent_tid.
    const both = CLONE_PIDFD | CLONE_PARENT_SETTID;
    if ((flags & both) === both) return EINVAL;
    if ((flags & CLONE_PIDFD) !== 0 && (flags & CLONE_DETACHED) !== 0) {
      return EINVAL;
    }
    return start(task, {
      ...NOTHING,
      flags: flags & ~CSIGNAL,
      exitSignal: flags & CSIGNAL,
      stackPointer: stack,
      tls,
      parentTid: parent_tid,
      childTid: child_tid,
      pidFd: parent_tid,
    });
  },
});

export const clone3 = defineSyscall({
  name: "clone3",
  support: {
    partial: "new namespaces other than UTS and CLONE_INTO_CGROUP: EINVAL",
  },
  args: { args: "addr", size: "size" },
  run: (task, { args, size }) => {
    const parsed = readCloneArguments(task, args, size);
    return isErrno(parsed) ? parsed : start(task, parsed);
  },
});

/** Copies struct clone_args in, once, and checks it as clone3(2) says. */
function readCloneArguments(
  task: Task,
  addr: number,
  size: number,
): CloneArguments | Errno {
  if (size > PAGE_SIZE) return E2BIG;
  if (size < CLONE_ARGS_SIZE_VER0) return EINVAL;
  const bytes = new Uint8Array(Math.max(size, CLONE_ARGS_SIZE));
  const fault = task.memory.readBytes(addr, bytes.subarray(0, size));
  if (fault !== null) return fault;
  if (bytes.subarray(CLONE_ARGS_SIZE).some((byte) => byte !== 0)) return E2BIG;
  const view = new DataView(bytes.buffer);
  const low = (at: number) => view.getUint32(at, true);
  const high = (at: number) => view.getUint32(at + 4, true);
  const word = (at: number) => high(at) * 4294967296 + low(at);

  const flags = low(CLONE_ARGS.flags) | 0;
  const flagsHigh = high(CLONE_ARGS.flags);
  if ((flagsHigh & ~(CLEAR_SIGHAND_HIGH | INTO_CGROUP_HIGH)) !== 0) {
    return EINVAL;
  }
  if ((flags & (CSIGNAL & ~CLONE_NEWTIME)) !== 0) return EINVAL;
  if ((flags & CLONE_DETACHED) !== 0) return EINVAL;
  if ((flagsHigh & INTO_CGROUP_HIGH) !== 0 || (flags & CLONE_NEWTIME) !== 0) {
    unimplemented(task, "clone3: CLONE_INTO_CGROUP, CLONE_NEWTIME");
    return EINVAL;
  }
  const exitSignal = word(CLONE_ARGS.exit_signal);
  if (exitSignal > NSIG) return EINVAL;
  if ((flags & CLONE_THREAD) !== 0 && exitSignal !== 0) return EINVAL;
  const stack = word(CLONE_ARGS.stack);
  const stackSize = word(CLONE_ARGS.stack_size);
  if ((stack === 0) !== (stackSize === 0)) return EINVAL;
  const setTid = readSetTid(
    task,
    word(CLONE_ARGS.set_tid),
    word(CLONE_ARGS.set_tid_size),
  );
  if (isErrno(setTid)) return setTid;
  return {
    flags,
    clearSignalHandlers: (flagsHigh & CLEAR_SIGHAND_HIGH) !== 0,
    exitSignal,
    stackPointer: stack + stackSize,
    tls: word(CLONE_ARGS.tls),
    parentTid: word(CLONE_ARGS.parent_tid),
    childTid: word(CLONE_ARGS.child_tid),
    pidFd: word(CLONE_ARGS.pidfd),
    setTid,
  };
}

/** set_tid: numbers from the innermost namespace outwards; we have one level. */
function readSetTid(task: Task, addr: number, count: number): number | Errno {
  if ((addr === 0) !== (count === 0)) return EINVAL;
  if (count === 0) return 0;
  if (count > task.namespace.level + 1) return EINVAL;
  const tid = task.memory.readI32(addr);
  if (isErrno(tid)) return EFAULT;
  return task.namespace.isFree(tid) ? tid : EINVAL;
}

export const setTidAddress = defineSyscall({
  name: "set_tid_address",
  support: "full",
  args: { tidptr: "addr" },
  run: (task, { tidptr }) => {
    task.clearChildTid = tidptr;
    return task.tid;
  },
});

export const gettid = defineSyscall({
  name: "gettid",
  support: "full",
  args: {},
  run: (task) => task.tid,
});

export const getpid = defineSyscall({
  name: "getpid",
  support: "full",
  args: {},
  run: (task) => task.threadGroup.pid,
});

export const getppid = defineSyscall({
  name: "getppid",
  support: "full",
  args: {},
  run: (task) => task.threadGroup.parent?.pid ?? 0,
});
