/**
 * TableDirectory: a directory whose names are an EntryTable's. Subclasses may
 * add names of their own behind them.
 * @module
 */
import { IFTODT } from "../../abi/dirent.ts";
import { ENOENT, type Errno, isErrno } from "../../abi/errno.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import { FIRST_COOKIE } from "../../vfs/directory_index.ts";
import type { DirectorySink, Inode } from "../../vfs/inode.ts";
import type { EntryTable } from "./entry_table.ts";
import { KernfsDirectory } from "./kernfs_directory.ts";
import type { KernfsHome, Subject } from "./kernfs_inode.ts";

/** A directory whose names are a table. Inode numbers are `ino` of its tree's
 * base plus the entry's number. */
export class TableDirectory<S extends Subject> extends KernfsDirectory<S> {
  readonly #home: KernfsHome;
  readonly table: EntryTable<S>;
  /** Inode number of the tree that the table's numbers count from. */
  readonly inoBase: number;
  readonly #gone: Errno;

  constructor(
    home: KernfsHome,
    subject: S,
    table: EntryTable<S>,
    options: {
      readonly inoBase: number;
      readonly ino: number;
      readonly mode: number;
      /** What a search says once the subject is gone; ENOENT by default. */
      readonly gone?: Errno;
    },
  ) {
    super(home, subject, options.ino, options.mode);
    this.#home = home;
    this.table = table;
    this.inoBase = options.inoBase;
    this.#gone = options.gone ?? ENOENT;
    this.nlink = 2 + table.directoryCount;
  }

  override get hasFixedNames(): boolean {
    return true;
  }

  override lookup(name: ByteString): Inode | null | Errno {
    if (!this.subject.isCurrent) return this.#gone;
    const entry = this.table.get(name);
    if (entry === undefined) return null;
    return entry.make(this.#home, this.subject, this.inoBase);
  }

  override readDirectory(cookie: number, sink: DirectorySink): Errno | null {
    const end = this.emitTable(cookie, sink);
    return isErrno(end) ? end : null;
  }

  /** Emits the table's entries; true if all fitted. Cookies from
   * FIRST_COOKIE + table.length on are the subclass's. */
  protected emitTable(cookie: number, sink: DirectorySink): boolean | Errno {
    if (!this.subject.isCurrent) return ENOENT;
    const { entries } = this.table;
    for (let i = cookie - FIRST_COOKIE; i < entries.length; i++) {
      const entry = entries[i]!;
      const ino = this.inoBase + entry.number;
      const next = FIRST_COOKIE + i + 1;
      if (!sink.emit(entry.name, ino, IFTODT(entry.mode), next)) return false;
    }
    return true;
  }
}
