/**
 * Processes that no fork makes: a container's first one, and those that
 * `runsc exec` adds. They begin like a kernel thread that calls execve(2).
 * @module
 */
import {
  EACCES,
  ENOENT,
  type Errno,
  errnoFromCode,
  isErrno,
} from "../abi/errno.ts";
import { SIGCHLD } from "../abi/signal.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import { FsContext } from "../vfs/fs_context.ts";
import type { VfsPath } from "../vfs/mount.ts";
import type { Credentials } from "./credentials.ts";
import { FdTable } from "./fd_table.ts";
import { ProcessGroup, Session } from "./job_control.ts";
import type { KernelServices } from "./kernel_services.ts";
import type { Limits } from "./limits.ts";
import type { PidNamespace } from "./pid_namespace.ts";
import { SignalHandlers } from "./signal_handlers.ts";
import { exitGroup } from "./signal_send.ts";
import { execTask } from "./task_exec.ts";
import { exitTask } from "./task_exit.ts";
import { Task } from "./task.ts";
import { ThreadGroup } from "./thread_group.ts";
import type { UtsNamespace } from "./uts_namespace.ts";

export interface ProcessOptions {
  /** A path with a slash is taken as it is; else it is searched in PATH of
   * `envp`, as execvp(3) does. */
  readonly file: ByteString;
  readonly argv: readonly ByteString[];
  readonly envp: readonly ByteString[];
  /** Root and working directory; references stay the caller's. */
  readonly root: VfsPath;
  readonly cwd: ByteString;
  readonly umask: number;
  readonly credentials: Credentials;
  readonly limits: Limits;
  readonly noNewPrivileges: boolean;
  readonly uts: UtsNamespace;
  readonly namespace: PidNamespace;
  /** Descriptors 0, 1, 2, ...; a reference on each is taken. */
  readonly files: readonly (FileDescription | null)[];
  /** Process that becomes the parent; null for a container's first. */
  readonly parent: ThreadGroup | null;
  /** Called before the program is loaded: set the controlling terminal. */
  readonly prepare?: (task: Task) => Errno | null;
}

const DEFAULT_PATH =
  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Makes a process in a session of its own and loads its program. ENOENT: no
 * such program or working directory; EACCES, ENOEXEC: it cannot be run; and
 * what execve(2) may say. */
export function createProcess(
  kernel: KernelServices,
  options: ProcessOptions,
): Task | Errno {
  const pid = options.namespace.allocate();
  if (isErrno(pid)) return pid;
  const context = kernel.host.platform.newContext();
  if (typeof context === "number") return errnoFromCode(context);
  const space = kernel.host.platform.newAddressSpace();
  if (typeof space === "number") {
    context.release();
    return errnoFromCode(space);
  }
  const task = new Task({
    kernel,
    tid: pid,
    namespace: options.namespace,
    context,
    // Replaced by the program's own at once.
    memory: kernel.newMemoryManager(space, options.limits, {
      isRandomized: true,
    }),
    fdTable: new FdTable(),
    fsContext: new FsContext(options.root, options.root, options.umask),
    credentials: options.credentials,
    uts: options.uts,
    ipc: kernel.rootIpcNamespace,
    comm: "runsc",
  });
  task.noNewPrivileges = options.noNewPrivileges;
  enlist(task, options);
  const failed = start(task, options);
  if (failed === null) return task;
  exitGroup(task.threadGroup, 0);
  exitTask(task);
  return failed;
}

function enlist(task: Task, options: ProcessOptions): void {
  const session = new Session(options.namespace, task.tid);
  const group = new ThreadGroup({
    namespace: options.namespace,
    pid: task.tid,
    leader: task,
    processGroup: new ProcessGroup(session, task.tid),
    handlers: new SignalHandlers(),
    limits: options.limits,
    startNs: task.startNs,
  });
  group.tasks.add(task);
  group.exitSignal = SIGCHLD;
  group.parent = options.parent;
  options.parent?.children.add(group);
  task.threadGroup = group;
  options.namespace.add(task.tid, task);
}

function start(task: Task, options: ProcessOptions): Errno | null {
  for (const [fd, file] of options.files.entries()) {
    if (file === null) continue;
    task.fdTable.installAt(fd, file.acquire(), { closeOnExec: false });
  }
  const cwd = task.kernel.vfs.resolve(task, task.fsContext.root, options.cwd, {
    follow: true,
    wantDirectory: true,
  });
  if (isErrno(cwd)) return cwd;
  task.fsContext.setCwd(cwd);
  cwd.release();
  const failed = options.prepare?.(task) ?? loadFirst(task, options);
  if (failed !== null) return failed;
  task.kernel.makeRunnable(task);
  return null;
}

/** Tries each candidate of the PATH search; EACCES is remembered, as
 * execvp(3) does. */
function loadFirst(task: Task, options: ProcessOptions): Errno | null {
  let result: Errno = ENOENT;
  for (const path of candidates(options)) {
    const done = execTask(task, {
      at: task.fsContext.cwd,
      path,
      followLast: true,
      allowEmpty: false,
    }, { argv: options.argv, envp: options.envp, execfn: path });
    if (!isErrno(done)) return null;
    if (done !== ENOENT && done !== EACCES) return done;
    if (done === EACCES) result = EACCES;
  }
  return result;
}

function* candidates({ file, envp }: ProcessOptions): Generator<ByteString> {
  if (file === "") return;
  if (file.includes("/")) {
    yield file;
    return;
  }
  const setting = envp.find((entry) => entry.startsWith("PATH="));
  const path = setting === undefined ? DEFAULT_PATH : setting.slice(5);
  for (const directory of path.split(":")) {
    yield directory === "" ? file : `${directory}/${file}`;
  }
}
