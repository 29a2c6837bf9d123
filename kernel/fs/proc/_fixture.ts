/**
 * For tests: a kernel with one process, proc mounted at /proc, and what a
 * program does with it.
 * @module
 */
import { BareKernel } from "../../../tests/kernel/bare_kernel.ts";
import { type Errno, isErrno } from "../../abi/errno.ts";
import { O_RDONLY, O_WRONLY } from "../../abi/fcntl.ts";
import { SIGCHLD } from "../../abi/signal.ts";
import type { Kernel } from "../../kernel.ts";
import { MemoryBuffer } from "../../mm/io_buffer.ts";
import { cloneTask } from "../../task/task_clone.ts";
import { exitTask, reap } from "../../task/task_exit.ts";
import type { Task } from "../../task/task.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { Inode } from "../../vfs/inode.ts";
import { done } from "../fake_vfs.ts";

const SCRATCH_BYTES = 1 << 20;

export class ProcFixture {
  readonly bare = new BareKernel();
  readonly kernel: Kernel;
  /** Process 1, with all capabilities. */
  readonly init: Task;
  readonly #scratch: number;

  constructor() {
    this.kernel = this.bare.kernel;
    this.init = this.bare.task;
    this.#scratch = done(this.kernel.memoryFile.allocate(SCRATCH_BYTES));
    for (
      const [type, path] of [["proc", "/proc"], ["sysfs", "/sys"]] as const
    ) {
      this.mkdir(path);
      const fs = this.kernel.vfs.fileSystemTypes.get(type)!
        .create(type, "", this.init);
      const at = done(this.#resolve(path));
      done(this.kernel.vfs.mount(done(fs), at, { flags: 0, source: type }));
      at.release();
    }
  }

  get #root() {
    return this.init.fsContext.root;
  }
  #resolve(path: string, caller: Task = this.init, follow = true) {
    return this.kernel.vfs.resolve(caller, this.#root, path, { follow });
  }

  mkdir(path: string): void {
    done(this.kernel.vfs.mkdir(this.init, this.#root, path, 0o755));
  }
  /** Moves a task's working directory. */
  chdir(task: Task, path: string): void {
    const place = done(this.#resolve(path));
    task.fsContext.setCwd(place);
    place.release();
  }

  /** A child of `parent`, or (with a flag) another thread of it. */
  clone(parent: Task = this.init, flags = 0): Task {
    return done(cloneTask(parent, {
      flags,
      clearSignalHandlers: false,
      exitSignal: SIGCHLD,
      stackPointer: 0,
      tls: 0,
      parentTid: 0,
      childTid: 0,
      pidFd: 0,
      setTid: 0,
    }));
  }
  /** Ends a process, which stays as a zombie. */
  exit(task: Task): void {
    exitTask(task);
  }
  reap(task: Task): void {
    reap(task.threadGroup);
  }

  open(
    path: string,
    flags = O_RDONLY,
    caller: Task = this.init,
  ): FileDescription | Errno {
    return this.kernel.vfs.open(caller, this.#root, path, { flags, mode: 0 });
  }
  /** Up to `length` bytes from where the file stands. */
  readSome(
    file: FileDescription,
    length: number,
    caller: Task = this.init,
  ): string | Errno {
    const { memory } = this.kernel.host;
    const room = new MemoryBuffer(memory, this.#scratch, length);
    const count = file.read(room, caller);
    if (isErrno(count)) return count;
    const bytes = memory.bytes.slice(this.#scratch, this.#scratch + count);
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  }
  /** A whole file. */
  read(path: string, caller: Task = this.init): string | Errno {
    const file = this.open(path, O_RDONLY, caller);
    if (isErrno(file)) return file;
    const text = this.readSome(file, SCRATCH_BYTES, caller);
    file.release();
    return text;
  }
  /** As read(), for files that must be readable. */
  text(path: string, caller: Task = this.init): string {
    return done(this.read(path, caller));
  }

  writeTo(file: FileDescription, text: string, caller: Task): number | Errno {
    const { memory } = this.kernel.host;
    const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    memory.write(this.#scratch, bytes);
    const source = new MemoryBuffer(memory, this.#scratch, bytes.length);
    return file.write(source, caller);
  }
  /** echo text > path. */
  write(
    path: string,
    text: string,
    caller: Task = this.init,
  ): number | Errno {
    const file = this.open(path, O_WRONLY, caller);
    if (isErrno(file)) return file;
    const result = this.writeTo(file, text, caller);
    file.release();
    return result;
  }

  readlink(path: string, caller: Task = this.init): string | Errno {
    return this.kernel.vfs.readlink(caller, this.#root, path, {
      allowEmpty: false,
    });
  }
  /** The inode that a path leads to; its attributes are fresh. */
  inode(path: string, caller: Task = this.init): Inode | Errno {
    const place = this.#resolve(path, caller, false);
    if (isErrno(place)) return place;
    const inode = place.dentry.inode!;
    inode.refresh();
    place.release();
    return inode;
  }
  /** Names of a directory in the order of getdents64(2), `atOnce` per call. */
  list(path: string, atOnce = Infinity): string[] {
    const file = done(this.open(path));
    const names: string[] = [];
    for (let last = -1; last < names.length;) {
      last = names.length;
      let room = atOnce;
      const emit = (name: string) => {
        if (room-- <= 0) return false;
        names.push(name);
        return true;
      };
      done(file.readDirectory({ emit }, this.init));
      if (atOnce === Infinity) break;
    }
    file.release();
    return names;
  }
}
