/**
 * The Sentry's end of the control connection. While the kernel runs, requests
 * are handled between guest steps, when the reactor says that one has come;
 * each handler runs to completion.
 *
 * The other end is the process that started us, or a command of later; see
 * connections.ts for what its end means.
 * @module
 */
import type { DescriptorMaker } from "../../ffi/files.ts";
import type { GoferChannels } from "../../ffi/gofer_channel.ts";
import { EAGAIN } from "../../kernel/abi/errno.ts";
import { ExitStatus } from "../exit_status.ts";
import { messageOf } from "../runtime_error.ts";
import { BootError } from "./boot_error.ts";
import {
  type Call,
  decodeCall,
  encodeMessage,
  type Event,
  MAX_MESSAGE_BYTES,
  type Reply,
} from "./messages.ts";

/** A call with the descriptors that came with it: the handler takes those that
 * it wants out of the array, the rest are closed. What it returns is the
 * result. Throws a BootError for a refusal. */
export type CallHandler = (
  call: Call,
  fds: number[],
  from: ControlServer,
) => unknown;

export class ControlServer {
  readonly #channels: GoferChannels;
  /** The descriptor. */
  readonly channel: number;
  readonly #descriptors: DescriptorMaker;
  readonly #bytes = new Uint8Array(MAX_MESSAGE_BYTES);
  readonly #fds: number[] = [];
  #isOpen = true;

  constructor(
    channels: GoferChannels,
    channel: number,
    descriptors: DescriptorMaker,
  ) {
    this.#channels = channels;
    this.channel = channel;
    this.#descriptors = descriptors;
  }

  /** False once the other end is gone. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Tells the other end. What it cannot hear any more is lost. */
  send(message: Event | Reply): void {
    if (!this.#isOpen) return;
    const bytes = encodeMessage(message);
    const error = this.#channels.send(this.channel, bytes, bytes.length, []);
    if (error < 0) this.#isOpen = false;
  }

  /** Handles every call that is there. */
  handlePending(handler: CallHandler): void {
    while (this.#isOpen && this.#handleNext(handler, true));
  }

  /** Waits for calls and handles them until `isDone()` or the end. */
  handleUntil(handler: CallHandler, isDone: () => boolean): void {
    while (this.#isOpen && !isDone()) this.#handleNext(handler, false);
  }

  /** False: nothing was there. */
  #handleNext(handler: CallHandler, noWait: boolean): boolean {
    const length = this.#channels.receive(
      this.channel,
      this.#bytes,
      this.#fds,
      { spinUs: 0, noWait },
    );
    if (length === -EAGAIN.code) return false;
    if (length <= 0) {
      this.#isOpen = false;
      return false;
    }
    const fds = [...this.#fds];
    const call = decodeCall(this.#bytes.subarray(0, length));
    this.send(this.#answer(call, fds, handler));
    for (const fd of fds) this.#descriptors.close(fd);
    return true;
  }

  #answer(call: Call, fds: number[], handler: CallHandler): Reply {
    try {
      const result = handler(call, fds, this);
      return result === undefined
        ? { reply: call.id }
        : { reply: call.id, result };
    } catch (thrown) {
      const status = thrown instanceof BootError
        ? thrown.status
        : ExitStatus.SandboxDied;
      return { reply: call.id, error: { message: messageOf(thrown), status } };
    }
  }
}
