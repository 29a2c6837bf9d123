/**
 * Small files of /proc/PID that may be written: comm, oom_score_adj and its
 * kin, timerslack_ns, coredump_filter, loginuid. Source: proc_pid_comm(5),
 * proc_pid_oom_score_adj(5), proc_pid_timerslack_ns(5),
 * proc_pid_coredump_filter(5), proc_pid_loginuid(5).
 * @module
 */
import { CAP_SYS_NICE, CAP_SYS_RESOURCE } from "../../abi/capability.ts";
import {
  EACCES,
  EINVAL,
  EPERM,
  type Errno,
  ESRCH,
  isErrno,
} from "../../abi/errno.ts";
import { TASK_COMM_LEN } from "../../abi/limits.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileRules } from "../kernfs/generated_file.ts";
import { checkTraceAccess } from "./access.ts";
import { parseInteger } from "./parse.ts";
import type { ProcessRef } from "./process_ref.ts";

const OOM_SCORE_ADJ_MAX = 1000;
/** oom_adj, the older scale: -17 means never. */
const OOM_DISABLE = -17;
const OOM_ADJUST_MAX = 15;
const DEFAULT_SLACK_NS = 50_000;

/** For a process that ended meanwhile. */
function gone(ref: ProcessRef): Errno | null {
  return ref.isCurrent ? null : ESRCH;
}

export const COMM: FileRules<ProcessRef> = {
  read: (ref) => gone(ref) ?? `${ref.task.comm}\n`,
  write(ref, text, caller) {
    const failed = gone(ref);
    if (failed !== null) return failed;
    // Only threads of the same process may name each other.
    if (caller.processId !== ref.group.pid) return EINVAL;
    const end = text.search(/[\0\n]/);
    const name = end < 0 ? text : text.slice(0, end);
    ref.task.comm = name.slice(0, TASK_COMM_LEN - 1);
    return null;
  },
};

/** Lowering below what was set with privilege needs CAP_SYS_RESOURCE. */
function setOomScoreAdjust(
  ref: ProcessRef,
  value: number,
  caller: Caller,
): Errno | null {
  const failed = gone(ref);
  if (failed !== null) return failed;
  const isLower = value < ref.group.oomScoreAdjust;
  if (isLower && !caller.identity.has(CAP_SYS_RESOURCE)) return EACCES;
  ref.group.oomScoreAdjust = value;
  return null;
}

export const OOM_SCORE_ADJ: FileRules<ProcessRef> = {
  read: (ref) => gone(ref) ?? `${ref.group.oomScoreAdjust}\n`,
  write(ref, text, caller) {
    const value = parseInteger(text);
    if (isErrno(value)) return value;
    if (Math.abs(value) > OOM_SCORE_ADJ_MAX) return EINVAL;
    return setOomScoreAdjust(ref, value, caller);
  },
};

export const OOM_ADJ: FileRules<ProcessRef> = {
  read(ref) {
    const adjust = ref.group.oomScoreAdjust;
    const old = adjust === OOM_SCORE_ADJ_MAX
      ? OOM_ADJUST_MAX
      : Math.trunc(adjust * -OOM_DISABLE / OOM_SCORE_ADJ_MAX);
    return gone(ref) ?? `${Math.min(old, OOM_ADJUST_MAX)}\n`;
  },
  write(ref, text, caller) {
    const value = parseInteger(text);
    if (isErrno(value)) return value;
    if (
      (value < OOM_DISABLE - -1 || value > OOM_ADJUST_MAX) &&
      value !== OOM_DISABLE
    ) return EINVAL;
    const adjust = value === OOM_ADJUST_MAX
      ? OOM_SCORE_ADJ_MAX
      : Math.trunc(value * OOM_SCORE_ADJ_MAX / -OOM_DISABLE);
    return setOomScoreAdjust(ref, adjust, caller);
  },
};

/** A score of 0..2000: memory in use per mille of all, and the adjustment. */
export function oomScore(ref: ProcessRef): ByteString | Errno {
  const { memory, group, root } = ref;
  if (memory === null) return gone(ref) ?? "0\n";
  if (group.oomScoreAdjust === -OOM_SCORE_ADJ_MAX) return "0\n";
  const share = root.facts.resident.bytesOf(memory) /
    root.kernel.host.info.memoryBytes;
  const points = 1000 * share + group.oomScoreAdjust;
  const score = Math.floor((1000 + Math.min(1000, points)) * 2 / 3);
  return gone(ref) ?? `${Math.max(0, score)}\n`;
}

function refuseSlack(ref: ProcessRef, caller: Caller): Errno | null {
  if (!ref.isCurrent) return ESRCH;
  if (ref.task === caller) return null;
  return caller.identity.has(CAP_SYS_NICE) ? null : EPERM;
}

export const TIMERSLACK: FileRules<ProcessRef> = {
  read: (ref, caller) =>
    refuseSlack(ref, caller) ?? `${ref.task.timerSlackNs}\n`,
  write(ref, text, caller) {
    const value = parseInteger(text);
    if (isErrno(value)) return value;
    if (value < 0) return EINVAL;
    const refused = refuseSlack(ref, caller);
    if (refused !== null) return refused;
    ref.task.timerSlackNs = value === 0 ? DEFAULT_SLACK_NS : value;
    return null;
  },
};

/** Only PER_LINUX so far; the right to trace is asked for. */
export function pidPersonality(
  ref: ProcessRef,
  caller: Caller,
): ByteString | Errno {
  return gone(ref) ?? checkTraceAccess(caller, ref.task) ??
    `${ref.task.personality.toString(16).padStart(8, "0")}\n`;
}
