/**
 * Signal state: rt_sigaction(2), rt_sigprocmask(2), rt_sigpending(2),
 * rt_sigsuspend(2), pause(2), rt_sigtimedwait(2), sigaltstack(2),
 * rt_sigreturn(2).
 * @module
 */
import {
  EAGAIN,
  EINTR,
  EINVAL,
  ENOMEM,
  EPERM,
  ERESTARTNOHAND,
  ERESTARTSYS,
  type Errno,
  ETIMEDOUT,
  isErrno,
} from "../abi/errno.ts";
import {
  MINSIGSTKSZ,
  NSIG,
  SA_UNSUPPORTED,
  SIG_BLOCK,
  SIG_SETMASK,
  SIG_UNBLOCK,
  SIGACTION,
  SIGACTION_SIZE,
  SIGINFO_SIZE,
  SIGKILL,
  SIGSET_SIZE,
  SIGSTOP,
  SS_AUTODISARM,
  SS_DISABLE,
  SS_ONSTACK,
  STACK_T,
  STACK_T_SIZE,
} from "../abi/signal.ts";
import { writeSignalInfo } from "../task/signal_info.ts";
import { altStackStatus, returnFromHandler } from "../task/signal_deliver.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import { UNCHANGED } from "../task/task_block.ts";
import type { Task } from "../task/task.ts";
import { readSigset, writeSigset } from "./sigset.ts";
import { readTimespec } from "./timespec.ts";
import { defineSyscall } from "./syscall.ts";

/** Nobody wakes it: only signals end pause(2). */
const never = new WaitQueue();

export const rtSigaction = defineSyscall({
  name: "rt_sigaction",
  support: "full",
  args: { signum: "signo", act: "addr", oldact: "addr", sigsetsize: "size" },
  run: (task, { signum, act, oldact, sigsetsize }) => {
    if (sigsetsize !== SIGSET_SIZE) return EINVAL;
    if (signum < 1 || signum > NSIG) return EINVAL;
    const { handlers } = task.threadGroup;
    const bytes = new Uint8Array(SIGACTION_SIZE);
    const view = new DataView(bytes.buffer);
    const old = handlers.get(signum);
    if (act !== 0) {
      if (signum === SIGKILL || signum === SIGSTOP) return EINVAL;
      const fault = task.memory.readBytes(act, bytes);
      if (fault !== null) return fault;
      handlers.set(signum, {
        handler: address(view, SIGACTION.sa_handler),
        flags: view.getUint32(SIGACTION.sa_flags, true) & ~SA_UNSUPPORTED,
        restorer: address(view, SIGACTION.sa_restorer),
        maskLow: view.getInt32(SIGACTION.sa_mask, true),
        maskHigh: view.getInt32(SIGACTION.sa_mask + 4, true),
      });
      if (handlers.ignores(signum)) discardPending(task, signum);
    }
    if (oldact === 0) return 0;
    setAddress(view, SIGACTION.sa_handler, old.handler);
    setAddress(view, SIGACTION.sa_flags, old.flags >>> 0);
    setAddress(view, SIGACTION.sa_restorer, old.restorer);
    view.setInt32(SIGACTION.sa_mask, old.maskLow, true);
    view.setInt32(SIGACTION.sa_mask + 4, old.maskHigh, true);
    return task.memory.writeBytes(oldact, bytes) ?? 0;
  },
});

function address(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 4294967296 + view.getUint32(at, true);
}
function setAddress(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 4294967296, true);
  view.setUint32(at + 4, Math.floor(value / 4294967296), true);
}

/** POSIX: setting a pending signal to be ignored discards it. */
function discardPending(task: Task, signo: number): void {
  const low = signo <= 32 ? 1 << (signo - 1) : 0;
  const high = signo > 32 ? 1 << (signo - 33) : 0;
  task.threadGroup.pending.discard(low, high);
  for (const thread of task.threadGroup.tasks) {
    thread.pending.discard(low, high);
  }
}

export const rtSigprocmask = defineSyscall({
  name: "rt_sigprocmask",
  support: "full",
  args: { how: "int", set: "addr", oldset: "addr", sigsetsize: "size" },
  run: (task, { how, set, oldset, sigsetsize }) => {
    if (sigsetsize !== SIGSET_SIZE) return EINVAL;
    const { low, high } = task.blocked;
    if (set !== 0) {
      const given = readSigset(task, set, sigsetsize);
      if (isErrno(given)) return given;
      if (how === SIG_BLOCK) {
        task.setBlocked(low | given.low, high | given.high);
      } else if (how === SIG_UNBLOCK) {
        task.setBlocked(low & ~given.low, high & ~given.high);
      } else if (how === SIG_SETMASK) task.setBlocked(given.low, given.high);
      else return EINVAL;
    }
    if (oldset === 0) return 0;
    return writeSigset(task, oldset, low, high) ?? 0;
  },
});

