/**
 * For tests of files by name: a VirtualFilesystem with a tmpfs at its root, and
 * callers with working directories.
 * @module
 */
import { type Errno, isErrno } from "../abi/errno.ts";
import { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC } from "../abi/fcntl.ts";
import { MemoryFile } from "../mm/memory_file.ts";
import type { Identity } from "../vfs/caller.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import { FsContext } from "../vfs/fs_context.ts";
import type { Inode } from "../vfs/inode.ts";
import type { Mount, VfsPath } from "../vfs/mount.ts";
import { VirtualFilesystem } from "../vfs/virtual_filesystem.ts";
import {
  FakeCaller,
  FakeHostMemory,
  FakeIdentity,
  GUEST_END,
} from "./fake_caller.ts";
import { TmpfsFileSystem, type TmpfsOptions } from "./tmpfs/tmpfs.ts";

/** A FakeCaller that has a root and a working directory. */
export class VfsCaller extends FakeCaller {
  readonly #fsContext: FsContext;
  readonly limits = new Map<number, number>();

  constructor(host: FakeHostMemory, fsContext: FsContext, identity: Identity) {
    super(host);
    this.#fsContext = fsContext;
    this.identity = identity;
  }
  override get fsContext(): FsContext {
    return this.#fsContext;
  }
  override limit(resource = -1): number {
    return this.limits.get(resource) ?? Infinity;
  }
}

export class FakeVfs {
  readonly host: FakeHostMemory;
  readonly memoryFile: MemoryFile;
  readonly vfs: VirtualFilesystem;
  readonly rootMount: Mount;
  readonly fs: TmpfsFileSystem;
  /** Root, with every capability. */
  readonly caller: VfsCaller;

  constructor(
    options: {
      readonly dcacheLimit?: number;
      readonly tmpfs?: Partial<TmpfsOptions>;
    } = {},
  ) {
    this.host = new FakeHostMemory();
    this.memoryFile = new MemoryFile(this.host);
    // Guest addresses of the fake are memory-file offsets: keep them apart.
    this.memoryFile.allocate(GUEST_END);
    this.vfs = new VirtualFilesystem(options);
    this.fs = this.newTmpfs({ mode: 0o755, ...options.tmpfs });
    this.rootMount = this.vfs.newNamespace(this.fs, {
      flags: 0,
      source: "none",
    });
    this.caller = this.newCaller();
  }

  newTmpfs(options: Partial<TmpfsOptions> = {}): TmpfsFileSystem {
    return new TmpfsFileSystem({
      memoryFile: this.memoryFile,
      clock: new FakeCaller(this.host).clock,
      device: this.vfs.newDevice(),
      ...options,
    });
  }

  /** A caller at the root directory; uid 0 has every capability. */
  newCaller(uid = 0, gid = uid): VfsCaller {
    const root = this.rootMount.placeOf(this.rootMount.root);
    const context = new FsContext(root, root, 0o022);
    return new VfsCaller(this.host, context, new FakeIdentity(uid, gid));
  }

  /** Where relative paths of the tests begin. */
  get at(): VfsPath {
    return this.caller.fsContext.cwd;
  }

  open(path: string, flags: number, mode = 0o644): FileDescription | Errno {
    return this.vfs.open(this.caller, this.at, path, { flags, mode });
  }

  /** Makes a file with that content. */
  write(path: string, text: string, mode = 0o644): void {
    const file = done(this.open(path, O_CREAT | O_RDWR | O_TRUNC, mode));
    if (text !== "") done(file.write(this.caller.source(text), this.caller));
    file.release();
  }

  /** The content of a file, or why it can't be read. */
  read(path: string): string | Errno {
    const file = this.open(path, O_RDONLY);
    if (isErrno(file)) return file;
    const count = file.read(this.caller.room(4096), this.caller);
    file.release();
    return isErrno(count) ? count : this.caller.text(count);
  }

  mkdir(path: string, mode = 0o755): void {
    done(this.vfs.mkdir(this.caller, this.at, path, mode));
  }
  symlink(target: string, path: string): void {
    done(this.vfs.symlink(this.caller, target, this.at, path));
  }

  /** The inode that a path leads to, symlinks at its end not followed. */
  inode(path: string): Inode | Errno {
    const walk = this.vfs.lookup(this.caller, this.at, path, { follow: false });
    return isErrno(walk) ? walk : walk.inode;
  }

  /** Names in a directory, "." and ".." included, in order. */
  list(path: string): string[] {
    const file = done(this.open(path, O_RDONLY));
    const names: string[] = [];
    const sink = {
      emit(name: string): boolean {
        names.push(name);
        return true;
      },
    };
    done(file.readDirectory(sink, this.caller));
    file.release();
    return names;
  }
}

/** Throws if a step that a test relies on failed. */
export function done<T>(result: T | Errno): T {
  if (isErrno(result)) throw new Error(`unexpected ${result.name}`);
  return result;
}
