/**
 * User and group ids: getuid(2) and kin, setuid(2), setreuid(2),
 * setresuid(2), setfsuid(2), their group twins, getgroups(2), setgroups(2).
 * Source: credentials(7), capabilities(7) "Effect of user ID changes".
 * @module
 */
import { EINVAL, EPERM, type Errno, isErrno } from "../abi/errno.ts";
import { CAP_SETGID, CAP_SETUID } from "../abi/capability.ts";
import { NGROUPS_MAX } from "../abi/limits.ts";
import { SECBIT_KEEP_CAPS, SECBIT_NO_SETUID_FIXUP } from "../abi/securebits.ts";
import {
  ALL_CAPABILITIES,
  type CapabilitySet,
  type CredentialFields,
  Credentials,
  intersect,
  NO_CAPABILITIES,
  union,
} from "../task/credentials.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall } from "./syscall.ts";

/** (uid_t) -1: leave as it is. */
const KEEP = 0xffffffff;

/** Capabilities that fsuid 0 gives and takes (CAP_FS_SET). */
const FS_CAPABILITIES: CapabilitySet = {
  // CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID LINUX_IMMUTABLE MKNOD
  low: 0x1f | (1 << 9) | (1 << 27),
  // MAC_OVERRIDE
  high: 1,
};

/** Sets new ids and adjusts capabilities as user id changes do. */
function apply(task: Task, change: Partial<CredentialFields>): 0 {
  const old = task.credentials;
  const next = old.with(change);
  task.credentials = (old.securebits & SECBIT_NO_SETUID_FIXUP) !== 0
    ? next
    : fixCapabilities(task, old, next);
  if (old.euid !== next.euid || old.egid !== next.egid) {
    task.threadGroup.isDumpable = false;
    task.parentDeathSignal = 0;
  }
  return 0;
}

function fixCapabilities(
  task: Task,
  old: Credentials,
  next: Credentials,
): Credentials {
  let { permitted, effective, ambient } = next;
  const wasRoot = old.uid === 0 || old.euid === 0 || old.suid === 0;
  const isRoot = next.uid === 0 || next.euid === 0 || next.suid === 0;
  const keeps = task.keepCapabilities ||
    (old.securebits & SECBIT_KEEP_CAPS) !== 0;
  if (wasRoot && !isRoot) {
    if (!keeps) {
      permitted = NO_CAPABILITIES;
      effective = NO_CAPABILITIES;
    }
    ambient = NO_CAPABILITIES;
  }
  if (old.euid === 0 && next.euid !== 0) effective = NO_CAPABILITIES;
  if (old.euid !== 0 && next.euid === 0) effective = permitted;
  return next.with({ permitted, effective, ambient });
}

const has = (task: Task, capability: number) =>
  task.credentials.has(capability);

export const getuid = defineSyscall({
  name: "getuid",
  support: "full",
  args: {},
  run: (task) => task.credentials.uid,
});
export const geteuid = defineSyscall({
  name: "geteuid",
  support: "full",
  args: {},
  run: (task) => task.credentials.euid,
});
export const getgid = defineSyscall({
  name: "getgid",
  support: "full",
  args: {},
  run: (task) => task.credentials.gid,
});
export const getegid = defineSyscall({
  name: "getegid",
  support: "full",
  args: {},
  run: (task) => task.credentials.egid,
});

export const setuid = defineSyscall({
  name: "setuid",
  support: "full",
  args: { uid: "uid" },
  run: (task, { uid }) => {
    if (uid === KEEP) return EINVAL;
    const old = task.credentials;
    if (has(task, CAP_SETUID)) {
      return apply(task, { uid, euid: uid, suid: uid, fsuid: uid });
    }
    if (uid !== old.uid && uid !== old.suid) return EPERM;
    return apply(task, { euid: uid, fsuid: uid });
  },
});

