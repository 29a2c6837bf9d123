/**
 * What the Sentry is told on the descriptor it inherits: one JSON document,
 * made by the CLI from its flags or from config.json, and trusted. Plain data
 * without names of host files; the file server gets those.
 * @module
 */
import type { PlatformChoice } from "./platform_kinds.ts";

/** Flags of a mount: MS_* bits (kernel/abi/mount.ts). */
type MountFlags = number;

/** A tree of the host, through the file server. */
export interface GoferBootMount {
  readonly kind: "gofer";
  readonly target: string;
  readonly flags: MountFlags;
  /** Name of the mount on the file server's connection. */
  readonly name: string;
  /** The host may change it while we run: ask again before each use. */
  readonly isShared: boolean;
  /** Changes stay in memory, above what the file server shows. */
  readonly hasOverlay: boolean;
  /** As /proc/mounts shows it. */
  readonly source: string;
}

/** A file system of our own kernel. */
export interface KernelBootMount {
  readonly kind:
    | "tmpfs"
    | "devtmpfs"
    | "proc"
    | "sysfs"
    | "devpts"
    | "mqueue";
  readonly target: string;
  readonly flags: MountFlags;
  readonly source: string;
  /** Options of the file system, such as size=64k; "" for one without value. */
  readonly options: Readonly<Record<string, string>>;
}

/** A path of the finished tree that is hidden (an empty file or directory
 * covers it) or made read-only; ignored where there is no such path. */
export interface PathBootMount {
  readonly kind: "masked" | "readonly";
  readonly target: string;
}

/** One mount; later ones may lie inside earlier ones. The first is "/". */
export type BootMount = GoferBootMount | KernelBootMount | PathBootMount;

/** A device node that config.json asks for besides the usual ones. */
export interface BootDevice {
  readonly path: string;
  readonly type: "c" | "b" | "p";
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface CapabilityLists {
  /** CAP_* numbers (kernel/abi/capability.ts). */
  readonly bounding: readonly number[];
  readonly effective: readonly number[];
  readonly inheritable: readonly number[];
  readonly permitted: readonly number[];
  readonly ambient: readonly number[];
}

export interface ProcessLimit {
  /** RLIMIT_*. */
  readonly resource: number;
  /** 2^64 and above mean unlimited. */
  readonly soft: number;
  readonly hard: number;
}

/** A process to start, the first one or one of exec. */
export interface ProcessSpec {
  /** argv[0] without a slash is looked up in PATH of `env`. */
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly umask: number;
  readonly capabilities: CapabilityLists;
  readonly limits: readonly ProcessLimit[];
  readonly noNewPrivileges: boolean;
  /** It runs on a terminal of the sandbox, joined to the host's terminal that
   * stdin is. */
  readonly hasTerminal: boolean;
}

/** First argument of `boot` when it only prints its table of system calls; the
 * format follows. */
export const LIST_SYSCALLS = "list-syscalls";

/** The descriptor with the spec itself. */
export const SPEC_FD = 3;

/** Numbers of the other descriptors that the Sentry inherits. */
export interface BootDescriptors {
  /** SEQPACKET connection with the process that started us. */
  readonly control: number;
  /** Where log lines go. */
  readonly log: number;
  /** stdin, stdout, stderr of the first process. */
  readonly stdio: readonly [number, number, number];
  /** Connection with the file server. */
  readonly gofer: number;
  /** Connection with the process that stands for the container on the host
   * (ffi/proxy), and the socket where later commands connect. Null: the
   * sandbox ends with the process that started us. */
  readonly life: {
    readonly proxy: number;
    readonly listener: number;
  } | null;
}

export interface BootSpec {
  readonly id: string;
  readonly hostname: string;
  readonly domainname: string;
  readonly platform: PlatformChoice;
  readonly mounts: readonly BootMount[];
  readonly devices: readonly BootDevice[];
  readonly process: ProcessSpec;
  /** The first process takes only signals that it handles, as on Linux. */
  readonly isInitProtected: boolean;
  readonly fds: BootDescriptors;
  /** Ids, in the Sentry's user namespace, that it takes for good. */
  readonly confinedUid: number;
  readonly confinedGid: number;
  readonly isDebug: boolean;
  readonly isStrace: boolean;
  /** Wait for "start" on the control connection instead of starting at once.
   * A sandbox with a `life` of its own loads the program before. */
  readonly waitsForStart: boolean;
  /** For tests: a step of the boot sequence that is to fail, and permission to
   * run code that arrives on the control connection. */
  readonly test: TestHooks | null;
}

export interface TestHooks {
  readonly failAt: string;
  readonly allowsProbe: boolean;
}
