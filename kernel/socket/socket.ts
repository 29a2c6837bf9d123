/**
 * Socket: the file side of a socket, whatever its family: the operations that
 * system calls ask for, with the defaults of a family that lacks them. Options
 * at SOL_SOCKET are in socket_options.ts. Source: socket(2), socket(7).
 *
 * As with every file nothing blocks here: EAGAIN means to wait on `queue` (or,
 * after connect(), on `connectQueue`) and to call again.
 * @module
 */
import { EINVAL, ENOTTY, EOPNOTSUPP, type Errno } from "../abi/errno.ts";
import { O_NONBLOCK, O_RDWR } from "../abi/fcntl.ts";
import { SOCKFS_MAGIC } from "../abi/magic.ts";
import { SOL_SOCKET } from "../abi/socket.ts";
import { S_IFSOCK } from "../abi/stat.ts";
import { AnonFileSystem, AnonInode } from "../fs/anon_inode.ts";
import type { IoBuffer } from "../mm/io_buffer.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import type { Clock } from "../time/clock.ts";
import type { Caller } from "../vfs/caller.ts";
import { FileDescription } from "../vfs/file_description.ts";
import { getSocketOption, setSocketOption } from "./socket_options.ts";

/** struct ucred: who sent a message, or who connected. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** What goes along with the bytes of a message. */
export interface Ancillary {
  /** Files of SCM_RIGHTS; the message holds a reference on each. */
  readonly rights: readonly FileDescription[];
  /** SCM_CREDENTIALS, checked; null: none were given. */
  readonly credentials: PeerCredentials | null;
}

/** A message to send. */
export interface OutgoingMessage {
  readonly io: IoBuffer;
  /** struct sockaddr of the receiver; null: the connected peer. */
  readonly address: Uint8Array | null;
  readonly ancillary: Ancillary | null;
  /** MSG_*. */
  readonly flags: number;
}

/** A message received: filled by receive(), reused by the caller. */
export class IncomingMessage {
  /** struct sockaddr of the sender; null: none is reported. */
  address: Uint8Array | null = null;
  /** SCM_CREDENTIALS, null if the receiver did not ask. */
  credentials: PeerCredentials | null = null;
  /** Files of SCM_RIGHTS; the receiver of this object owns a reference on
   * each. */
  rights: readonly FileDescription[] = [];
  /** MSG_TRUNC, MSG_CTRUNC, MSG_EOR for msg_flags. */
  flags = 0;

  /** Preconditions: `flags` are those of the call (MSG_PEEK, MSG_TRUNC, ...). */
  constructor(readonly io: IoBuffer, readonly requested: number) {}
}

/** What a family of sockets provides. */
export interface SocketFamily {
  /** socket(2). `type` without SOCK_CLOEXEC and SOCK_NONBLOCK; ESOCKTNOSUPPORT,
   * EPROTONOSUPPORT, EPERM. */
  create(
    type: number,
    protocol: number,
    caller: Caller,
  ): Socket | Errno;
  /** socketpair(2): two connected sockets; EOPNOTSUPP. */
  createPair(
    type: number,
    protocol: number,
    caller: Caller,
  ): readonly [Socket, Socket] | Errno;
}

/** sockfs: nameless inodes "socket:[N]", and the families. */
export class SocketFileSystem extends AnonFileSystem {
  /** By AF_*. */
  readonly families = new Map<number, SocketFamily>();

  constructor(options: { readonly clock: Clock; readonly device: number }) {
    super({
      typeName: "sockfs",
      magic: SOCKFS_MAGIC,
      device: options.device,
      clock: options.clock,
    });
  }
}

/** What kind of socket it is; immutable. */
export interface SocketKind {
  /** AF_*, SOCK_*, IPPROTO_* as getsockopt(2) shows them. */
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
}

/** A new place in sockfs that `caller` owns. */
function newPlace(sockets: SocketFileSystem, caller: Caller) {
  const now = sockets.clock.realtime();
  const inode = new AnonInode(
    sockets,
    sockets.nextIno(),
    S_IFSOCK | 0o777,
    now,
  );
  inode.uid = caller.identity.fsuid;
  inode.gid = caller.identity.fsgid;
  return sockets.place(inode, `socket:[${inode.ino}]`);
}

