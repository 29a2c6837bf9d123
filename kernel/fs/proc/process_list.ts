/**
 * /proc: the rows of a table, then a directory per process. Threads that are
 * not leaders have a directory that is not listed. Source: proc(5).
 * @module
 */
import { DT_DIR } from "../../abi/dirent.ts";
import { type Errno, isErrno } from "../../abi/errno.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import { FIRST_COOKIE } from "../../vfs/directory_index.ts";
import type { DirectorySink, Inode } from "../../vfs/inode.ts";
import type { EntryTable } from "../kernfs/entry_table.ts";
import type { KernfsHome } from "../kernfs/kernfs_inode.ts";
import { TableDirectory } from "../kernfs/table_directory.ts";
import { numberOf } from "./parse.ts";
import { processDirectory } from "./process_entries.ts";
import type { ProcRoot } from "./proc_root.ts";
import { ProcessRef } from "./process_ref.ts";

/** Inode number of /proc itself. */
export const PROC_ROOT_INO = 1;

export class ProcessListDirectory extends TableDirectory<ProcRoot> {
  readonly #home: KernfsHome;

  constructor(home: KernfsHome, root: ProcRoot, table: EntryTable<ProcRoot>) {
    super(home, root, table, {
      inoBase: PROC_ROOT_INO,
      ino: PROC_ROOT_INO,
      mode: 0o555,
    });
    this.#home = home;
  }

  override get hasFixedNames(): boolean {
    return false;
  }

  /** The link count counts the processes. */
  override refresh(): Errno | null {
    this.nlink = 2 + this.table.directoryCount + this.#pids().length;
    return super.refresh();
  }

  #pids(): number[] {
    const pids: number[] = [];
    for (const group of this.subject.processes()) pids.push(group.pid);
    return pids.sort((a, b) => a - b);
  }

  override lookup(name: ByteString): Inode | null | Errno {
    const number = numberOf(name);
    if (number < 0) return super.lookup(name);
    const task = this.subject.namespace.task(number);
    if (task === null) return null;
    const ref = new ProcessRef(this.subject, task, true);
    return processDirectory(this.#home, ref);
  }

  override readDirectory(cookie: number, sink: DirectorySink): Errno | null {
    const complete = this.emitTable(cookie, sink);
    if (isErrno(complete)) return complete;
    if (!complete) return null;
    const base = FIRST_COOKIE + this.table.entries.length;
    for (const pid of this.#pids()) {
      if (base + pid < cookie) continue;
      const task = this.subject.namespace.task(pid);
      if (task === null) continue;
      const { ino } = new ProcessRef(this.subject, task, true);
      if (!sink.emit(`${pid}`, ino, DT_DIR, base + pid + 1)) break;
    }
    return null;
  }
}
