/**
 * capget(2) and capset(2).
 * @module
 */
import { EINVAL, EPERM, type Errno, ESRCH, isErrno } from "../abi/errno.ts";
import {
  _LINUX_CAPABILITY_VERSION_1,
  _LINUX_CAPABILITY_VERSION_2,
  _LINUX_CAPABILITY_VERSION_3,
  CAP_DATA_SIZE,
  CAP_SETPCAP,
} from "../abi/capability.ts";
import {
  ALL_CAPABILITIES,
  type CapabilitySet,
  intersect,
  isSubset,
  union,
} from "../task/credentials.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall } from "./syscall.ts";

/** Words per set for a version of the header; 0: unknown version. */
function wordsOf(version: number): number {
  if (version === _LINUX_CAPABILITY_VERSION_1) return 1;
  const two = version === _LINUX_CAPABILITY_VERSION_2 ||
    version === _LINUX_CAPABILITY_VERSION_3;
  return two ? 2 : 0;
}

interface Header {
  readonly words: number;
  readonly pid: number;
}

/** The header; an unknown version is answered with ours. EINVAL, EFAULT. */
function readHeader(task: Task, addr: number): Header | Errno {
  const version = task.memory.readU32(addr);
  if (isErrno(version)) return version;
  const pid = task.memory.readI32(addr + 4);
  if (isErrno(pid)) return pid;
  const words = wordsOf(version);
  if (words > 0) return { words, pid };
  return task.memory.writeU32(addr, _LINUX_CAPABILITY_VERSION_3) ?? EINVAL;
}

export const capget = defineSyscall({
  name: "capget",
  support: "full",
  args: { hdrp: "addr", datap: "addr" },
  run: (task, { hdrp, datap }) => {
    const header = readHeader(task, hdrp);
    if (isErrno(header)) return header === EINVAL && datap === 0 ? 0 : header;
    if (header.pid < 0) return EINVAL;
    const target = header.pid === 0 ? task : task.namespace.task(header.pid);
    if (target === null) return ESRCH;
    if (datap === 0) return 0;
    const { effective, permitted, inheritable } = target.credentials;
    const bytes = new Uint8Array(CAP_DATA_SIZE * header.words);
    const view = new DataView(bytes.buffer);
    for (const [i, set] of [effective, permitted, inheritable].entries()) {
      view.setUint32(4 * i, set.low, true);
      if (header.words > 1) {
        view.setUint32(CAP_DATA_SIZE + 4 * i, set.high, true);
      }
    }
    return task.memory.writeBytes(datap, bytes) ?? 0;
  },
});

export const capset = defineSyscall({
  name: "capset",
  support: "full",
  args: { hdrp: "addr", datap: "addr" },
  run: (task, { hdrp, datap }) => {
    const header = readHeader(task, hdrp);
    if (isErrno(header)) return header;
    if (header.pid !== 0 && header.pid !== task.tid) return EPERM;
    const bytes = new Uint8Array(CAP_DATA_SIZE * 2);
    const given = bytes.subarray(0, CAP_DATA_SIZE * header.words);
    const fault = task.memory.readBytes(datap, given);
    if (fault !== null) return fault;
    const view = new DataView(bytes.buffer);
    const set = (i: number): CapabilitySet =>
      intersect({
        low: view.getInt32(4 * i, true),
        high: view.getInt32(CAP_DATA_SIZE + 4 * i, true),
      }, ALL_CAPABILITIES);
    return change(task, set(0), set(1), set(2)) ?? 0;
  },
});

/** capabilities(7), "Programmatically adjusting capability sets". EPERM. */
function change(
  task: Task,
  effective: CapabilitySet,
  permitted: CapabilitySet,
  inheritable: CapabilitySet,
): Errno | null {
  const old = task.credentials;
  const mayInherit = union(old.inheritable, old.permitted);
  if (!old.has(CAP_SETPCAP) && !isSubset(inheritable, mayInherit)) return EPERM;
  if (!isSubset(inheritable, union(old.inheritable, old.bounding))) {
    return EPERM;
  }
  if (!isSubset(permitted, old.permitted)) return EPERM;
  if (!isSubset(effective, permitted)) return EPERM;
  const ambient = intersect(old.ambient, intersect(permitted, inheritable));
  task.credentials = old.with({ effective, permitted, inheritable, ambient });
  return null;
}
