/**
 * Timers that signal: alarm(2), getitimer(2), setitimer(2), timer_create(2),
 * timer_settime(2), timer_gettime(2), timer_getoverrun(2), timer_delete(2).
 * @module
 */
import {
  EAGAIN,
  EFAULT,
  EINVAL,
  ENOTSUP,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import {
  NSIG,
  SIGALRM,
  SIGEV_NONE,
  SIGEV_SIGNAL,
  SIGEV_THREAD,
  SIGEV_THREAD_ID,
  SIGEVENT,
  SIGEVENT_SIZE,
} from "../abi/signal.ts";
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_TAI,
  ITIMER_PROF,
  ITIMER_REAL,
  TIMER_ABSTIME,
} from "../abi/time.ts";
import { RLIMIT_SIGPENDING } from "../abi/resource.ts";
import { cpuClockOf } from "../task/cpu_clock.ts";
import type { Timespec } from "../time/clock.ts";
import {
  type IntervalSetting,
  IntervalTimers,
} from "../task/interval_timers.ts";
import {
  type PosixTimer,
  PosixTimers,
  type TimerNotification,
} from "../task/posix_timers.ts";
import type { Task } from "../task/task.ts";
import { monotonicOf, readClock } from "./sys_clock.ts";
import { defineSyscall } from "./syscall.ts";
import {
  readTimespec,
  readTimespecParts,
  readTimeval,
  writeTimespecNs,
  writeTimevalNs,
} from "./timespec.ts";

function intervalTimers(task: Task): IntervalTimers {
  return task.threadGroup.timers ??= new IntervalTimers(task.threadGroup);
}

export const alarm = defineSyscall({
  name: "alarm",
  support: "full",
  args: { seconds: "uint" },
  run: (task, { seconds }) => {
    const timers = intervalTimers(task);
    const old = timers.get(ITIMER_REAL).valueNs;
    timers.set(ITIMER_REAL, { valueNs: seconds * 1e9, intervalNs: 0 });
    // Rounded, but never to zero while something was left (alarm(2)).
    return old === 0 ? 0 : Math.max(1, Math.round(old / 1e9));
  },
});

function storeItimer(
  task: Task,
  addr: number,
  setting: IntervalSetting,
): Errno | null {
  return writeTimevalNs(task, addr, setting.intervalNs) ??
    writeTimevalNs(task, addr + 16, setting.valueNs);
}

export const getitimer = defineSyscall({
  name: "getitimer",
  support: "full",
  args: { which: "int", curr_value: "addr" },
  run: (task, { which, curr_value }) => {
    if (which < ITIMER_REAL || which > ITIMER_PROF) return EINVAL;
    return storeItimer(task, curr_value, intervalTimers(task).get(which)) ?? 0;
  },
});

export const setitimer = defineSyscall({
  name: "setitimer",
  support: "full",
  args: { which: "int", new_value: "addr", old_value: "addr" },
  run: (task, { which, new_value, old_value }) => {
    let intervalNs: number | Errno = 0;
    let valueNs: number | Errno = 0;
    if (new_value !== 0) {
      intervalNs = readTimeval(task, new_value);
      if (isErrno(intervalNs)) return intervalNs;
      valueNs = readTimeval(task, new_value + 16);
      if (isErrno(valueNs)) return valueNs;
    }
    if (which < ITIMER_REAL || which > ITIMER_PROF) return EINVAL;
    const timers = intervalTimers(task);
    const old = timers.get(which);
    timers.set(which, { valueNs, intervalNs });
    return old_value === 0 ? 0 : storeItimer(task, old_value, old) ?? 0;
  },
});

function posixTimer(task: Task, id: number): PosixTimer | Errno {
  return task.threadGroup.posixTimers?.get(id) ?? EINVAL;
}

/** Clocks that a timer can run on, besides those of CPU time. */
const TIMER_CLOCKS: ReadonlySet<number> = new Set([
  CLOCK_REALTIME,
  CLOCK_MONOTONIC,
  CLOCK_BOOTTIME,
  CLOCK_TAI,
  CLOCK_REALTIME_ALARM,
  CLOCK_BOOTTIME_ALARM,
]);

export const timerCreate = defineSyscall({
  name: "timer_create",
  support: "full",
  args: { clockid: "clockid", sevp: "addr", timerid: "addr" },
  run: (task, { clockid, sevp, timerid }) => {
    const event = readEvent(task, sevp);
    if (event === EFAULT) return EFAULT;
    const cpuClock = cpuClockOf(task, clockid);
    if (isErrno(cpuClock)) return cpuClock;
    if (cpuClock === null) {
      const now = readClock(task, clockid);
      if (isErrno(now)) return now;
      if (!TIMER_CLOCKS.has(clockid)) return ENOTSUP;
    }
    if (isErrno(event)) return event;
    const timers = task.threadGroup.posixTimers ??= new PosixTimers(
      task.threadGroup,
    );
    if (timers.count >= task.limit(RLIMIT_SIGPENDING)) return EAGAIN;
    // Without a sigevent the signal carries the timer's id.
    const timer = timers.create(
      clockid,
      cpuClock,
      (id) => event ?? { ...DEFAULT_NOTIFICATION, valueLow: id },
    );
    const fault = task.memory.writeU32(timerid, timer.id);
    if (fault !== null) timers.delete(timer.id);
    return fault ?? 0;
  },
});

