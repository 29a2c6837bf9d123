/**
 * Waiting for messages without blocking the event loop: the command line's and
 * an embedding program's end of a SOCK_SEQPACKET connection. Each wait takes a
 * thread of Deno's pool, so it is not for the kernel. Binds
 * native/gofer_channel.c, which gofer_channel.ts binds for everything else.
 * @module
 */

import { nativePath } from "./library.ts";

const SYMBOLS = {
  rsg_channel_receive: {
    parameters: ["i32", "buffer", "i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** Descriptors are not expected on this side: a message with some is cut. */
const FD_WORDS = 6;

/** Receives from any number of connections. */
export class AsyncReceiver implements Disposable {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;

  constructor(path = nativePath("libhost.so")) {
    this.#library = Deno.dlopen(path, SYMBOLS);
  }

  /**
   * The next message of at most `maxBytes`, null when the other end is gone.
   * Throws a RangeError for a longer message. Preconditions: one receive() per
   * connection at a time; the descriptor stays open until it has returned.
   */
  async receive(
    channel: number,
    maxBytes: number,
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const into = new Uint8Array(maxBytes);
    const length = await this.#library.symbols.rsg_channel_receive(
      channel,
      into,
      into.length,
      new Int32Array(FD_WORDS),
      0,
      0,
    );
    const EMSGSIZE = -90;
    if (length === EMSGSIZE) throw new RangeError("A message is too long");
    // Any other errno means a reset connection: its process died.
    return length <= 0 ? null : into.subarray(0, length);
  }

  /** Precondition: no receive() is under way. */
  [Symbol.dispose](): void {
    this.#library.close();
  }
}
