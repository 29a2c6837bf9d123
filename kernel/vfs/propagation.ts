/**
 * Mount propagation: shared, slave, private and unbindable mounts. What is
 * mounted on, or unmounted from, a shared mount is so on its peers and, from
 * there down, on their slaves. Source: mount_namespaces(7),
 * Documentation/filesystems/sharedsubtree.rst.
 *
 * Peers are a PeerGroup; a slave knows the group that it receives from. A mount
 * may be both, slave of one group and peer in another.
 * @module
 */
import { EBUSY, EINVAL, ENOSPC, type Errno } from "../abi/errno.ts";
import {
  MS_PRIVATE,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
} from "../abi/mount.ts";
import type { Mount, PeerGroup, VfsPath } from "./mount.ts";
import {
  attachMount,
  copySubtree,
  mountAt,
  mountSubtree,
  namespaceRoot,
  unhookMount,
} from "./mount_tree.ts";
import type { VfsCore } from "./vfs_core.ts";

/** Mounts that one namespace may have (Linux: fs.mount-max). */
export const MAX_MOUNTS = 4096;

/** Changes how a mount propagates; `type`: one of MS_SHARED, MS_SLAVE,
 * MS_PRIVATE, MS_UNBINDABLE. */
export function changePropagation(
  core: VfsCore,
  mount: Mount,
  type: number,
): void {
  switch (type) {
    case MS_SHARED:
      mount.isUnbindable = false;
      if (mount.peers === null) joinPeers(mount, core.newPeerGroup());
      break;
    case MS_SLAVE: {
      const group = mount.peers;
      leavePeers(core, mount);
      mount.isUnbindable = false;
      if (group !== null && group.members.size > 0) followMaster(mount, group);
      break;
    }
    case MS_PRIVATE:
    case MS_UNBINDABLE:
      leavePeers(core, mount);
      followMaster(mount, null);
      mount.isUnbindable = type === MS_UNBINDABLE;
      break;
  }
}

function joinPeers(mount: Mount, group: PeerGroup): void {
  mount.peers = group;
  group.members.add(mount);
}

function followMaster(mount: Mount, group: PeerGroup | null): void {
  mount.master?.slaves.delete(mount);
  mount.master = group;
  group?.slaves.add(mount);
}

/** The slaves of a group whose last peer leaves follow that one's master. */
function leavePeers(core: VfsCore, mount: Mount): void {
  const group = mount.peers;
  if (group === null) return;
  mount.peers = null;
  group.members.delete(mount);
  if (group.members.size > 0) return;
  for (const slave of [...group.slaves]) followMaster(slave, mount.master);
  core.endPeerGroup(group);
}

/** A copy of a mount is a peer of it, and has the same master. */
export function joinAsCopy(from: Mount, to: Mount): void {
  if (from.peers !== null) joinPeers(to, from.peers);
  followMaster(to, from.master);
}

/** A copy that only receives. */
function joinAsSlave(from: Mount, to: Mount): void {
  followMaster(to, from.peers ?? from.master);
}

/** How the copies for one receiver are related to the mounts that they copy. */
interface Receiver {
  readonly mount: Mount;
  readonly isSlave: boolean;
  /** Copies here start peer groups of their own. */
  readonly isShared: boolean;
  /** Which receiver's copy to copy; null: the original. */
  readonly source: Receiver | null;
}

/** Everybody who receives what happens in `parent`, masters first. */
function receivers(parent: Mount): Receiver[] {
  const found: Receiver[] = [];
  if (parent.peers === null) return found;
  const seen = new Set<Mount>([parent]);
  const visit = (group: PeerGroup, source: Receiver | null) => {
    for (const mount of group.members) {
      if (seen.has(mount)) continue;
      seen.add(mount);
      found.push({ mount, isSlave: false, isShared: false, source });
    }
    for (const mount of group.slaves) {
      if (seen.has(mount)) continue;
      seen.add(mount);
      const isShared = mount.peers !== null;
      const receiver = { mount, isSlave: true, isShared, source };
      found.push(receiver);
      if (mount.peers !== null) visit(mount.peers, receiver);
    }
  };
  visit(parent.peers, null);
  return found;
}

/** Hangs a tree of mounts at a place, and copies of it wherever that
 * propagates to. ENOSPC: too many mounts; EINVAL: an unbindable mount would
 * have to be copied. */
export function attachTree(
  core: VfsCore,
  tree: Mount,
  at: VfsPath,
): Errno | null {
  const mounts = [...mountSubtree(tree)];
  const isShared = at.mount.peers !== null;
  const all = receivers(at.mount);
  const refused = checkRoom(at.mount, mounts.length) ?? all.reduce(
    (failed: Errno | null, { mount }) =>
      failed ?? checkRoom(mount, mounts.length * all.length),
    null,
  );
  if (refused !== null) return refused;
  if (isShared && mounts.some((mount) => mount.isUnbindable)) return EINVAL;
  if (isShared) { for (const mount of mounts) share(core, mount); }
  attachMount(tree, at);

  const copies = new Map<Receiver, Mount>();
  for (const receiver of all) {
    const { mount, source } = receiver;
    if (!mount.root.isAncestorOf(at.dentry)) continue;
    const original = source === null ? tree : copies.get(source) ?? tree;
    const copy = copySubtree(original, original.root, {
      isRecursive: true,
      nextId: () => core.nextMountId(),
      onCopy: receiver.isSlave ? joinAsSlave : joinAsCopy,
    });
    if (receiver.isShared) {
      for (const m of mountSubtree(copy)) share(core, m);
    }
    copies.set(receiver, copy);
    tuckUnder(copy, mount.placeOf(at.dentry));
  }
  return null;
}

function share(core: VfsCore, mount: Mount): void {
  if (mount.peers === null) joinPeers(mount, core.newPeerGroup());
}

/** What a receiver has already mounted there stays on top. */
function tuckUnder(copy: Mount, at: VfsPath): void {
  const covering = mountAt(at.mount, at.dentry);
  if (covering !== null) unhookMount(covering);
  attachMount(copy, at);
  if (covering !== null) attachMount(covering, copy.placeOf(copy.root));
}

/** ENOSPC: the namespace that `mount` is in has no room for `count` more. */
export function checkRoom(mount: Mount, count: number): Errno | null {
  let mounts = count;
  for (const _ of mountSubtree(namespaceRoot(mount))) mounts++;
  return mounts > MAX_MOUNTS ? ENOSPC : null;
}

/** What else goes when `mount` is unmounted: what receivers of its parent have
 * at the same place. EBUSY: one of these is in use (unless `isLazy`). */
export function propagatedUmounts(
  mount: Mount,
  isLazy: boolean,
): readonly Mount[] | Errno {
  const { parent, mountpoint } = mount;
  if (parent === null || mountpoint === null) return [];
  const found: Mount[] = [];
  for (const receiver of receivers(parent)) {
    const child = mountAt(receiver.mount, mountpoint);
    if (child === null) continue;
    // What hides below other mounts stays.
    if (child.children.some(({ mountpoint }) => mountpoint !== child.root)) {
      continue;
    }
    if (!isLazy && child.isBusy) return EBUSY;
    found.push(child);
  }
  return found;
}

/** Takes a mount from under what covers its root, if anything does. */
export function liftCover(mount: Mount): void {
  const { parent, mountpoint } = mount;
  if (parent === null || mountpoint === null) return;
  const cover = mountAt(mount, mount.root);
  if (cover === null) return;
  unhookMount(cover);
  unhookMount(mount);
  attachMount(cover, parent.placeOf(mountpoint));
}
