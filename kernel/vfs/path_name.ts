/**
 * The path of a place, as getcwd(2), /proc/pid/fd and /proc/pid/maps show it
 * (d_path()). Source: getcwd(2), proc_pid_fd(5).
 * @module
 */
import type { ByteString } from "../mm/user_memory.ts";
import type { VfsPath } from "./mount.ts";

/** A path, and what is peculiar about it. */
export interface PathName {
  /** Absolute path below the root asked for, or as far up as it goes; the whole
   * text for a nameless file such as "pipe:[7]". */
  readonly text: ByteString;
  readonly isDeleted: boolean;
  /** True if the root asked for is not above the place. */
  readonly isUnreachable: boolean;
}

/** The path of `place` as seen from `root`, or (null) from the namespace's. */
export function nameOf(root: VfsPath | null, place: VfsPath): PathName {
  let { mount, dentry } = place;
  const isDeleted = dentry.isDeleted;
  if (dentry.parent === null && dentry !== mount.root) {
    return { text: dentry.name, isDeleted, isUnreachable: false };
  }
  let text = "";
  let isUnreachable = false;
  while (dentry !== root?.dentry || mount !== root.mount) {
    if (dentry === mount.root) {
      if (mount.parent === null || mount.mountpoint === null) {
        isUnreachable = root !== null;
        break;
      }
      dentry = mount.mountpoint;
      mount = mount.parent;
      continue;
    }
    if (dentry.parent === null) {
      isUnreachable = true;
      break;
    }
    text = "/" + dentry.name + text;
    dentry = dentry.parent;
  }
  return { text: text === "" ? "/" : text, isDeleted, isUnreachable };
}

/** As /proc/pid/fd/N, cwd and maps show it: "/gone (deleted)". */
export function showPath(root: VfsPath | null, place: VfsPath): ByteString {
  const name = nameOf(root, place);
  return name.isDeleted ? name.text + " (deleted)" : name.text;
}
