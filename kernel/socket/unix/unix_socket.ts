/**
 * UnixSocket: what AF_UNIX sockets of all types have in common: names,
 * credentials, files in flight, SOL_SOCKET extras. Source: unix(7).
 * @module
 */
import {
  EADDRINUSE,
  ECONNREFUSED,
  EEXIST,
  EINVAL,
  EPROTOTYPE,
  type Errno,
  isErrno,
} from "../../abi/errno.ts";
import { FIONREAD } from "../../abi/ioctl.ts";
import { SHUT_RD, SHUT_RDWR, SHUT_WR } from "../../abi/socket.ts";
import { S_IFSOCK, S_ISSOCK } from "../../abi/stat.ts";
import { TIOCOUTQ } from "../../abi/termios.ts";
import type { HostMemory } from "../../host.ts";
import type { RingPages } from "../../mm/memory_ring.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { InodeEndpoint } from "../../vfs/inode.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { checkPermission, MAY_WRITE } from "../../vfs/permission.ts";
import type { VirtualFilesystem } from "../../vfs/virtual_filesystem.ts";
import {
  type Ancillary,
  type PeerCredentials,
  Socket,
  type SocketFileSystem,
  type SocketKind,
} from "../socket.ts";
import type { InFlight, Rights } from "./in_flight.ts";
import type { MessageBudget } from "./message_inbox.ts";
import {
  encodeUnixAddress,
  parseUnixAddress,
  type UnixAddress,
} from "./unix_address.ts";

/** Bits of a shutdown: what this side does no longer. */
export const RECEIVE_SHUTDOWN = 1;
export const SEND_SHUTDOWN = 2;
export const FULL_SHUTDOWN = 3;

/** What all sockets of the family share. */
export interface UnixServices {
  readonly sockets: SocketFileSystem;
  readonly vfs: VirtualFilesystem;
  readonly memory: HostMemory;
  readonly pages: RingPages;
  readonly inFlight: InFlight;
  readonly messages: MessageBudget;
  /** Abstract names by "type:name". */
  readonly abstractNames: Map<string, UnixSocket>;
}

/** Marks the inode of a bound socket. */
class BoundEndpoint implements InodeEndpoint {
  readonly kind = "socket";
  constructor(readonly socket: UnixSocket) {}
}

/** Identity of the caller for SO_PEERCRED. */
export function credentialsOf(caller: Caller): PeerCredentials {
  const { euid, egid } = caller.identity;
  return { pid: caller.processId, uid: euid, gid: egid };
}

export abstract class UnixSocket extends Socket {
  readonly services: UnixServices;
  /** What it is bound to. */
  address: UnixAddress | null = null;
  #place: VfsPath | null = null;
  /** RECEIVE_SHUTDOWN, SEND_SHUTDOWN. */
  shutdownMask = 0;
  /** The last descriptor is gone. */
  isDead = false;
  /** Sender of the messages so far, kept because it rarely changes. */
  #sender: PeerCredentials = { pid: 0, uid: 0, gid: 0 };

  constructor(services: UnixServices, kind: SocketKind, caller: Caller) {
    super(services.sockets, kind, caller);
    this.services = services;
  }

  // Names.

  override bind(bytes: Uint8Array, caller: Caller): Errno | null {
    const address = parseUnixAddress(bytes);
    if (isErrno(address)) return address;
    if (address === "unnamed") return this.autobind();
    if (this.address !== null) return this.#refuseRebind(address, caller);
    return address.kind === "abstract"
      ? this.#bindAbstract(address)
      : this.#bindPath(address, caller);
  }

