/**
 * AF_UNIX SOCK_DGRAM: messages to named sockets, or to the one connected to.
 * Nothing is lost: a sender waits while its own buffer or the receiver's queue
 * is full. Source: unix(7), send(2), connect(2).
 * @module
 */
import {
  EAGAIN,
  ECONNREFUSED,
  EINVAL,
  EMSGSIZE,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
  EPIPE,
  type Errno,
  isErrno,
} from "../../abi/errno.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from "../../abi/poll.ts";
import { AF_UNIX, AF_UNSPEC, MSG_OOB, SOCK_DGRAM } from "../../abi/socket.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type {
  IncomingMessage,
  OutgoingMessage,
  PeerCredentials,
} from "../socket.ts";
import { deliverMessage, packMessage } from "./deliver_message.ts";
import { costOf, MessageInbox, type MessageSender } from "./message_inbox.ts";
import { encodeUnixAddress, parseUnixAddress } from "./unix_address.ts";
import {
  credentialsOf,
  FULL_SHUTDOWN,
  RECEIVE_SHUTDOWN,
  SEND_SHUTDOWN,
  type UnixServices,
  UnixSocket,
} from "./unix_socket.ts";

const KIND = { family: AF_UNIX, type: SOCK_DGRAM, protocol: 0 };
const READABLE = POLLIN | POLLRDNORM;
const WRITABLE = POLLOUT | POLLWRNORM | POLLWRBAND;
const RESERVE = 32;
/** net.unix.max_dgram_qlen: more messages than this make senders wait. */
const QUEUE_LENGTH = 10;

export class UnixDatagram extends UnixSocket implements MessageSender {
  readonly inbox = new MessageInbox();
  peer: UnixDatagram | null = null;
  #pairCredentials: PeerCredentials | null = null;
  /** Cost of messages that nobody has read. */
  #unread = 0;
  /** Senders that wait for room in our queue. */
  readonly #waitingSenders = new Set<UnixDatagram>();

  constructor(services: UnixServices, caller: Caller) {
    super(services, KIND, caller);
  }

  /** socketpair(2). */
  joinAsPair(other: UnixDatagram, caller: Caller): void {
    this.peer = other;
    other.peer = this;
    this.#pairCredentials = credentialsOf(caller);
    other.#pairCredentials = this.#pairCredentials;
  }
  override get peerCredentials(): PeerCredentials | null {
    return this.#pairCredentials;
  }

