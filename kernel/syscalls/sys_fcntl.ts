/**
 * fcntl(2), dup(2), dup2(2), dup3(2). Record locks are in fcntl_lock.ts.
 * @module
 */
import { EBADF, EINVAL, EPERM, type Errno, isErrno } from "../abi/errno.ts";
import {
  F_ADD_SEALS,
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_DUPFD_QUERY,
  F_GET_SEALS,
  F_GETFD,
  F_GETFL,
  F_GETLEASE,
  F_GETLK,
  F_GETOWN,
  F_GETOWN_EX,
  F_GETPIPE_SZ,
  F_GETSIG,
  F_NOTIFY,
  F_OFD_GETLK,
  F_OFD_SETLK,
  F_OFD_SETLKW,
  F_SETFD,
  F_SETFL,
  F_SETLEASE,
  F_SETLK,
  F_SETLKW,
  F_SETOWN,
  F_SETOWN_EX,
  F_SETPIPE_SZ,
  F_SETSIG,
  FASYNC,
  FD_CLOEXEC,
  O_APPEND,
  O_CLOEXEC,
  O_DIRECT,
  O_NOATIME,
  O_NONBLOCK,
  O_PATH,
} from "../abi/fcntl.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import { S_IFIFO, S_IFMT } from "../abi/stat.ts";
import { PipeDescription } from "../fs/pipefs.ts";
import { TmpfsRegular } from "../fs/tmpfs/tmpfs_regular.ts";
import { NR_OPEN } from "../task/fd_table.ts";
import type { Task } from "../task/task.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import { leaseType } from "../vfs/file_lease.ts";
import { checkOwner } from "../vfs/permission.ts";
import { RegularFileDescription } from "../vfs/regular_file.ts";
import { getRecordLock, setRecordLockCall } from "./fcntl_lock.ts";
import {
  notifyCall,
  ownerCommand,
  setAsync,
  setLeaseCall,
} from "./fcntl_owner.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

export const dup = defineSyscall({
  name: "dup",
  support: "full",
  args: { oldfd: "fd" },
  run: (task, { oldfd }) => {
    const file = task.fdTable.get(oldfd);
    return file === null ? EBADF : duplicate(task, file, 0, false);
  },
});

export const dup2 = defineSyscall({
  name: "dup2",
  support: "full",
  args: { oldfd: "fd", newfd: "fd" },
  run: (task, { oldfd, newfd }) => {
    if (oldfd === newfd) return task.fdTable.get(oldfd) ? newfd : EBADF;
    return replace(task, oldfd, newfd, false);
  },
});

export const dup3 = defineSyscall({
  name: "dup3",
  support: "full",
  args: { oldfd: "fd", newfd: "fd", flags: "oflags" },
  run: (task, { oldfd, newfd, flags }) => {
    if ((flags & ~O_CLOEXEC) !== 0) return EINVAL;
    if (oldfd === newfd) return EINVAL;
    return replace(task, oldfd, newfd, (flags & O_CLOEXEC) !== 0);
  },
});

function replace(
  task: Task,
  oldfd: number,
  newfd: number,
  closeOnExec: boolean,
): SysResult {
  if (newfd < 0 || newfd >= Math.min(task.limit(RLIMIT_NOFILE), NR_OPEN)) {
    return EBADF;
  }
  const file = task.fdTable.get(oldfd);
  if (file === null) return EBADF;
  task.fdTable.replace(newfd, file.acquire(), { closeOnExec }, task);
  return newfd;
}

function duplicate(
  task: Task,
  file: FileDescription,
  minimum: number,
  closeOnExec: boolean,
): number | Errno {
  const limit = task.limit(RLIMIT_NOFILE);
  const options = { closeOnExec, limit, minimum };
  const fd = task.fdTable.install(file.acquire(), options);
  if (isErrno(fd)) file.release(); // EMFILE
  return fd;
}

export const fcntl = defineSyscall({
  name: "fcntl",
  support: {
    partial: "write hints fail with EINVAL",
  },
  args: { fd: "fd", cmd: "int", arg: "ulong" },
  run: (task, { fd, cmd, arg }) => {
    const file = task.fdTable.get(fd);
    if (file === null) return EBADF;
    const result = descriptorCommand(task, fd, file, cmd, arg);
    if (result !== undefined) return result;
    // What names a place only has no state to ask for.
    if ((file.flags & O_PATH) !== 0) return EBADF;
    return fileCommand(task, fd, file, cmd, arg);
  },
});

