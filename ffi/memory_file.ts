/**
 * The memory file: implements HostMemory over native/memory.c. The one view
 * over the whole window is made at construction, so everything goes on working
 * after the ffi permission was revoked.
 *
 * Which way is fastest was measured on this engine: words through `view`; runs
 * of any length through one call into C, whose 15 ns beat the checks that
 * typed-array methods do (a subarray alone costs 43 ns and more).
 * @module
 */

import type { HostMemory } from "../kernel/host.ts";
import { bind } from "./binding.ts";
import { lastingView } from "./lasting_view.ts";
import { HostError, must, nativePath } from "./library.ts";

/** Called once. */
const SETUP = {
  host_memory_new: { parameters: ["f64", "buffer"], result: "pointer" },
  host_memory_base: { parameters: ["pointer"], result: "pointer" },
  host_memory_fd: { parameters: ["pointer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const SYMBOLS = {
  host_memory_free: { parameters: ["pointer"], result: "void" },
  host_memory_punch: {
    parameters: ["pointer", "f64", "f64"],
    result: "i32",
  },
  host_memory_populate: {
    parameters: ["pointer", "f64", "f64"],
    result: "i32",
  },
  host_memory_resident: {
    parameters: ["pointer", "f64", "f64"],
    result: "f64",
  },
  host_memory_copy: {
    parameters: ["pointer", "f64", "f64", "f64"],
    result: "i32",
  },
  host_memory_zero: {
    parameters: ["pointer", "f64", "f64"],
    result: "i32",
  },
  host_memory_read: {
    parameters: ["pointer", "f64", "buffer", "f64"],
    result: "i32",
  },
  host_memory_write: {
    parameters: ["pointer", "f64", "buffer", "f64"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** Size of the window unless another is asked for: 1 TiB, sparse. */
export const DEFAULT_WINDOW = 2 ** 40;

/** The memory file, mapped once. */
export class MemoryFile implements HostMemory, Disposable {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly size: number;
  /** The memfd, for the platform. */
  readonly fd: number;
  /** `struct host_memory *`, for the other files of libhost.so. */
  readonly handle: Deno.PointerObject;
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #calls: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

  /**
   * Reserves a window of `size` bytes, rounded down to pages. Throws a
   * HostError when the host refuses. `isForever`: its view is never collected.
   */
  constructor(size = DEFAULT_WINDOW, isForever = false) {
    const path = nativePath("libhost.so");
    this.#library = Deno.dlopen(path, SYMBOLS);
    this.#calls = this.#library.symbols;
    const setup = bind(path, SETUP, "brief");
    const error = new Int32Array(1);
    const handle = setup.symbols.host_memory_new(size, error);
    if (handle === null) throw new HostError("memory file", error[0] ?? 0);
    this.handle = handle;
    this.fd = setup.symbols.host_memory_fd(handle);
    this.size = size - size % 4096;
    const base = setup.symbols.host_memory_base(handle);
    if (base === null) throw new Error("The memory file has no mapping");
    const buffer = isForever
      ? lastingView(base, this.size)
      : Deno.UnsafePointerView.getArrayBuffer(base, this.size);
    setup.close();
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer);
  }

  punch(offset: number, length: number): void {
    must("punch", this.#calls.host_memory_punch(this.handle, offset, length));
  }

  populate(offset: number, length: number): void {
    must(
      "populate",
      this.#calls.host_memory_populate(this.handle, offset, length),
    );
  }

  residentBytes(offset: number, length: number): number {
    const { handle } = this;
    const bytes = this.#calls.host_memory_resident(handle, offset, length);
    if (bytes < 0) must("resident bytes", bytes);
    return bytes;
  }

  copy(to: number, from: number, length: number): void {
    must("copy", this.#calls.host_memory_copy(this.handle, to, from, length));
  }

  zero(offset: number, length: number): void {
    must("zero", this.#calls.host_memory_zero(this.handle, offset, length));
  }

  read(offset: number, into: Uint8Array): void {
    must(
      "read",
      this.#calls.host_memory_read(
        this.handle,
        offset,
        into as Uint8Array<ArrayBuffer>,
        into.length,
      ),
    );
  }

  write(offset: number, from: Uint8Array): void {
    must(
      "write",
      this.#calls.host_memory_write(
        this.handle,
        offset,
        from as Uint8Array<ArrayBuffer>,
        from.length,
      ),
    );
  }

  /** Unmaps. Precondition: nobody uses `view`, `bytes` or `fd` any more, since
   * a touch of the unmapped window kills the process. */
  [Symbol.dispose](): void {
    this.#calls.host_memory_free(this.handle);
    this.#library.close();
  }
}
