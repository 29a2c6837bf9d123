/**
 * The AF_UNIX family: makes sockets of its three types. Source: unix(7).
 * @module
 */
import {
  EPROTONOSUPPORT,
  type Errno,
  ESOCKTNOSUPPORT,
  isErrno,
} from "../../abi/errno.ts";
import {
  AF_UNIX,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
} from "../../abi/socket.ts";
import type { HostMemory } from "../../host.ts";
import type { RingPages } from "../../mm/memory_ring.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { VirtualFilesystem } from "../../vfs/virtual_filesystem.ts";
import type { SocketFamily, SocketFileSystem } from "../socket.ts";
import { InFlight } from "./in_flight.ts";
import { MessageBudget } from "./message_inbox.ts";
import { UnixDatagram } from "./unix_datagram.ts";
import { UnixSeqpacket } from "./unix_seqpacket.ts";
import type { UnixServices, UnixSocket } from "./unix_socket.ts";
import { UnixStream } from "./unix_stream.ts";

/** What the family is built from. */
export interface UnixFamilyOptions {
  readonly sockets: SocketFileSystem;
  readonly vfs: VirtualFilesystem;
  readonly memory: HostMemory;
  readonly pages: RingPages;
}

export class UnixFamily implements SocketFamily {
  readonly #services: UnixServices;

  constructor(options: UnixFamilyOptions) {
    this.#services = {
      ...options,
      inFlight: new InFlight(),
      messages: new MessageBudget(),
      abstractNames: new Map<string, UnixSocket>(),
    };
  }

  /** EPROTONOSUPPORT, ESOCKTNOSUPPORT. */
  create(
    type: number,
    protocol: number,
    caller: Caller,
  ): UnixStream | UnixSeqpacket | UnixDatagram | Errno {
    if (protocol !== 0 && protocol !== AF_UNIX) return EPROTONOSUPPORT;
    switch (type) {
      case SOCK_STREAM:
        return new UnixStream(this.#services, caller);
      case SOCK_SEQPACKET:
        return new UnixSeqpacket(this.#services, caller);
      case SOCK_RAW: // an old name for the same
      case SOCK_DGRAM:
        return new UnixDatagram(this.#services, caller);
      default:
        return ESOCKTNOSUPPORT;
    }
  }

  createPair(
    type: number,
    protocol: number,
    caller: Caller,
  ): readonly [UnixSocket, UnixSocket] | Errno {
    const one = this.create(type, protocol, caller);
    if (isErrno(one)) return one;
    const other = this.create(type, protocol, caller);
    if (isErrno(other)) return other;
    if (one instanceof UnixDatagram) {
      if (other instanceof UnixDatagram) one.joinAsPair(other, caller);
    } else if (!(other instanceof UnixDatagram)) one.joinAsPair(other, caller);
    return [one, other];
  }
}
