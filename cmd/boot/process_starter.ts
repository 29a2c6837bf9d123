/**
 * Starts processes from their specs: the container's first one and those of
 * exec. Failures are what a shell would exit with, 126 and 127.
 * @module
 */
import type { DescriptorMaker } from "../../ffi/files.ts";
import {
  EACCES,
  ENOENT,
  ENOEXEC,
  EPERM,
  type Errno,
  isErrno,
} from "../../kernel/abi/errno.ts";
import { O_RDONLY, O_WRONLY } from "../../kernel/abi/fcntl.ts";
import { HostStreams } from "../../kernel/fs/host/host_stream.ts";
import type { HostFd } from "../../kernel/host.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { createProcess } from "../../kernel/task/create_process.ts";
import { capabilitySet, Credentials } from "../../kernel/task/credentials.ts";
import { Limits } from "../../kernel/task/limits.ts";
import type { Task } from "../../kernel/task/task.ts";
import type { UtsNamespace } from "../../kernel/task/uts_namespace.ts";
import type { FileDescription } from "../../kernel/vfs/file_description.ts";
import { FsContext } from "../../kernel/vfs/fs_context.ts";
import type { VfsPath } from "../../kernel/vfs/mount.ts";
import { FOLLOW } from "../../kernel/vfs/vfs_core.ts";
import { ExitStatus } from "../exit_status.ts";
import { BootCaller } from "./boot_caller.ts";
import { BootError } from "./boot_error.ts";
import type { ProcessSpec } from "./boot_spec.ts";
import { toByteString } from "./byte_string.ts";
import { ContainerTerminal } from "./container_terminal.ts";

/** RLIM_INFINITY and above. */
const UNLIMITED = 2 ** 64 - 2048;

function credentialsOf(spec: ProcessSpec): Credentials {
  const { uid, gid, capabilities } = spec;
  return new Credentials({
    uid,
    euid: uid,
    suid: uid,
    fsuid: uid,
    gid,
    egid: gid,
    sgid: gid,
    fsgid: gid,
    groups: [...spec.groups].sort((a, b) => a - b),
    permitted: capabilitySet(capabilities.permitted),
    effective: capabilitySet(capabilities.effective),
    inheritable: capabilitySet(capabilities.inheritable),
    bounding: capabilitySet(capabilities.bounding),
    ambient: capabilitySet(capabilities.ambient),
    securebits: 0,
  });
}

function limitsOf(spec: ProcessSpec): Limits {
  const limits = new Limits();
  const value = (number: number) => number >= UNLIMITED ? Infinity : number;
  for (const { resource, soft, hard } of spec.limits) {
    limits.set(resource, value(soft), value(hard));
  }
  return limits;
}

/** What a failed start means to the user. */
function startError(spec: ProcessSpec, error: Errno): BootError {
  const program = spec.argv[0] ?? "";
  switch (error) {
    case ENOENT:
      return new BootError(
        ExitStatus.NotFound,
        `${program}: executable file not found: no such file or directory`,
      );
    case EACCES:
    case EPERM:
      return new BootError(
        ExitStatus.NotExecutable,
        `${program}: permission denied`,
      );
    case ENOEXEC:
      return new BootError(
        ExitStatus.NotExecutable,
        `${program}: not a program that can be executed (ENOEXEC)`,
      );
    default:
      return new BootError(
        ExitStatus.NotExecutable,
        `${program}: cannot be executed (${error.name})`,
      );
  }
}

export class ProcessStarter {
  readonly #kernel: Kernel;
  readonly #root: VfsPath;
  readonly #uts: UtsNamespace;
  readonly #descriptors: DescriptorMaker;
  readonly #caller: BootCaller;
  readonly #streams: HostStreams;
  /** By pid of the process that has it. */
  readonly #terminals = new Map<number, ContainerTerminal>();

