/**
 * Connections of AF_UNIX: listen, accept, connect, shutdown and readiness,
 * shared by SOCK_STREAM and SOCK_SEQPACKET.
 *
 * States: idle → listening, or idle → connected. connect(2) makes the other end
 * at once and puts it into the listener's accept queue. When an end closes, the
 * other stays connected to it, sees the end of the stream, and EPIPE.
 * Source: unix(7), listen(2), connect(2), accept(2).
 * @module
 */
import {
  EAGAIN,
  ECONNREFUSED,
  ECONNRESET,
  EINVAL,
  EISCONN,
  ENOTCONN,
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
import { SOMAXCONN } from "../../abi/socket.ts";
import type { WaitQueue } from "../../sync/wait_queue.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { PeerCredentials } from "../socket.ts";
import { encodeUnixAddress, parseUnixAddress } from "./unix_address.ts";
import {
  credentialsOf,
  FULL_SHUTDOWN,
  RECEIVE_SHUTDOWN,
  SEND_SHUTDOWN,
  UnixSocket,
} from "./unix_socket.ts";

export const READABLE = POLLIN | POLLRDNORM;
export const WRITABLE = POLLOUT | POLLWRNORM | POLLWRBAND;

type State = "idle" | "listening" | "connected";

export abstract class UnixConnected extends UnixSocket {
  #state: State = "idle";
  /** The other end, kept after it closed. */
  peer: UnixConnected | null = null;
  /** Connections that wait for accept(2), each with the queue's reference. */
  readonly #acceptQueue: UnixConnected[] = [];
  #backlog = 0;
  /** Who this end belongs to, as its peer is told. */
  #ownCredentials: PeerCredentials | null = null;
  #connectQueue: WaitQueue | null = null;

  /** A new idle socket of the same type: the other end of a connection. */
  protected abstract createOther(caller: Caller): UnixConnected;
  /** Something to read. */
  protected abstract get hasInput(): boolean;
  /** True if the send buffer has room enough to tell poll(2). */
  protected abstract get hasRoom(): boolean;

  get state(): State {
    return this.#state;
  }
  override get isListening(): boolean {
    return this.#state === "listening";
  }

  override listen(backlog: number, caller: Caller): Errno | null {
    if (this.address === null || this.#state === "connected") return EINVAL;
    // A negative backlog is a huge one.
    this.#backlog = backlog < 0 ? SOMAXCONN : Math.min(backlog, SOMAXCONN);
    this.#state = "listening";
    this.#ownCredentials = credentialsOf(caller);
    // Those who wait for room in a longer queue.
    this.queue.wake(WRITABLE);
    return null;
  }

  override connect(bytes: Uint8Array, caller: Caller): Errno | null {
    const address = parseUnixAddress(bytes);
    if (isErrno(address)) return address;
    if (address === "unnamed") return EINVAL;
    if (this.passesCredentials) {
      const failed = this.autobind();
      if (failed !== null) return failed;
    }
    const listener = this.findTarget(address, caller);
    if (isErrno(listener)) return listener;
    if (!(listener instanceof UnixConnected) || !listener.isListening) {
      return ECONNREFUSED;
    }
    if ((listener.shutdownMask & RECEIVE_SHUTDOWN) !== 0) return ECONNREFUSED;
    if (this.#state === "connected") return EISCONN;
    if (this.#state === "listening") return EINVAL;
    if (listener.#acceptQueue.length > listener.#backlog) {
      this.#connectQueue = listener.queue;
      return EAGAIN;
    }
    const other = listener.createOther(caller);
    other.address = listener.address;
    this.#ownCredentials = credentialsOf(caller);
    other.#ownCredentials = listener.#ownCredentials;
    this.join(other);
    listener.#acceptQueue.push(other);
    listener.queue.wake(READABLE);
    return null;
  }
  override get connectQueue(): WaitQueue {
    return this.#connectQueue ?? this.queue;
  }

  /** Connects two idle sockets with each other. */
  join(other: UnixConnected): void {
    this.peer = other;
    other.peer = this;
    this.#state = "connected";
    other.#state = "connected";
    this.queue.wake(WRITABLE);
  }

  /** socketpair(2): both ends belong to the caller. */
  joinAsPair(other: UnixConnected, caller: Caller): void {
    this.#ownCredentials = credentialsOf(caller);
    other.#ownCredentials = this.#ownCredentials;
    this.join(other);
  }

  override accept(): UnixConnected | Errno {
    if (!this.isListening) return EINVAL;
    const accepted = this.#acceptQueue.shift();
    if (accepted === undefined) {
      return (this.shutdownMask & RECEIVE_SHUTDOWN) !== 0 ? EINVAL : EAGAIN;
    }
    if (this.#acceptQueue.length === this.#backlog) this.queue.wake(WRITABLE);
    return accepted;
  }

  override peerAddress(): Uint8Array | Errno {
    if (this.peer === null) return ENOTCONN;
    return encodeUnixAddress(this.peer.address);
  }
  override get peerCredentials(): PeerCredentials | null {
    if (this.isListening) return this.#ownCredentials;
    return this.peer === null ? null : this.peer.#ownCredentials;
  }

  /** True if nothing that is sent would ever be read. */
  get isBroken(): boolean {
    return (this.shutdownMask & SEND_SHUTDOWN) !== 0 || this.peer === null ||
      this.peer.isDead || (this.peer.shutdownMask & RECEIVE_SHUTDOWN) !== 0;
  }
  get isReceiveShutdown(): boolean {
    return (this.shutdownMask & RECEIVE_SHUTDOWN) !== 0;
  }

  override readiness(): number {
    let events = 0;
    if (this.error !== null) events |= POLLERR;
    if (this.shutdownMask === FULL_SHUTDOWN) events |= POLLHUP;
    if (this.isReceiveShutdown) events |= POLLRDHUP | READABLE;
    if (this.isListening) {
      return this.#acceptQueue.length > 0 ? events | READABLE : events;
    }
    if (this.hasInput) events |= READABLE;
    if (this.#state === "idle") events |= POLLHUP;
    if (this.hasRoom) events |= WRITABLE;
    return events;
  }

  protected override shutdownChanged(added: number): void {
    const { peer } = this;
    this.queue.wake(READABLE | WRITABLE | POLLRDHUP | POLLHUP);
    if (peer === null) return;
    const mirrored = ((added & RECEIVE_SHUTDOWN) !== 0 ? SEND_SHUTDOWN : 0) |
      ((added & SEND_SHUTDOWN) !== 0 ? RECEIVE_SHUTDOWN : 0);
    peer.shutdownMask |= mirrored;
    peer.queue.wake(READABLE | WRITABLE | POLLRDHUP | POLLHUP);
  }

  override *heldFiles(): Iterable<FileDescription> {
    yield* this.ownFiles();
    for (const embryo of this.#acceptQueue) yield* embryo.ownFiles();
  }
  protected abstract ownFiles(): Iterable<FileDescription>;
  protected abstract discardOwn(): void;
  override discardMessages(): void {
    this.discardOwn();
    for (const embryo of this.#acceptQueue) embryo.discardOwn();
  }

  protected override onClose(): void {
    const hadInput = this.hasInput;
    super.onClose();
    const { peer } = this;
    if (peer !== null && !peer.isDead) {
      // Bytes that were lost make an error of the end.
      if (hadInput) peer.error = ECONNRESET;
      peer.shutdownMask = FULL_SHUTDOWN;
      peer.queue.wake(READABLE | WRITABLE | POLLRDHUP | POLLHUP | POLLERR);
    }
    this.discardOwn();
    for (const embryo of this.#acceptQueue.splice(0)) {
      const client = embryo.peer;
      if (client !== null && !client.isDead) client.error = ECONNRESET;
      embryo.release();
    }
    this.queue.wake(READABLE | WRITABLE | POLLHUP);
  }
}
