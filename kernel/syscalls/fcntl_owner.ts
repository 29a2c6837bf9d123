/**
 * fcntl(2), "Managing signals" and "Leases": who hears of a file by a signal.
 * @module
 */
import { EINVAL, ENOTDIR, isErrno } from "../abi/errno.ts";
import {
  F_GETOWN,
  F_GETSIG,
  F_OWNER_EX,
  F_OWNER_PGRP,
  F_OWNER_PID,
  F_OWNER_TID,
  F_SETOWN,
  F_SETOWN_EX,
  F_SETSIG,
  F_UNLCK,
} from "../abi/fcntl.ts";
import { NSIG } from "../abi/signal.ts";
import { TtyDescription } from "../fs/devpts/tty_description.ts";
import { FileOwner } from "../task/file_owner.ts";
import type { Task } from "../task/task.ts";
import { notifyDirectory } from "../vfs/dnotify.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import { setLease } from "../vfs/file_lease.ts";
import type { SysResult } from "./syscall.ts";

/** O_ASYNC was set or cleared. */
export function setAsync(
  task: Task,
  fd: number,
  file: FileDescription,
  isOn: number,
): void {
  if (!file.canSignal) return;
  const owner = FileOwner.of(file);
  if (isOn === 0) {
    owner.stop();
    return;
  }
  if (file instanceof TtyDescription && !owner.hasTarget) {
    const { processGroup } = task.threadGroup;
    owner.setTarget(F_OWNER_PGRP, processGroup.id, task);
  }
  owner.start(fd);
}

/** F_NOTIFY; the caller hears of the directory unless it named somebody else.
 * ENOTDIR. */
export function notifyCall(
  task: Task,
  fd: number,
  file: FileDescription,
  mask: number,
): SysResult {
  if (!file.inode.isDirectory) return ENOTDIR;
  const owner = FileOwner.of(file);
  owner.fd = fd;
  if (!owner.hasTarget) owner.setTarget(F_OWNER_PID, task.processId, task);
  notifyDirectory(file, mask);
  return 0;
}

/** F_SETLEASE; the holder hears of a break unless it named somebody else. */
export function setLeaseCall(
  task: Task,
  fd: number,
  file: FileDescription,
  type: number,
): SysResult {
  const failed = setLease(file, type, task);
  if (failed !== null) return failed;
  const owner = FileOwner.of(file);
  owner.fd = fd;
  if (type !== F_UNLCK && !owner.hasTarget) {
    owner.setTarget(F_OWNER_PID, task.processId, task);
  }
  return 0;
}

/** F_SETOWN, F_GETOWN, F_SETOWN_EX, F_GETOWN_EX, F_SETSIG, F_GETSIG. */
export function ownerCommand(
  task: Task,
  file: FileDescription,
  cmd: number,
  arg: number,
): SysResult {
  const { memory } = task;
  const known = file.signalOwner instanceof FileOwner ? file.signalOwner : null;
  switch (cmd) {
    case F_SETOWN: {
      const id = arg | 0;
      if (id === -0x80000000) return EINVAL;
      const type = id < 0 ? F_OWNER_PGRP : F_OWNER_PID;
      return FileOwner.of(file).setTarget(type, Math.abs(id), task) ?? 0;
    }
    case F_GETOWN: {
      const id = known?.id ?? 0;
      return known?.type === F_OWNER_PGRP ? -id : id;
    }
    case F_SETSIG: {
      const signo = arg | 0;
      if (signo < 0 || signo > NSIG) return EINVAL;
      FileOwner.of(file).signo = signo;
      return 0;
    }
    case F_GETSIG:
      return known?.signo ?? 0;
    case F_SETOWN_EX: {
      const type = memory.readI32(arg + F_OWNER_EX.type);
      if (isErrno(type)) return type;
      const pid = memory.readI32(arg + F_OWNER_EX.pid);
      if (isErrno(pid)) return pid;
      return FileOwner.of(file).setTarget(type, pid, task) ?? 0;
    }
    default:
      return memory.writeI32s(arg, [
        known?.type ?? F_OWNER_TID,
        known?.id ?? 0,
      ]) ?? 0;
  }
}
