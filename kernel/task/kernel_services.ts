/**
 * What tasks and system calls may ask of the kernel as a whole; kernel.ts
 * implements it. Rooms below task never see this.
 * @module
 */
import type { Host } from "../host.ts";
import type { MemoryFile } from "../mm/memory_file.ts";
import type { Clock } from "../time/clock.ts";
import type { TimerQueue } from "../time/timer_queue.ts";
import type { AnonInodes } from "../fs/anon_inode.ts";
import type { PipeFileSystem } from "../fs/pipefs.ts";
import type { SocketFileSystem } from "../socket/socket.ts";
import type { Memfds } from "../fs/tmpfs/memfd.ts";
import type { VirtualFilesystem } from "../vfs/virtual_filesystem.ts";
import type { FutexTable } from "./futex.ts";
import type { CpuTimer } from "./cpu_clock.ts";
import type { PiFutexTable } from "./pi_futex.ts";
import type { PidNamespace } from "./pid_namespace.ts";
import type { Errno } from "../abi/errno.ts";
import type { IpcNamespace } from "../ipc/ipc_namespace.ts";
import type { Vdso } from "../loader/vdso.ts";
import type { MemoryManager } from "../mm/memory_manager.ts";
import type { AddressSpace } from "../../platforms/platform.ts";
import type { Limits } from "./limits.ts";
import type { Task } from "./task.ts";
import type { Blocked, Unchanged } from "./task_block.ts";
import type { ThreadGroup } from "./thread_group.ts";

export interface KernelServices {
  readonly host: Host;
  readonly clock: Clock;
  readonly timers: TimerQueue;
  readonly memoryFile: MemoryFile;
  readonly vfs: VirtualFilesystem;
  /** Files that memfd_create(2) makes. */
  readonly memfds: Memfds;
  /** Nameless files: eventfd, epoll and their kin. */
  readonly anonInodes: AnonInodes;
  /** Pipes, and the opener of FIFOs. */
  readonly pipes: PipeFileSystem;
  /** Sockets' inodes, and their families. */
  readonly sockets: SocketFileSystem;
  readonly futexes: FutexTable;
  readonly piFutexes: PiFutexTable;
  readonly rootPidNamespace: PidNamespace;
  readonly rootIpcNamespace: IpcNamespace;
  /** What is due at some CPU time. */
  readonly cpuTimers: Set<CpuTimer>;

  /** Pid 1 takes only signals it has handlers for (pid_namespaces(7)). */
  readonly isInitProtected: boolean;

  /** The vDSO image, null if this host's clock cannot serve it. */
  readonly vdso: Vdso | null;

  /** An empty address space's manager, bound by a process's limits. */
  newMemoryManager(
    space: AddressSpace,
    limits: Limits,
    options: { readonly isRandomized: boolean },
  ): MemoryManager;
  /** Runs the handler of a system call (counting, strace). */
  invokeSyscall(
    task: Task,
    number: number,
  ): number | Errno | Blocked | Unchanged;
  /** The host thread behind a task is gone: the sandbox cannot go on. */
  onContextDeath(task: Task): void;
  /** CLOCK_MONOTONIC at the start of this turn of the run loop. */
  readonly nowNs: number;
  /** Puts a task that was parked or stopped on the run queue. */
  makeRunnable(task: Task): void;
  /** Counts a missing feature; logs it once. */
  noteUnimplemented(task: Task, what: string): void;
  /** A process became a zombie or was reaped; init's end stops the kernel. */
  onProcessExit(group: ThreadGroup): void;
}
