/**
 * AF_UNIX SOCK_SEQPACKET: connections that keep message boundaries. Source:
 * unix(7), socket(2).
 * @module
 */
import {
  EAGAIN,
  EMSGSIZE,
  ENOTCONN,
  EOPNOTSUPP,
  EPIPE,
  type Errno,
  isErrno,
} from "../../abi/errno.ts";
import { SIGPIPE } from "../../abi/signal.ts";
import {
  AF_UNIX,
  MSG_NOSIGNAL,
  MSG_OOB,
  SOCK_SEQPACKET,
} from "../../abi/socket.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { IncomingMessage, OutgoingMessage } from "../socket.ts";
import { costOf, MessageInbox, type MessageSender } from "./message_inbox.ts";
import { deliverMessage, packMessage } from "./deliver_message.ts";
import { READABLE, UnixConnected, WRITABLE } from "./unix_connected.ts";
import type { UnixServices } from "./unix_socket.ts";

const KIND = { family: AF_UNIX, type: SOCK_SEQPACKET, protocol: 0 };
/** Bytes that a message may be shorter than the send buffer at most. */
const RESERVE = 32;

export class UnixSeqpacket extends UnixConnected implements MessageSender {
  readonly inbox = new MessageInbox();
  /** Cost of messages that the peer has not read. */
  #unread = 0;

  constructor(services: UnixServices, caller: Caller) {
    super(services, KIND, caller);
  }

  protected override createOther(caller: Caller): UnixSeqpacket {
    return new UnixSeqpacket(this.services, caller);
  }
  protected override get hasInput(): boolean {
    return this.inbox.length > 0;
  }
  protected override get hasRoom(): boolean {
    return 4 * this.#unread <= this.sendBuffer;
  }
  protected override get bytesUnread(): number {
    return this.#unread;
  }
  protected override get bytesToRead(): number {
    return this.inbox.first?.data.length ?? 0;
  }

  /** A receiver's address is ignored: there is only the peer. */
  override send(message: OutgoingMessage, caller: Caller): number | Errno {
    const { io, flags, ancillary } = message;
    if ((flags & MSG_OOB) !== 0) return EOPNOTSUPP;
    const { peer } = this;
    if (!(peer instanceof UnixSeqpacket)) return ENOTCONN;
    const length = io.remaining;
    if (length > this.sendBuffer - RESERVE) return EMSGSIZE;
    if (this.isBroken) {
      if ((flags & MSG_NOSIGNAL) === 0) caller.raise(SIGPIPE);
      return EPIPE;
    }
    if (this.#unread >= this.sendBuffer) return EAGAIN;
    const packed = packMessage(this, io, null, ancillary, caller);
    if (isErrno(packed)) return packed;
    this.#unread += costOf(length);
    peer.inbox.push(packed);
    peer.queue.wake(READABLE);
    return length;
  }

  messageGone(cost: number): void {
    this.services.messages.giveBack(cost);
    const hadRoom = this.hasRoom;
    this.#unread -= cost;
    if (!hadRoom && this.hasRoom) this.queue.wake(WRITABLE);
  }

  override receive(message: IncomingMessage, _caller: Caller): number | Errno {
    if (this.state !== "connected") return ENOTCONN;
    if ((message.requested & MSG_OOB) !== 0) return EOPNOTSUPP;
    if (this.inbox.length === 0) {
      const error = this.takeError();
      if (error !== null) return error;
      return this.isReceiveShutdown ? 0 : EAGAIN;
    }
    return deliverMessage(this, this.inbox, message);
  }

  protected override *ownFiles(): Iterable<FileDescription> {
    for (const { files } of this.inbox.rights()) yield* files;
  }
  protected override discardOwn(): void {
    for (let gone = this.inbox.shift(); gone !== undefined;) {
      if (gone.rights !== null) this.services.inFlight.drop(gone.rights);
      gone = this.inbox.shift();
    }
  }
}
