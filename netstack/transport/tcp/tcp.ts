/**
 * TCP: finds the connection or listener that a segment is for, and answers what
 * is for nobody. Source: RFC 9293 §3.10.7.1, RFC 6528 (initial sequence
 * numbers), RFC 6191 (TIME-WAIT reuse by timestamps).
 * @module
 */
import type { NetError } from "../../errors.ts";
import type { IcmpReport } from "../../network/ip_layer.ts";
import { KeyedHash } from "../../stack/keyed_hash.ts";
import type { Nic } from "../../stack/nic.ts";
import type { PacketBuffer } from "../../stack/packet_buffer.ts";
import { PortTable } from "../../stack/port_table.ts";
import type { Stack, Transport } from "../../stack/stack.ts";
import { type IpAddress, sameAddress } from "../../wire/address.ts";
import { Protocol } from "../../wire/protocol.ts";
import {
  isTcpChecksumRight,
  NO_TCP_OPTIONS,
  parseTcp,
  TCP_MIN_HEADER_SIZE,
  TcpFlag,
  type TcpHeader,
} from "../../wire/tcp.ts";
import { ControlBlock, type TcpHost } from "./control_block.ts";
import { SynCookies } from "./cookies.ts";
import { TcpEndpoint } from "./endpoint.ts";
import { startConnect, terminate } from "./lifecycle.ts";
import { onTimer } from "./on_timer.ts";
import { onSegment } from "./receive.ts";
import { output, sendStateless, setSegmentSize } from "./send.ts";
import { seqAdd, seqLess } from "./sequence.ts";

const CONGESTION_MARK = 3;

export class Tcp implements Transport, TcpHost {
  readonly layer: Stack;
  readonly #ports: PortTable;
  readonly #flowHash: KeyedHash;
  readonly #sequenceHash: KeyedHash;
  readonly #cookies: SynCookies;
  /** By a hash of the flow; those of one hash are few. */
  readonly #blocks = new Map<number, ControlBlock[]>();
  readonly #listeners = new Map<number, TcpEndpoint[]>();
  #count = 0;

  constructor(stack: Stack) {
    this.layer = stack;
    this.#ports = new PortTable(stack.random);
    this.#flowHash = new KeyedHash(stack.random);
    this.#sequenceHash = new KeyedHash(stack.random);
    this.#cookies = new SynCookies(stack.random);
    stack.register(Protocol.TCP, this);
  }

  open(family: 4 | 6): TcpEndpoint {
    return new TcpEndpoint(this, family);
  }

  /** Connections of every state. */
  get connectionCount(): number {
    return this.#count;
  }

  claimPort(endpoint: TcpEndpoint, port: number): number | NetError {
    if (port === 0) {
      return this.#ports.bindEphemeral(endpoint) || "address-in-use";
    }
    return this.#ports.bind(port, endpoint) ? port : "address-in-use";
  }

  canListen(endpoint: TcpEndpoint): boolean {
    return this.#ports.canBind(endpoint.localPort, endpoint);
  }

  releasePort(endpoint: TcpEndpoint): void {
    this.#ports.release(endpoint.localPort, endpoint);
  }

  addListener(endpoint: TcpEndpoint): void {
    const there = this.#listeners.get(endpoint.localPort);
    if (there === undefined) {
      this.#listeners.set(endpoint.localPort, [endpoint]);
    } else there.push(endpoint);
  }

  removeListener(endpoint: TcpEndpoint): void {
    const port = endpoint.localPort;
    const rest = (this.#listeners.get(port) ?? [])
      .filter((other) => other !== endpoint);
    if (rest.length === 0) this.#listeners.delete(port);
    else this.#listeners.set(port, rest);
  }

  /** Begins a connection; its block, or why not. */
  connect(
    endpoint: TcpEndpoint,
    local: IpAddress,
    remote: { readonly address: IpAddress; readonly port: number },
    notify: (bits: number) => void,
  ): ControlBlock | NetError {
    const localPort = endpoint.localPort;
    const known = this.#find(local, localPort, remote.address, remote.port);
    if (known !== undefined) {
      if (known.state !== "TIME-WAIT") return "address-not-available";
      terminate(known, undefined);
    }
    const from = { address: local, port: localPort };
    const { options } = endpoint;
    const block = new ControlBlock(this, options, from, remote, onTimer);
    block.notify = notify;
    this.#add(block);
    block.tsOffset = this.layer.random.next32();
    const hash = this.#sequence(local, localPort, remote.address, remote.port);
    startConnect(block, hash);
    return block;
  }

  forget(block: ControlBlock): void {
    const key = this.#keyOf(block);
    const rest = (this.#blocks.get(key) ?? []).filter((it) => it !== block);
    if (rest.length === 0) this.#blocks.delete(key);
    else this.#blocks.set(key, rest);
    this.#count--;
  }

  #add(block: ControlBlock): void {
    const key = this.#keyOf(block);
    const there = this.#blocks.get(key);
    if (there === undefined) this.#blocks.set(key, [block]);
    else there.push(block);
    this.#count++;
  }

  #keyOf(block: ControlBlock): number {
    const { local, localPort, remote, remotePort } = block;
    return this.#flowHash.ofFlow(local, localPort, remote, remotePort, 0);
  }

