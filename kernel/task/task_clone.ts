/**
 * New tasks: fork(2), vfork(2), clone(2), clone3(2). Nothing is visible to
 * anyone before the last step that can fail. Source: clone(2).
 * @module
 */
import {
  EAGAIN,
  EINVAL,
  ENOMEM,
  EPERM,
  type Errno,
  errnoFromCode,
  isErrno,
} from "../abi/errno.ts";
import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from "../abi/capability.ts";
import {
  PTRACE_EVENT_CLONE,
  PTRACE_EVENT_FORK,
  PTRACE_EVENT_VFORK,
  PTRACE_O_TRACECLONE,
  PTRACE_O_TRACEFORK,
  PTRACE_O_TRACEVFORK,
} from "../abi/ptrace.ts";
import { RLIMIT_NPROC } from "../abi/resource.ts";
import {
  CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID,
  CLONE_FILES,
  CLONE_FS,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_PTRACE,
  CLONE_SETTLS,
  CLONE_SIGHAND,
  CLONE_SYSVSEM,
  CLONE_THREAD,
  CLONE_UNTRACED,
  CLONE_VFORK,
  CLONE_VM,
} from "../abi/sched.ts";
import { UndoList } from "../ipc/sem.ts";
import { SIGCHLD } from "../abi/signal.ts";
import type { MemoryManager } from "../mm/memory_manager.ts";
import { attachChild } from "./ptrace.ts";
import { openPidFd } from "./pidfd.ts";
import { Task } from "./task.ts";
import { ThreadGroup } from "./thread_group.ts";
import { UtsNamespace } from "./uts_namespace.ts";

/** Arguments of clone3(2). `flagsHigh` is the upper word of flags. */
export interface CloneArguments {
  readonly flags: number;
  readonly clearSignalHandlers: boolean;
  readonly exitSignal: number;
  /** Initial rsp; 0: the parent's. */
  readonly stackPointer: number;
  readonly tls: number;
  readonly parentTid: number;
  readonly childTid: number;
  readonly pidFd: number;
  /** clone3's set_tid for the own namespace, 0: any. */
  readonly setTid: number;
}

const NEW_NAMESPACES = CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET |
  CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER;

/** Combinations that clone(2) refuses. EINVAL. */
function checkFlags(task: Task, args: CloneArguments): Errno | null {
  const { flags } = args;
  const has = (flag: number) => (flags & flag) !== 0;
  if (has(CLONE_SIGHAND) && !has(CLONE_VM)) return EINVAL;
  if (has(CLONE_THREAD) && !has(CLONE_SIGHAND)) return EINVAL;
  if (has(CLONE_NEWNS) && has(CLONE_FS)) return EINVAL;
  if (has(CLONE_NEWUSER) && has(CLONE_FS)) return EINVAL;
  if (has(CLONE_THREAD) && has(CLONE_NEWUSER | CLONE_NEWPID)) return EINVAL;
  if (args.clearSignalHandlers && has(CLONE_SIGHAND)) return EINVAL;
  if (has(CLONE_PARENT) && task.threadGroup.pid === 1) return EINVAL;
  if (
    has(CLONE_NEWUTS) && !task.credentials.has(CAP_SYS_ADMIN)
  ) return EPERM;
  return null;
}

function checkLimits(task: Task): Errno | null {
  if (task.namespace.isDying) return ENOMEM;
  const limit = task.limit(RLIMIT_NPROC);
  const { credentials } = task;
  if (limit === Infinity || credentials.uid === 0) return null;
  if (credentials.has(CAP_SYS_RESOURCE)) return null;
  let count = 0;
  for (const other of task.namespace.tasks()) {
    if (other.credentials.uid === credentials.uid) count++;
  }
  return count >= limit ? EAGAIN : null;
}

/** Makes a task; it is runnable on return. The child's id as the parent sees
 * it. */
