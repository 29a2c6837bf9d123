/**
 * What a datagram or sequenced-packet socket has received and not read:
 * messages in order.
 * @module
 */
import { EFAULT, type Errno, isErrno } from "../../abi/errno.ts";
import type { IoBuffer } from "../../mm/io_buffer.ts";
import type { PeerCredentials } from "../socket.ts";
import type { Rights } from "./in_flight.ts";

/** What a message costs its sender's buffer beside its bytes. */
export const MESSAGE_OVERHEAD = 512;

/** Is told when a message that it sent was read or dropped. */
export interface MessageSender {
  /** `cost`: bytes of its send buffer that are free again. */
  messageGone(cost: number): void;
}

export interface Message {
  readonly data: Uint8Array;
  /** struct sockaddr of the sender; null: without a name. */
  readonly address: Uint8Array | null;
  readonly sender: PeerCredentials;
  readonly rights: Rights | null;
  readonly from: MessageSender;
}

/** Bytes of the send buffer that a message of this length takes. */
export function costOf(length: number): number {
  return length + MESSAGE_OVERHEAD;
}

/** Bytes of messages that wait in all sockets of a kernel: they are ordinary
 * arrays, which no guest may make more of than the host can bear. */
export class MessageBudget {
  static readonly LIMIT = 64 << 20;
  #used = 0;

  /** False: the message would be one too many. */
  take(cost: number): boolean {
    if (this.#used + cost > MessageBudget.LIMIT) return false;
    this.#used += cost;
    return true;
  }
  giveBack(cost: number): void {
    this.#used -= cost;
  }
}

/** Copies a whole message out of guest memory; `length` is bounded by the send
 * buffer. EFAULT. */
export function takeData(io: IoBuffer, length: number): Uint8Array | Errno {
  const data = new Uint8Array(length);
  if (length === 0) return data;
  const taken = io.take(data, 0, length);
  if (isErrno(taken)) return taken;
  return taken === length ? data : EFAULT;
}

export class MessageInbox {
  readonly #messages: Message[] = [];

  get length(): number {
    return this.#messages.length;
  }
  get first(): Message | undefined {
    return this.#messages[0];
  }
  push(message: Message): void {
    this.#messages.push(message);
  }
  /** Takes the first message; its sender has room again. The rights are the
   * caller's to deal with. */
  shift(): Message | undefined {
    const message = this.#messages.shift();
    message?.from.messageGone(costOf(message.data.length));
    return message;
  }
  *rights(): Generator<Rights> {
    for (const { rights } of this.#messages) if (rights !== null) yield rights;
  }
}
