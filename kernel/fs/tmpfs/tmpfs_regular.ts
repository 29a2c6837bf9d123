/**
 * Regular files of tmpfs, which sealed are memfds. Source: tmpfs(5),
 * memfd_create(2), fcntl(2) "File Sealing".
 * @module
 */
import { EBUSY, EPERM, type Errno } from "../../abi/errno.ts";
import {
  F_SEAL_EXEC,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
} from "../../abi/fcntl.ts";
import type { Mappable, MappedRange } from "../../mm/mappable.ts";
import { MappedFile } from "../../mm/mapped_file.ts";
import { PageCache } from "../../mm/page_cache.ts";
import type { Timespec } from "../../time/clock.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { AttributeChange, NewInode } from "../../vfs/inode.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import {
  type CachedFile,
  RegularFileDescription,
} from "../../vfs/regular_file.ts";
import { type TmpfsHome, TmpfsInode } from "./tmpfs_inode.ts";

const NO_WRITE = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;

export class TmpfsRegular extends TmpfsInode implements CachedFile {
  readonly pages: PageCache;
  /** F_SEAL_*. Files with a name can't be sealed, and say so by F_SEAL_SEAL. */
  seals = F_SEAL_SEAL;

  constructor(home: TmpfsHome, what: NewInode) {
    super(home, what);
    this.pages = new PageCache(home.memoryFile, null, { usage: home });
  }

  protected override freeData(): void {
    this.pages.dispose();
  }

  override open(path: VfsPath, flags: number): FileDescription {
    return new RegularFileDescription(path, flags, this);
  }

  /** Pages come and go with mappings, too. */
  override refresh(): null {
    this.blocks = this.pages.residentPages * 8;
    return null;
  }

  override setAttributes(change: AttributeChange): Errno | null {
    const { size } = change;
    if (size !== undefined) {
      const sealed = size < this.size ? F_SEAL_SHRINK : F_SEAL_GROW;
      if (size !== this.size && (this.seals & sealed) !== 0) return EPERM;
      this.pages.truncate(size);
      this.size = size;
      this.version++;
    }
    if (change.mode !== undefined && (this.seals & F_SEAL_EXEC) !== 0) {
      if (((change.mode ^ this.mode) & 0o111) !== 0) return EPERM;
    }
    this.applyAttributes(change);
    return null;
  }

  checkWrite(end: number): Errno | null {
    if ((this.seals & NO_WRITE) !== 0) return EPERM;
    const isGrowing = end > this.pages.size;
    return isGrowing && (this.seals & F_SEAL_GROW) !== 0 ? EPERM : null;
  }

  onWritten(now: Timespec): void {
    this.size = this.pages.size;
    this.blocks = this.pages.residentPages * 8;
    this.mtime = now;
    this.ctime = now;
    this.version++;
  }

  mappableFor(open: FileDescription): Mappable {
    return new SealedMapping(this, open);
  }

  /** F_ADD_SEALS. EPERM: sealed against it; EBUSY: F_SEAL_WRITE while a shared
   * mapping may write. */
  addSeals(seals: number): Errno | null {
    if ((this.seals & F_SEAL_SEAL) !== 0) return EPERM;
    const isWriteNew = (seals & F_SEAL_WRITE) !== 0 &&
      (this.seals & F_SEAL_WRITE) === 0;
    if (isWriteNew && this.pages.isWritablyMapped) return EBUSY;
    this.seals |= seals;
    return null;
  }
}

/** Mappings of a file sealed against writing are read-only or private. */
class SealedMapping extends MappedFile {
  readonly #file: TmpfsRegular;

  constructor(file: TmpfsRegular, open: FileDescription) {
    super(file.pages, open);
    this.#file = file;
  }

  override addMapping(
    range: MappedRange,
    fileOffset: number,
    length: number,
    isWritableShared: boolean,
  ): Errno | null {
    if (isWritableShared && (this.#file.seals & NO_WRITE) !== 0) return EPERM;
    return super.addMapping(range, fileOffset, length, isWritableShared);
  }
}
