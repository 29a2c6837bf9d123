/**
 * flock(2): locks of an open file on the whole file, kept by
 * `../vfs/file_lock.ts`.
 * @module
 */
import { EAGAIN, EINVAL, isErrno } from "../abi/errno.ts";
import {
  F_RDLCK,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
} from "../abi/fcntl.ts";
import { locksOf, setWholeLock } from "../vfs/file_lock.ts";
import { openFileOf } from "./file_arguments.ts";
import { defineSyscall } from "./syscall.ts";

/** Blocks until the lock is free, unless LOCK_NB. */
export const flock = defineSyscall({
  name: "flock",
  support: "full",
  args: { fd: "fd", operation: "int" },
  run: (task, { fd, operation }) => {
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    let type: number;
    switch (operation & ~LOCK_NB) {
      case LOCK_SH:
        type = F_RDLCK;
        break;
      case LOCK_EX:
        type = F_WRLCK;
        break;
      case LOCK_UN:
        type = F_UNLCK;
        break;
      default:
        return EINVAL;
    }
    const refused = setWholeLock(file.inode, file, type);
    if (refused !== EAGAIN || (operation & LOCK_NB) !== 0) return refused ?? 0;
    return task.block(locksOf(file.inode).queue);
  },
});
