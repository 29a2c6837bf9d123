/**
 * timerfd_create(2), timerfd_settime(2), timerfd_gettime(2). The timer is in
 * `../fs/timerfd.ts`.
 * @module
 */
import { CAP_WAKE_ALARM } from "../abi/capability.ts";
import { EINVAL, EPERM, type Errno, isErrno } from "../abi/errno.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
  ITIMERSPEC,
} from "../abi/time.ts";
import {
  TFD_CLOEXEC,
  TFD_NONBLOCK,
  TFD_TIMER_ABSTIME,
  TFD_TIMER_CANCEL_ON_SET,
} from "../abi/timerfd.ts";
import { TimerFdDescription, type TimerSetting } from "../fs/timerfd.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall } from "./syscall.ts";
import { readTimespecParts, writeTimespecNs } from "./timespec.ts";

const CLOCKS: readonly number[] = [
  CLOCK_REALTIME,
  CLOCK_MONOTONIC,
  CLOCK_BOOTTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_BOOTTIME_ALARM,
];

export const timerfdCreate = defineSyscall({
  name: "timerfd_create",
  support: "full",
  args: { clockid: "clockid", flags: "flags" },
  run: (task, { clockid, flags }) => {
    if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) !== 0) return EINVAL;
    if (!CLOCKS.includes(clockid)) return EINVAL;
    const isAlarm = clockid === CLOCK_REALTIME_ALARM ||
      clockid === CLOCK_BOOTTIME_ALARM;
    if (isAlarm && !task.identity.has(CAP_WAKE_ALARM)) return EPERM;
    const { kernel } = task;
    const file = new TimerFdDescription(kernel.anonInodes, kernel, {
      clockId: clockid,
      flags: flags & TFD_NONBLOCK,
    });
    const fd = task.fdTable.install(file, {
      closeOnExec: (flags & TFD_CLOEXEC) !== 0,
      limit: task.limit(RLIMIT_NOFILE),
    });
    if (isErrno(fd)) file.release(); // EMFILE
    return fd;
  },
});

function timerOf(task: Task, fd: number): TimerFdDescription | Errno {
  const file = task.file(fd);
  if (isErrno(file)) return file;
  return file instanceof TimerFdDescription ? file : EINVAL;
}

export const timerfdSettime = defineSyscall({
  name: "timerfd_settime",
  support: {
    partial: "TFD_TIMER_CANCEL_ON_SET never cancels: no guest sets the clock",
  },
  args: { fd: "fd", flags: "flags", new_value: "addr", old_value: "addr" },
  run: (task, { fd, flags, new_value, old_value }) => {
    const interval = readTimespecParts(
      task,
      new_value + ITIMERSPEC.it_interval,
    );
    if (isErrno(interval)) return interval;
    const value = readTimespecParts(task, new_value + ITIMERSPEC.it_value);
    if (isErrno(value)) return value;
    const known = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    if ((flags & ~known) !== 0) return EINVAL;
    const file = timerOf(task, fd);
    if (isErrno(file)) return file;
    const old = file.setting;
    const isAbsolute = (flags & TFD_TIMER_ABSTIME) !== 0;
    file.set(value, interval, { isAbsolute });
    return old_value === 0 ? 0 : writeSetting(task, old_value, old) ?? 0;
  },
});

export const timerfdGettime = defineSyscall({
  name: "timerfd_gettime",
  support: "full",
  args: { fd: "fd", curr_value: "addr" },
  run: (task, { fd, curr_value }) => {
    const file = timerOf(task, fd);
    if (isErrno(file)) return file;
    return writeSetting(task, curr_value, file.setting) ?? 0;
  },
});

function writeSetting(
  task: Task,
  addr: number,
  { valueNs, intervalNs }: TimerSetting,
): Errno | null {
  return writeTimespecNs(task, addr + ITIMERSPEC.it_interval, intervalNs) ??
    writeTimespecNs(task, addr + ITIMERSPEC.it_value, valueNs);
}
