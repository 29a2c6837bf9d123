/**
 * One whole message from a sender's buffer into an inbox, and from there to a
 * receiver, for datagrams and sequenced packets. Source: send(2), recv(2),
 * MSG_PEEK and MSG_TRUNC.
 * @module
 */
import { EFAULT, ENOBUFS, type Errno, isErrno } from "../../abi/errno.ts";
import { MSG_PEEK, MSG_TRUNC } from "../../abi/socket.ts";
import type { IoBuffer } from "../../mm/io_buffer.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { Ancillary, IncomingMessage } from "../socket.ts";
import {
  costOf,
  type Message,
  type MessageInbox,
  type MessageSender,
  takeData,
} from "./message_inbox.ts";
import type { UnixSocket } from "./unix_socket.ts";

/**
 * The whole of `io` as a message of `socket`. ENOBUFS: too much is waiting in
 * all sockets; ETOOMANYREFS; EFAULT: the ancillary files stay the caller's.
 */
export function packMessage(
  socket: UnixSocket & MessageSender,
  io: IoBuffer,
  address: Uint8Array | null,
  ancillary: Ancillary | null,
  caller: Caller,
): Message | Errno {
  const { inFlight, messages } = socket.services;
  const rights = socket.rightsOf(ancillary, caller);
  if (isErrno(rights)) return rights;
  const cost = costOf(io.remaining);
  const data = messages.take(cost) ? takeData(io, io.remaining) : ENOBUFS;
  if (isErrno(data)) {
    if (data !== ENOBUFS) messages.giveBack(cost);
    if (rights !== null) inFlight.receive(rights);
    return data;
  }
  const sender = socket.senderOf(ancillary, caller);
  return { data, address, sender, rights, from: socket };
}

/** The count for the caller: with MSG_TRUNC the message's whole length. EFAULT
 * loses the message, as on Linux. Precondition: the inbox is not empty. */
export function deliverMessage(
  socket: UnixSocket,
  inbox: MessageInbox,
  into: IncomingMessage,
): number | Errno {
  const isPeek = (into.requested & MSG_PEEK) !== 0;
  const message = (isPeek ? inbox.first : inbox.shift())!;
  const { data, rights } = message;
  const length = Math.min(data.length, into.io.remaining);
  const put = length === 0 ? 0 : into.io.put(data, 0, length);
  if (isErrno(put) || put < length) {
    if (!isPeek && rights !== null) socket.services.inFlight.drop(rights);
    return EFAULT;
  }
  into.address = message.address;
  into.rights = socket.receiveRights(rights, isPeek);
  if (socket.passesCredentials) into.credentials = message.sender;
  if (data.length <= length) return length;
  into.flags |= MSG_TRUNC;
  return (into.requested & MSG_TRUNC) !== 0 ? data.length : length;
}
