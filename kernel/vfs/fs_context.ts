/**
 * struct fs_struct: root, working directory and umask; shared between tasks
 * by CLONE_FS, copied otherwise.
 * @module
 */
import type { VfsPath } from "./mount.ts";

export class FsContext {
  #users = 1;

  /** Takes a reference of its own on `root` and `cwd`. */
  constructor(
    public root: VfsPath,
    public cwd: VfsPath,
    public umask: number,
  ) {
    root.acquire();
    cwd.acquire();
  }

  get isShared(): boolean {
    return this.#users > 1;
  }

  setRoot(root: VfsPath): void {
    root.acquire();
    this.root.release();
    this.root = root;
  }

  setCwd(cwd: VfsPath): void {
    cwd.acquire();
    this.cwd.release();
    this.cwd = cwd;
  }

  acquire(): FsContext {
    this.#users++;
    return this;
  }

  copy(): FsContext {
    return new FsContext(this.root, this.cwd, this.umask);
  }

  release(): void {
    if (--this.#users > 0) return;
    this.root.release();
    this.cwd.release();
  }
}
