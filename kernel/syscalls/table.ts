/**
 * Every system call we have, by number. The families register by being listed
 * here; numbers live in ../arch/x64/syscall_table.ts only.
 * @module
 */
import { SYSCALL_NUMBERS } from "../arch/x64/syscall_table.ts";
import * as adjtimex from "./sys_adjtimex.ts";
import * as attr from "./sys_attr.ts";
import * as capability from "./sys_capability.ts";
import * as clock from "./sys_clock.ts";
import * as clone from "./sys_clone.ts";
import * as copy from "./sys_copy.ts";
import * as dir from "./sys_dir.ts";
import * as epoll from "./sys_epoll.ts";
import * as eventfd from "./sys_eventfd.ts";
import * as exec from "./sys_exec.ts";
import * as exit from "./sys_exit.ts";
import * as fcntl from "./sys_fcntl.ts";
import * as flock from "./sys_flock.ts";
import * as fsopen from "./sys_fsopen.ts";
import * as futex from "./sys_futex.ts";
import * as futex2 from "./sys_futex2.ts";
import * as identity from "./sys_identity.ts";
import * as inotify from "./sys_inotify.ts";
import * as ioctl from "./sys_ioctl.ts";
import * as ioprio from "./sys_ioprio.ts";
import * as kcmp from "./sys_kcmp.ts";
import * as kill from "./sys_kill.ts";
import * as limits from "./sys_limits.ts";
import * as link from "./sys_link.ts";
import * as membarrier from "./sys_membarrier.ts";
import * as memfd from "./sys_memfd.ts";
import * as mempolicy from "./sys_mempolicy.ts";
import * as mlock from "./sys_mlock.ts";
import * as mm from "./sys_mm.ts";
import * as mount from "./sys_mount.ts";
import * as mountTree from "./sys_mount_tree.ts";
import * as msg from "./sys_msg.ts";
import * as open from "./sys_open.ts";
import * as pidfd from "./sys_pidfd.ts";
import * as pipe from "./sys_pipe.ts";
import * as poll from "./sys_poll.ts";
import * as prctl from "./sys_prctl.ts";
import * as processVm from "./sys_process_vm.ts";
import * as ptrace from "./sys_ptrace.ts";
import * as readWrite from "./sys_read_write.ts";
import * as sched from "./sys_sched.ts";
import * as schedAttr from "./sys_sched_attr.ts";
import * as seccomp from "./sys_seccomp.ts";
import * as select from "./sys_select.ts";
import * as recvmsg from "./sys_recvmsg.ts";
import * as sendmsg from "./sys_sendmsg.ts";
import * as sem from "./sys_sem.ts";
import * as session from "./sys_session.ts";
import * as socket from "./sys_socket.ts";
import * as sockopt from "./sys_sockopt.ts";
import * as shm from "./sys_shm.ts";
import * as signal from "./sys_signal.ts";
import * as stat from "./sys_stat.ts";
import * as sync from "./sys_sync.ts";
import * as signalfd from "./sys_signalfd.ts";
import * as splice from "./sys_splice.ts";
import * as timer from "./sys_timer.ts";
import * as timerfd from "./sys_timerfd.ts";
import * as uname from "./sys_uname.ts";
import * as wait from "./sys_wait.ts";
import * as xattr from "./sys_xattr.ts";
import type { SyscallDefinition } from "./syscall.ts";

const FAMILIES: readonly object[] = [
  adjtimex,
  attr,
  capability,
  clock,
  clone,
  copy,
  dir,
  epoll,
  eventfd,
  exec,
  exit,
  fcntl,
  flock,
  futex,
  futex2,
  identity,
  inotify,
  ioctl,
  ioprio,
  kcmp,
  kill,
  limits,
  link,
  membarrier,
  memfd,
  mempolicy,
  mlock,
  mm,
  fsopen,
  mount,
  mountTree,
  msg,
  open,
  pidfd,
  pipe,
  poll,
  prctl,
  processVm,
  ptrace,
  readWrite,
  sched,
  schedAttr,
  seccomp,
  select,
  recvmsg,
  sendmsg,
  sem,
  session,
  shm,
  signal,
  signalfd,
  socket,
  sockopt,
  stat,
  sync,
  splice,
  timer,
  timerfd,
  uname,
  wait,
  xattr,
];

function isDefinition(value: unknown): value is SyscallDefinition {
  return typeof value === "object" && value !== null && "invoke" in value;
}

function buildTable(): readonly (SyscallDefinition | undefined)[] {
  const table: (SyscallDefinition | undefined)[] = new Array(512).fill(
    undefined,
  );
  for (const family of FAMILIES) {
    for (const value of Object.values(family)) {
      if (!isDefinition(value)) continue;
      const number = SYSCALL_NUMBERS[value.name];
      if (number === undefined) throw new Error(`No number: ${value.name}`);
      if (table[number] !== undefined) {
        throw new Error(`Defined twice: ${value.name}`);
      }
      table[number] = value;
    }
  }
  return table;
}

/** Definitions by x86-64 number. */
export const SYSCALLS: readonly (SyscallDefinition | undefined)[] =
  buildTable();
