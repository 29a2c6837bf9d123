/**
 * nsfs: a file per namespace, whose inode number tells namespaces apart.
 * Source: namespaces(7), ioctl_ns(2).
 * @module
 */
import { EINVAL, ENOTTY, EPERM, type Errno, isErrno } from "../../abi/errno.ts";
import { O_CLOEXEC, O_RDONLY } from "../../abi/fcntl.ts";
import { NSFS_MAGIC } from "../../abi/magic.ts";
import {
  NS_GET_NSTYPE,
  NS_GET_OWNER_UID,
  NS_GET_PARENT,
  NS_GET_USERNS,
} from "../../abi/nsfs.ts";
import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
} from "../../abi/sched.ts";
import { S_IFREG } from "../../abi/stat.ts";
import type { Clock } from "../../time/clock.ts";
import type { Caller } from "../../vfs/caller.ts";
import { FileDescription } from "../../vfs/file_description.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { AnonFileSystem, AnonInode } from "../anon_inode.ts";

/** Numbers of the first namespace of each kind (PROC_*_INIT_INO; for net and
 * mnt the first two that Linux hands out). */
const FIRST_INO = {
  cgroup: 0xeffffffb,
  ipc: 0xefffffff,
  mnt: 0xf0000001,
  net: 0xf0000000,
  pid: 0xeffffffc,
  time: 0xeffffffa,
  user: 0xeffffffd,
  uts: 0xeffffffe,
} as const;
export type NamespaceKind = keyof typeof FIRST_INO;

/** Numbers of all later ones. */
const LATER_INO = 0xf0000100;

/** NS_GET_NSTYPE's answers. */
const CLONE_FLAGS: Readonly<Record<NamespaceKind, number>> = {
  cgroup: CLONE_NEWCGROUP,
  ipc: CLONE_NEWIPC,
  mnt: CLONE_NEWNS,
  net: CLONE_NEWNET,
  pid: CLONE_NEWPID,
  time: CLONE_NEWTIME,
  user: CLONE_NEWUSER,
  uts: CLONE_NEWUTS,
};

class NamespaceInode extends AnonInode {
  constructor(
    readonly namespaces: NamespaceFileSystem,
    readonly kind: NamespaceKind,
    ino: number,
  ) {
    super(namespaces, ino, S_IFREG | 0o444, namespaces.clock.realtime());
  }
  override open(path: VfsPath, flags: number): FileDescription {
    return new NamespaceDescription(path, flags, this);
  }
}

/** Holds a namespace; there is nothing to read. */
class NamespaceDescription extends FileDescription {
  readonly #namespace: NamespaceInode;

  constructor(path: VfsPath, flags: number, namespace: NamespaceInode) {
    super(path, flags);
    this.#namespace = namespace;
  }

  /** ioctl_ns(2). EPERM: beyond the first namespace of its kind; EINVAL. */
  override ioctl(
    request: number,
    argument: number,
    caller: Caller,
  ): number | Errno {
    const { kind, namespaces } = this.#namespace;
    switch (request) {
      case NS_GET_USERNS: {
        // The first user namespace owns everything, itself included.
        const place = namespaces.placeOf("user", null);
        const file = place.dentry.inode!.open(place, O_RDONLY, caller);
        return isErrno(file) ? file : caller.installFile(file, O_CLOEXEC);
      }
      case NS_GET_PARENT:
        return kind === "pid" || kind === "user" ? EPERM : EINVAL;
      case NS_GET_NSTYPE:
        return CLONE_FLAGS[kind];
      case NS_GET_OWNER_UID:
        if (kind !== "user") return EINVAL;
        return caller.memory.writeU32(argument, 0) ?? 0;
      default:
        return ENOTTY;
    }
  }
}

/** nsfs: a file per namespace. */
export class NamespaceFileSystem extends AnonFileSystem {
  readonly #places = new Map<number, VfsPath>();
  /** Numbers of namespaces that are not the first of their kind. */
  readonly #inos = new WeakMap<object, number>();
  #lastIno: number = LATER_INO;

  constructor(options: { readonly device: number; readonly clock: Clock }) {
    super({ typeName: "nsfs", magic: NSFS_MAGIC, ...options });
  }

  /** The file of a namespace; `namespace`: null for the first of its kind. */
  placeOf(kind: NamespaceKind, namespace: object | null): VfsPath {
    const ino = this.#inoOf(kind, namespace);
    let place = this.#places.get(ino);
    if (place === undefined) {
      const inode = new NamespaceInode(this, kind, ino);
      place = this.place(inode, `${kind}:[${ino}]`).acquire();
      this.#places.set(ino, place);
    }
    return place;
  }

  #inoOf(kind: NamespaceKind, namespace: object | null): number {
    if (namespace === null) return FIRST_INO[kind];
    let ino = this.#inos.get(namespace);
    if (ino === undefined) {
      ino = this.#lastIno++;
      this.#inos.set(namespace, ino);
    }
    return ino;
  }
}
