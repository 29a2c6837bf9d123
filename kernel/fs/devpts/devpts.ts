/**
 * devpts: the file system of pseudo terminals, /dev/pts. Device nodes are opened
 * by tty_drivers.ts. Every mount is an instance of its own, with its own
 * numbers, as Linux has done since 4.7. Source: pts(4), devpts in
 * Documentation/filesystems/devpts.rst.
 * @module
 */
import {
  makedev,
  TTYAUX_MAJOR,
  UNIX98_PTY_SLAVE_MAJOR,
} from "../../abi/dev.ts";
import { DT_CHR } from "../../abi/dirent.ts";
import { EINVAL, ENOSPC, type Errno, isErrno } from "../../abi/errno.ts";
import { NAME_MAX } from "../../abi/limits.ts";
import { DEVPTS_SUPER_MAGIC } from "../../abi/magic.ts";
import { S_IFCHR, S_IFDIR } from "../../abi/stat.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import { FileSystem, type FileSystemStatus } from "../../vfs/file_system.ts";
import {
  type AttributeChange,
  type DirectorySink,
  Inode,
} from "../../vfs/inode.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { Pty, type PtyOwner } from "./pty.ts";
import { PtyMasterDescription } from "./pty_master.ts";
import type { TtyServices } from "./tty.ts";

/** Terminals that all instances together may have (kernel.pty.max). */
const DEFAULT_MAX = 4096;
const ROOT_INO = 1;
const PTMX_INO = 2;
/** Number of /dev/pts/0; the others follow. */
const FIRST_PTS_INO = 3;
const PTMX_NAME = "ptmx";

/** Mount options. */
export interface DevptsOptions {
  /** Owner of new terminals; null: who opened the master. */
  readonly uid: number | null;
  readonly gid: number | null;
  /** Permission bits of new terminals, and of ptmx. */
  readonly mode: number;
  readonly ptmxMode: number;
  readonly max: number;
}

export const DEVPTS_DEFAULTS: DevptsOptions = Object.freeze({
  uid: null,
  gid: null,
  mode: 0o600,
  ptmxMode: 0,
  max: DEFAULT_MAX,
});

/** Parses "gid=5,mode=620,ptmxmode=666,newinstance". EINVAL. */
export function parseDevptsOptions(data: ByteString): DevptsOptions | Errno {
  let options = DEVPTS_DEFAULTS;
  for (const option of data.split(",")) {
    if (option === "" || option === "newinstance") continue;
    const [key, text] = option.split("=", 2);
    const isOctal = key === "mode" || key === "ptmxmode";
    const pattern = isOctal ? /^[0-7]{1,6}$/ : /^[0-9]{1,10}$/;
    if (text === undefined || !pattern.test(text)) return EINVAL;
    const value = parseInt(text, isOctal ? 8 : 10);
    if (key === "uid") options = { ...options, uid: value };
    else if (key === "gid") options = { ...options, gid: value };
    else if (key === "mode") options = { ...options, mode: value & 0o7777 };
    else if (key === "ptmxmode") {
      options = { ...options, ptmxMode: value & 0o7777 };
    } else if (key === "max" && value <= DEFAULT_MAX) {
      options = { ...options, max: value };
    } else return EINVAL;
  }
  return options;
}

/** How many terminals a kernel has. */
export interface TerminalCount {
  open: number;
}

/** A node whose owner and mode may change: ptmx or a terminal. */
class DevptsNode extends Inode {
  override setAttributes(change: AttributeChange): Errno | null {
    if (change.mode !== undefined) {
      this.mode = (this.mode & ~0o7777) | (change.mode & 0o7777);
    }
    if (change.uid !== undefined) this.uid = change.uid;
    if (change.gid !== undefined) this.gid = change.gid;
    if (change.atime !== undefined) this.atime = change.atime;
    if (change.mtime !== undefined) this.mtime = change.mtime;
    if (change.ctime !== undefined) this.ctime = change.ctime;
    return null;
  }
}

/** The inode of ptmx in one instance: opening it makes a terminal there. */
export class PtmxInode extends DevptsNode {
  constructor(readonly instance: DevptsFileSystem) {
    super(
      instance,
      PTMX_INO,
      S_IFCHR | instance.settings.ptmxMode,
      instance.services.clock.realtime(),
    );
    this.rdev = makedev(TTYAUX_MAJOR, 2);
  }
}

