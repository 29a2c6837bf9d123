/**
 * execve(2): replaces a process's program. The new address space is built
 * completely before the old one is given up, so every error still finds the
 * caller alive. Source: execve(2).
 * @module
 */
import {
  EACCES,
  EAGAIN,
  ENOEXEC,
  ENOMEM,
  type Errno,
  errnoFromCode,
  isErrno,
} from "../abi/errno.ts";
import { ADDR_NO_RANDOMIZE, PER_CLEAR_ON_SETID } from "../abi/personality.ts";
import { CAP_SYS_PTRACE } from "../abi/capability.ts";
import { PTRACE_EVENT_EXEC, PTRACE_O_TRACEEXEC } from "../abi/ptrace.ts";
import { RLIMIT_STACK } from "../abi/resource.ts";
import { SIGCHLD, SIGTRAP, SS_DISABLE } from "../abi/signal.ts";
import { signalFrameBytes } from "../arch/x64/signal_frame.ts";
import {
  type Executable,
  type ExecutableFile,
  openExecutable,
} from "../loader/executable.ts";
import type { ProgramArguments } from "../loader/auxv.ts";
import { type LoadedProgram, loadExecutable } from "../loader/load.ts";
import type { Mappable } from "../mm/mappable.ts";
import type { MemoryManager } from "../mm/memory_manager.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import type { VfsPath } from "../vfs/mount.ts";
import { type ExecCredentials, execCredentials } from "./exec_credentials.ts";
import { userSignal } from "./signal_info.ts";
import { killTask, sendToTask } from "./signal_send.ts";
import { type Blocked, UNCHANGED, type Unchanged } from "./task_block.ts";
import { leaveMemory } from "./task_exit.ts";
import { resetContext } from "./task_run.ts";
import type { Task } from "./task.ts";

/** A file opened for execution. */
class ProgramFile implements ExecutableFile {
  constructor(
    readonly description: FileDescription,
    readonly mappable: Mappable,
  ) {}
  get sizeBytes(): number {
    return this.description.inode.size;
  }
  release(): void {
    this.description.release();
  }
}

/** How execveat(2) names the program. */
export interface ExecPath {
  readonly at: VfsPath;
  readonly path: ByteString;
  readonly followLast: boolean;
  readonly allowEmpty: boolean;
}

function openProgram(task: Task, where: ExecPath): ProgramFile | Errno {
  const file = task.kernel.vfs.openExecutable(task, where.at, where.path, {
    follow: where.followLast,
    allowEmpty: where.allowEmpty,
  });
  if (isErrno(file)) return file;
  const mappable = file.mappable();
  if (!isErrno(mappable)) return new ProgramFile(file, mappable);
  file.release();
  return EACCES;
}

/** Runs another program in the task. UNCHANGED: its registers are the new
 * program's. */
export function execTask(
  task: Task,
  where: ExecPath,
  args: ProgramArguments,
): Errno | Blocked | Unchanged {
  const file = openProgram(task, where);
  if (isErrno(file)) return file;
  const executable = openExecutable(
    task.kernel.host.memory,
    {
      open: (path) =>
        openProgram(task, {
          at: task.fsContext.cwd,
          path,
          followLast: true,
          allowEmpty: false,
        }),
    },
    file,
    args,
    task.limit(RLIMIT_STACK),
  );
  if (isErrno(executable)) return executable;
  using program = executable;
  const alone = becomeOnlyThread(task);
  if (alone !== null) return alone;
  const identity = execCredentials(
    task.credentials,
    program.file.description.path,
    !gainsPrivileges(task),
  );
  const loaded = loadProgram(task, program, identity);
  if (isErrno(loaded)) return loaded;
  commit(task, program, loaded, identity, args.execfn);
  return UNCHANGED;
}

interface NewProgram {
  readonly memory: MemoryManager;
  readonly program: LoadedProgram;
}