  #find(
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
  ): ControlBlock | undefined {
    const key = this.#flowHash.ofFlow(local, localPort, remote, remotePort, 0);
    const there = this.#blocks.get(key);
    if (there === undefined) return undefined;
    for (const block of there) {
      if (
        block.localPort === localPort && block.remotePort === remotePort &&
        sameAddress(block.local, local) && sameAddress(block.remote, remote)
      ) return block;
    }
    return undefined;
  }

  /** RFC 6528 §3: a clock of 4 us and a hash of the flow. */
  #sequence(
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
  ): number {
    const hash = this.#sequenceHash
      .ofFlow(local, localPort, remote, remotePort, 0);
    return seqAdd(hash, Math.floor(this.layer.now * 250) % 2 ** 32);
  }

  receive(_nic: Nic, packet: PacketBuffer): boolean {
    const { layer } = this;
    layer.count("TcpInSegs");
    if (packet.isMulticast) return true; // RFC 1122 §4.2.3.10
    const bytes = packet.view();
    const header = parseTcp(bytes);
    if (typeof header === "string") {
      layer.count("TcpInErrs");
      return true;
    }
    const { source, destination } = packet;
    if (
      !packet.isChecksumRight && !isTcpChecksumRight(bytes, source, destination)
    ) {
      layer.count("TcpInCsumErrors");
      return true;
    }
    packet.start += header.headerSize;
    const { sourcePort, destinationPort } = header;
    const block = this.#find(destination, destinationPort, source, sourcePort);
    if (block !== undefined && !this.#isReused(block, header)) {
      const isCongested = (packet.trafficClass & 3) === CONGESTION_MARK;
      onSegment(block, header, packet, isCongested);
      return true;
    }
    const listener = this.#findListener(packet, header);
    if (listener?.onSegment(packet, header) === true) {
      // The ACK of a cookie completes the handshake that it has made.
      const made = this.#find(destination, destinationPort, source, sourcePort);
      if (made !== undefined && (header.flags & TcpFlag.ACK) !== 0) {
        onSegment(made, header, packet, false);
      }
      return true;
    }
    this.#reset(packet, header);
    return true;
  }

  /** RFC 1122 §4.2.2.13, RFC 6191 §2: a new SYN takes over from TIME-WAIT. */
  #isReused(block: ControlBlock, header: TcpHeader): boolean {
    if (block.state !== "TIME-WAIT") return false;
    const { flags } = header;
    if ((flags & (TcpFlag.SYN | TcpFlag.ACK | TcpFlag.RST)) !== TcpFlag.SYN) {
      return false;
    }
    const isNewer = block.hasTimestamps && header.hasTimestamps
      ? seqLess(block.tsRecent, header.tsValue)
      : seqLess(block.rcvNxt, header.sequence);
    if (!isNewer) return false;
    terminate(block, undefined);
    return true;
  }

  #findListener(
    packet: PacketBuffer,
    header: TcpHeader,
  ): TcpEndpoint | undefined {
    const there = this.#listeners.get(header.destinationPort);
    if (there === undefined) return undefined;
    const isV4 = packet.source.length === 4;
    let best: TcpEndpoint[] = [];
    let bestScore = -1;
    for (const endpoint of there) {
      if (isV4 ? !endpoint.hasIpv4 : !endpoint.hasIpv6) continue;
      const { localAddress, boundNic } = endpoint;
      let score = (endpoint.family === 4) === isV4 ? 1 : 0;
      if (localAddress !== undefined) {
        if (!sameAddress(localAddress, packet.destination)) continue;
        score += 4;
      }
      if (boundNic !== 0) {
        if (boundNic !== packet.nicIndex) continue;
        score += 4;
      }
      if (score > bestScore) [best, bestScore] = [[endpoint], score];
      else if (score === bestScore) best.push(endpoint);
    }
    if (best.length < 2) return best[0];
    const { source, destination } = packet;
    const { sourcePort, destinationPort } = header;
    const hash = this.#flowHash
      .ofFlow(destination, destinationPort, source, sourcePort, 1);
    return best[hash % best.length];
  }

  makeChild(
    endpoint: TcpEndpoint,
    packet: PacketBuffer,
    header: TcpHeader,
  ): ControlBlock {
    const options = { ...endpoint.options };
    const local = { address: packet.destination, port: header.destinationPort };
    const remote = { address: packet.source, port: header.sourcePort };
    const block = new ControlBlock(this, options, local, remote, onTimer);
    block.tsOffset = this.layer.random.next32();
    this.#add(block);
    return block;
  }

  nextSequence(packet: PacketBuffer, header: TcpHeader): number {
    const { source, destination } = packet;
    const { sourcePort, destinationPort } = header;
    return this.#sequence(destination, destinationPort, source, sourcePort);
  }

  #flowOf(packet: PacketBuffer, header: TcpHeader) {
    return {
      local: packet.destination,
      localPort: header.destinationPort,
      remote: packet.source,
      remotePort: header.sourcePort,
    };
  }

  sendCookie(packet: PacketBuffer, header: TcpHeader): void {
    const { layer } = this;
    layer.count("TcpCookiesSent");
    const flow = this.#flowOf(packet, header);
    const mss = header.mss === 0 ? 536 : header.mss;
    sendStateless({ host: this }, packet.destination, packet.source, {
      ...NO_TCP_OPTIONS,
      mss: 1460,
      sourcePort: header.destinationPort,
      destinationPort: header.sourcePort,
      sequence: this.#cookies.make(flow, header.sequence, mss, layer.now),
      acknowledgment: seqAdd(header.sequence, 1),
      flags: TcpFlag.SYN | TcpFlag.ACK,
      window: 65535,
      urgentPointer: 0,
      headerSize: TCP_MIN_HEADER_SIZE + 4,
    });
  }

  checkCookie(packet: PacketBuffer, header: TcpHeader): number {
    const theirs = seqAdd(header.sequence, -1);
    const ours = seqAdd(header.acknowledgment, -1);
    const flow = this.#flowOf(packet, header);
    return this.#cookies.check(flow, theirs, ours, this.layer.now);
  }

  /** §3.10.7.1: the reset that the sender will believe. */
  #reset(packet: PacketBuffer, header: TcpHeader): void {
    const { flags } = header;
    if ((flags & TcpFlag.RST) !== 0) return;
    this.layer.count("TcpOutRsts");
    const hasAck = (flags & TcpFlag.ACK) !== 0;
    const length = packet.size + ((flags & TcpFlag.SYN) !== 0 ? 1 : 0) +
      ((flags & TcpFlag.FIN) !== 0 ? 1 : 0);
    sendStateless({ host: this }, packet.destination, packet.source, {
      ...NO_TCP_OPTIONS,
      sourcePort: header.destinationPort,
      destinationPort: header.sourcePort,
      sequence: hasAck ? header.acknowledgment : 0,
      acknowledgment: hasAck ? 0 : seqAdd(header.sequence, length),
      flags: hasAck ? TcpFlag.RST : TcpFlag.RST | TcpFlag.ACK,
      window: 0,
      urgentPointer: 0,
      headerSize: TCP_MIN_HEADER_SIZE,
    });
  }

  /** RFC 5927: an error counts only if it quotes what is outstanding. */
  onError(report: IcmpReport): void {
    const { quoted } = report;
    if (quoted.length < 8) return;
    const localPort = (quoted[0]! << 8) | quoted[1]!;
    const remotePort = (quoted[2]! << 8) | quoted[3]!;
    const sequence = ((quoted[4]! << 24) | (quoted[5]! << 16) |
      (quoted[6]! << 8) | quoted[7]!) >>> 0;
    const { source, destination } = report;
    const block = this.#find(source, localPort, destination, remotePort);
    if (block === undefined) return;
    if (seqLess(sequence, block.sndUna) || !seqLess(sequence, block.sndNxt)) {
      return;
    }
    if (report.error === "message-too-long") {
      setSegmentSize(block, block.sndMss);
      for (const segment of block.sent) block.sent.markLost(segment);
      output(block);
    } else if (block.state === "SYN-SENT") terminate(block, report.error);
    // Later on an error may pass (RFC 1122 §4.2.3.9): timeouts decide.
  }
}
