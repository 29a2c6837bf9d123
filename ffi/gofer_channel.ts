/**
 * Whole messages with descriptors over a SOCK_SEQPACKET connection; binds
 * native/gofer_channel.c. Results are >= 0 or a negative errno. Works after
 * the ffi permission was revoked.
 * @module
 */
import { bind, type Binding, type Bound } from "./binding.ts";
import { must, nativePath } from "./library.ts";

const SYMBOLS = {
  rsg_channel_pair: { parameters: ["buffer"], result: "i32" },
  rsg_channel_send: {
    parameters: ["i32", "buffer", "i32", "buffer", "i32"],
    result: "i32",
  },
  rsg_channel_receive: {
    parameters: ["i32", "buffer", "i32", "buffer", "i32", "i32"],
    result: "i32",
  },
  rsg_channel_wait: {
    parameters: ["buffer", "i32", "i32", "i32"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The most descriptors in one message. */
export const MAX_MESSAGE_FDS = 5;

const EINVAL_CODE = -22;

/** Both ends of connections. */
export class GoferChannels implements Disposable {
  readonly #calls: Bound<typeof SYMBOLS>["symbols"];
  readonly #library: Bound<typeof SYMBOLS>;
  readonly #sent = new Int32Array(MAX_MESSAGE_FDS);
  readonly #received = new Int32Array(1 + MAX_MESSAGE_FDS);

  /** Loads the host library; throws if it can't. */
  constructor(binding: Binding = "lasting") {
    this.#library = bind(nativePath("libhost.so"), SYMBOLS, binding);
    this.#calls = this.#library.symbols;
  }

  /** Unloads the library; channels stay open. */
  [Symbol.dispose](): void {
    this.#library.close();
  }

  /** The two ends of a new connection, close-on-exec. Throws a HostError when
   * the host is out of descriptors. */
  pair(): readonly [number, number] {
    const ends = new Int32Array(2);
    must("socketpair", this.#calls.rsg_channel_pair(ends));
    return [ends[0]!, ends[1]!];
  }

  /** Sends `bytes[0, length)`. -EPIPE: the other end is gone. */
  send(
    channel: number,
    bytes: Uint8Array<ArrayBuffer>,
    length: number,
    fds: readonly number[],
  ): number {
    if (length > bytes.length || fds.length > MAX_MESSAGE_FDS) {
      return EINVAL_CODE;
    }
    for (let i = 0; i < fds.length; i++) this.#sent[i] = fds[i]!;
    return this.#calls.rsg_channel_send(
      channel,
      bytes,
      length,
      this.#sent,
      fds.length,
    );
  }

  /**
   * Receives one message into `into` and its descriptors into `fds` (fewer than
   * were sent, if this process may not have more); its length, or 0 when the
   * other end has closed (or sent an empty message, which may bring
   * descriptors, too). Blocks the thread, unless `noWait` (-EAGAIN), at first
   * spinning for `spinUs` microseconds. -EMSGSIZE: too long.
   */
  receive(
    channel: number,
    into: Uint8Array<ArrayBuffer>,
    fds: number[],
    options: { readonly spinUs: number; readonly noWait?: boolean },
  ): number {
    const length = this.#calls.rsg_channel_receive(
      channel,
      into,
      into.length,
      this.#received,
      options.spinUs,
      options.noWait ? 1 : 0,
    );
    fds.length = 0;
    if (length < 0) return length;
    const count = this.#received[0]!;
    for (let i = 0; i < count; i++) fds.push(this.#received[1 + i]!);
    return length;
  }

  /** Blocks until one of at most 64 channels has a message or has ended; its
   * index, looking from `start` on. */
  wait(
    channels: Int32Array<ArrayBuffer>,
    start: number,
    spinUs: number,
  ): number {
    return this.#calls.rsg_channel_wait(
      channels,
      channels.length,
      start,
      spinUs,
    );
  }
}