export const setgid = defineSyscall({
  name: "setgid",
  support: "full",
  args: { gid: "gid" },
  run: (task, { gid }) => {
    if (gid === KEEP) return EINVAL;
    const old = task.credentials;
    if (has(task, CAP_SETGID)) {
      return apply(task, { gid, egid: gid, sgid: gid, fsgid: gid });
    }
    if (gid !== old.gid && gid !== old.sgid) return EPERM;
    return apply(task, { egid: gid, fsgid: gid });
  },
});

/** New real, effective and saved id of setreuid/setregid. EPERM. */
function swap(
  real: number,
  effective: number,
  old: {
    readonly real: number;
    readonly effective: number;
    readonly saved: number;
  },
  isPrivileged: boolean,
):
  | {
    readonly real: number;
    readonly effective: number;
    readonly saved: number;
  }
  | Errno {
  const newReal = real === KEEP ? old.real : real;
  const newEffective = effective === KEEP ? old.effective : effective;
  if (!isPrivileged) {
    if (newReal !== old.real && newReal !== old.effective) return EPERM;
    if (
      newEffective !== old.real && newEffective !== old.effective &&
      newEffective !== old.saved
    ) return EPERM;
  }
  const saves = real !== KEEP ||
    (effective !== KEEP && newEffective !== old.real);
  return {
    real: newReal,
    effective: newEffective,
    saved: saves ? newEffective : old.saved,
  };
}

export const setreuid = defineSyscall({
  name: "setreuid",
  support: "full",
  args: { ruid: "uid", euid: "uid" },
  run: (task, { ruid, euid }) => {
    const { uid, euid: effective, suid } = task.credentials;
    const ids = swap(
      ruid,
      euid,
      { real: uid, effective, saved: suid },
      has(task, CAP_SETUID),
    );
    if (isErrno(ids)) return ids;
    return apply(task, {
      uid: ids.real,
      euid: ids.effective,
      suid: ids.saved,
      fsuid: ids.effective,
    });
  },
});

export const setregid = defineSyscall({
  name: "setregid",
  support: "full",
  args: { rgid: "gid", egid: "gid" },
  run: (task, { rgid, egid }) => {
    const { gid, egid: effective, sgid } = task.credentials;
    const ids = swap(
      rgid,
      egid,
      { real: gid, effective, saved: sgid },
      has(task, CAP_SETGID),
    );
    if (isErrno(ids)) return ids;
    return apply(task, {
      gid: ids.real,
      egid: ids.effective,
      sgid: ids.saved,
      fsgid: ids.effective,
    });
  },
});

/** Each given id must be one of the current three unless privileged. */
function mayPick(
  ids: readonly number[],
  current: readonly number[],
  isPrivileged: boolean,
): boolean {
  return isPrivileged ||
    ids.every((id) => id === KEEP || current.includes(id));
}

export const setresuid = defineSyscall({
  name: "setresuid",
  support: "full",
  args: { ruid: "uid", euid: "uid", suid: "uid" },
  run: (task, { ruid, euid, suid }) => {
    const old = task.credentials;
    const current = [old.uid, old.euid, old.suid];
    if (!mayPick([ruid, euid, suid], current, has(task, CAP_SETUID))) {
      return EPERM;
    }
    const effective = euid === KEEP ? old.euid : euid;
    return apply(task, {
      uid: ruid === KEEP ? old.uid : ruid,
      euid: effective,
      suid: suid === KEEP ? old.suid : suid,
      fsuid: effective,
    });
  },
});

export const setresgid = defineSyscall({
  name: "setresgid",
  support: "full",
  args: { rgid: "gid", egid: "gid", sgid: "gid" },
  run: (task, { rgid, egid, sgid }) => {
    const old = task.credentials;
    const current = [old.gid, old.egid, old.sgid];
    if (!mayPick([rgid, egid, sgid], current, has(task, CAP_SETGID))) {
      return EPERM;
    }
    const effective = egid === KEEP ? old.egid : egid;
    return apply(task, {
      gid: rgid === KEEP ? old.gid : rgid,
      egid: effective,
      sgid: sgid === KEEP ? old.sgid : sgid,
      fsgid: effective,
    });
  },
});

