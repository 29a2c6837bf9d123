/**
 * Clocks and sleeping: clock_gettime(2), clock_getres(2), clock_settime(2),
 * gettimeofday(2), settimeofday(2), time(2), nanosleep(2),
 * clock_nanosleep(2), times(2).
 * @module
 */
import {
  EINTR,
  EINVAL,
  ENOTSUP,
  EPERM,
  ERESTART_RESTARTBLOCK,
  ERESTARTNOHAND,
  type Errno,
  ETIMEDOUT,
  isErrno,
} from "../abi/errno.ts";
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_MONOTONIC_RAW,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_REALTIME_COARSE,
  CLOCK_TAI,
  CLOCK_THREAD_CPUTIME_ID,
  TIMER_ABSTIME,
  TMS,
  TMS_SIZE,
} from "../abi/time.ts";
import { type Timespec, timespecOfNs } from "../time/clock.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import type { Task } from "../task/task.ts";
import {
  readTimespec,
  readTimespecParts,
  writeTimespec,
  writeTimespecNs,
} from "./timespec.ts";
import { type CpuClock, cpuClockOf } from "../task/cpu_clock.ts";
import { CpuSleep } from "../task/cpu_sleep.ts";
import { NS_PER_TICK } from "../task/signal_send.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

/** Nobody wakes it: only the deadline or a signal ends a sleep. */
const never = new WaitQueue();
/** Coarse clocks tick at 250 Hz. */
const COARSE_RESOLUTION_NS = 4_000_000;

/** The time a clock shows. EINVAL. */
export function readClock(task: Task, clockId: number): Timespec | Errno {
  switch (clockId) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
      return task.clock.realtime();
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
      return timespecOfNs(task.clock.monotonicNs());
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      return timespecOfNs(task.clock.boottimeNs());
    default: {
      const clock = cpuClockOf(task, clockId) ?? EINVAL;
      return isErrno(clock) ? clock : timespecOfNs(clock.readNs());
    }
  }
}

export const clockGettime = defineSyscall({
  name: "clock_gettime",
  support: "full",
  args: { clockid: "clockid", tp: "addr" },
  run: (task, { clockid, tp }) => {
    const time = readClock(task, clockid);
    return isErrno(time) ? time : writeTimespec(task, tp, time) ?? 0;
  },
});

export const clockGetres = defineSyscall({
  name: "clock_getres",
  support: "full",
  args: { clockid: "clockid", res: "addr" },
  run: (task, { clockid, res }) => {
    const time = readClock(task, clockid);
    if (isErrno(time)) return time;
    if (res === 0) return 0;
    const isCoarse = clockid === CLOCK_REALTIME_COARSE ||
      clockid === CLOCK_MONOTONIC_COARSE;
    return writeTimespecNs(task, res, isCoarse ? COARSE_RESOLUTION_NS : 1) ?? 0;
  },
});

export const clockSettime = defineSyscall({
  name: "clock_settime",
  support: { partial: "the sandbox's clocks are the host's: EPERM" },
  args: { clockid: "clockid", tp: "addr" },
  run: (task, { clockid, tp }) => {
    if (clockid > CLOCK_REALTIME) return EINVAL;
    const time = readTimespecParts(task, tp);
    if (isErrno(time)) return time;
    // A CPU-time clock, which nobody may set.
    const clock = clockid < 0 ? cpuClockOf(task, clockid) : null;
    return isErrno(clock) ? clock : EPERM;
  },
});

export const gettimeofday = defineSyscall({
  name: "gettimeofday",
  support: "full",
  args: { tv: "addr", tz: "addr" },
  run: (task, { tv, tz }) => {
    if (tv !== 0) {
      const { sec, nsec } = task.clock.realtime();
      const fault = task.memory.writeU64(tv, sec) ??
        task.memory.writeU64(tv + 8, Math.floor(nsec / 1000));
      if (fault !== null) return fault;
    }
    return tz === 0 ? 0 : task.memory.writeU64(tz, 0) ?? 0;
  },
});

export const settimeofday = defineSyscall({
  name: "settimeofday",
  support: { partial: "the sandbox's clocks are the host's: EPERM" },
  args: { tv: "addr", tz: "addr" },
  run: () => EPERM,
});

export const time = defineSyscall({
  name: "time",
  support: "full",
  args: { tloc: "addr" },
  run: (task, { tloc }) => {
    const { sec } = task.clock.realtime();
    if (tloc === 0) return sec;
    return task.memory.writeU64(tloc, sec) ?? sec;
  },
});

/** Sleeps until CLOCK_MONOTONIC `deadline`; stores what is left in `rem`. */
function sleepUntil(task: Task, deadline: number, rem: number): SysResult {
  const blocked = task.block(never, undefined, deadline);
  if (blocked === ETIMEDOUT) return 0;
  if (!isErrno(blocked)) return blocked;
  if (rem !== 0) {
    const left = Math.max(0, deadline - task.clock.monotonicNs());
    const fault = writeTimespecNs(task, rem, left);
    if (fault !== null) return fault;
  }
  return ERESTART_RESTARTBLOCK;
}

