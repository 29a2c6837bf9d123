/**
 * signalfd(2), signalfd4(2). The descriptor is in `../fs/signalfd.ts`; here is
 * how it gets at a task's pending signals.
 * @module
 */
import { EINVAL, isErrno } from "../abi/errno.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import { SFD_CLOEXEC, SFD_NONBLOCK } from "../abi/signalfd.ts";
import {
  SignalFdDescription,
  type SignalRecord,
  type SignalSource,
} from "../fs/signalfd.ts";
import type { WaitQueue } from "../sync/wait_queue.ts";
import { UNBLOCKABLE_LOW } from "../task/signal_set.ts";
import { Task } from "../task/task.ts";
import type { Caller } from "../vfs/caller.ts";
import { readSigset } from "./sigset.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

/** The signals pending for a thread and for its process. */
class TaskSignals implements SignalSource {
  constructor(readonly task: Task) {}

  /** The leader's too: it hears of every signal to the process. */
  get queues(): readonly WaitQueue[] {
    const { leader } = this.task.threadGroup;
    return leader === this.task
      ? [leader.signalQueue]
      : [leader.signalQueue, this.task.signalQueue];
  }
  hasPending(maskLow: number, maskHigh: number): boolean {
    const own = this.task.pending.set;
    const shared = this.task.threadGroup.pending.set;
    return ((own.low | shared.low) & maskLow) !== 0 ||
      ((own.high | shared.high) & maskHigh) !== 0;
  }
  take(maskLow: number, maskHigh: number): SignalRecord | null {
    return this.task.pending.take(maskLow, maskHigh) ??
      this.task.threadGroup.pending.take(maskLow, maskHigh);
  }
}

const sources = new WeakMap<Task, TaskSignals>();

function sourceOf(caller: Caller): SignalSource {
  if (!(caller instanceof Task)) throw new Error("only tasks have signals");
  let source = sources.get(caller);
  if (source === undefined) {
    source = new TaskSignals(caller);
    sources.set(caller, source);
  }
  return source;
}

export const signalfd = defineSyscall({
  name: "signalfd",
  support: "full",
  args: { fd: "int", mask: "addr", sizemask: "size" },
  run: (task, { fd, mask, sizemask }) =>
    makeSignalFd(task, fd, mask, sizemask, 0),
});

export const signalfd4 = defineSyscall({
  name: "signalfd4",
  support: "full",
  args: { fd: "int", mask: "addr", sizemask: "size", flags: "flags" },
  run: (task, { fd, mask, sizemask, flags }) =>
    makeSignalFd(task, fd, mask, sizemask, flags),
});

function makeSignalFd(
  task: Task,
  fd: number,
  mask: number,
  sizemask: number,
  flags: number,
): SysResult {
  const wanted = readSigset(task, mask, sizemask);
  if (isErrno(wanted)) return wanted;
  if ((flags & ~(SFD_CLOEXEC | SFD_NONBLOCK)) !== 0) return EINVAL;
  const maskLow = wanted.low & ~UNBLOCKABLE_LOW;
  const maskHigh = wanted.high;
  if (fd !== -1) {
    const old = task.file(fd);
    if (isErrno(old)) return old;
    if (!(old instanceof SignalFdDescription)) return EINVAL;
    old.setMask(maskLow, maskHigh);
    return fd;
  }
  const file = new SignalFdDescription(task.kernel.anonInodes, {
    maskLow,
    maskHigh,
    flags: flags & SFD_NONBLOCK,
    sourceOf,
    caller: task,
  });
  const made = task.fdTable.install(file, {
    closeOnExec: (flags & SFD_CLOEXEC) !== 0,
    limit: task.limit(RLIMIT_NOFILE),
  });
  if (isErrno(made)) file.release(); // EMFILE
  return made;
}
