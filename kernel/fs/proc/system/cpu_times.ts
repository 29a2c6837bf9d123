/**
 * CPU time of everything that ran so far, and /proc/stat, uptime and loadavg.
 * The host places guests on its CPUs, so the kernel knows how long they ran but
 * not where: their time is shown spread evenly. Source: proc_stat(5),
 * proc_uptime(5), proc_loadavg(5).
 * @module
 */
import type { ProcRoot } from "../proc_root.ts";
import { hundredths, ticks } from "../format.ts";
import { runningCount } from "./load_average.ts";

/** Nanoseconds of all CPUs together. */
interface CpuTimes {
  readonly userNs: number;
  readonly systemNs: number;
  readonly idleNs: number;
}

/** The time of processes that ended is part of their parents' children's. */
export function cpuTimesOfAll({ kernel }: ProcRoot): CpuTimes {
  let userNs = 0;
  let systemNs = 0;
  for (const task of kernel.rootPidNamespace.tasks()) {
    if (!task.isLeader) continue;
    const group = task.threadGroup;
    userNs += group.userNs + group.childrenUserNs;
    systemNs += group.systemNs + group.childrenSystemNs;
  }
  const capacity = kernel.clock.boottimeNs() * kernel.host.info.cpuCount;
  return {
    userNs,
    systemNs,
    idleNs: Math.max(0, capacity - userNs - systemNs),
  };
}

export function uptime(root: ProcRoot): string {
  const { idleNs } = cpuTimesOfAll(root);
  const uptimeNs = root.kernel.clock.boottimeNs();
  return `${hundredths(uptimeNs)} ${hundredths(idleNs)}\n`;
}

export function stat(root: ProcRoot): string {
  const { kernel, namespace } = root;
  const { cpuCount } = kernel.host.info;
  const times = cpuTimesOfAll(root);
  const row = (name: string, share: number) =>
    `${name} ${ticks(times.userNs / share)} 0 ${
      ticks(times.systemNs / share)
    }` +
    ` ${ticks(times.idleNs / share)} 0 0 0 0 0 0\n`;
  let text = row("cpu ", 1);
  for (let cpu = 0; cpu < cpuCount; cpu++) text += row(`cpu${cpu}`, cpuCount);
  const now = kernel.clock.realtime();
  const bootSec = Math.floor(now.sec - kernel.clock.boottimeNs() / 1e9);
  // No interrupts reach this kernel, and the host does the switching.
  return text + "intr 0\n" +
    "ctxt 0\n" +
    `btime ${bootSec}\n` +
    `processes ${namespace.lastPid}\n` +
    `procs_running ${runningCount(namespace)}\n` +
    "procs_blocked 0\n" +
    "softirq 0 0 0 0 0 0 0 0 0 0 0\n";
}

export function loadavg(root: ProcRoot): string {
  const { kernel, namespace, facts } = root;
  const averages = facts.load.averages(kernel.clock.monotonicNs());
  const shown = averages.map((load) => load.toFixed(2)).join(" ");
  return `${shown} ${runningCount(namespace)}/${namespace.taskCount} ` +
    `${namespace.lastPid}\n`;
}
