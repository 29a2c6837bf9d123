/**
 * MemoryBarrier: waits until each of some running tasks has entered the kernel
 * once, which orders its memory accesses. Source: membarrier(2).
 * @module
 */
import { WaitQueue } from "../sync/wait_queue.ts";
import type { Task } from "./task.ts";

export class MemoryBarrier {
  readonly queue = new WaitQueue();
  readonly #running = new Set<Task>();

  get isDone(): boolean {
    return this.#running.size === 0;
  }

  /** Interrupts a task that is in the guest. */
  awaitStop(task: Task): void {
    this.#running.add(task);
    (task.barriers ??= []).push(this);
    task.context.interrupt();
  }

  passed(task: Task): void {
    this.#running.delete(task);
    if (this.isDone) this.queue.wake();
  }
}

/** The task entered the kernel, or ended. */
export function passBarriers(task: Task): void {
  const { barriers } = task;
  if (barriers === null) return;
  task.barriers = null;
  for (const barrier of barriers) barrier.passed(task);
}
