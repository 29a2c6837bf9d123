/**
 * What the file server's process is left with before it reads its client's
 * first byte, in this order: a root directory that holds the mounts and nothing
 * else, five capabilities, no permission in JavaScript, and the system calls
 * listed here. The client may have been taken over by the guest; then it should
 * get no more out of us than the files it may change anyway.
 * @module
 */
import { Confinement } from "../ffi/confine.ts";
import { CHANNEL_CALLS, DENO_CALLS } from "../ffi/host_calls.ts";
import { Process } from "../ffi/process.ts";
import { compileFilter, Seccomp, type SyscallRule } from "../ffi/seccomp.ts";
import {
  CAP_CHOWN,
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  CAP_FOWNER,
  CAP_FSETID,
} from "../kernel/abi/capability.ts";
import { RLIMIT_NOFILE } from "../kernel/abi/resource.ts";
import { SIGKILL } from "../kernel/abi/signal.ts";

/** The capabilities that stay, and why. Where files belong to ids that this
 * user namespace does not map, they are of no use, and nothing else is. */
export const GOFER_CAPABILITIES: readonly {
  readonly capability: number;
  readonly reason: string;
}[] = [
  { capability: CAP_CHOWN, reason: "new files belong to the guest's users" },
  {
    capability: CAP_DAC_OVERRIDE,
    reason: "permissions were checked by the guest's kernel",
  },
  {
    capability: CAP_DAC_READ_SEARCH,
    reason: "the same, for searching and for naming open files",
  },
  { capability: CAP_FOWNER, reason: "modes and times of the guest's files" },
  {
    capability: CAP_FSETID,
    reason: "set-group-ID bits on files of groups that are not ours",
  },
];

/** The system calls that serving takes; `procFd` is the descriptor by which
 * known files are opened, the only one that openat may start from. */
export function goferCalls(procFd: number): readonly SyscallRule[] {
  const fromProc: SyscallRule["when"] = [{ arg: 0, width: 32, eq: procFd }];
  return [
    ...CHANNEL_CALLS,
    { name: "openat2", reason: "one name in a directory, beneath it" },
    { name: "openat", reason: "a known file, for I/O", when: fromProc },
    { name: "statx", reason: "attributes" },
    { name: "readlinkat", reason: "targets of symlinks" },
    { name: "getdents64", reason: "entries of directories" },
    { name: "lseek", reason: "where to go on in a directory" },
    { name: "mkdirat", reason: "new directories" },
    { name: "mknodat", reason: "new FIFOs and socket names" },
    { name: "symlinkat", reason: "new symlinks" },
    { name: "linkat", reason: "new names of known files", when: fromProc },
    { name: "unlinkat", reason: "removing names" },
    { name: "renameat2", reason: "moving names" },
    { name: "fchmodat", reason: "modes of known files", when: fromProc },
    { name: "utimensat", reason: "times of known files", when: fromProc },
    { name: "fchownat", reason: "owners of known files" },
    { name: "ftruncate", reason: "sizes of known files" },
    { name: "fstatfs", reason: "space on the file system" },
    { name: "fsync", reason: "directories that the guest syncs" },
    { name: "fdatasync", reason: "the same" },
    { name: "fgetxattr", reason: "extended attributes" },
    { name: "fsetxattr", reason: "extended attributes" },
    { name: "flistxattr", reason: "extended attributes" },
    { name: "fremovexattr", reason: "extended attributes" },
    { name: "clock_gettime", reason: "spinning, where the vDSO has no clock" },
    ...DENO_CALLS,
  ];
}

/** Deno's types do not know the last one yet. */
const PERMISSIONS = [
  "ffi",
  "read",
  "write",
  "run",
  "net",
  "env",
  "sys",
  "import",
] as readonly Deno.PermissionName[];

/** A tree to be visible, and where: "/" and its name. */
export interface VisibleTree {
  readonly name: string;
  /** Path on the host, the operator's. */
  readonly source: string;
  readonly isReadOnly: boolean;
}

/** The steps, to be taken in the order of the methods. Each throws a HostError
 * if the host refuses; then the process must end. */
export class GoferConfinement implements Disposable {
  readonly #process = new Process("brief");
  readonly #seccomp = new Seccomp();
  readonly #confinement = new Confinement("brief");

  /** Signals, name, and an end with the parent. */
  begin(): void {
    this.#process.setDeathSignal(SIGKILL);
    this.#process.ignoreHarmfulSignals();
    this.#process.setName("runsc-gofer");
    this.#process.forbidDumps();
  }

  /** How many descriptors the process may have. */
  raiseDescriptorLimit(): number {
    const { hard } = this.#process.limit(RLIMIT_NOFILE);
    this.#process.setLimit(RLIMIT_NOFILE, { soft: hard, hard });
    return hard;
  }

  /** Precondition: a mount namespace of our own. */
  enterRoot(trees: readonly VisibleTree[]): void {
    this.#confinement.enterRoot(trees.map(({ name, source, isReadOnly }) => ({
      name,
      source,
      readOnly: isReadOnly,
    })));
  }

  dropCapabilities(): void {
    this.#confinement.dropCapabilities(
      GOFER_CAPABILITIES.map(({ capability }) => capability),
    );
  }

  /** JavaScript loses its permissions, then the process its system calls. */
  seal(procFd: number): void {
    const filter = compileFilter(goferCalls(procFd), this.#seccomp);
    for (const name of PERMISSIONS) Deno.permissions.revokeSync({ name });
    this.#seccomp.install(filter);
  }

  [Symbol.dispose](): void {
    this.#process[Symbol.dispose]();
    this.#seccomp[Symbol.dispose]();
    this.#confinement[Symbol.dispose]();
  }
}