/** The inode of /dev/pts/N. */
export class PtsInode extends DevptsNode {
  constructor(readonly pty: Pty, instance: DevptsFileSystem, caller: Caller) {
    super(
      instance,
      FIRST_PTS_INO + pty.index,
      S_IFCHR | instance.settings.mode,
      instance.services.clock.realtime(),
    );
    const { uid, gid } = instance.settings;
    this.uid = uid ?? caller.identity.fsuid;
    this.gid = gid ?? caller.identity.fsgid;
    this.rdev = makedev(UNIX98_PTY_SLAVE_MAJOR, pty.index);
  }
}

class DevptsRoot extends DevptsNode {
  constructor(readonly instance: DevptsFileSystem) {
    super(
      instance,
      ROOT_INO,
      S_IFDIR | 0o755,
      instance.services.clock.realtime(),
    );
    this.nlink = 2;
  }

  override lookup(name: ByteString): Inode | null {
    return this.instance.find(name);
  }

  /** Cookies are inode numbers plus one, so that they pass those of "..". */
  override readDirectory(cookie: number, sink: DirectorySink): Errno | null {
    if (cookie <= PTMX_INO) {
      if (!sink.emit(PTMX_NAME, PTMX_INO, DT_CHR, PTMX_INO + 1)) return null;
    }
    for (const { pty, ino } of this.instance.terminals()) {
      if (ino < cookie) continue;
      if (!sink.emit(String(pty.index), ino, DT_CHR, ino + 1)) return null;
    }
    return null;
  }
}

export class DevptsFileSystem extends FileSystem implements PtyOwner {
  readonly typeName = "devpts";
  readonly root: Inode;
  readonly ptmx: PtmxInode;
  /** Names come and go as masters are opened and closed. */
  override readonly needsRevalidation = true;
  readonly #terminals = new Map<number, PtsInode>();
  readonly #count: TerminalCount;

  /** `count` is the same for all instances of a kernel. */
  constructor(
    readonly device: number,
    readonly settings: DevptsOptions,
    readonly services: TtyServices,
    count: TerminalCount,
  ) {
    super();
    this.#count = count;
    this.root = new DevptsRoot(this);
    this.ptmx = new PtmxInode(this);
  }

  /** A new terminal with the lowest free number; `caller` owns it. ENOSPC. */
  create(caller: Caller): Pty | Errno {
    let index = 0;
    while (this.#terminals.has(index)) index++;
    if (index >= this.settings.max) return ENOSPC;
    if (this.#count.open >= DEFAULT_MAX) return ENOSPC;
    this.#count.open++;
    const pty = new Pty(index, this, this.services);
    const inode = new PtsInode(pty, this, caller);
    // The name counts as a user, so that the inode stays while it is there.
    inode.acquire();
    pty.inode = inode;
    this.#terminals.set(index, inode);
    return pty;
  }

  ptyClosed(pty: Pty): void {
    const inode = this.#terminals.get(pty.index);
    if (inode?.pty !== pty) return;
    this.#terminals.delete(pty.index);
    this.#count.open--;
    inode.nlink = 0;
    inode.release();
  }

  /** The inode of a name in the root directory. */
  find(name: ByteString): Inode | null {
    if (name === PTMX_NAME) return this.ptmx;
    if (!/^(0|[1-9][0-9]{0,6})$/.test(name)) return null;
    return this.#terminals.get(Number(name)) ?? null;
  }
  /** Terminals by number. */
  terminals(): PtsInode[] {
    return [...this.#terminals.values()].sort((a, b) => a.ino - b.ino);
  }

  override revalidate(
    _directory: Inode,
    name: ByteString,
    cached: Inode | null,
  ): boolean {
    return this.find(name) === cached;
  }
  override status(): FileSystemStatus {
    return {
      type: DEVPTS_SUPER_MAGIC,
      blockSize: 4096,
      blocks: 0,
      blocksFree: 0,
      blocksAvailable: 0,
      files: 0,
      filesFree: 0,
      nameLength: NAME_MAX,
    };
  }
  override options(): string {
    const { uid, gid, mode, ptmxMode, max } = this.settings;
    return (uid === null ? "" : `,uid=${uid}`) +
      (gid === null ? "" : `,gid=${gid}`) +
      `,mode=${mode.toString(8).padStart(3, "0")}` +
      `,ptmxmode=${ptmxMode.toString(8).padStart(3, "0")}` +
      (max === DEFAULT_MAX ? "" : `,max=${max}`);
  }
}

/** open(2) of ptmx in `instance`: a new terminal, locked, and its master. */
export function openMaster(
  instance: DevptsFileSystem,
  path: VfsPath,
  flags: number,
  caller: Caller,
): FileDescription | Errno {
  const pty = instance.create(caller);
  if (isErrno(pty)) return pty;
  return new PtyMasterDescription(pty, path, flags);
}
