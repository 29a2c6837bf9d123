/**
 * Rows of EntryTables: files, symlinks, directories, and inodes of other
 * classes.
 *
 *     file("version", 0o444, (kernel) => ...)
 * @module
 */
import { S_IFDIR, S_IFLNK, S_IFREG } from "../../abi/stat.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Inode } from "../../vfs/inode.ts";
import { Entry, EntryTable } from "./entry_table.ts";
import { type FileRules, TableFile } from "./generated_file.ts";
import type { KernfsHome, Subject } from "./kernfs_inode.ts";
import { type LinkRules, TableLink } from "./kernfs_link.ts";
import { TableDirectory } from "./table_directory.ts";

class FileEntry<S extends Subject> extends Entry<S> {
  constructor(name: ByteString, mode: number, readonly rules: FileRules<S>) {
    super(name, S_IFREG | mode);
  }
  override make(home: KernfsHome, subject: S, inoBase: number): Inode {
    const { number, mode, rules } = this;
    return new TableFile(home, subject, inoBase + number, mode, rules);
  }
}

/** A regular file with a function that makes its content, or full rules. */
export function file<S extends Subject>(
  name: ByteString,
  mode: number,
  rules: FileRules<S> | FileRules<S>["read"],
): Entry<S> {
  const full = typeof rules === "function" ? { read: rules } : rules;
  return new FileEntry(name, mode, full);
}

class LinkEntry<S extends Subject> extends Entry<S> {
  constructor(name: ByteString, readonly rules: LinkRules<S>) {
    super(name, S_IFLNK | 0o777);
  }
  override make(home: KernfsHome, subject: S, inoBase: number): Inode {
    const { number, mode, rules } = this;
    return new TableLink(home, subject, inoBase + number, mode, rules);
  }
}

/** A symlink with a fixed text, a function that makes it, or full rules. */
export function link<S extends Subject>(
  name: ByteString,
  target: ByteString | LinkRules<S>["read"] | LinkRules<S>,
): Entry<S> {
  if (typeof target === "string") {
    return new LinkEntry<S>(name, { read: () => target });
  }
  if (typeof target === "function") {
    return new LinkEntry<S>(name, { read: target });
  }
  return new LinkEntry(name, target);
}

class DirectoryEntry<S extends Subject> extends Entry<S> {
  readonly #table: EntryTable<S>;

  constructor(name: ByteString, mode: number, entries: readonly Entry<S>[]) {
    super(name, S_IFDIR | mode);
    this.#table = new EntryTable(entries);
  }
  override enumerate(next: number): number {
    return this.#table.enumerate(super.enumerate(next));
  }
  override make(home: KernfsHome, subject: S, inoBase: number): Inode {
    return new TableDirectory(home, subject, this.#table, {
      inoBase,
      ino: inoBase + this.number,
      mode: this.mode & 0o7777,
    });
  }
}

/** A directory of further rows. */
export function directory<S extends Subject>(
  name: ByteString,
  mode: number,
  entries: readonly Entry<S>[],
): Entry<S> {
  return new DirectoryEntry(name, mode, entries);
}

/** Makes an inode of the caller's own kind. */
export type MakeInode<S extends Subject> = (
  home: KernfsHome,
  subject: S,
  ino: number,
  mode: number,
) => Inode;

class NodeEntry<S extends Subject> extends Entry<S> {
  constructor(
    name: ByteString,
    mode: number,
    readonly makeInode: MakeInode<S>,
  ) {
    super(name, mode);
  }
  override make(home: KernfsHome, subject: S, inoBase: number): Inode {
    return this.makeInode(home, subject, inoBase + this.number, this.mode);
  }
}

/** An inode of another class; `mode` includes its S_IFMT type. */
export function node<S extends Subject>(
  name: ByteString,
  mode: number,
  make: MakeInode<S>,
): Entry<S> {
  return new NodeEntry(name, mode, make);
}
