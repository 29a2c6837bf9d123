/**
 * LoadAverage: how many tasks ran, averaged over 1, 5 and 15 minutes. Nobody
 * pays for it until somebody asks: samples are taken every five seconds from
 * the first read on. Source: proc_loadavg(5).
 * @module
 */
import type { KernelServices } from "../../../task/kernel_services.ts";
import type { PidNamespace } from "../../../task/pid_namespace.ts";
import { Timer, type TimerQueue } from "../../../time/timer_queue.ts";

const SAMPLE_NS = 5_000_000_000;
/** What is left of an average after a sample: e^(-5 s / minutes). */
const DECAY = [1, 5, 15].map((minutes) => Math.exp(-5 / (60 * minutes)));

/** Tasks that run or could. */
export function runningCount(namespace: PidNamespace): number {
  let count = 0;
  for (const task of namespace.tasks()) {
    if (task.state === "guest" || task.state === "kernel") count++;
  }
  return count;
}

export class LoadAverage extends Timer {
  readonly #timers: TimerQueue;
  readonly #countRunning: () => number;
  readonly #averages = [0, 0, 0];
  #isStarted = false;

  constructor(timers: TimerQueue, countRunning: () => number) {
    super();
    this.#timers = timers;
    this.#countRunning = countRunning;
  }

  static of(kernel: KernelServices): LoadAverage {
    return new LoadAverage(
      kernel.timers,
      () => runningCount(kernel.rootPidNamespace),
    );
  }

  /** The three averages as of `nowNs` (CLOCK_MONOTONIC). */
  averages(nowNs: number): readonly number[] {
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.#timers.arm(this, nowNs + SAMPLE_NS);
    }
    return this.#averages;
  }

  override expire(nowNs: number): void {
    const running = this.#countRunning();
    for (const [i, decay] of DECAY.entries()) {
      this.#averages[i] = this.#averages[i]! * decay + running * (1 - decay);
    }
    this.#timers.arm(this, nowNs + SAMPLE_NS);
  }
}