  constructor(
    kernel: Kernel,
    root: VfsPath,
    uts: UtsNamespace,
    descriptors: DescriptorMaker,
  ) {
    this.#kernel = kernel;
    this.#root = root;
    this.#uts = uts;
    this.#descriptors = descriptors;
    this.#caller = new BootCaller(new FsContext(root, root, 0), kernel.clock);
    this.#streams = new HostStreams({
      files: kernel.host.files,
      readiness: kernel.readiness,
      clock: kernel.clock,
      device: kernel.vfs.newDevice(),
    });
  }

  /**
   * Starts the process with these host descriptors as stdin, stdout, stderr;
   * they are the sandbox's from now on. Its pid. Throws a BootError.
   */
  start(spec: ProcessSpec, stdio: readonly number[]): number {
    const hostFds = stdio as readonly HostFd[];
    const terminal = spec.hasTerminal ? this.#newTerminal(spec, hostFds) : null;
    const files = this.#openFiles(hostFds, terminal);
    try {
      const task = this.#create(spec, files, terminal);
      const { pid } = task.threadGroup;
      if (terminal !== null) this.#terminals.set(pid, terminal);
      return pid;
    } catch (thrown) {
      terminal?.close(this.#descriptors);
      throw thrown;
    } finally {
      for (const file of files) file.release();
      terminal?.file.release();
    }
  }

  /** A process that was started here has ended. */
  onExit(pid: number): void {
    this.#terminals.get(pid)?.close(this.#descriptors);
    this.#terminals.delete(pid);
  }

  /** The host's terminals may have other sizes now. */
  updateWindowSizes(): void {
    for (const terminal of this.#terminals.values()) {
      terminal.updateWindowSize();
    }
  }

  /** A missing directory would look like a missing program. */
  #checkDirectory(cwd: string): void {
    const { vfs } = this.#kernel;
    const place = vfs.resolve(
      this.#caller,
      this.#root,
      toByteString(cwd),
      FOLLOW,
    );
    if (isErrno(place)) {
      throw new BootError(
        ExitStatus.NoInput,
        place === ENOENT
          ? `working directory ${cwd}: no such file or directory`
          : `working directory ${cwd}: ${place.name}`,
      );
    }
    place.release();
  }

  #newTerminal(spec: ProcessSpec, stdio: readonly HostFd[]): ContainerTerminal {
    const place = {
      kernel: this.#kernel,
      root: this.#root,
      caller: this.#caller,
    };
    const [input, output] = stdio;
    if (input === undefined || output === undefined) {
      throw new BootError(ExitStatus.Usage, "a terminal needs descriptors");
    }
    return new ContainerTerminal(place, { input, output, uid: spec.uid });
  }

  /** A reference on the file for each of 0, 1, 2. The terminal stands for every
   * stream that is one on the host. */
  #openFiles(
    stdio: readonly HostFd[],
    terminal: ContainerTerminal | null,
  ): FileDescription[] {
    const { files: hostFiles } = this.#kernel.host;
    const files: FileDescription[] = [];
    for (const [index, fd] of stdio.entries()) {
      if (terminal !== null && hostFiles.isTerminal(fd)) {
        files.push(terminal.file.acquire());
        continue;
      }
      const stream = this.#streams.open(fd, index === 0 ? O_RDONLY : O_WRONLY);
      if (!isErrno(stream)) {
        files.push(stream);
        continue;
      }
      for (const file of files) file.release();
      for (const unused of stdio.slice(index)) hostFiles.close(unused);
      throw new BootError(
        ExitStatus.HostRefused,
        `standard stream ${index}: ${stream.name}`,
      );
    }
    return files;
  }

  #create(
    spec: ProcessSpec,
    files: readonly FileDescription[],
    terminal: ContainerTerminal | null,
  ): Task {
    this.#checkDirectory(spec.cwd);
    const argv = spec.argv.map(toByteString);
    const task = createProcess(this.#kernel, {
      file: argv[0] ?? "",
      argv,
      envp: spec.env.map(toByteString),
      root: this.#root,
      cwd: toByteString(spec.cwd),
      umask: spec.umask,
      credentials: credentialsOf(spec),
      limits: limitsOf(spec),
      noNewPrivileges: spec.noNewPrivileges,
      uts: this.#uts,
      namespace: this.#kernel.rootPidNamespace,
      files,
      parent: null,
      ...(terminal === null ? {} : { prepare: terminal.takeControl }),
    });
    if (isErrno(task)) throw startError(spec, task);
    return task;
  }
}
