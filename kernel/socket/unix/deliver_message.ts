/**
 * Handing one whole message to a receiver, for datagrams and sequenced
 * packets. Source: recv(2), MSG_PEEK and MSG_TRUNC.
 * @module
 */
import { EFAULT, type Errno, isErrno } from "../../abi/errno.ts";
import { MSG_PEEK, MSG_TRUNC } from "../../abi/socket.ts";
import type { IncomingMessage } from "../socket.ts";
import type { MessageInbox } from "./message_inbox.ts";
import type { UnixSocket } from "./unix_socket.ts";

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
