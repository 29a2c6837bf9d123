/**
 * ioctl(2): requests that every file knows; the others go to the file. Source:
 * ioctl(2), ioctl_list(2), Linux's fs/ioctl.c.
 * @module
 */
import { EBADF, ENOTTY, EOPNOTSUPP, isErrno } from "../abi/errno.ts";
import { FASYNC, O_NONBLOCK } from "../abi/fcntl.ts";
import {
  FICLONE,
  FICLONERANGE,
  FIGETBSZ,
  FIOASYNC,
  FIOCLEX,
  FIONBIO,
  FIONCLEX,
  FIONREAD,
  FIOQSIZE,
} from "../abi/ioctl.ts";
import type { Task } from "../task/task.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import { openFileOf } from "./file_arguments.ts";
import { setAsync } from "./fcntl_owner.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

export const ioctl = defineSyscall({
  name: "ioctl",
  support: { partial: "each kind of file knows its own requests" },
  args: { fd: "fd", request: "uint", argument: "ulong" },
  run: (task, { fd, request, argument }) => {
    const file = openFileOf(task, fd);
    if (isErrno(file)) return EBADF;
    switch (request) {
      case FIOCLEX:
        task.fdTable.setCloseOnExec(fd, true);
        return 0;
      case FIONCLEX:
        task.fdTable.setCloseOnExec(fd, false);
        return 0;
      case FIONBIO: {
        const isOn = task.memory.readI32(argument);
        if (isErrno(isOn)) return isOn;
        const flags = file.flags & ~O_NONBLOCK;
        return file.setStatusFlags(isOn ? flags | O_NONBLOCK : flags) ?? 0;
      }
      case FIOASYNC: {
        const isOn = task.memory.readI32(argument);
        if (isErrno(isOn)) return isOn;
        return setFileAsync(task, fd, file, isOn !== 0);
      }
      case FICLONE:
      case FICLONERANGE:
        return EOPNOTSUPP;
      default:
        return fileIoctl(task, file, request, argument);
    }
  },
});

/** FIOASYNC: as F_SETFL with O_ASYNC, but files that can't refuse. */
function setFileAsync(
  task: Task,
  fd: number,
  file: FileDescription,
  isOn: boolean,
): SysResult {
  if (((file.flags & FASYNC) !== 0) === isOn) return 0;
  if (!file.canSignal) return ENOTTY;
  const failed = file.setStatusFlags(file.flags ^ FASYNC);
  if (failed !== null) return failed;
  setAsync(task, fd, file, file.flags & FASYNC);
  return 0;
}

function fileIoctl(
  task: Task,
  file: FileDescription,
  request: number,
  argument: number,
): SysResult {
  const { inode } = file;
  const isSized = inode.isRegular || inode.isDirectory || inode.isSymlink;
  if (request === FIOQSIZE) {
    if (!isSized) return ENOTTY;
    return inode.refresh() ?? task.memory.writeU64(argument, inode.size) ?? 0;
  }
  if (request === FIGETBSZ && isSized) {
    return task.memory.writeU32(argument, inode.blockSize) ?? 0;
  }
  if (request === FIONREAD && inode.isRegular) {
    const failed = inode.refresh();
    if (failed !== null) return failed;
    return task.memory.writeU32(argument, inode.size - file.offset) ?? 0;
  }
  return file.ioctl(request, argument, task);
}
