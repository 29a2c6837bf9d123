/**
 * Sending signals: kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2),
 * rt_tgsigqueueinfo(2), pidfd_send_signal(2).
 * @module
 */
import {
  EBADF,
  EINVAL,
  EPERM,
  type Errno,
  ESRCH,
  isErrno,
} from "../abi/errno.ts";
import { CAP_KILL } from "../abi/capability.ts";
import {
  NSIG,
  SI_TKILL,
  SI_USER,
  SIGCONT,
  SIGINFO,
  SIGINFO_SIZE,
} from "../abi/signal.ts";
import { processOfInode } from "../fs/proc/process_ref.ts";
import { PidFdDescription } from "../task/pidfd.ts";
import {
  queuedSignal,
  type SignalInfo,
  userSignal,
} from "../task/signal_info.ts";
import { sendToGroup, sendToTask } from "../task/signal_send.ts";
import type { Task } from "../task/task.ts";
import type { ThreadGroup } from "../task/thread_group.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

function isValidSignal(signo: number): boolean {
  return signo >= 0 && signo <= NSIG;
}

/** kill(2): real or effective uid must equal the target's real or saved uid;
 * SIGCONT may go anywhere within the session. */
function maySignal(task: Task, target: ThreadGroup, signo: number): boolean {
  const own = task.credentials;
  const other = target.leader.credentials;
  if (own.euid === other.suid || own.euid === other.uid) return true;
  if (own.uid === other.suid || own.uid === other.uid) return true;
  if (own.has(CAP_KILL)) return true;
  return signo === SIGCONT &&
    target.processGroup.session === task.threadGroup.processGroup.session;
}

function fromUser(task: Task, signo: number, code: number): SignalInfo {
  return userSignal(signo, task.processId, task.credentials.uid, code);
}

function signalProcess(
  task: Task,
  target: ThreadGroup,
  signo: number,
): Errno | null {
  if (!maySignal(task, target, signo)) return EPERM;
  if (signo === 0) return null;
  return sendToGroup(target, fromUser(task, signo, SI_USER));
}

/** Sends to several; succeeds if it could to at least one. */
function signalMany(
  task: Task,
  targets: Iterable<ThreadGroup>,
  signo: number,
): SysResult {
  let result: SysResult = ESRCH;
  for (const target of [...targets]) {
    const failed = signalProcess(task, target, signo);
    if (failed === null) result = 0;
    else if (result === ESRCH) result = failed;
  }
  return result;
}

function processOf(task: Task, pid: number): ThreadGroup | null {
  const found = task.namespace.task(pid);
  return found?.threadGroup ?? null;
}

export const kill = defineSyscall({
  name: "kill",
  support: "full",
  args: { pid: "pid", sig: "signo" },
  run: (task, { pid, sig }) => {
    if (!isValidSignal(sig)) return EINVAL;
    if (pid > 0) {
      const target = processOf(task, pid);
      if (target === null) return ESRCH;
      return signalProcess(task, target, sig) ?? 0;
    }
    if (pid === -1) return signalMany(task, allButInitAndSelf(task), sig);
    if (pid === -0x80000000) return ESRCH;
    const own = task.threadGroup.processGroup;
    const group = pid === 0 ? own : task.namespace.processGroups.get(-pid);
    return group === undefined ? ESRCH : signalMany(task, group.members, sig);
  },
});

function* allButInitAndSelf(task: Task): Generator<ThreadGroup> {
  for (const other of task.namespace.tasks()) {
    const process = other.threadGroup;
    if (!other.isLeader || process.pid === 1) continue;
    if (process !== task.threadGroup) yield process;
  }
}

/** Sends to one thread, which must be of process `tgid` unless that is 0. */
function signalThread(
  task: Task,
  tgid: number,
  tid: number,
  info: SignalInfo,
): SysResult {
  const target = task.namespace.task(tid);
  if (target === null || target.state === "dead") return ESRCH;
  if (tgid !== 0 && target.threadGroup.pid !== tgid) return ESRCH;
  if (!maySignal(task, target.threadGroup, info.signo)) return EPERM;
  return info.signo === 0 ? 0 : sendToTask(target, info) ?? 0;
}

