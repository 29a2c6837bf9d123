/**
 * /proc/PID/fd and fdinfo: a name per open descriptor. Source: proc_pid_fd(5),
 * proc_pid_fdinfo(5).
 * @module
 */
import { DT_LNK, DT_REG } from "../../abi/dirent.ts";
import { ENOENT, type Errno, isErrno } from "../../abi/errno.ts";
import { O_CLOEXEC } from "../../abi/fcntl.ts";
import { S_IFLNK, S_IFREG } from "../../abi/stat.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import { FIRST_COOKIE } from "../../vfs/directory_index.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { DirectorySink, Inode } from "../../vfs/inode.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { showPath } from "../../vfs/path_name.ts";
import { type Content, GeneratedFile } from "../kernfs/generated_file.ts";
import { KernfsDirectory } from "../kernfs/kernfs_directory.ts";
import { type KernfsHome, KernfsInode } from "../kernfs/kernfs_inode.ts";
import { checkTraceAccess } from "./access.ts";
import { numberOf } from "./parse.ts";
import type { ProcessRef } from "./process_ref.ts";

/** Inode numbers of descriptors within a process's tree. */
const FD_INOS = 2 ** 20;
const FDINFO_INOS = 2 ** 21;
/** Size that Linux gives to these links. */
const LINK_SIZE = 64;

abstract class DescriptorDirectory extends KernfsDirectory<ProcessRef> {
  readonly home: KernfsHome;

  constructor(
    home: KernfsHome,
    ref: ProcessRef,
    ino: number,
    mode: number,
  ) {
    super(home, ref, ino, mode);
    this.home = home;
  }

  abstract inoOf(fd: number): number;
  abstract readonly entryType: number;
  abstract make(fd: number): Inode;

  /** The size counts the open descriptors. */
  override refresh(): Errno | null {
    this.size = [...this.subject.fdTable?.fds() ?? []].length;
    return super.refresh();
  }

  override lookup(name: ByteString): Inode | null | Errno {
    const { fdTable } = this.subject;
    if (fdTable === null || !this.subject.isCurrent) return ENOENT;
    const fd = numberOf(name);
    return fd < 0 || fdTable.get(fd) === null ? null : this.make(fd);
  }

  override readDirectory(cookie: number, sink: DirectorySink): Errno | null {
    const { fdTable } = this.subject;
    if (!this.subject.isCurrent) return ENOENT;
    if (fdTable === null) return null;
    for (let fd = cookie - FIRST_COOKIE; fd < fdTable.length; fd++) {
      if (fdTable.get(fd) === null) continue;
      const next = FIRST_COOKIE + fd + 1;
      if (!sink.emit(`${fd}`, this.inoOf(fd), this.entryType, next)) break;
    }
    return null;
  }
}

/** /proc/PID/fd. */
export class FdDirectory extends DescriptorDirectory {
  override readonly entryType = DT_LNK;
  override inoOf(fd: number): number {
    return this.subject.ino + FD_INOS + fd;
  }
  override make(fd: number): Inode {
    return new FdLink(this.home, this.subject, this.inoOf(fd), fd);
  }
}

/** /proc/PID/fdinfo. */
export class FdInfoDirectory extends DescriptorDirectory {
  override readonly entryType = DT_REG;
  override inoOf(fd: number): number {
    return this.subject.ino + FDINFO_INOS + fd;
  }
  override make(fd: number): Inode {
    return new FdInfoFile(this.home, this.subject, this.inoOf(fd), fd);
  }
}

/** Mode of the link of a descriptor: rights as it was opened. */
function linkMode(file: FileDescription): number {
  return S_IFLNK | (file.isReadable ? 0o500 : 0) |
    (file.isWritable ? 0o300 : 0);
}

class FdLink extends KernfsInode<ProcessRef> {
  readonly #fd: number;

  constructor(home: KernfsHome, ref: ProcessRef, ino: number, fd: number) {
    super(home, ref, ino, S_IFLNK | 0o700);
    this.#fd = fd;
    this.size = LINK_SIZE;
    this.isCurrent();
  }

  #file(): FileDescription | null {
    return this.subject.fdTable?.get(this.#fd) ?? null;
  }
  override isCurrent(): boolean {
    const file = this.#file();
    if (file === null) return false;
    this.mode = linkMode(file);
    return super.isCurrent();
  }
  override refresh(): Errno | null {
    this.isCurrent();
    return null;
  }

  override followMagic(caller: Caller): VfsPath | Errno {
    const denied = checkTraceAccess(caller, this.subject.task);
    if (denied !== null) return denied;
    return this.#file()?.path ?? ENOENT;
  }
  override readlink(caller: Caller): ByteString | Errno {
    const place = this.followMagic(caller);
    return isErrno(place) ? place : showPath(caller.fsContext.root, place);
  }
}

class FdInfoFile extends GeneratedFile<ProcessRef> {
  readonly #fd: number;

  constructor(home: KernfsHome, ref: ProcessRef, ino: number, fd: number) {
    super(home, ref, ino, S_IFREG | 0o444);
    this.#fd = fd;
  }

  override isCurrent(): boolean {
    return super.isCurrent() &&
      (this.subject.fdTable?.get(this.#fd) ?? null) !== null;
  }
  protected override refuseOpen(_flags: number, caller: Caller): Errno | null {
    return checkTraceAccess(caller, this.subject.task);
  }
  override generate(): Content | Errno {
    const { fdTable } = this.subject;
    const file = fdTable?.get(this.#fd) ?? null;
    if (fdTable === null || file === null) return ENOENT;
    const flags = file.flags |
      (fdTable.isCloseOnExec(this.#fd) ? O_CLOEXEC : 0);
    return `pos:\t${file.offset}\n` +
      `flags:\t0${flags.toString(8)}\n` +
      `mnt_id:\t${file.path.mount.id}\n` +
      `ino:\t${file.inode.ino}\n` + file.showInfo();
  }
}
