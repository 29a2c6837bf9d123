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
import type { VirtualFilesystem } from "../vfs/virtual_filesystem.ts";
import type { FutexTable } from "./futex.ts";
import type { PidNamespace } from "./pid_namespace.ts";
import type { Task } from "./task.ts";

export interface KernelServices {
  readonly host: Host;
  readonly clock: Clock;
  readonly timers: TimerQueue;
  readonly memoryFile: MemoryFile;
  readonly vfs: VirtualFilesystem;
  /** Nameless files: eventfd, epoll and their kin. */
  readonly anonInodes: AnonInodes;
  /** Pipes, and the opener of FIFOs. */
  readonly pipes: PipeFileSystem;
  readonly futexes: FutexTable;
  readonly rootPidNamespace: PidNamespace;

  /** Puts a task that was parked or stopped on the run queue. */
  makeRunnable(task: Task): void;
  /** Counts a missing feature; logs it once. */
  noteUnimplemented(task: Task, what: string): void;
  /** A task or its whole process ended; the kernel may stop running. */
  onProcessExit(task: Task): void;
}
