/**
 * netstack: the public face of the TCP/IP stack.
 *
 * Make a Stack, give it NICs and addresses, make the protocols that are wanted
 * on it (Icmp, Udp, Tcp) and open endpoints. Call poll(now) when a device has
 * received something and when pollAt() has come.
 * @module
 */
export { type Millis, NEVER } from "./clock.ts";
export { isNetError, type NetError } from "./errors.ts";
export { type ChannelOptions, makeChannel } from "./link/channel.ts";
export type { LinkDevice } from "./link/device.ts";
export { FaultInjector, type Faults } from "./link/fault_injector.ts";
export { Loopback, LOOPBACK_MTU } from "./link/loopback.ts";
export { Tracer, type TraceSink } from "./link/tracer.ts";
export type { IcmpReport, Route } from "./network/ip_layer.ts";
export { type Random, SeededRandom } from "./random.ts";
export type { Neighbor, NeighborState } from "./stack/neighbor_cache.ts";
export type { Nic, NicAddress, NicCounters } from "./stack/nic.ts";
export { PacketBuffer } from "./stack/packet_buffer.ts";
export { type RouteEntry, RouteTable } from "./stack/route_table.ts";
export {
  type RawTap,
  Stack,
  type StackOptions,
  type Transport,
} from "./stack/stack.ts";
export { Icmp } from "./transport/icmp/icmp.ts";
export { PingEndpoint } from "./transport/icmp/ping.ts";
export { RawEndpoint } from "./transport/raw/endpoint.ts";
export {
  type ReadinessObserver,
  Ready,
  type SocketAddress,
} from "./transport/readiness.ts";
export {
  type TcpOptionsSet,
  type TcpState,
} from "./transport/tcp/control_block.ts";
export { TcpEndpoint } from "./transport/tcp/endpoint.ts";
export { Tcp } from "./transport/tcp/tcp.ts";
export {
  type Datagram,
  UdpEndpoint,
  type UdpOptions,
} from "./transport/udp/endpoint.ts";
export { Udp } from "./transport/udp/udp.ts";
export {
  addressText,
  type IpAddress,
  type MacAddress,
  parseAddress,
} from "./wire/address.ts";
export type { Malformed } from "./wire/malformed.ts";
export { describeFrame, describePacket } from "./wire/pretty_print.ts";
export { Protocol } from "./wire/protocol.ts";
