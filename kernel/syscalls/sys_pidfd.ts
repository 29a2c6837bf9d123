/**
 * pidfd_open(2) and pidfd_getfd(2).
 * @module
 */
import { EBADF, EINVAL, EPERM, ESRCH, isErrno } from "../abi/errno.ts";
import { CAP_SYS_PTRACE } from "../abi/capability.ts";
import { O_NONBLOCK } from "../abi/fcntl.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import { openPidFd, PidFdDescription } from "../task/pidfd.ts";
import { defineSyscall } from "./syscall.ts";

export const pidfdOpen = defineSyscall({
  name: "pidfd_open",
  support: { partial: "PIDFD_THREAD fails with EINVAL" },
  args: { pid: "pid", flags: "flags" },
  run: (task, { pid, flags }) => {
    if ((flags & ~O_NONBLOCK) !== 0 || pid <= 0) return EINVAL;
    const target = task.namespace.task(pid);
    if (target === null) return ESRCH;
    if (!target.isLeader) return EINVAL;
    return openPidFd(task, target, flags);
  },
});

export const pidfdGetfd = defineSyscall({
  name: "pidfd_getfd",
  support: "full",
  args: { pidfd: "fd", targetfd: "fd", flags: "flags" },
  run: (task, { pidfd, targetfd, flags }) => {
    if (flags !== 0) return EINVAL;
    const file = task.file(pidfd);
    if (isErrno(file)) return file;
    if (!(file instanceof PidFdDescription)) return EBADF;
    const target = file.task;
    if (target.state === "dead") return ESRCH;
    const { uid } = task.credentials;
    const other = target.credentials;
    const isSame = other.uid === uid && other.euid === uid &&
      other.suid === uid;
    if (!isSame && !task.credentials.has(CAP_SYS_PTRACE)) return EPERM;
    const found = target.file(targetfd);
    if (isErrno(found)) return found;
    const fd = task.fdTable.install(found.acquire(), {
      closeOnExec: true,
      limit: task.limit(RLIMIT_NOFILE),
    });
    if (isErrno(fd)) found.release();
    return fd;
  },
});