export const rtSigpending = defineSyscall({
  name: "rt_sigpending",
  support: "full",
  args: { set: "addr", sigsetsize: "size" },
  run: (task, { set, sigsetsize }) => {
    if (sigsetsize > SIGSET_SIZE) return EINVAL;
    const own = task.pending.set;
    const shared = task.threadGroup.pending.set;
    const bytes = new Uint8Array(SIGSET_SIZE);
    const view = new DataView(bytes.buffer);
    view.setInt32(0, (own.low | shared.low) & task.blocked.low, true);
    view.setInt32(4, (own.high | shared.high) & task.blocked.high, true);
    return task.memory.writeBytes(set, bytes.subarray(0, sigsetsize)) ?? 0;
  },
});

export const rtSigsuspend = defineSyscall({
  name: "rt_sigsuspend",
  support: "full",
  args: { mask: "addr", sigsetsize: "size" },
  run: (task, { mask, sigsetsize }) => {
    const given = readSigset(task, mask, sigsetsize);
    if (isErrno(given)) return given;
    task.setTemporaryMask(given.low, given.high);
    const blocked = task.block(never);
    return isErrno(blocked) ? ERESTARTNOHAND : blocked;
  },
});

export const pause = defineSyscall({
  name: "pause",
  support: "full",
  args: {},
  run: (task) => {
    const blocked = task.block(never);
    return isErrno(blocked) ? ERESTARTNOHAND : blocked;
  },
});

export const rtSigtimedwait = defineSyscall({
  name: "rt_sigtimedwait",
  support: "full",
  args: { set: "addr", info: "addr", timeout: "addr", sigsetsize: "size" },
  run: (task, { set, info, timeout, sigsetsize }) => {
    const wanted = readSigset(task, set, sigsetsize);
    if (isErrno(wanted)) return wanted;
    let limitNs = Infinity;
    if (timeout !== 0) {
      const time = readTimespec(task, timeout);
      if (isErrno(time)) return time;
      limitNs = time;
    }
    const low = wanted.low & ~0x40100;
    const taken = task.pending.take(low, wanted.high) ??
      task.threadGroup.pending.take(low, wanted.high);
    if (taken !== null) {
      if (info === 0) return taken.signo;
      const bytes = new Uint8Array(SIGINFO_SIZE);
      writeSignalInfo(taken, bytes, 0);
      return task.memory.writeBytes(info, bytes) ?? taken.signo;
    }
    if (limitNs === 0) return EAGAIN;
    // While it waits, the signals count as unblocked for senders: the queue is
    // woken for blocked signals too.
    const blocked = task.block(
      task.signalQueue,
      undefined,
      task.deadlineAfter(limitNs),
    );
    if (blocked === ETIMEDOUT) return EAGAIN;
    return blocked === ERESTARTSYS ? EINTR : blocked;
  },
});

export const sigaltstack = defineSyscall({
  name: "sigaltstack",
  support: "full",
  args: { ss: "addr", old_ss: "addr" },
  run: (task, { ss, old_ss }) => {
    const bytes = new Uint8Array(STACK_T_SIZE);
    const view = new DataView(bytes.buffer);
    const status = altStackStatus(task);
    const { altStackBase, altStackSize } = task;
    if (ss !== 0) {
      const fault = task.memory.readBytes(ss, bytes);
      if (fault !== null) return fault;
      const failed = setAltStack(task, view, status);
      if (failed !== null) return failed;
    }
    if (old_ss === 0) return 0;
    bytes.fill(0);
    setAddress(view, STACK_T.ss_sp, altStackBase);
    view.setUint32(STACK_T.ss_flags, status, true);
    setAddress(view, STACK_T.ss_size, altStackSize);
    return task.memory.writeBytes(old_ss, bytes) ?? 0;
  },
});

function setAltStack(task: Task, view: DataView, status: number): Errno | null {
  if ((status & SS_ONSTACK) !== 0) return EPERM;
  const flags = view.getInt32(STACK_T.ss_flags, true);
  const mode = flags & ~SS_AUTODISARM;
  if (mode !== 0 && mode !== SS_ONSTACK && mode !== SS_DISABLE) return EINVAL;
  if (mode === SS_DISABLE) {
    task.altStackBase = 0;
    task.altStackSize = 0;
    task.altStackFlags = flags;
    return null;
  }
  const size = address(view, STACK_T.ss_size);
  if (size < MINSIGSTKSZ) return ENOMEM;
  task.altStackBase = address(view, STACK_T.ss_sp);
  task.altStackSize = size;
  task.altStackFlags = flags & SS_AUTODISARM;
  return null;
}

export const rtSigreturn = defineSyscall({
  name: "rt_sigreturn",
  support: "full",
  args: {},
  run: (task) => {
    returnFromHandler(task);
    return UNCHANGED;
  },
});
