/**
 * mlock(2), mlock2(2), munlock(2), mlockall(2), munlockall(2). Memory is never
 * swapped: locking is accounting and bringing pages in (../mm/mlock.ts).
 * @module
 */
import { CAP_IPC_LOCK } from "../abi/capability.ts";
import { EINVAL } from "../abi/errno.ts";
import {
  MCL_CURRENT,
  MCL_FUTURE,
  MCL_ONFAULT,
  MLOCK_ONFAULT,
} from "../abi/mman.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall } from "./syscall.ts";

function lockOptions(task: Task, onFault: boolean) {
  return { onFault, isPrivileged: task.credentials.has(CAP_IPC_LOCK) };
}

export const mlock = defineSyscall({
  name: "mlock",
  support: "full",
  args: { addr: "addr", length: "size" },
  run: (task, { addr, length }) =>
    task.memory.lock(addr, length, lockOptions(task, false)) ?? 0,
});

export const mlock2 = defineSyscall({
  name: "mlock2",
  support: "full",
  args: { addr: "addr", length: "size", flags: "flags" },
  run: (task, { addr, length, flags }) => {
    if ((flags & ~MLOCK_ONFAULT) !== 0) return EINVAL;
    const onFault = (flags & MLOCK_ONFAULT) !== 0;
    return task.memory.lock(addr, length, lockOptions(task, onFault)) ?? 0;
  },
});

export const munlock = defineSyscall({
  name: "munlock",
  support: "full",
  args: { addr: "addr", length: "size" },
  run: (task, { addr, length }) => task.memory.unlock(addr, length) ?? 0,
});

export const mlockall = defineSyscall({
  name: "mlockall",
  support: "full",
  args: { flags: "flags" },
  run: (task, { flags }) => {
    const known = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;
    if (flags === 0 || (flags & ~known) !== 0) return EINVAL;
    if (flags === MCL_ONFAULT) return EINVAL;
    const which = {
      current: (flags & MCL_CURRENT) !== 0,
      future: (flags & MCL_FUTURE) !== 0,
    };
    const onFault = (flags & MCL_ONFAULT) !== 0;
    return task.memory.lockAll(which, lockOptions(task, onFault)) ?? 0;
  },
});

export const munlockall = defineSyscall({
  name: "munlockall",
  support: "full",
  args: {},
  run: (task) => {
    task.memory.unlockAll();
    return 0;
  },
});