function loadProgram(
  task: Task,
  executable: Executable<ProgramFile>,
  identity: ExecCredentials,
): NewProgram | Errno {
  const { kernel } = task;
  const space = kernel.host.platform.newAddressSpace();
  if (typeof space === "number") return errnoFromCode(space);
  const { limits } = task.threadGroup;
  const persona = personalityAfterExec(task.personality, identity);
  const memory = kernel.newMemoryManager(space, limits, {
    isRandomized: (persona & ADDR_NO_RANDOMIZE) === 0,
  });
  const { credentials, isSecure } = identity;
  const program = loadExecutable(executable, memory, {
    process: {
      uid: credentials.uid,
      euid: credentials.euid,
      gid: credentials.gid,
      egid: credentials.egid,
      isSecure,
      hwcap: kernel.host.info.hwcap,
      hwcap2: kernel.host.info.hwcap2,
      minSigStackSize: signalFrameBytes(kernel.host.platform.info),
    },
    vdso: kernel.vdso,
    randomBytes: (into) => kernel.host.randomBytes(into),
  });
  if (isErrno(program)) {
    memory.release();
    return program === ENOMEM ? ENOMEM : ENOEXEC;
  }
  return { memory, program };
}

/**
 * The other threads exit first (exec by a thread ends its siblings). Null once
 * the task is alone and is its process's leader; EAGAIN if another thread is
 * at it already.
 */
function becomeOnlyThread(task: Task): Errno | Blocked | null {
  const group = task.threadGroup;
  if (group.tasks.size > 1) {
    if (group.execTask !== null && group.execTask !== task) return EAGAIN;
    group.execTask = task;
    for (const other of group.tasks) if (other !== task) killTask(other);
    return task.blocker.parkUninterruptible();
  }
  group.execTask = null;
  if (group.leader !== task) {
    // It takes over the process id; its own number is free again.
    task.namespace.remove(task.tid);
    task.tid = group.pid;
    task.namespace.replace(task.tid, task);
    group.leader = task;
  }
  return null;
}

/** A program with privileges of its own starts with an honest layout. */
function personalityAfterExec(persona: number, to: ExecCredentials): number {
  return to.isSecure ? persona & ~PER_CLEAR_ON_SETID : persona;
}

/** A tracer hears of a new program by an event, or by a plain SIGTRAP. */
function tellTracer(task: Task): void {
  const { ptrace } = task;
  if (ptrace === null) return;
  if (ptrace.has(PTRACE_O_TRACEEXEC)) {
    ptrace.pendingEvent = PTRACE_EVENT_EXEC;
    ptrace.message = task.tid;
  } else if (!ptrace.isSeized) {
    const { pid } = task.threadGroup;
    sendToTask(task, userSignal(SIGTRAP, pid, task.credentials.uid));
  }
}

/** Under a tracer without rights over everyone, programs get no privileges. */
function gainsPrivileges(task: Task): boolean {
  const tracer = task.ptrace?.tracer;
  return !task.noNewPrivileges &&
    (tracer === undefined || tracer.credentials.has(CAP_SYS_PTRACE));
}

/** Nothing below can fail. */
function commit(
  task: Task,
  executable: Executable<ProgramFile>,
  { memory, program }: NewProgram,
  identity: ExecCredentials,
  execfn: ByteString,
): void {
  const { credentials, isSecure } = identity;
  const group = task.threadGroup;
  // The old memory goes with its futexes and the waiting vfork parent.
  leaveMemory(task);
  task.oldMemory = task.memory;
  task.memory = memory;
  memory.program = program;
  if (task.fdTable.isShared) {
    const own = task.fdTable.copy();
    task.fdTable.release(task);
    task.fdTable = own;
  }
  task.fdTable.closeForExec(task);
  if (group.handlers.isShared) {
    const own = group.handlers.copy();
    group.handlers.release();
    group.handlers = own;
  }
  group.handlers.reset("handled");
  group.posixTimers?.cancelAll();
  group.exitSignal = SIGCHLD;
  group.hasExeced = true;
  group.isDumpable = !isSecure;
  group.setExecutable(executable.file.description.path);
  task.altStackBase = 0;
  task.altStackSize = 0;
  task.altStackFlags = SS_DISABLE;
  task.robustList = 0;
  task.rseqAddr = 0;
  task.keepCapabilities = false;
  if (isSecure) task.parentDeathSignal = 0;
  task.personality = personalityAfterExec(task.personality, identity);
  task.credentials = credentials;
  task.comm = execfn.slice(execfn.lastIndexOf("/") + 1).slice(0, 15);
  resetContext(task, program.entry, program.sp);
  tellTracer(task);
}
