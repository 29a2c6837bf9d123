/**
 * For tests: a VirtualFilesystem whose root is a temporary directory of the
 * host, through a real file server, real descriptors and a real memory file.
 * @module
 */
import { Files } from "../../ffi/files.ts";
import { MemoryFile as HostMemoryFile } from "../../ffi/memory_file.ts";
import { GoferFixture } from "../../gofer/_fixture.ts";
import { type Errno, isErrno } from "../../kernel/abi/errno.ts";
import { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC } from "../../kernel/abi/fcntl.ts";
import { done, VfsCaller } from "../../kernel/fs/fake_vfs.ts";
import {
  FakeHostClock,
  FakeHostMemory,
  FakeIdentity,
} from "../../kernel/fs/fake_caller.ts";
import {
  GoferFileSystem,
  type GoferMode,
} from "../../kernel/fs/gofer/gofer_file_system.ts";
import { type IoBuffer, MemoryBuffer } from "../../kernel/mm/io_buffer.ts";
import { MemoryFile } from "../../kernel/mm/memory_file.ts";
import { Clock } from "../../kernel/time/clock.ts";
import type { FileDescription } from "../../kernel/vfs/file_description.ts";
import { FsContext } from "../../kernel/vfs/fs_context.ts";
import type { Inode } from "../../kernel/vfs/inode.ts";
import type { Mount, VfsPath } from "../../kernel/vfs/mount.ts";
import { VirtualFilesystem } from "../../kernel/vfs/virtual_filesystem.ts";

/** Room for one read or write of a test, bytes. */
const BUFFER = 1 << 20;

export class GoferVfs implements Disposable {
  readonly server: GoferFixture;
  readonly memory = new HostMemoryFile(1 << 30);
  readonly files = new Files(this.memory);
  readonly memoryFile = new MemoryFile(this.memory);
  readonly hostClock = new FakeHostClock();
  readonly vfs: VirtualFilesystem;
  readonly fs: GoferFileSystem;
  readonly mount: Mount;
  readonly caller: VfsCaller;
  /** Makes attributes of a shared tree old. */
  letTimePass(): void {
    this.hostClock.nowNs += 1e6;
  }

  /** Messages sent to the server. */
  messages = 0;
  readonly #buffer: number;

  constructor(
    mode: GoferMode,
    options: {
      maxFds?: number;
      isReadOnly?: boolean;
      dcacheLimit?: number;
      maxIdleFiles?: number;
    } = {},
  ) {
    this.server = new GoferFixture(options);
    this.server.beforeServe = () => this.messages++;
    this.#buffer = done(this.memoryFile.allocate(BUFFER));
    this.vfs = new VirtualFilesystem(options);
    this.fs = done(GoferFileSystem.attach({
      client: this.server.gofer,
      mount: "root",
      mode,
      device: this.vfs.newDevice(),
      clock: new Clock(this.hostClock),
      files: this.files,
      memoryFile: this.memoryFile,
      maxIdleFiles: options.maxIdleFiles ?? 256,
    }));
    this.mount = this.vfs.newNamespace(this.fs, { flags: 0, source: "none" });
    const root = this.mount.placeOf(this.mount.root);
    const context = new FsContext(root, root, 0o022);
    this.caller = new VfsCaller(
      new FakeHostMemory(),
      context,
      new FakeIdentity(),
    );
  }

  get dir(): string {
    return this.server.dir;
  }
  get at(): VfsPath {
    return this.caller.fsContext.cwd;
  }

  open(path: string, flags: number, mode = 0o644): FileDescription | Errno {
    return this.vfs.open(this.caller, this.at, path, { flags, mode });
  }

  source(text: string): IoBuffer {
    this.memory.write(this.#buffer, new TextEncoder().encode(text));
    return new MemoryBuffer(this.memory, this.#buffer, text.length);
  }
  room(length: number): IoBuffer {
    return new MemoryBuffer(this.memory, this.#buffer, length);
  }
  text(length: number): string {
    const bytes = new Uint8Array(length);
    this.memory.read(this.#buffer, bytes);
    return new TextDecoder("latin1").decode(bytes);
  }

  readAt(file: FileDescription, offset: number, length: number): string {
    const room = this.room(length);
    return this.text(done(file.readAt(room, offset, this.caller)));
  }
  writeAt(file: FileDescription, offset: number, text: string): number {
    return done(file.writeAt(this.source(text), offset, this.caller));
  }

  write(path: string, text: string, mode = 0o644): void {
    const file = done(this.open(path, O_CREAT | O_RDWR | O_TRUNC, mode));
    if (text !== "") done(file.write(this.source(text), this.caller));
    file.release();
  }
  read(path: string): string | Errno {
    const file = this.open(path, O_RDONLY);
    if (isErrno(file)) return file;
    const text = this.readAt(file, 0, BUFFER);
    file.release();
    return text;
  }

  /** The inode that a path leads to, its attributes as stat(2) would show. */
  stat(path: string): Inode | Errno {
    const walk = this.vfs.lookup(this.caller, this.at, path, { follow: false });
    if (isErrno(walk)) return walk;
    return walk.inode.refresh() ?? walk.inode;
  }

  list(path: string): string[] {
    const file = done(this.open(path, O_RDONLY));
    const names: string[] = [];
    done(file.readDirectory({
      emit(name: string): boolean {
        names.push(name);
        return true;
      },
    }, this.caller));
    file.release();
    return names.filter((name) => name !== "." && name !== "..");
  }

  [Symbol.dispose](): void {
    this.server[Symbol.dispose]();
    this.files[Symbol.dispose]();
    this.memory[Symbol.dispose]();
  }
}
