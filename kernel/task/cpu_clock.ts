/**
 * CPU-time clocks of processes and threads, and what happens when one reaches
 * a value. The run loop looks at armed ones on its tick. Source:
 * clock_getres(2), clock_getcpuclockid(3), getrlimit(2) RLIMIT_CPU.
 * @module
 */
import { EINVAL, type Errno } from "../abi/errno.ts";
import { RLIMIT_CPU } from "../abi/resource.ts";
import { SIGKILL, SIGXCPU } from "../abi/signal.ts";
import {
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID,
} from "../abi/time.ts";
import { kernelSignal } from "./signal_info.ts";
import { sendToGroup } from "./signal_send.ts";
import type { Task } from "./task.ts";
import type { ThreadGroup } from "./thread_group.ts";

/** Something that is due at a CPU time; on kernel.cpuTimers while armed. */
export interface CpuTimer {
  checkCpuTime(): void;
}

/** Which part of the time counts: CPUCLOCK_* of Linux. */
const CPUCLOCK_PROF = 0;
const CPUCLOCK_VIRT = 1;
const CPUCLOCK_SCHED = 2;
const CPUCLOCK_PERTHREAD = 4;

export class CpuClock {
  constructor(
    readonly target: Task | ThreadGroup,
    readonly which: number,
  ) {}

  /** Time used so far, ns. */
  readNs(): number {
    const { userNs, systemNs } = this.target;
    if (this.which === CPUCLOCK_VIRT) return userNs;
    if (this.which === CPUCLOCK_PROF) return userNs + systemNs;
    // A thread that runs has used more than its last stop told.
    return userNs + systemNs + runningNs(this.target);
  }
}

function runningNs(target: Task | ThreadGroup): number {
  if (!("resumedNs" in target) || target.state !== "guest") return 0;
  return Math.max(0, target.kernel.nowNs - target.resumedNs);
}

/** The CPU-time clock with this id, null if it is another kind of clock.
 * Negative ids name one of a process or thread: ~pid << 3. EINVAL. */
export function cpuClockOf(
  task: Task,
  clockId: number,
): CpuClock | null | Errno {
  if (clockId === CLOCK_PROCESS_CPUTIME_ID) {
    return new CpuClock(task.threadGroup, CPUCLOCK_SCHED);
  }
  if (clockId === CLOCK_THREAD_CPUTIME_ID) {
    return new CpuClock(task, CPUCLOCK_SCHED);
  }
  if (clockId >= 0) return null;
  const which = clockId & 3;
  if (which > CPUCLOCK_SCHED) return EINVAL;
  const id = ~(clockId >> 3);
  const target = id === 0 ? task : task.namespace.task(id);
  if (target === null) return EINVAL;
  if ((clockId & CPUCLOCK_PERTHREAD) === 0) {
    return target.isLeader ? new CpuClock(target.threadGroup, which) : EINVAL;
  }
  if (target.threadGroup !== task.threadGroup) return EINVAL;
  return new CpuClock(target, which);
}

/** RLIMIT_CPU of a process: SIGXCPU at the soft limit and each second after,
 * SIGKILL at the hard one. */
export class CpuLimit implements CpuTimer {
  #nextNs = 0;
  constructor(readonly process: ThreadGroup) {}

  /** The limit was set, inherited or lifted. */
  update(): void {
    const { process } = this;
    const soft = process.limits.soft[RLIMIT_CPU]!;
    this.#nextNs = soft * 1e9;
    const { cpuTimers } = process.leader.kernel;
    if (soft === Infinity && process.limits.hard[RLIMIT_CPU] === Infinity) {
      cpuTimers.delete(this);
    } else cpuTimers.add(this);
  }

  checkCpuTime(): void {
    const { process } = this;
    const { cpuTimers } = process.leader.kernel;
    if (process.isExiting) {
      cpuTimers.delete(this);
      return;
    }
    const used = process.userNs + process.systemNs;
    if (used >= process.limits.hard[RLIMIT_CPU]! * 1e9) {
      sendToGroup(process, kernelSignal(SIGKILL));
    } else if (used >= this.#nextNs) {
      this.#nextNs += 1e9;
      sendToGroup(process, kernelSignal(SIGXCPU));
    }
  }

  cancel(): void {
    this.process.leader.kernel.cpuTimers.delete(this);
  }
}
