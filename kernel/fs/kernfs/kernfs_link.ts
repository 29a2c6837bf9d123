/**
 * Symlinks of synthetic trees, those of fixed or computed text and the magic
 * ones that lead to a place without a walk (proc_pid_fd(5), symlink(7)).
 * @module
 */
import type { Errno } from "../../abi/errno.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { type KernfsHome, KernfsInode, type Subject } from "./kernfs_inode.ts";

/** Where a symlink leads. */
export interface LinkRules<S extends Subject> {
  /** The text that readlink(2) gives. */
  read(subject: S, caller: Caller): ByteString | Errno;
  /** For magic links: the place itself. */
  follow?(subject: S, caller: Caller): VfsPath | Errno;
}

/** A symlink that a row of an EntryTable describes. */
export class TableLink<S extends Subject> extends KernfsInode<S> {
  readonly #rules: LinkRules<S>;

  constructor(
    home: KernfsHome,
    subject: S,
    ino: number,
    mode: number,
    rules: LinkRules<S>,
  ) {
    super(home, subject, ino, mode);
    this.#rules = rules;
  }

  override readlink(caller: Caller): ByteString | Errno {
    return this.#rules.read(this.subject, caller);
  }
  override followMagic(caller: Caller): VfsPath | Errno | null {
    return this.#rules.follow?.(this.subject, caller) ?? null;
  }
}