export function cloneTask(parent: Task, args: CloneArguments): Task | Errno {
  const invalid = checkFlags(parent, args) ?? checkLimits(parent);
  if (invalid !== null) return invalid;
  if ((args.flags & NEW_NAMESPACES) !== 0) {
    parent.kernel.noteUnimplemented(parent, "clone: new namespaces");
    return EINVAL;
  }
  const tid = args.setTid !== 0 ? args.setTid : parent.namespace.allocate();
  if (isErrno(tid)) return tid;
  const memory = cloneMemory(parent, args.flags);
  if (isErrno(memory)) return memory;
  const context = parent.kernel.host.platform.newContext();
  if (typeof context === "number") {
    memory.release();
    return errnoFromCode(context);
  }
  const child = makeChild(parent, args, tid, memory, context);
  if (isErrno(child)) {
    context.release();
    memory.release();
    return child;
  }
  parent.kernel.makeRunnable(child);
  return child;
}

function cloneMemory(parent: Task, flags: number): MemoryManager | Errno {
  if ((flags & CLONE_VM) !== 0) return parent.memory.acquire();
  const space = parent.kernel.host.platform.newAddressSpace();
  if (typeof space === "number") return errnoFromCode(space);
  const memory = parent.memory.fork(space);
  if (isErrno(memory)) space.release();
  return memory;
}

function makeChild(
  parent: Task,
  args: CloneArguments,
  tid: number,
  memory: MemoryManager,
  context: Task["context"],
): Task | Errno {
  const { flags } = args;
  const has = (flag: number) => (flags & flag) !== 0;
  const fdTable = has(CLONE_FILES)
    ? parent.fdTable.acquire()
    : parent.fdTable.copy();
  const fsContext = has(CLONE_FS)
    ? parent.fsContext.acquire()
    : parent.fsContext.copy();
  const child = new Task({
    kernel: parent.kernel,
    tid,
    namespace: parent.namespace,
    context,
    memory,
    fdTable,
    fsContext,
    credentials: parent.credentials,
    uts: has(CLONE_NEWUTS)
      ? new UtsNamespace(parent.uts.hostname, parent.uts.domainname)
      : parent.uts,
    ipc: parent.ipc,
    comm: parent.comm,
  });
  const failed = copyState(parent, child, args) ??
    storeTids(parent, child, args);
  if (failed !== null) {
    fdTable.release(child);
    fsContext.release();
    child.ipc.release();
    return failed;
  }
  join(parent, child, args);
  trace(parent, child, args);
  return child;
}

/** The PTRACE_EVENT_* of making a child in this way. */
export function cloneEvent(
  args: CloneArguments,
): { readonly event: number; readonly option: number } {
  if ((args.flags & CLONE_VFORK) !== 0) {
    return { event: PTRACE_EVENT_VFORK, option: PTRACE_O_TRACEVFORK };
  }
  return args.exitSignal === SIGCHLD
    ? { event: PTRACE_EVENT_FORK, option: PTRACE_O_TRACEFORK }
    : { event: PTRACE_EVENT_CLONE, option: PTRACE_O_TRACECLONE };
}

/** Whether the tracer asked to hear of such a child. */
export function isCloneTraced(parent: Task, args: CloneArguments): boolean {
  return parent.ptrace !== null && (args.flags & CLONE_UNTRACED) === 0 &&
    parent.ptrace.has(cloneEvent(args).option);
}

function trace(parent: Task, child: Task, args: CloneArguments): void {
  const isWanted = isCloneTraced(parent, args) ||
    (args.flags & CLONE_PTRACE) !== 0;
  if (isWanted) attachChild(parent, child);
}

/** Registers, FPU and the attributes a child inherits. */
function copyState(
  parent: Task,
  child: Task,
  args: CloneArguments,
): Errno | null {
  const saved = parent.context.saveFpu();
  if (saved < 0) return errnoFromCode(saved);
  const { xsaveBytes } = parent.kernel.host.platform.info;
  const from = parent.context;
  const to = child.context;
  new Uint8Array(to.view.buffer, to.view.byteOffset + to.xsaveBase, xsaveBytes)
    .set(
      new Uint8Array(
        from.view.buffer,
        from.view.byteOffset + from.xsaveBase,
        xsaveBytes,
      ),
    );
  to.markFpuDirty();
  child.registers.copyFrom(parent.registers);
  child.registers.setReturn(0);
  child.registers.setWords("orig_rax", 0xffffffff, 0xffffffff);
  if (args.stackPointer !== 0) child.registers.set("rsp", args.stackPointer);
  if ((args.flags & CLONE_SETTLS) !== 0) {
    child.registers.set("fs_base", args.tls);
  }
  child.blocked.assign(parent.blocked);
  child.noNewPrivileges = parent.noNewPrivileges;
  child.keepCapabilities = parent.keepCapabilities;
  child.seccomp = parent.seccomp;
  child.personality = parent.personality;
  child.timerSlackNs = parent.timerSlackNs;
  child.affinity = parent.affinity;
  child.ioPriority = parent.ioPriority;
  inheritScheduling(parent, child);
  // sigaltstack(2): a child with its own memory, or of vfork, keeps it.
  const isThreadLike = (args.flags & (CLONE_VM | CLONE_VFORK)) === CLONE_VM;
  if (!isThreadLike) {
    child.altStackBase = parent.altStackBase;
    child.altStackSize = parent.altStackSize;
    child.altStackFlags = parent.altStackFlags;
    child.rseqAddr = parent.rseqAddr;
    child.rseqSize = parent.rseqSize;
    child.rseqSignature = parent.rseqSignature;
  }
  if ((args.flags & CLONE_CHILD_CLEARTID) !== 0) {
    child.clearChildTid = args.childTid;
  }
  return null;
}