  /** EINVAL: it has a name; Linux finds a path that is taken before that. */
  #refuseRebind(address: UnixAddress, caller: Caller): Errno {
    if (address.kind === "abstract") return EINVAL;
    const { cwd } = caller.fsContext;
    const walk = this.services.vfs.lookup(caller, cwd, address.name, {
      follow: false,
    });
    return isErrno(walk) ? EINVAL : EADDRINUSE;
  }

  #bindAbstract(address: UnixAddress): Errno | null {
    const key = this.#keyOf(address.name);
    const { abstractNames } = this.services;
    if (abstractNames.has(key)) return EADDRINUSE;
    abstractNames.set(key, this);
    this.address = address;
    return null;
  }

  /** Types do not share names, as on Linux. */
  #keyOf(name: ByteString): string {
    return `${this.kind.type}:${name}`;
  }

  #bindPath(address: UnixAddress, caller: Caller): Errno | null {
    const { vfs } = this.services;
    const { cwd } = caller.fsContext;
    const mode = S_IFSOCK | 0o777; // the umask comes later
    const made = vfs.mknod(caller, cwd, address.name, mode, 0);
    if (isErrno(made)) return made === EEXIST ? EADDRINUSE : made;
    const place = vfs.resolve(caller, cwd, address.name, { follow: false });
    if (isErrno(place)) return place;
    place.dentry.inode!.endpoint = new BoundEndpoint(this);
    this.#place = place;
    this.address = address;
    return null;
  }

  /** Binds to a free abstract name of five hexadecimal digits. EADDRINUSE if
   * there is none. */
  autobind(): Errno | null {
    if (this.address !== null) return null;
    const { abstractNames } = this.services;
    for (let number = 0; number <= 0xfffff; number++) {
      const name = number.toString(16).padStart(5, "0");
      if (abstractNames.has(this.#keyOf(name))) continue;
      return this.#bindAbstract({ kind: "abstract", name });
    }
    return EADDRINUSE;
  }

  /**
   * The socket bound to a name. ECONNREFUSED: nobody is; EPROTOTYPE: of another
   * type; EACCES, ENOENT and the like from the path.
   */
  findTarget(address: UnixAddress, caller: Caller): UnixSocket | Errno {
    if (address.kind === "abstract") {
      const key = this.#keyOf(address.name);
      return this.services.abstractNames.get(key) ?? ECONNREFUSED;
    }
    const { cwd } = caller.fsContext;
    const walk = this.services.vfs.lookup(caller, cwd, address.name, {
      follow: true,
    });
    if (isErrno(walk)) return walk;
    const { inode } = walk;
    const denied = checkPermission(caller.identity, inode, MAY_WRITE);
    if (denied !== null) return denied;
    const { endpoint } = inode;
    if (!S_ISSOCK(inode.mode) || !(endpoint instanceof BoundEndpoint)) {
      return ECONNREFUSED;
    }
    const { socket } = endpoint;
    return socket.kind.type === this.kind.type ? socket : EPROTOTYPE;
  }

  override localAddress(): Uint8Array {
    return encodeUnixAddress(this.address);
  }

  // Messages.

  /** Who sends, for SCM_CREDENTIALS: as given, or the caller. */
  senderOf(ancillary: Ancillary | null, caller: Caller): PeerCredentials {
    if (ancillary !== null && ancillary.credentials !== null) {
      return ancillary.credentials;
    }
    const { uid, gid } = caller.identity;
    const { processId: pid } = caller;
    const last = this.#sender;
    if (last.pid !== pid || last.uid !== uid || last.gid !== gid) {
      this.#sender = { pid, uid, gid };
    }
    return this.#sender;
  }

  /** Puts the files of a message in flight. ETOOMANYREFS. */
  rightsOf(ancillary: Ancillary | null, caller: Caller): Rights | null | Errno {
    if (ancillary === null || ancillary.rights.length === 0) return null;
    return this.services.inFlight.send(ancillary.rights, caller);
  }

  /** Files of a message for the one who reads it: copies for MSG_PEEK. */
  receiveRights(
    rights: Rights | null,
    isPeek: boolean,
  ): readonly FileDescription[] {
    if (rights === null) return [];
    if (!isPeek) return this.services.inFlight.receive(rights);
    return rights.files.map((file) => file.acquire());
  }

  // RightsHolder: see in_flight.ts.

  /** Files in messages that wait here. */
  abstract heldFiles(): Iterable<FileDescription>;
  abstract discardMessages(): void;

  override flush(caller: Caller): Errno | null {
    this.services.inFlight.closing(this);
    return super.flush(caller);
  }

  // Shutdown.

  /** EINVAL: not a SHUT_* value. */
  override shutdown(how: number): Errno | null {
    if (how !== SHUT_RD && how !== SHUT_WR && how !== SHUT_RDWR) return EINVAL;
    this.shutdownMask |= how + 1;
    this.shutdownChanged(how + 1);
    return null;
  }
  /** `added`: bits that shutdown(2) was called with. */
  protected abstract shutdownChanged(added: number): void;

  /** FIONREAD and SIOCOUTQ. */
  protected abstract get bytesToRead(): number;
  protected abstract get bytesUnread(): number;

  override ioctl(
    request: number,
    argument: number,
    caller: Caller,
  ): number | Errno {
    switch (request) {
      case FIONREAD:
        if (this.isListening) return EINVAL;
        return caller.memory.writeU32(argument, this.bytesToRead) ?? 0;
      case TIOCOUTQ: // SIOCOUTQ is the same number
        return caller.memory.writeU32(argument, this.bytesUnread) ?? 0;
      default:
        return super.ioctl(request, argument, caller);
    }
  }

  protected override onClose(): void {
    this.isDead = true;
    this.shutdownMask = FULL_SHUTDOWN;
    if (this.address?.kind === "abstract") {
      // An accepted connection shows its listener's name without owning it.
      const key = this.#keyOf(this.address.name);
      const { abstractNames } = this.services;
      if (abstractNames.get(key) === this) abstractNames.delete(key);
    }
    if (this.#place !== null) {
      this.#place.dentry.inode!.endpoint = null;
      this.#place.release();
      this.#place = null;
    }
  }
}
