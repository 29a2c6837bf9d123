/**
 * /proc/PID/mounts, mountinfo and mountstats. Source: proc_pid_mounts(5),
 * proc_pid_mountinfo(5), proc_pid_mountstats(5).
 * @module
 */
import { major, minor } from "../../abi/dev.ts";
import { EINVAL, type Errno } from "../../abi/errno.ts";
import {
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_RDONLY,
  MS_RELATIME,
} from "../../abi/mount.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Mount } from "../../vfs/mount.ts";
import type { MountRow } from "../../vfs/mounting.ts";
import { escape } from "./format.ts";
import type { ProcessRef } from "./process_ref.ts";

/** Characters that would end a field. */
const PATH_SPECIAL = " \t\n\\";
const SOURCE_SPECIAL = " \t\n\\#";

const OPTION_NAMES: readonly (readonly [flag: number, name: string])[] = [
  [MS_NOSUID, "nosuid"],
  [MS_NODEV, "nodev"],
  [MS_NOEXEC, "noexec"],
  [MS_NOATIME, "noatime"],
  [MS_NODIRATIME, "nodiratime"],
  [MS_RELATIME, "relatime"],
  [MS_NOSYMFOLLOW, "nosymfollow"],
];

/** ",nosuid,nodev" and so on. */
function mountOptions(mount: Mount): string {
  let text = "";
  for (const [flag, name] of OPTION_NAMES) {
    if ((mount.flags & flag) !== 0) text += `,${name}`;
  }
  return text;
}

function mountsRow({ mount, mountpoint }: MountRow): ByteString {
  const { fs } = mount;
  const isReadOnly = fs.isReadOnly || (mount.flags & MS_RDONLY) !== 0;
  return `${escape(mount.source, SOURCE_SPECIAL)} ` +
    `${escape(mountpoint, PATH_SPECIAL)} ${fs.typeName} ` +
    `${isReadOnly ? "ro" : "rw"}${mountOptions(mount)}${fs.options()} 0 0\n`;
}

/** Optional fields, each with a space behind it. */
function propagationFields({ peers, master, isUnbindable }: Mount): string {
  const shared = peers === null ? "" : `shared:${peers.id} `;
  const slave = master === null ? "" : `master:${master.id} `;
  return shared + slave + (isUnbindable ? "unbindable " : "");
}

function mountinfoRow(row: MountRow): ByteString {
  const { mount, parentId, root, mountpoint } = row;
  const { fs } = mount;
  return `${mount.id} ${parentId} ${major(fs.device)}:${minor(fs.device)} ` +
    `${escape(root, PATH_SPECIAL)} ${escape(mountpoint, PATH_SPECIAL)} ` +
    `${(mount.flags & MS_RDONLY) !== 0 ? "ro" : "rw"}${mountOptions(mount)} ` +
    `${propagationFields(mount)}- ${fs.typeName} ${
      escape(mount.source, SOURCE_SPECIAL)
    } ` +
    `${fs.isReadOnly ? "ro" : "rw"}${fs.options()}\n`;
}

function mountstatsRow({ mount, mountpoint }: MountRow): ByteString {
  return `device ${escape(mount.source, SOURCE_SPECIAL)} mounted on ` +
    `${escape(mountpoint, PATH_SPECIAL)} with fstype ${mount.fs.typeName}\n`;
}

/** EINVAL: the process has ended. */
function rows(
  ref: ProcessRef,
  show: (row: MountRow) => ByteString,
): ByteString | Errno {
  const { fsContext } = ref;
  if (fsContext === null) return EINVAL;
  let text = "";
  for (const row of ref.root.kernel.vfs.mountRows(fsContext.root)) {
    text += show(row);
  }
  return text;
}

export function pidMounts(ref: ProcessRef): ByteString | Errno {
  return rows(ref, mountsRow);
}
export function pidMountinfo(ref: ProcessRef): ByteString | Errno {
  return rows(ref, mountinfoRow);
}
export function pidMountstats(ref: ProcessRef): ByteString | Errno {
  return rows(ref, mountstatsRow);
}
