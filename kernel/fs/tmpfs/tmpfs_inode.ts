/**
 * TmpfsInode: what all inodes of tmpfs share, and all that symlinks, device
 * nodes, FIFOs and sockets need. An inode lives while it has a name or somebody
 * holds it. Source: tmpfs(5).
 * @module
 */
import { EINVAL, type Errno } from "../../abi/errno.ts";
import type { PageUsage } from "../../mm/page_cache.ts";
import type { MemoryFile } from "../../mm/memory_file.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Clock, Timespec } from "../../time/clock.ts";
import type { FileSystem } from "../../vfs/file_system.ts";
import type { NewInode } from "../../vfs/inode.ts";
import { MemoryInode } from "../../vfs/memory_inode.ts";

/** What inodes need of their instance. */
export interface TmpfsHome extends FileSystem, PageUsage {
  readonly memoryFile: MemoryFile;
  readonly clock: Clock;
  nextIno(): number;
  /** Counts an inode. ENOSPC. */
  takeInode(): Errno | null;
  dropInode(): void;
}

export class TmpfsInode extends MemoryInode {
  readonly home: TmpfsHome;
  readonly #target: ByteString;
  #isDisposed = false;

  /** Precondition: takeInode() succeeded. */
  constructor(home: TmpfsHome, what: NewInode) {
    super(home, home.nextIno(), what.mode, home.clock.realtime());
    this.home = home;
    this.uid = what.uid;
    this.gid = what.gid;
    this.rdev = what.rdev;
    this.#target = what.target;
    this.size = what.target.length;
  }

  override readlink(): ByteString | Errno {
    return this.isSymlink ? this.#target : EINVAL;
  }

  /** A name of it came or went. */
  changeLinks(by: number, now: Timespec): void {
    this.nlink += by;
    this.ctime = now;
  }

  /** Ends it if no name is left and nobody holds it. */
  collect(): void {
    if (this.nlink === 0 && !this.isReferenced) this.dispose();
  }
  protected override evict(): void {
    this.collect();
  }

  /** Frees its data and its place in nr_inodes. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.home.dropInode();
    this.freeData();
  }
  protected freeData(): void {}
}