/** SCHED_RESET_ON_FORK: children of real-time or favoured tasks are ordinary. */
function inheritScheduling(parent: Task, child: Task): void {
  const isReset = parent.resetsSchedulingOnFork;
  child.nice = isReset ? Math.max(0, parent.nice) : parent.nice;
  if (isReset && parent.realtimePriority > 0) return;
  child.schedulingPolicy = parent.schedulingPolicy;
  child.realtimePriority = parent.realtimePriority;
}

/** CLONE_PARENT_SETTID, CLONE_CHILD_SETTID and CLONE_PIDFD stores. */
function storeTids(
  parent: Task,
  child: Task,
  args: CloneArguments,
): Errno | null {
  const { flags } = args;
  if ((flags & CLONE_PIDFD) !== 0) {
    const fd = openPidFd(parent, child);
    if (isErrno(fd)) return fd;
    const fault = parent.memory.writeU32(args.pidFd, fd);
    if (fault !== null) {
      parent.fdTable.close(fd, parent);
      return fault;
    }
  }
  if ((flags & CLONE_PARENT_SETTID) !== 0) {
    const fault = parent.memory.writeU32(args.parentTid, child.tid);
    if (fault !== null) return fault;
  }
  // Linux's child stores this itself and ignores a fault.
  if ((flags & CLONE_CHILD_SETTID) !== 0) {
    child.memory.writeU32(args.childTid, child.tid);
  }
  return null;
}

/** Enters the child into its process, or makes a process for it. */
function join(parent: Task, child: Task, args: CloneArguments): void {
  const { flags } = args;
  const group = parent.threadGroup;
  child.forkedBy = parent;
  if ((flags & CLONE_SYSVSEM) !== 0) {
    parent.semaphoreUndo ??= new UndoList();
    child.semaphoreUndo = parent.semaphoreUndo.acquire();
  }
  if ((flags & CLONE_THREAD) !== 0) {
    child.threadGroup = group;
    group.tasks.add(child);
  } else {
    const handlers = (flags & CLONE_SIGHAND) !== 0
      ? group.handlers.acquire()
      : group.handlers.copy();
    if (args.clearSignalHandlers) handlers.reset("all");
    const process = new ThreadGroup({
      namespace: child.namespace,
      pid: child.tid,
      leader: child,
      processGroup: group.processGroup,
      handlers,
      limits: group.limits.copy(),
      startNs: child.startNs,
    });
    process.tasks.add(child);
    // Shared memory stays under the limits of the process that made it.
    if ((flags & CLONE_VM) === 0) child.memory.limits = process.limits;
    process.exitSignal = args.exitSignal;
    process.setExecutable(group.executable);
    process.oomScoreAdjust = group.oomScoreAdjust;
    process.isDumpable = group.isDumpable;
    const isSibling = (flags & CLONE_PARENT) !== 0;
    process.parent = isSibling ? group.parent : group;
    if (isSibling) process.exitSignal = group.exitSignal;
    process.parent?.children.add(process);
    child.threadGroup = process;
    if (group.cpuLimit !== null) process.updateCpuLimit();
  }
  child.namespace.add(child.tid, child);
  if ((flags & CLONE_VFORK) !== 0) {
    child.vforkParent = parent;
    parent.vforkChild = child;
  }
}
