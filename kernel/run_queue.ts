/**
 * Tasks that are ready for the kernel to work on, first in, first out.
 * @module
 */
import type { Task } from "./task/task.ts";

export class RunQueue {
  #tasks: Task[] = [];
  #head = 0;

  get isEmpty(): boolean {
    return this.#head === this.#tasks.length;
  }
  get length(): number {
    return this.#tasks.length - this.#head;
  }

  /** Does nothing if the task is queued already. */
  push(task: Task): void {
    if (task.isQueued) return;
    task.isQueued = true;
    this.#tasks.push(task);
  }

  /** Precondition: not empty. */
  shift(): Task {
    const task = this.#tasks[this.#head++]!;
    task.isQueued = false;
    if (this.#head === this.#tasks.length) {
      this.#tasks.length = 0;
      this.#head = 0;
    }
    return task;
  }
}
