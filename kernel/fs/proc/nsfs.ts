/**
 * nsfs: a file per namespace, whose inode number tells namespaces apart.
 * Source: namespaces(7).
 * @module
 */
import { NSFS_MAGIC } from "../../abi/magic.ts";
import { S_IFREG } from "../../abi/stat.ts";
import type { Clock } from "../../time/clock.ts";
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

class NamespaceInode extends AnonInode {
  override open(path: VfsPath, flags: number): FileDescription {
    return new NamespaceDescription(path, flags);
  }
}

/** Holds a namespace for setns(2); there is nothing to read. */
export class NamespaceDescription extends FileDescription {}

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
      const inode = new NamespaceInode(
        this,
        ino,
        S_IFREG | 0o444,
        this.clock.realtime(),
      );
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
