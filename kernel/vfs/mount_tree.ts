/**
 * The tree of Mounts of one mount namespace: which Mount covers a place,
 * attaching, detaching and copying subtrees, and rows for /proc. Source:
 * mount_namespaces(7), proc_pid_mountinfo(5).
 * @module
 */
import type { Dentry } from "./dentry.ts";
import { Mount, type VfsPath } from "./mount.ts";

/** The Mount whose mountpoint is `dentry` as seen through `parent`. At most one
 * is: another mount(2) on the same path goes on top of it. */
export function mountAt(parent: Mount, dentry: Dentry): Mount | null {
  for (const mount of parent.children) {
    if (mount.mountpoint === dentry) return mount;
  }
  return null;
}

/** Hangs a Mount that is in no tree at a place. */
export function attachMount(mount: Mount, at: VfsPath): void {
  mount.parent = at.mount;
  mount.mountpoint = at.dentry;
  at.dentry.acquire();
  at.dentry.mountCount++;
  at.mount.children.push(mount);
  mount.isAttached = true;
}

/** Takes a Mount, with everything below it, out of its parent. The Mounts
 * below stay attached to it. */
export function unhookMount(mount: Mount): void {
  const parent = mount.parent;
  const mountpoint = mount.mountpoint;
  if (parent === null || mountpoint === null) return;
  parent.children.splice(parent.children.indexOf(mount), 1);
  mount.parent = null;
  mount.mountpoint = null;
  mountpoint.mountCount--;
  mountpoint.release();
}

/** The Mount and all below it, parents first, in mount order. */
export function* mountSubtree(top: Mount): Generator<Mount> {
  const pending = [top];
  for (let mount = pending.pop(); mount; mount = pending.pop()) {
    yield mount;
    pending.push(...mount.children.toReversed());
  }
}

/** The root Mount of the namespace (or detached tree) of a Mount. */
export function namespaceRoot(mount: Mount): Mount {
  let at = mount;
  while (at.parent !== null) at = at.parent;
  return at;
}

/** True if `top` is `mount` or above it. */
export function isMountAbove(top: Mount, mount: Mount): boolean {
  for (let at: Mount | null = mount; at !== null; at = at.parent) {
    if (at === top) return true;
  }
  return false;
}

/** Detaches a whole subtree (umount with MNT_DETACH): what is busy lives on by
 * itself, out of reach. */
export function detachSubtree(top: Mount): void {
  const mounts = [...mountSubtree(top)];
  // Children first, so that no Mount loses its parent's Dentries early.
  for (const mount of mounts.reverse()) {
    unhookMount(mount);
    mount.detach();
  }
}

/**
 * Copies a Mount and, if `isRecursive`, those below it that lie under `root`,
 * for bind mounts and new namespaces. Unbindable Mounts below are left out of bind
 * mounts.
 */
export function copySubtree(
  source: Mount,
  root: Dentry,
  options: {
    readonly isRecursive: boolean;
    readonly nextId: () => number;
    /** A new namespace has them, too. */
    readonly withUnbindable?: boolean;
    /** Told of each pair, so that a new namespace can move its tasks over. */
    readonly onCopy?: (from: Mount, to: Mount) => void;
  },
): Mount {
  const copy = new Mount(
    options.nextId(),
    source.fs,
    root,
    null,
    null,
    source.flags,
    source.source,
  );
  copy.isUnbindable = source.isUnbindable;
  options.onCopy?.(source, copy);
  if (!options.isRecursive) return copy;
  for (const child of source.children) {
    const mountpoint = child.mountpoint!;
    if (child.isUnbindable && options.withUnbindable !== true) continue;
    if (!root.isAncestorOf(mountpoint)) continue;
    const childCopy = copySubtree(child, child.root, options);
    attachMount(childCopy, copy.placeOf(mountpoint));
  }
  return copy;
}
