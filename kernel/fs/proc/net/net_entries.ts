/**
 * /proc/PID/net. Protocols that this kernel does not have show tables without
 * rows. Source: proc_pid_net(5).
 * @module
 */
import { directory, file } from "../../kernfs/entries.ts";
import type { Entry } from "../../kernfs/entry_table.ts";
import { Socket } from "../../../socket/socket.ts";
import type { ProcessRef } from "../process_ref.ts";
import { unixSockets } from "./unix.ts";

const SOCKET_COLUMNS =
  "st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const ADDRESSES = "local_address rem_address   ";
const LONG_ADDRESSES =
  "local_address                         remote_address                        ";
const DATAGRAM_COLUMNS = `${SOCKET_COLUMNS} ref pointer drops`;

/** Widths that Linux pads the IPv4 tables to. */
const TCP_WIDTH = 149;
const UDP_WIDTH = 127;
const ROUTE_WIDTH = 127;

/** Table heads by file name. */
const HEADERS: Readonly<Record<string, string>> = {
  arp: "IP address       HW type     Flags       HW address            " +
    "Mask     Device\n",
  dev: "Inter-|   Receive                                                " +
    "|  Transmit\n" +
    " face |bytes    packets errs drop fifo frame compressed multicast" +
    "|bytes    packets errs drop fifo colls carrier compressed\n",
  if_inet6: "",
  ipv6_route: "",
  netlink: "sk               Eth Pid        Groups   Rmem     Wmem     " +
    "Dump  Locks    Drops    Inode\n",
  packet: "sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n",
  raw: `  sl  ${ADDRESSES}${DATAGRAM_COLUMNS}\n`,
  raw6: `  sl  ${LONG_ADDRESSES}${DATAGRAM_COLUMNS}\n`,
  route: `${
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
      .padEnd(ROUTE_WIDTH)
  }\n`,
  tcp: `${`  sl  ${ADDRESSES}${SOCKET_COLUMNS}`.padEnd(TCP_WIDTH)}\n`,
  tcp6: `  sl  ${LONG_ADDRESSES}${SOCKET_COLUMNS}\n`,
  udp: `${`   sl  ${ADDRESSES}${DATAGRAM_COLUMNS}`.padEnd(UDP_WIDTH)}\n`,
  udp6: `  sl  ${LONG_ADDRESSES}${DATAGRAM_COLUMNS}\n`,
};

function sockstat({ root }: ProcessRef): string {
  let used = 0;
  for (const open of root.openFiles()) if (open instanceof Socket) used++;
  return `sockets: used ${used}\n` +
    "TCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\n" +
    "UDP: inuse 0 mem 0\n" +
    "UDPLITE: inuse 0\n" +
    "RAW: inuse 0\n" +
    "FRAG: inuse 0 memory 0\n";
}

export const NET: Entry<ProcessRef> = directory<ProcessRef>("net", 0o555, [
  ...Object.entries(HEADERS).map(([name, text]) =>
    file<ProcessRef>(name, 0o444, () => text)
  ),
  file("sockstat", 0o444, sockstat),
  file("unix", 0o444, ({ root }) => unixSockets(root)),
]);
