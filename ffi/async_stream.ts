/**
 * Pipes as web streams, for programs that embed a sandbox. Descriptors that the
 * host library made are unknown to Deno, so each wait takes a thread of its
 * pool. Binds native/files.c.
 * @module
 */

import { POLLIN, POLLOUT } from "../kernel/abi/poll.ts";
import { must, nativePath } from "./library.ts";

const WAIT_SYMBOLS = {
  host_file_poll: {
    parameters: ["i32", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;
const SYMBOLS = {
  host_file_read_bytes: {
    parameters: ["i32", "buffer", "f64", "f64"],
    result: "i32",
  },
  host_file_write_bytes: {
    parameters: ["i32", "buffer", "f64", "f64"],
    result: "i32",
  },
  host_file_close: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const CHUNK_BYTES = 64 * 1024;
const AT_STREAM_HEAD = -1;
const FOR_EVER = -1;
const EAGAIN = -11;

type Bytes = Uint8Array<ArrayBuffer>;

/** Makes streams of descriptors, which are the streams' from then on. */
export class AsyncStreams {
  // Never unloaded: a wait may be under way for as long as the process lives.
  readonly #wait: Deno.DynamicLibrary<typeof WAIT_SYMBOLS>["symbols"];
  readonly #calls: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

  constructor(path = nativePath("libhost.so")) {
    this.#wait = Deno.dlopen(path, WAIT_SYMBOLS).symbols;
    this.#calls = Deno.dlopen(path, SYMBOLS).symbols;
  }

  /** What comes out of the descriptor; ends with it, closes it. */
  readable(fd: number): ReadableStream<Bytes> {
    const source = new DescriptorSource(fd, this.#wait, this.#calls);
    return new ReadableStream(source, { highWaterMark: 0 });
  }

  /** What goes into the descriptor; closing the stream closes it. A write after
   * the last reader is gone fails with EPIPE. */
  writable(fd: number): WritableStream<Bytes> {
    const wait = this.#wait;
    const calls = this.#calls;
    const close = () => void calls.host_file_close(fd);
    return new WritableStream({
      async write(chunk) {
        let rest = chunk;
        while (rest.length > 0) {
          await wait.host_file_poll(fd, POLLOUT, FOR_EVER);
          const count = calls.host_file_write_bytes(
            fd,
            rest,
            rest.length,
            AT_STREAM_HEAD,
          );
          if (count !== EAGAIN) rest = rest.subarray(must("write", count));
        }
      },
      close,
      abort: close,
    });
  }
}

/** The reading end. A descriptor is not closed while a thread waits for it,
 * since its number might name something else the next moment. */
class DescriptorSource {
  #isWaiting = false;
  #isCancelled = false;

  constructor(
    readonly fd: number,
    readonly wait: Deno.DynamicLibrary<typeof WAIT_SYMBOLS>["symbols"],
    readonly calls: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"],
  ) {}

  async pull(controller: ReadableStreamDefaultController<Bytes>) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    let count = EAGAIN;
    while (count === EAGAIN) {
      this.#isWaiting = true;
      await this.wait.host_file_poll(this.fd, POLLIN, FOR_EVER);
      this.#isWaiting = false;
      if (this.#isCancelled) return this.#close();
      count = this.calls.host_file_read_bytes(
        this.fd,
        chunk,
        chunk.length,
        AT_STREAM_HEAD,
      );
    }
    if (count > 0) return controller.enqueue(chunk.subarray(0, count));
    this.#close();
    controller.close();
  }

  cancel(): void {
    this.#isCancelled = true;
    if (!this.#isWaiting) this.#close();
  }

  #close(): void {
    this.calls.host_file_close(this.fd);
  }
}