function storeIds(
  task: Task,
  addrs: readonly number[],
  ids: readonly number[],
): Errno | 0 {
  for (const [i, addr] of addrs.entries()) {
    const fault = task.memory.writeU32(addr, ids[i]!);
    if (fault !== null) return fault;
  }
  return 0;
}

export const getresuid = defineSyscall({
  name: "getresuid",
  support: "full",
  args: { ruid: "addr", euid: "addr", suid: "addr" },
  run: (task, { ruid, euid, suid }) => {
    const { uid, euid: effective, suid: saved } = task.credentials;
    return storeIds(task, [ruid, euid, suid], [uid, effective, saved]);
  },
});

export const getresgid = defineSyscall({
  name: "getresgid",
  support: "full",
  args: { rgid: "addr", egid: "addr", sgid: "addr" },
  run: (task, { rgid, egid, sgid }) => {
    const { gid, egid: effective, sgid: saved } = task.credentials;
    return storeIds(task, [rgid, egid, sgid], [gid, effective, saved]);
  },
});

export const setfsuid = defineSyscall({
  name: "setfsuid",
  support: "full",
  args: { fsuid: "uid" },
  run: (task, { fsuid }) => {
    const old = task.credentials;
    const current = [old.uid, old.euid, old.suid, old.fsuid];
    const may = current.includes(fsuid) || has(task, CAP_SETUID);
    // There is no error return: an impossible id changes nothing.
    if (!may || fsuid === KEEP || fsuid === old.fsuid) return old.fsuid;
    let { effective } = old;
    if (old.fsuid === 0) {
      effective = {
        low: effective.low & ~FS_CAPABILITIES.low,
        high: effective.high & ~FS_CAPABILITIES.high,
      };
    } else if (fsuid === 0) {
      effective = union(effective, intersect(FS_CAPABILITIES, old.permitted));
    }
    task.credentials = old.with({ fsuid, effective });
    return old.fsuid;
  },
});

export const setfsgid = defineSyscall({
  name: "setfsgid",
  support: "full",
  args: { fsgid: "gid" },
  run: (task, { fsgid }) => {
    const old = task.credentials;
    const current = [old.gid, old.egid, old.sgid, old.fsgid];
    const may = current.includes(fsgid) || has(task, CAP_SETGID);
    if (may && fsgid !== KEEP) task.credentials = old.with({ fsgid });
    return old.fsgid;
  },
});

export const getgroups = defineSyscall({
  name: "getgroups",
  support: "full",
  args: { size: "int", list: "addr" },
  run: (task, { size, list }) => {
    const { groups } = task.credentials;
    if (size < 0) return EINVAL;
    if (size === 0) return groups.length;
    if (size < groups.length) return EINVAL;
    return task.memory.writeI32s(list, groups) ?? groups.length;
  },
});

export const setgroups = defineSyscall({
  name: "setgroups",
  support: "full",
  args: { size: "int", list: "addr" },
  run: (task, { size, list }) => {
    if (!has(task, CAP_SETGID)) return EPERM;
    if (size < 0 || size > NGROUPS_MAX) return EINVAL;
    const bytes = new Uint8Array(4 * size);
    const fault = task.memory.readBytes(list, bytes);
    if (fault !== null) return fault;
    const groups = Array.from(new Uint32Array(bytes.buffer));
    groups.sort((a, b) => a - b);
    task.credentials = task.credentials.with({ groups });
    return 0;
  },
});

/** Everything a root process of a fresh sandbox may have. */
export function rootCredentials(
  fields: Partial<CredentialFields>,
): Credentials {
  return new Credentials({
    uid: 0,
    euid: 0,
    suid: 0,
    fsuid: 0,
    gid: 0,
    egid: 0,
    sgid: 0,
    fsgid: 0,
    groups: [],
    permitted: ALL_CAPABILITIES,
    effective: ALL_CAPABILITIES,
    inheritable: NO_CAPABILITIES,
    bounding: ALL_CAPABILITIES,
    ambient: NO_CAPABILITIES,
    securebits: 0,
    ...fields,
  });
}
