/**
 * A connection with a sandbox, for commands that ask and wait: synchronous. (A
 * command that goes on doing other things uses running_sandbox.ts.)
 * @module
 */
import { ControlSockets } from "../../ffi/control_socket.ts";
import { DescriptorMaker } from "../../ffi/files.ts";
import { GoferChannels } from "../../ffi/gofer_channel.ts";
import {
  type Call,
  decodeFromSentry,
  encodeMessage,
  type Event,
  type FromSentry,
  MAX_MESSAGE_BYTES,
} from "../boot/messages.ts";
import { ExitStatus } from "../exit_status.ts";
import { RuntimeError } from "../runtime_error.ts";
import { asRuntimeError } from "../sandbox/sentry_error.ts";

export type CallBody = Call extends infer C
  ? C extends { readonly id: number } ? Omit<C, "id"> : never
  : never;

export class ControlClient implements Disposable {
  readonly #channels = new GoferChannels("brief");
  readonly #descriptors = new DescriptorMaker("brief");
  /** The descriptor. */
  readonly channel: number;
  readonly #bytes = new Uint8Array(MAX_MESSAGE_BYTES);
  readonly #events: Event[] = [];
  #lastId = 0;

  /** `channel` is the client's from now on. */
  constructor(channel: number) {
    this.channel = channel;
  }

  /** Connects with a running sandbox. Throws a RuntimeError. */
  static connect(socketPath: string): ControlClient {
    using sockets = new ControlSockets("brief");
    const channel = sockets.connect(socketPath, "messages");
    if (channel < 0) {
      throw new RuntimeError(ExitStatus.Failure, "container not running");
    }
    return new ControlClient(channel);
  }

  /** Makes a call and waits for its result. Throws a RuntimeError if the
   * sandbox refuses or ends. */
  call(body: CallBody, fds: readonly number[] = []): unknown {
    const id = ++this.#lastId;
    const bytes = encodeMessage({ ...body, id });
    this.#channels.send(this.channel, bytes, bytes.length, fds);
    for (;;) {
      const message = this.#receive();
      if ("event" in message) {
        this.#events.push(message);
        continue;
      }
      if (message.reply !== id) continue;
      const { error, result } = message;
      if (error === undefined) return result;
      throw asRuntimeError(error.status, error.message);
    }
  }

  /** Makes a call whose result nobody waits for. */
  post(body: CallBody): void {
    const bytes = encodeMessage({ ...body, id: ++this.#lastId });
    this.#channels.send(this.channel, bytes, bytes.length, []);
  }

  /** An event that came before a reply, null: no more. */
  takeEvent(): Event | null {
    return this.#events.shift() ?? null;
  }

  #receive(): FromSentry {
    const length = this.#channels.receive(this.channel, this.#bytes, [], {
      spinUs: 0,
    });
    if (length > 0) return decodeFromSentry(this.#bytes.subarray(0, length));
    throw new RuntimeError(ExitStatus.SandboxDied, "the sandbox has ended");
  }

  [Symbol.dispose](): void {
    this.#descriptors.close(this.channel);
    this.#descriptors[Symbol.dispose]();
    this.#channels[Symbol.dispose]();
  }
}
