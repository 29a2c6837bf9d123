/**
 * adjtimex(2), clock_adjtime(2): how the clock is disciplined. Nobody
 * disciplines the sandbox's, which follows the host's: it reads as a clock that
 * never was synchronised, and no right of a guest's allows a change.
 * @module
 */
import { EINVAL, EOPNOTSUPP, EPERM, isErrno } from "../abi/errno.ts";
import {
  ADJ_OFFSET_SINGLESHOT,
  ADJ_OFFSET_SS_READ,
  CLOCK_REALTIME,
  STA_UNSYNC,
  TIME_ERROR,
  TIMEX,
  TIMEX_SIZE,
} from "../abi/time.ts";
import type { Task } from "../task/task.ts";
import { readClock } from "./sys_clock.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

/** Linux's NTP_PHASE_LIMIT, in us: the largest error it counts. */
const MAX_ERROR_US = 16_000_000;
/** 500 parts per million, scaled by 2^16. */
const TOLERANCE = 32_768_000;
/** Of the phase-locked loop at boot. */
const TIME_CONSTANT = 2;
/** A tick of USER_HZ, in us. */
const TICK_US = 10_000;
/** Marks the modes of the old adjtime(3). */
const ADJ_ADJTIME = 0x8000;

const PARTIAL = { partial: "only reads; changes fail with EPERM" };

export const adjtimex = defineSyscall({
  name: "adjtimex",
  support: PARTIAL,
  args: { buf: "addr" },
  run: (task, { buf }) => adjust(task, buf),
});

export const clockAdjtime = defineSyscall({
  name: "clock_adjtime",
  support: PARTIAL,
  args: { clockid: "clockid", buf: "addr" },
  run: (task, { clockid, buf }) => {
    if (clockid !== CLOCK_REALTIME) {
      const known = readClock(task, clockid);
      return isErrno(known) ? known : EOPNOTSUPP;
    }
    return adjust(task, buf);
  },
});

function adjust(task: Task, addr: number): SysResult {
  const bytes = new Uint8Array(TIMEX_SIZE);
  const fault = task.memory.readBytes(addr, bytes);
  if (fault !== null) return fault;
  const view = new DataView(bytes.buffer);
  const modes = view.getUint32(TIMEX.modes, true);
  if ((modes & ADJ_ADJTIME) !== 0) {
    if ((modes & ADJ_OFFSET_SINGLESHOT & ~ADJ_ADJTIME) === 0) return EINVAL;
    if (modes !== ADJ_OFFSET_SS_READ) return EPERM;
  } else if (modes !== 0) return EPERM;

  bytes.fill(0);
  const put = (offset: number, value: number) =>
    view.setUint32(offset, value, true);
  put(TIMEX.modes, modes);
  put(TIMEX.maxerror, MAX_ERROR_US);
  put(TIMEX.esterror, MAX_ERROR_US);
  put(TIMEX.status, STA_UNSYNC);
  put(TIMEX.constant, TIME_CONSTANT);
  put(TIMEX.precision, 1);
  put(TIMEX.tolerance, TOLERANCE);
  put(TIMEX.tick, TICK_US);
  const { sec, nsec } = task.clock.realtime();
  view.setBigInt64(TIMEX.time, BigInt(sec), true);
  put(TIMEX.time + 8, Math.floor(nsec / 1000));
  return task.memory.writeBytes(addr, bytes) ?? TIME_ERROR;
}
