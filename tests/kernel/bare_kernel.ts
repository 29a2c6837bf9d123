/**
 * A real Kernel over a platform without guests, the real memory file and
 * clocks, a tmpfs root, and one process whose registers the caller sets.
 * @module
 */
import { assert } from "@std/assert";
import { Clock } from "../../ffi/clock.ts";
import { Files } from "../../ffi/files.ts";
import { MemoryFile } from "../../ffi/memory_file.ts";
import { Reactor } from "../../ffi/reactor.ts";
import { isErrno } from "../../kernel/abi/errno.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE } from "../../kernel/abi/mman.ts";
import { SYSCALL_NUMBERS } from "../../kernel/arch/x64/syscall_table.ts";
import { TmpfsFileSystem } from "../../kernel/fs/tmpfs/tmpfs.ts";
import type { Host } from "../../kernel/host.ts";
import { Kernel } from "../../kernel/kernel.ts";
import { rootCredentials } from "../../kernel/syscalls/sys_identity.ts";
import { createProcess } from "../../kernel/task/create_process.ts";
import { Limits } from "../../kernel/task/limits.ts";
import { onStop } from "../../kernel/task/task_run.ts";
import type { Task } from "../../kernel/task/task.ts";
import { UtsNamespace } from "../../kernel/task/uts_namespace.ts";
import { FsContext } from "../../kernel/vfs/fs_context.ts";
import { MemoryBuffer } from "../../kernel/mm/io_buffer.ts";
import { VfsPath } from "../../kernel/vfs/mount.ts";
import { BootCaller } from "../../cmd/boot/boot_caller.ts";
import { FakePlatform } from "./fake_platform.ts";

/** A static program for x86-64: one page of code at 4 MiB that spins. */
function spinningProgram(): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 62, true); // EM_X86_64
  view.setUint32(20, 1, true);
  view.setUint32(24, 0x400080, true); // entry
  view.setUint32(32, 64, true); // program headers
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true); // PT_LOAD
  view.setUint32(68, 5, true); // R X
  view.setUint32(80, 0x400000, true);
  view.setUint32(88, 0x400000, true);
  view.setUint32(96, 4096, true);
  view.setUint32(104, 4096, true);
  view.setUint32(112, 4096, true);
  bytes.set([0xeb, 0xfe], 0x80);
  return bytes;
}

export class BareKernel {
  readonly kernel: Kernel;
  readonly task: Task;
  readonly #root: VfsPath;

  constructor() {
    const memory = new MemoryFile();
    const clock = new Clock();
    const say = () => {};
    const host: Host = {
      platform: new FakePlatform(64),
      memory,
      clock,
      files: new Files(memory),
      reactor: new Reactor(),
      log: {
        isDebug: false,
        isStrace: false,
        info: say,
        warn: say,
        debug: say,
        strace: say,
      },
      info: {
        cpuCount: 1,
        memoryBytes: 2 ** 30,
        cpuinfo: "",
        hwcap: 0,
        hwcap2: 0,
        tscHz: 0,
        vdso: new Uint8Array(),
      },
      randomBytes: (into) => into.fill(7),
      gofers: new Map(),
    };
    const kernel = new Kernel(host, { isInitProtected: false });
    this.kernel = kernel;
    const fs = new TmpfsFileSystem({
      memoryFile: kernel.memoryFile,
      clock: kernel.clock,
      device: kernel.vfs.newDevice(),
      mode: 0o755,
    });
    const mount = kernel.vfs.newNamespace(fs, { flags: 0, source: "tmpfs" });
    this.#root = new VfsPath(mount, mount.root);
    this.addFile("program", spinningProgram());
    const task = createProcess(kernel, {
      file: "/program",
      argv: ["program"],
      envp: [],
      root: this.#root,
      cwd: "/",
      umask: 0o22,
      credentials: rootCredentials({}),
      limits: new Limits(),
      noNewPrivileges: false,
      uts: new UtsNamespace("bare", "(none)"),
      namespace: kernel.rootPidNamespace,
      files: [],
      parent: null,
    });
    assert(!isErrno(task), `createProcess: ${task}`);
    this.task = task;
  }

  /** Puts an executable file into the root directory. */
  addFile(name: string, bytes: Uint8Array): void {
    const { kernel } = this;
    const caller = new BootCaller(
      new FsContext(this.#root, this.#root, 0),
      kernel.clock,
    );
    const file = kernel.vfs.open(caller, this.#root, `/${name}`, {
      flags: 0o101, // O_WRONLY | O_CREAT
      mode: 0o755,
    });
    assert(!isErrno(file), `open: ${file}`);
    const pages = Math.ceil(bytes.length / 4096) * 4096;
    const scratch = kernel.memoryFile.allocate(pages);
    assert(!isErrno(scratch), `allocate: ${scratch}`);
    const { memory } = kernel.memoryFile;
    memory.write(scratch, bytes);
    const buffer = new MemoryBuffer(memory, scratch, bytes.length);
    assert(file.write(buffer, caller) === bytes.length);
    kernel.memoryFile.release(scratch, pages);
    file.release();
  }

  /** Guest memory that the process may read and write. */
  allocate(length: number): number {
    const addr = this.task.memory.map({
      addr: 0,
      length,
      prot: 3,
      flags: MAP_PRIVATE | MAP_ANONYMOUS,
      mappable: null,
      offset: 0,
    });
    assert(!isErrno(addr), `map: ${addr}`);
    return addr;
  }

  /** Sets the registers of a system call. */
  prepare(name: string, ...args: readonly number[]): void {
    const { registers } = this.task;
    const order = ["rdi", "rsi", "rdx", "r10", "r8", "r9"] as const;
    for (const [i, value] of args.entries()) registers.set(order[i]!, value);
    registers.set("orig_rax", SYSCALL_NUMBERS[name]!);
  }

  /** Plays the stop: decode, dispatch, handler, return to user mode. */
  stop(): void {
    onStop(this.task);
  }

  /** A whole call: its result as the guest sees it. */
  call(name: string, ...args: readonly number[]): number {
    this.prepare(name, ...args);
    this.stop();
    const { registers } = this.task;
    const high = registers.getHigh("rax") | 0;
    return high * 4294967296 + registers.getLow("rax");
  }
}