  protected override get bytesUnread(): number {
    return this.#unread;
  }
  protected override get bytesToRead(): number {
    return this.inbox.first?.data.length ?? 0;
  }
  get #hasRoom(): boolean {
    return 4 * this.#unread <= this.sendBuffer;
  }
  /** True if `sender` must wait: peers connected to each other never do. */
  #isFullFor(sender: UnixDatagram): boolean {
    return this.peer !== sender && this.inbox.length > QUEUE_LENGTH;
  }

  override readiness(): number {
    let events = 0;
    if (this.error !== null) events |= POLLERR;
    if (this.shutdownMask === FULL_SHUTDOWN) events |= POLLHUP;
    if ((this.shutdownMask & RECEIVE_SHUTDOWN) !== 0) {
      events |= POLLRDHUP | READABLE;
    }
    if (this.inbox.length > 0) events |= READABLE;
    if (this.#hasRoom && !this.#isPeerFull()) events |= WRITABLE;
    return events;
  }
  #isPeerFull(): boolean {
    const { peer } = this;
    if (peer === null || peer.isDead || !peer.#isFullFor(this)) return false;
    // So that whoever polls us is woken.
    peer.#waitingSenders.add(this);
    return true;
  }

  /** AF_UNSPEC takes the connection away. */
  override connect(bytes: Uint8Array, caller: Caller): Errno | null {
    if (bytes.length < 2) return EINVAL;
    if ((bytes[0]! | (bytes[1]! << 8)) === AF_UNSPEC) {
      this.peer = null;
      return null;
    }
    const address = parseUnixAddress(bytes);
    if (isErrno(address)) return address;
    if (address === "unnamed") return EINVAL;
    if (this.passesCredentials) {
      const failed = this.autobind();
      if (failed !== null) return failed;
    }
    const target = this.findTarget(address, caller);
    if (isErrno(target)) return target;
    if (!(target instanceof UnixDatagram)) return ECONNREFUSED;
    if (!this.#maySendTo(target)) return EPERM;
    this.peer = target;
    return null;
  }
  /** A socket that is connected takes messages from its peer only. */
  #maySendTo(target: UnixDatagram): boolean {
    return target.peer === null || target.peer === this;
  }

  override peerAddress(): Uint8Array | Errno {
    if (this.peer === null) return ENOTCONN;
    return encodeUnixAddress(this.peer.address);
  }

  override send(message: OutgoingMessage, caller: Caller): number | Errno {
    const { io, flags, ancillary } = message;
    if ((flags & MSG_OOB) !== 0) return EOPNOTSUPP;
    const target = this.#targetOf(message.address, caller);
    if (isErrno(target)) return target;
    const length = io.remaining;
    if (length > this.sendBuffer - RESERVE) return EMSGSIZE;
    if (!this.#maySendTo(target)) return EPERM;
    if (
      (this.shutdownMask & SEND_SHUTDOWN) !== 0 ||
      (target.shutdownMask & RECEIVE_SHUTDOWN) !== 0
    ) return EPIPE;
    if (target.#isFullFor(this)) {
      target.#waitingSenders.add(this);
      return EAGAIN;
    }
    if (this.#unread >= this.sendBuffer) return EAGAIN;
    const address = this.address === null
      ? null
      : encodeUnixAddress(this.address);
    const packed = packMessage(this, io, address, ancillary, caller);
    if (isErrno(packed)) return packed;
    this.#unread += costOf(length);
    target.inbox.push(packed);
    target.queue.wake(READABLE);
    return length;
  }

  #targetOf(bytes: Uint8Array | null, caller: Caller): UnixDatagram | Errno {
    if (this.passesCredentials) {
      const failed = this.autobind();
      if (failed !== null) return failed;
    }
    if (bytes === null) {
      if (this.peer === null) return ENOTCONN;
      if (!this.peer.isDead) return this.peer;
      // The connection ends with the peer, and says so once.
      this.peer = null;
      return ECONNREFUSED;
    }
    const address = parseUnixAddress(bytes);
    if (isErrno(address)) return address;
    if (address === "unnamed") return EINVAL;
    const target = this.findTarget(address, caller);
    if (isErrno(target)) return target;
    return target instanceof UnixDatagram ? target : ECONNREFUSED;
  }

  messageGone(cost: number): void {
    this.services.messages.giveBack(cost);
    this.#unread -= cost;
    if (this.#hasRoom && !this.queue.isEmpty) this.queue.wake(WRITABLE);
  }

  override receive(message: IncomingMessage, _caller: Caller): number | Errno {
    if ((message.requested & MSG_OOB) !== 0) return EOPNOTSUPP;
    if (this.inbox.length === 0) {
      const error = this.takeError();
      if (error !== null) return error;
      return (this.shutdownMask & RECEIVE_SHUTDOWN) !== 0 ? 0 : EAGAIN;
    }
    const count = deliverMessage(this, this.inbox, message);
    if (this.inbox.length <= QUEUE_LENGTH) this.#wakeSenders();
    return count;
  }
  #wakeSenders(): void {
    if (this.#waitingSenders.size === 0) return;
    const senders = [...this.#waitingSenders];
    this.#waitingSenders.clear();
    for (const sender of senders) sender.queue.wake(WRITABLE);
  }

  protected override shutdownChanged(): void {
    this.queue.wake(READABLE | WRITABLE | POLLRDHUP | POLLHUP);
    this.#wakeSenders();
  }
  override buffersChanged(): void {
    if (this.#hasRoom) this.queue.wake(WRITABLE);
  }

  override *heldFiles(): Iterable<FileDescription> {
    for (const { files } of this.inbox.rights()) yield* files;
  }
  override discardMessages(): void {
    for (let gone = this.inbox.shift(); gone !== undefined;) {
      if (gone.rights !== null) this.services.inFlight.drop(gone.rights);
      gone = this.inbox.shift();
    }
  }

  protected override onClose(): void {
    super.onClose();
    this.discardMessages();
    this.#wakeSenders();
    this.queue.wake(READABLE | WRITABLE | POLLHUP);
  }
}
