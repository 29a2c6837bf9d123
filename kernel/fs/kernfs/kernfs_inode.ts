/**
 * KernfsInode: an inode of a synthetic file system. It shows a *subject*, some
 * object of the kernel, and lasts as long as the subject does. Source: proc(5),
 * sysfs(5).
 * @module
 */
import { EACCES, EPERM, type Errno } from "../../abi/errno.ts";
import { S_IFMT, S_IFREG } from "../../abi/stat.ts";
import type { Clock } from "../../time/clock.ts";
import type { FileSystem } from "../../vfs/file_system.ts";
import { type AttributeChange, Inode, type NewInode } from "../../vfs/inode.ts";
import type { ContentCache } from "./content_cache.ts";

/** What inodes of a synthetic tree need of their file system. */
export interface KernfsHome extends FileSystem {
  readonly clock: Clock;
  readonly contents: ContentCache;
}

/** What a part of a synthetic tree is about. */
export interface Subject {
  /** False once the kernel's object is gone: its names vanish. */
  readonly isCurrent: boolean;
  /** Owner of an inode that shows the subject with this st_mode. */
  uidFor(mode: number): number;
  gidFor(mode: number): number;
}

/** The whole kernel as a subject: always there, owned by root. */
export class RootSubject implements Subject {
  readonly isCurrent: boolean = true;
  uidFor(): number {
    return 0;
  }
  gidFor(): number {
    return 0;
  }
}

export abstract class KernfsInode<S extends Subject = Subject> extends Inode {
  constructor(
    home: KernfsHome,
    readonly subject: S,
    ino: number,
    mode: number,
  ) {
    super(home, ino, mode, home.clock.realtime());
    this.blockSize = 1024;
    this.#own();
  }

  #own(): void {
    this.uid = this.subject.uidFor(this.mode);
    this.gid = this.subject.gidFor(this.mode);
  }

  /** Whether the name that led here still does; brings the owner up to date. */
  isCurrent(): boolean {
    if (!this.subject.isCurrent) return false;
    this.#own();
    return true;
  }

  override refresh(): Errno | null {
    if (this.subject.isCurrent) this.#own();
    return null;
  }

  /** Times may be set, and truncation means nothing; modes and owners are
   * facts. EPERM. */
  override setAttributes(change: AttributeChange): Errno | null {
    if (
      change.mode !== undefined || change.uid !== undefined ||
      change.gid !== undefined
    ) return EPERM;
    if (change.atime !== undefined) this.atime = change.atime;
    if (change.mtime !== undefined) this.mtime = change.mtime;
    return null;
  }

  /** Nobody makes files here: EACCES for open(2), EPERM for the others. */
  override create(_name: string, what: NewInode): Inode | Errno {
    return (what.mode & S_IFMT) === S_IFREG ? EACCES : EPERM;
  }
}