export const tkill = defineSyscall({
  name: "tkill",
  support: "full",
  args: { tid: "pid", sig: "signo" },
  run: (task, { tid, sig }) => {
    if (tid <= 0 || !isValidSignal(sig)) return EINVAL;
    return signalThread(task, 0, tid, fromUser(task, sig, SI_TKILL));
  },
});

export const tgkill = defineSyscall({
  name: "tgkill",
  support: "full",
  args: { tgid: "pid", tid: "pid", sig: "signo" },
  run: (task, { tgid, tid, sig }) => {
    if (tgid <= 0 || tid <= 0 || !isValidSignal(sig)) return EINVAL;
    return signalThread(task, tgid, tid, fromUser(task, sig, SI_TKILL));
  },
});

/** A guest's siginfo_t. EPERM: its code claims to be the kernel or tkill. */
function readInfo(
  task: Task,
  addr: number,
  signo: number,
  isSelf: boolean,
): SignalInfo | Errno {
  const bytes = new Uint8Array(SIGINFO_SIZE);
  const fault = task.memory.readBytes(addr, bytes);
  if (fault !== null) return fault;
  const code = new DataView(bytes.buffer).getInt32(SIGINFO.si_code, true);
  if ((code >= 0 || code === SI_TKILL) && !isSelf) return EPERM;
  return queuedSignal(signo, bytes);
}

export const rtSigqueueinfo = defineSyscall({
  name: "rt_sigqueueinfo",
  support: "full",
  args: { tgid: "pid", sig: "signo", info: "addr" },
  run: (task, { tgid, sig, info }) => {
    const target = processOf(task, tgid);
    const given = readInfo(task, info, sig, target === task.threadGroup);
    if (isErrno(given)) return given;
    if (!isValidSignal(sig)) return EINVAL;
    if (target === null) return ESRCH;
    if (!maySignal(task, target, sig)) return EPERM;
    return sig === 0 ? 0 : sendToGroup(target, given) ?? 0;
  },
});

export const rtTgsigqueueinfo = defineSyscall({
  name: "rt_tgsigqueueinfo",
  support: "full",
  args: { tgid: "pid", tid: "pid", sig: "signo", info: "addr" },
  run: (task, { tgid, tid, sig, info }) => {
    if (tgid <= 0 || tid <= 0) return EINVAL;
    const given = readInfo(task, info, sig, tgid === task.threadGroup.pid);
    if (isErrno(given)) return given;
    if (!isValidSignal(sig)) return EINVAL;
    return signalThread(task, tgid, tid, given);
  },
});

/** A pidfd's process, or that of an open /proc/PID. */
function processOfPidFd(file: FileDescription): ThreadGroup | null {
  return file instanceof PidFdDescription
    ? file.task.threadGroup
    : processOfInode(file.inode);
}

export const pidfdSendSignal = defineSyscall({
  name: "pidfd_send_signal",
  support: { partial: "flags must be 0" },
  args: { pidfd: "fd", sig: "signo", info: "addr", flags: "flags" },
  run: (task, { pidfd, sig, info, flags }) => {
    if (flags !== 0) return EINVAL;
    const file = task.file(pidfd);
    if (isErrno(file)) return file;
    const target = processOfPidFd(file);
    if (target === null) return EBADF;
    if (!isValidSignal(sig)) return EINVAL;
    if (target.parent === null && target.isZombie) return ESRCH;
    if (info === 0) return signalProcess(task, target, sig) ?? 0;
    const claimed = task.memory.readI32(info + SIGINFO.si_signo);
    if (isErrno(claimed)) return claimed;
    if (claimed !== sig) return EINVAL;
    const given = readInfo(task, info, sig, target === task.threadGroup);
    if (isErrno(given)) return given;
    if (!maySignal(task, target, sig)) return EPERM;
    return sig === 0 ? 0 : sendToGroup(target, given) ?? 0;
  },
});
