/**
 * Pty: one pseudo terminal of a devpts instance: its number, its inode and the
 * master's end of its Tty. Source: pty(7), pts(4).
 * @module
 */
import { makedev, UNIX98_PTY_SLAVE_MAJOR } from "../../abi/dev.ts";
import { Dentry } from "../../vfs/dentry.ts";
import type { Inode } from "../../vfs/inode.ts";
import type { Mount, VfsPath } from "../../vfs/mount.ts";
import { Tty, type TtyServices } from "./tty.ts";

/** The devpts instance as its terminals see it. */
export interface PtyOwner {
  /** The master is closed: the number is free and the name gone. */
  ptyClosed(pty: Pty): void;
}

export class Pty {
  readonly tty: Tty;
  /** unlockpt(3) was not called yet: the program side cannot be opened. */
  isLocked = true;
  /** The inode /dev/pts/N; set by devpts. */
  inode: Inode | null = null;
  readonly #owner: PtyOwner;

  constructor(readonly index: number, owner: PtyOwner, services: TtyServices) {
    this.#owner = owner;
    this.tty = new Tty(makedev(UNIX98_PTY_SLAVE_MAJOR, index), services);
  }

  /** Bytes from the master. Precondition: they fit into tty.staged.room. */
  receive(bytes: Uint8Array, length: number): void {
    for (let i = 0; i < length; i++) this.tty.staged.push(bytes[i]!);
    this.tty.processInput();
  }

  /** The last descriptor of the master is gone: hangs up the program side. */
  close(): void {
    if (this.tty.isMasterClosed) return;
    this.tty.isMasterClosed = true;
    this.tty.hangUp();
    this.#owner.ptyClosed(this);
  }

  /** /dev/pts/N seen through `mount` of its devpts, for descriptors that are
   * opened without walking there. Precondition: the master is open. */
  placeIn(mount: Mount): VfsPath {
    const inode = this.inode!;
    const { fs } = inode;
    const name = String(this.index);
    return mount.placeOf(new Dentry(fs, fs.rootDentry, name, inode));
  }
}
