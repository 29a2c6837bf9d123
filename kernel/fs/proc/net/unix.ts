/**
 * /proc/net/unix: AF_UNIX sockets that somebody has open. Source: unix(7),
 * proc_pid_net(5).
 * @module
 */
import type { ByteString } from "../../../mm/user_memory.ts";
import { UnixConnected } from "../../../socket/unix/unix_connected.ts";
import { UnixSocket } from "../../../socket/unix/unix_socket.ts";
import { hex } from "../format.ts";
import type { ProcRoot } from "../proc_root.ts";

/** __SO_ACCEPTCON: the socket listens. */
const SO_ACCEPTCON = 0x10000;
// enum socket_state.
const SS_UNCONNECTED = 1;
const SS_CONNECTED = 3;

const HEADER = "Num       RefCount Protocol Flags    Type St Inode Path\n";

function row(socket: UnixSocket): ByteString {
  const isConnected = socket instanceof UnixConnected &&
    socket.state === "connected";
  const state = isConnected ? SS_CONNECTED : SS_UNCONNECTED;
  const { address } = socket;
  const name = address === null
    ? ""
    : address.kind === "path"
    ? ` ${address.name}`
    : ` @${address.name.replaceAll("\0", "@")}`;
  // The kernel's address of the socket is nobody's business.
  return `${hex(0, 16)}: ${hex(socket.references, 8)} ${hex(0, 8)} ` +
    `${hex(socket.isListening ? SO_ACCEPTCON : 0, 8)} ` +
    `${hex(socket.kind.type, 4)} ${hex(state, 2)} ` +
    `${`${socket.inode.ino}`.padStart(5)}${name}\n`;
}

export function unixSockets(root: ProcRoot): ByteString {
  let text = HEADER;
  for (const file of root.openFiles()) {
    if (file instanceof UnixSocket) text += row(file);
  }
  return text;
}
