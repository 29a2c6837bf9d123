/**
 * FsConfig: a file system that is being configured, step by step, before it is
 * mounted. Source: fsopen(2), fsconfig(2), fsmount(2).
 * @module
 */
import { EBUSY, EINVAL, ENODATA, type Errno, isErrno } from "../abi/errno.ts";
import { O_RDWR } from "../abi/fcntl.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { Caller } from "../vfs/caller.ts";
import { FileDescription } from "../vfs/file_description.ts";
import type { FileSystem } from "../vfs/file_system.ts";
import type { FileSystemType } from "../vfs/vfs_core.ts";
import type { AnonInodes } from "./anon_inode.ts";

/** Bytes that all options together may take. */
const MAX_OPTIONS = 4096;

export class FsConfig extends FileDescription {
  readonly #type: FileSystemType;
  #source: string | null = null;
  #options: string[] = [];
  #length = 0;
  #made: FileSystem | null = null;
  #isMounted = false;
  isReadOnly = false;

  constructor(anonInodes: AnonInodes, type: FileSystemType) {
    super(anonInodes.placeOf("[fscontext]"), O_RDWR);
    this.#type = type;
  }

  get source(): string {
    return this.#source ?? "none";
  }

  /** FSCONFIG_SET_FLAG, FSCONFIG_SET_STRING (`value` not null). EBUSY: it is
   * made already; EINVAL. */
  set(key: ByteString, value: ByteString | null): Errno | null {
    if (this.#made !== null || this.#isMounted) return EBUSY;
    if (value === null && (key === "ro" || key === "rw")) {
      this.isReadOnly = key === "ro";
      return null;
    }
    if (key === "source") {
      if (value === null || this.#source !== null) return EINVAL;
      this.#source = value;
      return null;
    }
    const option = value === null ? key : `${key}=${value}`;
    this.#length += option.length + 1;
    // A comma would begin another option.
    if (option.includes(",") || this.#length > MAX_OPTIONS) return EINVAL;
    this.#options.push(option);
    return null;
  }

  /** FSCONFIG_CMD_CREATE. EBUSY: made already; the type's errors. */
  make(caller: Caller): Errno | null {
    if (this.#made !== null || this.#isMounted) return EBUSY;
    const fs = this.#type.create(this.source, this.#options.join(","), caller);
    if (isErrno(fs)) return fs;
    this.#made = fs;
    return null;
  }

  /** The file system, once, for its first mount. EINVAL: not made yet; EBUSY:
   * mounted before. */
  take(): FileSystem | Errno {
    if (this.#isMounted) return EBUSY;
    const made = this.#made;
    if (made === null) return EINVAL;
    this.#made = null;
    this.#isMounted = true;
    return made;
  }

  /** Messages of the file system: there are none. */
  override read(): Errno {
    return ENODATA;
  }
  override get isSeekable(): boolean {
    return false;
  }

  protected override onClose(): void {
    this.#made?.release();
  }
}