const DEFAULT_NOTIFICATION: TimerNotification = {
  notify: SIGEV_SIGNAL,
  signo: SIGALRM,
  valueLow: 0,
  valueHigh: 0,
  thread: null,
};

/** struct sigevent; null if there is none. EFAULT, EINVAL. */
function readEvent(task: Task, addr: number): TimerNotification | null | Errno {
  if (addr === 0) return null;
  const bytes = new Uint8Array(SIGEVENT_SIZE);
  const fault = task.memory.readBytes(addr, bytes);
  if (fault !== null) return fault;
  const view = new DataView(bytes.buffer);
  const notify = view.getInt32(SIGEVENT.sigev_notify, true);
  const signo = view.getInt32(SIGEVENT.sigev_signo, true);
  const kinds = [SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID];
  if (!kinds.includes(notify)) return EINVAL;
  if (notify !== SIGEV_NONE && (signo < 1 || signo > NSIG)) return EINVAL;
  let thread: Task | null = null;
  if (notify === SIGEV_THREAD_ID) {
    const tid = view.getInt32(SIGEVENT.sigev_notify_thread_id, true);
    thread = task.namespace.task(tid);
    if (thread?.threadGroup !== task.threadGroup) return EINVAL;
  }
  return {
    notify,
    signo,
    valueLow: view.getUint32(SIGEVENT.sigev_value, true),
    valueHigh: view.getUint32(SIGEVENT.sigev_value + 4, true),
    thread,
  };
}

function storeItimerspec(
  task: Task,
  addr: number,
  setting: IntervalSetting,
): Errno | null {
  return writeTimespecNs(task, addr, setting.intervalNs) ??
    writeTimespecNs(task, addr + 16, setting.valueNs);
}

export const timerSettime = defineSyscall({
  name: "timer_settime",
  support: "full",
  args: {
    timerid: "int",
    flags: "flags",
    new_value: "addr",
    old_value: "addr",
  },
  run: (task, { timerid, flags, new_value, old_value }) => {
    if (new_value === 0) return EINVAL;
    const intervalNs = readTimespec(task, new_value);
    if (isErrno(intervalNs)) return intervalNs;
    const value = readTimespecParts(task, new_value + 16);
    if (isErrno(value)) return value;
    const timer = posixTimer(task, timerid);
    if (isErrno(timer)) return timer;
    const old = timer.remaining();
    timer.set(deadlineOf(task, timer, flags, value), intervalNs);
    return old_value === 0 ? 0 : storeItimerspec(task, old_value, old) ?? 0;
  },
});

/** When it expires, on the clock that its timer is kept on. */
function deadlineOf(
  task: Task,
  { cpuClock, clockId }: PosixTimer,
  flags: number,
  value: Timespec,
): number {
  if (value.sec === 0 && value.nsec === 0) return Infinity;
  const ns = value.sec * 1e9 + value.nsec;
  const isAbsolute = (flags & TIMER_ABSTIME) !== 0;
  if (cpuClock !== null) return isAbsolute ? ns : cpuClock.readNs() + ns;
  if (isAbsolute) return monotonicOf(task, clockId, value);
  return task.clock.monotonicNs() + ns;
}

function timersOf(task: Task): PosixTimers {
  return task.threadGroup.posixTimers ??= new PosixTimers(task.threadGroup);
}

export const timerGettime = defineSyscall({
  name: "timer_gettime",
  support: "full",
  args: { timerid: "int", curr_value: "addr" },
  run: (task, { timerid, curr_value }) => {
    const timer = posixTimer(task, timerid);
    if (isErrno(timer)) return timer;
    const left = timer.remaining();
    return storeItimerspec(task, curr_value, left) ?? 0;
  },
});

export const timerGetoverrun = defineSyscall({
  name: "timer_getoverrun",
  support: "full",
  args: { timerid: "int" },
  run: (task, { timerid }) => {
    const timer = posixTimer(task, timerid);
    return isErrno(timer) ? timer : timer.overrun;
  },
});

export const timerDelete = defineSyscall({
  name: "timer_delete",
  support: "full",
  args: { timerid: "int" },
  run: (task, { timerid }) => {
    return timersOf(task).delete(timerid) ? 0 : EINVAL;
  },
});