export const nanosleep = defineSyscall({
  name: "nanosleep",
  support: "full",
  args: { req: "addr", rem: "addr" },
  run: (task, { req, rem }) => {
    const ns = readTimespec(task, req);
    return isErrno(ns) ? ns : sleepUntil(task, task.deadlineAfter(ns), rem);
  },
});

export const clockNanosleep = defineSyscall({
  name: "clock_nanosleep",
  support: "full",
  args: { clockid: "clockid", flags: "flags", req: "addr", rem: "addr" },
  run: (task, { clockid, flags, req, rem }) => {
    const cpuClock = cpuClockOf(task, clockid);
    if (isErrno(cpuClock)) return cpuClock;
    if (cpuClock === null && isErrno(readClock(task, clockid))) return EINVAL;
    if (clockid === CLOCK_THREAD_CPUTIME_ID) return ENOTSUP;
    // Nobody can sleep until he has used CPU time himself.
    if (cpuClock?.target === task) return EINVAL;
    if (!SLEEPABLE.has(clockid) && cpuClock === null) return ENOTSUP;
    const time = readTimespecParts(task, req);
    if (isErrno(time)) return time;
    const ns = time.sec * 1e9 + time.nsec;
    const isAbsolute = (flags & TIMER_ABSTIME) !== 0;
    if (cpuClock !== null) return sleepCpu(task, cpuClock, ns, isAbsolute, rem);
    if (!isAbsolute) return sleepUntil(task, task.deadlineAfter(ns), rem);
    const result = task.block(
      never,
      undefined,
      monotonicOf(task, clockid, time),
    );
    if (result === ETIMEDOUT) return 0;
    return isErrno(result) ? ERESTARTNOHAND : result;
  },
});

/** Clocks with clock_nanosleep, besides those of CPU time. */
const SLEEPABLE: ReadonlySet<number> = new Set([
  CLOCK_REALTIME,
  CLOCK_MONOTONIC,
  CLOCK_BOOTTIME,
  CLOCK_TAI,
  CLOCK_REALTIME_ALARM,
  CLOCK_BOOTTIME_ALARM,
]);

function sleepCpu(
  task: Task,
  clock: CpuClock,
  ns: number,
  isAbsolute: boolean,
  rem: number,
): SysResult {
  let sleep = task.restart.data;
  if (!(sleep instanceof CpuSleep)) {
    sleep = new CpuSleep(task, clock, isAbsolute ? ns : clock.readNs() + ns);
    task.restart.data = sleep;
  }
  const asleep = sleep as CpuSleep;
  if (asleep.leftNs <= 0) {
    asleep.abandon();
    return 0;
  }
  asleep.start();
  const blocked = task.block(asleep.queue);
  if (!isErrno(blocked)) return blocked;
  asleep.abandon();
  if (isAbsolute) return ERESTARTNOHAND;
  if (rem !== 0) {
    const fault = writeTimespecNs(task, rem, Math.max(0, asleep.leftNs));
    if (fault !== null) return fault;
  }
  return ERESTART_RESTARTBLOCK;
}

/** The CLOCK_MONOTONIC instant at which `clockId` shows `time`. */
export function monotonicOf(
  task: Task,
  clockId: number,
  time: Timespec,
): number {
  switch (clockId) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
      return task.clock.monotonicAtRealtime(time);
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      return time.sec * 1e9 + time.nsec - task.clock.host.boottimeOffsetNs();
    default:
      return time.sec * 1e9 + time.nsec;
  }
}

export const times = defineSyscall({
  name: "times",
  support: "full",
  args: { buf: "addr" },
  run: (task, { buf }) => {
    const group = task.threadGroup;
    if (buf !== 0) {
      const bytes = new Uint8Array(TMS_SIZE);
      const view = new DataView(bytes.buffer);
      const put = (at: number, ns: number) =>
        view.setUint32(at, Math.floor(ns / NS_PER_TICK), true);
      put(TMS.tms_utime, group.userNs);
      put(TMS.tms_stime, group.systemNs);
      put(TMS.tms_cutime, group.childrenUserNs);
      put(TMS.tms_cstime, group.childrenSystemNs);
      const fault = task.memory.writeBytes(buf, bytes);
      if (fault !== null) return fault;
    }
    return Math.floor(task.clock.boottimeNs() / NS_PER_TICK);
  },
});

/** restart_syscall(2): we repeat the original call instead, so nobody who
 * calls it had one interrupted. */
export const restartSyscall = defineSyscall({
  name: "restart_syscall",
  support: "full",
  args: {},
  run: () => EINTR,
});
