/**
 * EntryTable: a part of a synthetic tree as data. Inodes are made when a name
 * is first walked, so a large tree costs nothing until it is used. Tables are
 * constants: what they show comes in as the subject. The kinds of rows are in
 * entries.ts.
 * @module
 */
import { S_IFDIR, S_IFMT } from "../../abi/stat.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Inode } from "../../vfs/inode.ts";
import type { KernfsHome, Subject } from "./kernfs_inode.ts";

/** A row: a name and how its inode is made. */
export abstract class Entry<S extends Subject> {
  /** Place within its tree; inode numbers are counted from it. */
  number = 0;

  constructor(readonly name: ByteString, readonly mode: number) {}

  abstract make(home: KernfsHome, subject: S, inoBase: number): Inode;
  /** Numbers itself and what is below; the next free number. An entry that is
   * in several tables must have the same place in all. */
  enumerate(next: number): number {
    if (this.number !== 0 && this.number !== next) {
      throw new Error(`Entry "${this.name}" has two numbers`);
    }
    this.number = next;
    return next + 1;
  }
}

export class EntryTable<S extends Subject> {
  readonly #byName = new Map<ByteString, Entry<S>>();
  readonly directoryCount: number;

  constructor(readonly entries: readonly Entry<S>[]) {
    let directories = 0;
    for (const entry of entries) {
      if (this.#byName.has(entry.name)) {
        throw new Error(`Two entries are named "${entry.name}"`);
      }
      this.#byName.set(entry.name, entry);
      if ((entry.mode & S_IFMT) === S_IFDIR) directories++;
    }
    this.directoryCount = directories;
  }

  get(name: ByteString): Entry<S> | undefined {
    return this.#byName.get(name);
  }

  /** Numbers all entries below; for the table at the top of a tree. */
  enumerate(first: number): number {
    let next = first;
    for (const entry of this.entries) next = entry.enumerate(next);
    return next;
  }
}
