/**
 * What sendmmsg(2) and recvmmsg(2) have in common: how far they got.
 * @module
 */
import type { Errno } from "../abi/errno.ts";
import type { Task } from "../task/task.ts";

/** How many messages of a batch are done; kept while the task is parked. */
export class BatchProgress {
  messages = 0;
  /** CLOCK_MONOTONIC ns after which recvmmsg(2) takes no further message. */
  deadlineNs: number | null = null;
}

/** The progress of the current call. */
export function progressOf(task: Task): BatchProgress {
  const { data } = task.restart;
  if (data instanceof BatchProgress) return data;
  const progress = new BatchProgress();
  task.restart.data = progress;
  return progress;
}

/** A batch reports an error only if nothing went before it. */
export function endAfter(messages: number, error: Errno): number | Errno {
  return messages > 0 ? messages : error;
}