/** Commands on the descriptor, which O_PATH ones know, too. */
function descriptorCommand(
  task: Task,
  fd: number,
  file: FileDescription,
  cmd: number,
  arg: number,
): SysResult | undefined {
  const table = task.fdTable;
  switch (cmd) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC: {
      const minimum = arg | 0;
      const limit = Math.min(task.limit(RLIMIT_NOFILE), NR_OPEN);
      if (minimum < 0 || minimum >= limit) return EINVAL;
      return duplicate(task, file, minimum, cmd === F_DUPFD_CLOEXEC);
    }
    case F_DUPFD_QUERY: {
      const other = table.get(arg | 0);
      return other === null ? EBADF : other === file ? 1 : 0;
    }
    case F_GETFD:
      return table.isCloseOnExec(fd) ? FD_CLOEXEC : 0;
    case F_SETFD:
      table.setCloseOnExec(fd, (arg & FD_CLOEXEC) !== 0);
      return 0;
    case F_GETFL:
      return file.flags;
    default:
      return undefined;
  }
}

function fileCommand(
  task: Task,
  fd: number,
  file: FileDescription,
  cmd: number,
  arg: number,
): SysResult {
  switch (cmd) {
    case F_SETFL:
      return setFlags(task, fd, file, arg | 0);
    case F_GETLK:
    case F_OFD_GETLK:
      return getRecordLock(task, file, arg, cmd === F_OFD_GETLK);
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return setRecordLockCall(task, file, arg, {
        isOfd: cmd === F_OFD_SETLK || cmd === F_OFD_SETLKW,
        isWaiting: cmd === F_SETLKW || cmd === F_OFD_SETLKW,
      });
    case F_SETOWN:
    case F_GETOWN:
    case F_SETOWN_EX:
    case F_GETOWN_EX:
    case F_SETSIG:
    case F_GETSIG:
      return ownerCommand(task, file, cmd, arg);
    case F_GETPIPE_SZ:
      return file instanceof PipeDescription ? file.capacity : EBADF;
    case F_SETPIPE_SZ:
      return file instanceof PipeDescription
        ? file.setCapacity(arg | 0, task)
        : EBADF;
    case F_ADD_SEALS:
      return addSeals(file, arg);
    case F_GET_SEALS:
      return sealedFile(file)?.seals ?? EINVAL;
    case F_GETLEASE:
      return leaseType(file);
    case F_SETLEASE:
      return setLeaseCall(task, fd, file, arg | 0);
    case F_NOTIFY:
      return notifyCall(task, fd, file, arg | 0);
    default:
      unimplemented(task, `fcntl command ${cmd}`);
      return EINVAL;
  }
}

const SETTABLE = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC;

function setFlags(
  task: Task,
  fd: number,
  file: FileDescription,
  flags: number,
): SysResult {
  const changed = (file.flags ^ flags) & SETTABLE;
  if ((changed & flags & O_NOATIME) !== 0) {
    const refused = checkOwner(task.identity, file.inode);
    if (refused !== null) return refused;
  }
  if ((flags & O_DIRECT) !== 0 && !file.canBypassCache) {
    // For pipes it means packets.
    if ((file.inode.mode & S_IFMT) !== S_IFIFO) return EINVAL;
  }
  const failed = file.setStatusFlags(file.flags ^ changed);
  if (failed !== null) return failed;
  if ((changed & FASYNC) !== 0) setAsync(task, fd, file, flags & FASYNC);
  return 0;
}

function sealedFile(file: FileDescription): TmpfsRegular | null {
  if (!(file instanceof RegularFileDescription)) return null;
  return file.file instanceof TmpfsRegular ? file.file : null;
}

/** F_SEAL_SEAL to F_SEAL_EXEC. */
const KNOWN_SEALS = 0x3f;

function addSeals(file: FileDescription, seals: number): SysResult {
  const sealed = sealedFile(file);
  if (!file.isWritable) return EPERM;
  if (sealed === null || (seals & ~KNOWN_SEALS) !== 0) return EINVAL;
  return sealed.addSeals(seals) ?? 0;
}
