/**
 * IpcNamespace: the System V objects and POSIX message queues that its
 * processes see. Source: ipc_namespaces(7).
 * @module
 */
import { MSGMNI, SEMMNI, SHMMNI } from "../abi/ipc.ts";
import { IpcTable } from "./ipc_table.ts";
import type { MessageQueue } from "./msg.ts";
import type { SemaphoreSet } from "./sem.ts";
import type { Segment } from "./shm.ts";

export class IpcNamespace {
  readonly semaphores = new IpcTable<SemaphoreSet>(SEMMNI);
  readonly segments = new IpcTable<Segment>(SHMMNI);
  readonly messages = new IpcTable<MessageQueue>(MSGMNI);
  /** Semaphores of all sets; SEMMNS bounds them. */
  semaphoreCount = 0;
  /** Pages of all segments; SHMALL bounds them. */
  segmentPages = 0;

  #users = 0;

  acquire(): this {
    this.#users++;
    return this;
  }
  /** A task leaves; after the last one everything in it goes. */
  release(): void {
    if (--this.#users > 0) return;
    for (const set of [...this.semaphores.values()]) set.remove(this);
    for (const queue of [...this.messages.values()]) queue.remove(this);
    for (const segment of [...this.segments.values()]) segment.destroy(this);
  }
}
