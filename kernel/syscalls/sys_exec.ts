/**
 * execve(2) and execveat(2). The work is in ../task/task_exec.ts.
 * @module
 */
import {
  E2BIG,
  EINVAL,
  ENAMETOOLONG,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../abi/fcntl.ts";
import { MAX_ARG_STRLEN, PATH_MAX } from "../abi/limits.ts";
import type { ByteString } from "../mm/user_memory.ts";
import { execTask } from "../task/task_exec.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

/** Bytes of strings that any stack limit allows: three quarters of 8 MiB. */
const MAX_STRINGS_BYTES = 6 * 1024 * 1024;

/** argv or envp. E2BIG when the strings cannot fit any stack; EFAULT. A null
 * pointer is an empty list, as Linux has it. */
function readStrings(task: Task, addr: number): ByteString[] | Errno {
  const strings: ByteString[] = [];
  if (addr === 0) return strings;
  let bytes = 0;
  for (let at = addr;; at += 8) {
    const pointer = task.memory.readU64(at);
    if (isErrno(pointer)) return pointer;
    if (pointer === 0) return strings;
    const text = task.memory.readString(pointer, MAX_ARG_STRLEN, E2BIG);
    if (isErrno(text)) return text;
    bytes += text.length + 9;
    if (bytes > MAX_STRINGS_BYTES) return E2BIG;
    strings.push(text);
  }
}

function execAt(
  task: Task,
  dirfd: number,
  pathname: number,
  argvAddr: number,
  envpAddr: number,
  flags: number,
): SysResult {
  if ((flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) !== 0) return EINVAL;
  const path = task.memory.readString(pathname, PATH_MAX, ENAMETOOLONG);
  if (isErrno(path)) return path;
  const argv = readStrings(task, argvAddr);
  if (isErrno(argv)) return argv;
  const envp = readStrings(task, envpAddr);
  if (isErrno(envp)) return envp;
  let at = task.fsContext.cwd;
  let execfn = path;
  if (dirfd !== AT_FDCWD && !path.startsWith("/")) {
    const file = task.file(dirfd);
    if (isErrno(file)) return file;
    at = file.path;
    execfn = path === "" ? `/dev/fd/${dirfd}` : `/dev/fd/${dirfd}/${path}`;
  }
  // Since 5.18 an empty argv becomes one empty string.
  if (argv.length === 0) argv.push("");
  return execTask(task, {
    at,
    path,
    followLast: (flags & AT_SYMLINK_NOFOLLOW) === 0,
    allowEmpty: (flags & AT_EMPTY_PATH) !== 0,
  }, { argv, envp, execfn });
}

export const execve = defineSyscall({
  name: "execve",
  support: "full",
  args: { pathname: "path", argv: "addr", envp: "addr" },
  run: (task, { pathname, argv, envp }) =>
    execAt(task, AT_FDCWD, pathname, argv, envp, 0),
});

export const execveat = defineSyscall({
  name: "execveat",
  support: "full",
  args: {
    dirfd: "dirfd",
    pathname: "path",
    argv: "addr",
    envp: "addr",
    flags: "flags",
  },
  run: (task, { dirfd, pathname, argv, envp, flags }) =>
    execAt(task, dirfd, pathname, argv, envp, flags),
});
