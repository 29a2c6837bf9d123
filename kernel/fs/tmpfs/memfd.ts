/**
 * Memfds: regular files without a name, on a tmpfs that is mounted nowhere.
 * Source: memfd_create(2).
 * @module
 */
import { type Errno, isErrno } from "../../abi/errno.ts";
import {
  F_SEAL_EXEC,
  F_SEAL_SEAL,
  O_LARGEFILE,
  O_RDWR,
} from "../../abi/fcntl.ts";
import { S_IFREG } from "../../abi/stat.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import { Dentry } from "../../vfs/dentry.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import { Mount } from "../../vfs/mount.ts";
import { TmpfsFileSystem, type TmpfsOptions } from "./tmpfs.ts";
import { TmpfsRegular } from "./tmpfs_regular.ts";

export class Memfds {
  readonly #fs: TmpfsFileSystem;
  readonly #mount: Mount;

  constructor(options: TmpfsOptions) {
    this.#fs = new TmpfsFileSystem(options);
    const root = this.#fs.rootDentry;
    this.#mount = new Mount(0, this.#fs, root, null, null, 0, "tmpfs");
  }

  /** A new empty file, open for reading and writing; the caller owns the
   * reference. ENOSPC. */
  create(
    name: ByteString,
    options: { readonly canSeal: boolean; readonly isExecutable: boolean },
    caller: Caller,
  ): FileDescription | Errno {
    const inode = this.#fs.root.createTemporary({
      mode: S_IFREG | (options.isExecutable ? 0o777 : 0o666),
      uid: caller.identity.fsuid,
      gid: caller.identity.fsgid,
      rdev: 0,
      target: "",
    });
    if (isErrno(inode)) return inode;
    if (inode instanceof TmpfsRegular) {
      const execSeal = options.isExecutable ? 0 : F_SEAL_EXEC;
      inode.seals = options.canSeal ? execSeal : F_SEAL_SEAL | execSeal;
    }
    const dentry = new Dentry(this.#fs, null, `/memfd:${name}`, inode);
    dentry.isDeleted = true;
    const place = this.#mount.placeOf(dentry).acquire();
    const file = inode.open(place, O_RDWR | O_LARGEFILE, caller);
    place.release();
    return file;
  }
}
