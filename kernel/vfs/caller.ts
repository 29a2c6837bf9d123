/**
 * Who asks: the part of a Task that files need. vfs, fs and socket never see a
 * Task; they see a Caller.
 * @module
 */
import type { Errno } from "../abi/errno.ts";
import type { Clock } from "../time/clock.ts";
import type { UserMemory } from "../mm/user_memory.ts";
import type { FileDescription } from "./file_description.ts";
import type { FsContext } from "./fs_context.ts";

/** Identity for permission checks; immutable (set*id makes a new one). */
export interface Identity {
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  readonly fsuid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
  readonly fsgid: number;
  /** Supplementary groups, sorted. */
  readonly groups: readonly number[];
  /** Effective capability CAP_*, in the user namespace that owns the files. */
  has(capability: number): boolean;
  isInGroup(gid: number): boolean;
}

/** A terminal as the sessions that it controls see it. */
export interface ControllingTerminal {
  /** Process group that may read and gets the signal characters; 0: none. */
  readonly foregroundGroup: number;
  /** The session's leader exits: the foreground group gets SIGHUP. */
  onSessionEnd(): void;
}

/** What terminals need to know of, and do to, process groups. */
export interface JobControl {
  readonly processGroupId: number;
  readonly sessionId: number;
  readonly isSessionLeader: boolean;
  /** The caller's group has no member whose parent is in another group of the
   * same session. */
  readonly isOrphaned: boolean;
  /** The controlling terminal of the caller's session; set by devpts. */
  controllingTerminal: ControllingTerminal | null;
  /** True if the caller ignores or blocks `signo`. */
  ignoresOrBlocks(signo: number): boolean;
  /** Sends a signal to every process of a group of this PID namespace. */
  signalProcessGroup(processGroupId: number, signo: number): void;
  /** Sends a signal to the leader of the caller's session, if it lives. */
  signalSessionLeader(signo: number): void;
  /** True if the group exists in the caller's PID namespace. */
  hasGroup(processGroupId: number): boolean;
  /** True if the group exists in the caller's session. */
  isGroupInSession(processGroupId: number): boolean;
}

/** Who owns POSIX record locks. */
export interface LockOwner {
  /** The owner whose lock this one waits for; kept by file_lock.ts. */
  waitsFor: LockOwner | null;
}

/** The calling task as files see it. */
export interface Caller {
  readonly identity: Identity;
  readonly fsContext: FsContext;
  readonly memory: UserMemory;
  readonly clock: Clock;
  readonly jobControl: JobControl;
  /** The descriptor table, which CLONE_FILES shares (current->files). */
  readonly lockOwner: LockOwner;
  /** Process and thread id in the caller's PID namespace. */
  readonly processId: number;
  readonly threadId: number;
  /** Soft limit RLIMIT_* of the process, Infinity if unlimited. */
  limit(resource: number): number;
  /** Gives the caller a descriptor of a file that an ioctl(2) opened, with
   * O_CLOEXEC of `flags`; takes over the reference. EMFILE. */
  installFile(file: FileDescription, flags: number): number | Errno;
  /** Raises a signal on the calling thread (SIGPIPE, SIGXFSZ). */
  raise(signo: number): void;
}
