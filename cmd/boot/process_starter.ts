/**
 * Starts processes from their specs: the container's first one and those of
 * exec. Failures are what a shell would exit with, 126 and 127.
 * @module
 */
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
import type { VfsPath } from "../../kernel/vfs/mount.ts";
import { ExitStatus } from "../exit_status.ts";
import { BootError } from "./boot_error.ts";
import type { ProcessSpec } from "./boot_spec.ts";
import { toByteString } from "./byte_string.ts";

/** RLIM_INFINITY and above. */
const UNLIMITED = 2 ** 64 - 2048;

type Streams = readonly FileDescription[];

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
  readonly #streams: HostStreams;

  constructor(kernel: Kernel, root: VfsPath, uts: UtsNamespace) {
    this.#kernel = kernel;
    this.#root = root;
    this.#uts = uts;
    this.#streams = new HostStreams({
      files: kernel.host.files,
      readiness: kernel.readiness,
      clock: kernel.clock,
      device: kernel.vfs.newDevice(),
    });
  }

  /**
   * Starts the process with these host descriptors as stdin, stdout, stderr;
   * they are the sandbox's from now on. Throws a BootError.
   */
  start(spec: ProcessSpec, stdio: readonly number[]): Task {
    const streams = this.#openStreams(stdio);
    try {
      return this.#create(spec, streams);
    } finally {
      for (const stream of streams) stream.release();
    }
  }

  #openStreams(stdio: readonly number[]): Streams {
    const streams: FileDescription[] = [];
    for (const [index, fd] of stdio.entries()) {
      const flags = index === 0 ? O_RDONLY : O_WRONLY;
      const stream = this.#streams.open(fd as HostFd, flags);
      if (isErrno(stream)) {
        for (const opened of streams) opened.release();
        for (const unused of stdio.slice(index)) {
          this.#kernel.host.files.close(unused as HostFd);
        }
        throw new BootError(
          ExitStatus.HostRefused,
          `standard stream ${index}: ${stream.name}`,
        );
      }
      streams.push(stream);
    }
    return streams;
  }

  #create(spec: ProcessSpec, files: Streams): Task {
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
    });
    if (isErrno(task)) throw startError(spec, task);
    return task;
  }
}
