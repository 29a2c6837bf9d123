/**
 * I/O on descriptors of the host: implements HostFiles over native/files.c and
 * native/tty.c. Descriptors made here are close-on-exec and unknown to Deno.
 *
 * Streams never block the caller: a read or write at offset -1 that would wait
 * returns -EAGAIN, whether or not the descriptor is O_NONBLOCK. That flag is
 * left alone, since it belongs to the open file, which the user's shell shares.
 * For pipes and terminals that are shared in this way take privateStream()
 * before lock-down: its own open file leaves no race with other readers.
 * @module
 */

import { TERMIOS_SIZE } from "../kernel/abi/termios.ts";
import type { HostFd, HostFiles, HostStat } from "../kernel/host.ts";
import { bind, type Binding, type Bound } from "./binding.ts";
import { cString, must, nativePath } from "./library.ts";
import type { MemoryFile } from "./memory_file.ts";

const SYMBOLS = {
  host_file_read: {
    parameters: ["pointer", "i32", "f64", "f64", "f64"],
    result: "i32",
  },
  host_file_write: {
    parameters: ["pointer", "i32", "f64", "f64", "f64"],
    result: "i32",
  },
  host_file_stat: { parameters: ["i32", "buffer"], result: "i32" },
  host_file_truncate: { parameters: ["i32", "f64"], result: "i32" },
  host_file_allocate: {
    parameters: ["i32", "i32", "f64", "f64"],
    result: "i32",
  },
  host_file_sync: { parameters: ["i32", "i32"], result: "i32" },
  host_file_close: { parameters: ["i32"], result: "i32" },
  host_tty_get_termios: { parameters: ["i32", "buffer"], result: "i32" },
  host_tty_set_termios: {
    parameters: ["i32", "i32", "buffer"],
    result: "i32",
  },
  host_tty_get_size: { parameters: ["i32", "buffer"], result: "i32" },
  host_tty_set_size: { parameters: ["i32", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The descriptors that were donated to this process. */
export class Files implements HostFiles, Disposable {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #calls: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  readonly #memory: Deno.PointerObject;
  readonly #stat = new Float64Array(16);
  readonly #size = new Uint16Array(4);
  readonly #termios = new Uint8Array(TERMIOS_SIZE);

  /** Data moves to and from `memory`, which must outlive this object. */
  constructor(memory: MemoryFile, path = nativePath("libhost.so")) {
    this.#library = Deno.dlopen(path, SYMBOLS);
    this.#calls = this.#library.symbols;
    this.#memory = memory.handle;
  }

  read(fd: HostFd, memory: number, length: number, fileOffset: number): number {
    return this.#calls.host_file_read(
      this.#memory,
      fd,
      memory,
      length,
      fileOffset,
    );
  }

  write(
    fd: HostFd,
    memory: number,
    length: number,
    fileOffset: number,
  ): number {
    return this.#calls.host_file_write(
      this.#memory,
      fd,
      memory,
      length,
      fileOffset,
    );
  }

  stat(fd: HostFd): HostStat | number {
    const error = this.#calls.host_file_stat(fd, this.#stat);
    return error < 0 ? error : statFrom(this.#stat);
  }

  truncate(fd: HostFd, length: number): number {
    return this.#calls.host_file_truncate(fd, length);
  }

  allocate(fd: HostFd, mode: number, offset: number, length: number): number {
    return this.#calls.host_file_allocate(fd, mode, offset, length);
  }

  sync(fd: HostFd, dataOnly: boolean): number {
    return this.#calls.host_file_sync(fd, dataOnly ? 1 : 0);
  }

  close(fd: HostFd): void {
    this.#calls.host_file_close(fd);
  }

  isTerminal(fd: HostFd): boolean {
    return this.getTermios(fd, this.#termios) === 0;
  }

  /** Precondition: `into` has room for TERMIOS_SIZE. */
  getTermios(fd: HostFd, into: Uint8Array): number {
    if (into.length < TERMIOS_SIZE) throw new RangeError("termios too short");
    return this.#calls.host_tty_get_termios(
      fd,
      into as Uint8Array<ArrayBuffer>,
    );
  }

  /** `action` 0, 1: set; 2: throw unread input away, then set. Never waits for
   * output to drain. */
  setTermios(fd: HostFd, action: number, from: Uint8Array): number {
    if (from.length < TERMIOS_SIZE) throw new RangeError("termios too short");
    return this.#calls.host_tty_set_termios(
      fd,
      action,
      from as Uint8Array<ArrayBuffer>,
    );
  }

  getWindowSize(
    fd: HostFd,
  ): readonly [number, number, number, number] | number {
    const error = this.#calls.host_tty_get_size(fd, this.#size);
    if (error < 0) return error;
    const [rows = 0, cols = 0, xpixel = 0, ypixel = 0] = this.#size;
    return [rows, cols, xpixel, ypixel];
  }

  setWindowSize(
    fd: HostFd,
    size: readonly [number, number, number, number],
  ): number {
    this.#size.set(size);
    return this.#calls.host_tty_set_size(fd, this.#size);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

/** In the order that host_file_stat() writes. */
function statFrom(out: Float64Array): HostStat {
  const at = (index: number) => out[index] ?? 0;
  return {
    mode: at(0),
    size: at(1),
    ino: at(2),
    dev: at(3),
    rdev: at(4),
    nlink: at(5),
    uid: at(6),
    gid: at(7),
    blocks: at(8),
    blksize: at(9),
    atimeSec: at(10),
    atimeNsec: at(11),
    mtimeSec: at(12),
    mtimeNsec: at(13),
    ctimeSec: at(14),
    ctimeNsec: at(15),
  };
}

const OPENER_SYMBOLS = {
  host_file_open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  host_file_duplicate: { parameters: ["i32", "i32"], result: "i32" },
  host_file_pipe: { parameters: ["buffer"], result: "i32" },
  host_file_sealed: { parameters: ["buffer", "f64"], result: "i32" },
  host_file_private: { parameters: ["i32"], result: "i32" },
  host_file_read_bytes: {
    parameters: ["i32", "buffer", "f64", "f64"],
    result: "i32",
  },
  host_file_write_bytes: {
    parameters: ["i32", "buffer", "f64", "f64"],
    result: "i32",
  },
  host_file_poll: { parameters: ["i32", "i32", "i32"], result: "i32" },
  host_file_close: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * Makes descriptors: the part of the file calls that the command line and the
 * boot process need before lock-down, and that the kernel never sees.
 */
export class DescriptorMaker implements Disposable {
  readonly #library: Bound<typeof OPENER_SYMBOLS>;
  readonly #calls: Bound<typeof OPENER_SYMBOLS>["symbols"];

  constructor(binding: Binding = "lasting") {
    this.#library = bind(nativePath("libhost.so"), OPENER_SYMBOLS, binding);
    this.#calls = this.#library.symbols;
  }

  /** open(2). Throws a HostError with the path. */
  open(path: string, flags: number, mode = 0o666): HostFd {
    const fd = this.#calls.host_file_open(cString(path), flags, mode);
    return must(`open ${path}`, fd) as HostFd;
  }

  /** A copy of the descriptor at `minimum` or above. */
  duplicate(fd: number, minimum = 0): HostFd {
    return must(
      "dup",
      this.#calls.host_file_duplicate(fd, minimum),
    ) as HostFd;
  }

  /** A pipe: read end, write end. */
  pipe(): readonly [HostFd, HostFd] {
    const out = new Int32Array(2);
    must("pipe", this.#calls.host_file_pipe(out));
    return [out[0] as HostFd, out[1] as HostFd];
  }

  /** A sealed memory file with this content, read from its beginning. */
  sealed(content: Uint8Array<ArrayBuffer>): HostFd {
    return must(
      "memfd",
      this.#calls.host_file_sealed(content, content.length),
    ) as HostFd;
  }

  /**
   * An own, non-blocking open file for the pipe or terminal behind `fd`; `fd`
   * itself where there is no need or no way (sockets, regular files, a
   * terminal that belongs to another user).
   */
  privateStream(fd: HostFd): HostFd {
    const own = this.#calls.host_file_private(fd);
    return own < 0 ? fd : own as HostFd;
  }

  /** read(2) or, from an offset on, pread(2); a negative errno on failure. */
  read(fd: number, into: Uint8Array<ArrayBuffer>, offset = -1): number {
    return this.#calls.host_file_read_bytes(fd, into, into.length, offset);
  }

  write(fd: number, from: Uint8Array<ArrayBuffer>, offset = -1): number {
    return this.#calls.host_file_write_bytes(fd, from, from.length, offset);
  }

  /** Waits for events of `fd`, -1: for ever. The events; 0 at the timeout. */
  poll(fd: number, events: number, timeoutMs: number): number {
    return this.#calls.host_file_poll(fd, events, timeoutMs);
  }

  close(fd: number): void {
    this.#calls.host_file_close(fd);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}