export abstract class Socket extends FileDescription {
  readonly sockets: SocketFileSystem;
  readonly kind: SocketKind;
  /** Values of options that this layer only keeps, by SO_*. */
  readonly options = new Map<number, number>();
  /** SO_RCVTIMEO and SO_SNDTIMEO, ns. */
  receiveTimeoutNs = Infinity;
  sendTimeoutNs = Infinity;
  /** SO_SNDBUF and SO_RCVBUF as getsockopt(2) shows them, bytes. */
  sendBuffer = 212992;
  receiveBuffer = 212992;
  /** SO_LINGER: on, seconds. */
  linger = { isOn: false, seconds: 0 };
  /** SO_PASSCRED. */
  passesCredentials = false;
  /** SO_ERROR: what went wrong since somebody asked. */
  error: Errno | null = null;
  readonly #queue = new WaitQueue();

  constructor(sockets: SocketFileSystem, kind: SocketKind, caller: Caller) {
    super(newPlace(sockets, caller), O_RDWR);
    this.sockets = sockets;
    this.kind = kind;
  }

  override get canSignal(): boolean {
    return true;
  }

  override get isSeekable(): boolean {
    return false;
  }
  override get queue(): WaitQueue {
    return this.#queue;
  }
  override get readTimeoutNs(): number {
    return this.receiveTimeoutNs;
  }
  override get writeTimeoutNs(): number {
    return this.sendTimeoutNs;
  }
  get isNonBlocking(): boolean {
    return (this.flags & O_NONBLOCK) !== 0;
  }
  /** Takes SO_ERROR. */
  takeError(): Errno | null {
    const { error } = this;
    this.error = null;
    return error;
  }
  /** SO_ACCEPTCONN. */
  get isListening(): boolean {
    return false;
  }
  /** True if bytes are a stream, so that MSG_WAITALL and short sends matter. */
  get isStream(): boolean {
    return false;
  }
  /** SO_PEERCRED; null: not connected. */
  get peerCredentials(): PeerCredentials | null {
    return null;
  }

  override read(io: IoBuffer, caller: Caller): number | Errno {
    const message = new IncomingMessage(io, 0);
    const count = this.receive(message, caller);
    // read(2) has no place for them.
    for (const file of message.rights) file.release();
    return count;
  }
  override write(io: IoBuffer, caller: Caller): number | Errno {
    return this.send(
      { io, address: null, ancillary: null, flags: 0 },
      caller,
    );
  }

  /** bind(2). `address`: struct sockaddr. */
  bind(_address: Uint8Array, _caller: Caller): Errno | null {
    return EOPNOTSUPP;
  }
  listen(_backlog: number, _caller: Caller): Errno | null {
    return EOPNOTSUPP;
  }
  /** accept(2): the connection, whose reference the caller owns. EAGAIN. */
  accept(_caller: Caller): Socket | Errno {
    return EOPNOTSUPP;
  }
  /** connect(2). EAGAIN: wait on connectQueue; EINPROGRESS: wait for POLLOUT,
   * then takeError() says how it went. */
  connect(_address: Uint8Array, _caller: Caller): Errno | null {
    return EOPNOTSUPP;
  }
  /** Where to wait after connect() said EAGAIN. */
  get connectQueue(): WaitQueue {
    return this.queue;
  }
  /** struct sockaddr of this side, and of the other. ENOTCONN. */
  localAddress(): Uint8Array | Errno {
    return EOPNOTSUPP;
  }
  peerAddress(): Uint8Array | Errno {
    return EOPNOTSUPP;
  }
  /** Sends; takes over the references of the ancillary files only if it
   * succeeds with more than an error. Raises SIGPIPE where it must. */
  send(_message: OutgoingMessage, _caller: Caller): number | Errno {
    return EOPNOTSUPP;
  }
  /** Receives into `message`; the count of bytes (with MSG_TRUNC of a datagram
   * its length). */
  receive(_message: IncomingMessage, _caller: Caller): number | Errno {
    return EOPNOTSUPP;
  }
  /** shutdown(2). `how`: SHUT_*. */
  shutdown(_how: number, _caller: Caller): Errno | null {
    return EOPNOTSUPP;
  }
  /** Bytes to copy out, at most `space` of which are wanted. */
  getOption(
    level: number,
    name: number,
    _caller: Caller,
  ): Uint8Array | Errno {
    if (level !== SOL_SOCKET) return EOPNOTSUPP;
    return getSocketOption(this, name);
  }
  setOption(
    level: number,
    name: number,
    value: Uint8Array,
    caller: Caller,
  ): Errno | null {
    if (level !== SOL_SOCKET) return EOPNOTSUPP;
    return setSocketOption(this, name, value, caller);
  }
  /** A buffer size changed: somebody may be able to go on. */
  buffersChanged(): void {}

  override ioctl(
    _request: number,
    _argument: number,
    _caller: Caller,
  ): number | Errno {
    return ENOTTY;
  }
  override sync(): Errno {
    return EINVAL;
  }
}
