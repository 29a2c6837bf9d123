/**
 * CpuSleep: a task's wait until a CPU-time clock reaches a value. Source:
 * clock_nanosleep(2).
 * @module
 */
import { PendingWait } from "../sync/pending_wait.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import type { CpuClock, CpuTimer } from "./cpu_clock.ts";
import type { Task } from "./task.ts";

export class CpuSleep extends PendingWait implements CpuTimer {
  readonly queue = new WaitQueue();
  readonly #task: Task;

  constructor(
    task: Task,
    readonly clock: CpuClock,
    /** Value of the clock at which it ends, ns. */
    readonly untilNs: number,
  ) {
    super();
    this.#task = task;
  }

  get leftNs(): number {
    return this.untilNs - this.clock.readNs();
  }
  start(): void {
    this.#task.kernel.cpuTimers.add(this);
  }
  checkCpuTime(): void {
    if (this.leftNs > 0) return;
    this.abandon();
    this.queue.wake();
  }
  override abandon(): void {
    this.#task.kernel.cpuTimers.delete(this);
  }
}
