/**
 * AF_UNIX SOCK_STREAM: bytes in order, with files and credentials attached to
 * places in the stream. Each end's inbox is filled up to the other end's
 * SO_SNDBUF. Source: unix(7), send(2), recv(2).
 * @module
 */
import {
  EAGAIN,
  EINVAL,
  EISCONN,
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
  MSG_PEEK,
  SOCK_STREAM,
} from "../../abi/socket.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { IncomingMessage, OutgoingMessage } from "../socket.ts";
import { type Attachment, StreamInbox } from "./stream_inbox.ts";
import { READABLE, UnixConnected, WRITABLE } from "./unix_connected.ts";
import type { UnixServices } from "./unix_socket.ts";

const KIND = { family: AF_UNIX, type: SOCK_STREAM, protocol: 0 };

/** What came with the bytes of the running receive(). */
const attachment: Attachment = { sender: null, rights: null };

export class UnixStream extends UnixConnected {
  readonly inbox: StreamInbox;

  constructor(services: UnixServices, caller: Caller) {
    super(services, KIND, caller);
    this.inbox = new StreamInbox(services.memory, services.pages);
  }

  protected override createOther(caller: Caller): UnixStream {
    return new UnixStream(this.services, caller);
  }
  override get isStream(): boolean {
    return true;
  }
  protected override get hasInput(): boolean {
    return this.inbox.used > 0;
  }
  /** Bytes that the peer has not read. */
  protected override get bytesUnread(): number {
    return this.peer instanceof UnixStream ? this.peer.inbox.used : 0;
  }
  protected override get bytesToRead(): number {
    return this.inbox.used;
  }
  protected override get hasRoom(): boolean {
    const { peer } = this;
    if (peer instanceof UnixStream && peer.inbox.isHalfFragmented) return false;
    return 4 * this.bytesUnread <= this.sendBuffer;
  }

  override send(message: OutgoingMessage, caller: Caller): number | Errno {
    const { io, flags, ancillary } = message;
    if ((flags & MSG_OOB) !== 0) return EOPNOTSUPP;
    if (message.address !== null) {
      return this.state === "connected" ? EISCONN : EOPNOTSUPP;
    }
    const { peer } = this;
    if (!(peer instanceof UnixStream)) return ENOTCONN;
    if (this.isBroken) {
      if ((flags & MSG_NOSIGNAL) === 0) caller.raise(SIGPIPE);
      return EPIPE;
    }
    // Without bytes there is nothing that files could be attached to.
    if (io.remaining === 0) return 0;
    const { inbox } = peer;
    if (inbox.used >= this.sendBuffer || inbox.isFragmented) return EAGAIN;
    const rights = this.rightsOf(ancillary, caller);
    if (isErrno(rights)) return rights;
    const sender = this.senderOf(ancillary, caller);
    const moved = inbox.append(io, this.sendBuffer, sender, rights);
    if (isErrno(moved)) {
      // The sender keeps the files that it could not send.
      if (rights !== null) this.services.inFlight.receive(rights);
      return moved;
    }
    if (!peer.queue.isEmpty) peer.queue.wake(READABLE);
    return moved;
  }

  override receive(message: IncomingMessage, _caller: Caller): number | Errno {
    if ((message.requested & MSG_OOB) !== 0) return EOPNOTSUPP;
    if (this.state !== "connected") return EINVAL;
    if (message.io.remaining === 0) return 0;
    const { inbox } = this;
    if (inbox.used === 0) {
      const error = this.takeError();
      if (error !== null) return error;
      return this.isReceiveShutdown ? 0 : EAGAIN;
    }
    const isPeek = (message.requested & MSG_PEEK) !== 0;
    const isBySender = this.passesCredentials;
    const hadRoom = this.peerHasRoom;
    const options = { isPeek, isBySender };
    const moved = inbox.read(message.io, options, attachment);
    if (isErrno(moved)) return moved;
    message.rights = this.receiveRights(attachment.rights, isPeek);
    if (isBySender) message.credentials = attachment.sender;
    if (!hadRoom && this.peerHasRoom) this.peer?.queue.wake(WRITABLE);
    return moved;
  }

  private get peerHasRoom(): boolean {
    return this.peer instanceof UnixStream && this.peer.hasRoom;
  }

  override buffersChanged(): void {
    if (this.hasRoom) this.queue.wake(WRITABLE);
  }

  protected override *ownFiles(): Iterable<FileDescription> {
    for (const { files } of this.inbox.rights()) yield* files;
  }
  protected override discardOwn(): void {
    const rights = [...this.inbox.rights()];
    this.inbox.clear();
    for (const each of rights) this.services.inFlight.drop(each);
  }
}
