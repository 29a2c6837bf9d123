/** parse(emit(x)) equals x for every format; any bytes are judged, not thrown. */
import { assert, assertEquals } from "@std/assert";
import { SeededRandom } from "../random.ts";
import {
  addressText,
  eui64Address,
  inPrefix,
  parseAddress,
  solicitedNode,
} from "./address.ts";
import { checksum } from "./checksum.ts";
import { type ArpPacket, emitArp, parseArp } from "./arp.ts";
import {
  emitIcmpv4,
  emitIcmpv6,
  type IcmpMessage,
  icmpSize,
  parseIcmpv4,
  parseIcmpv6,
} from "./icmp.ts";
import { emitIgmp, type IgmpMessage, parseIgmp } from "./igmp.ts";
import { emitIpv6, type Ipv6Header, parseIpv6 } from "./ipv6.ts";
import {
  emitFragmentHeader,
  type FragmentHeader,
  isExtensionProblem,
  routerAlertHeader,
  walkExtensions,
} from "./ipv6_extension.ts";
import { emitMldReport, parseMldQuery, parseMldReport } from "./mld.ts";
import {
  emitNdpOptions,
  emitNeighborBody,
  emitRouterAdvertisement,
  type NdpOptions,
  parseNdpOptions,
  parseNeighborBody,
  parseRouterAdvertisement,
} from "./ndp.ts";
import { describeFrame, describePacket } from "./pretty_print.ts";
import {
  emitTcp,
  isTcpChecksumRight,
  parseTcp,
  setTcpChecksum,
  type TcpHeader,
  tcpOptionsSize,
} from "./tcp.ts";

const SEED = 4_711;
const ROUNDS = 1000;

Deno.test("checksum() sums long ranges as short ones", () => {
  const random = new SeededRandom(SEED);
  const bytes = random.bytes(70_001);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536);
  assertEquals(checksum(bytes, 0, bytes.length), ~sum & 0xffff);
});

Deno.test("addressText() writes what RFC 5952 wants and parseAddress() reads it", () => {
  for (
    const text of [
      "10.0.0.1",
      "::",
      "::1",
      "2001:db8::1",
      "2001:db8:0:1:1:1:1:1",
      "2001:0:0:1::1",
      "fe80::1:0:0:0",
      "::ffff:1.2.3.4",
    ]
  ) {
    assertEquals(addressText(parseAddress(text)!), text);
  }
  for (
    const text of ["1.2.3", "1.2.3.256", "01.2.3.4", "1::2::3", ":", "g::"]
  ) {
    assertEquals(parseAddress(text), undefined, text);
  }
});

Deno.test("inPrefix() compares bits, not bytes", () => {
  const a = parseAddress("10.1.255.1")!;
  assert(inPrefix(a, parseAddress("10.1.128.0")!, 17));
  assert(!inPrefix(a, parseAddress("10.1.0.0")!, 17));
  assert(inPrefix(a, parseAddress("10.1.255.1")!, 32));
});

Deno.test("eui64Address() and solicitedNode() follow RFC 4291", () => {
  const mac = Uint8Array.of(0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde);
  const address = eui64Address(parseAddress("fe80::")!, mac);
  assertEquals(addressText(address), "fe80::3656:78ff:fe9a:bcde");
  assertEquals(addressText(solicitedNode(address)), "ff02::1:ff9a:bcde");
});

Deno.test(`parseArp() reads what emitArp() wrote (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const packet: ArpPacket = {
      operation: random.below(65536),
      senderMac: random.bytes(6),
      senderAddress: random.bytes(4),
      targetMac: random.bytes(6),
      targetAddress: random.bytes(4),
    };
    const bytes = new Uint8Array(28);
    emitArp(packet, bytes);
    assertEquals(parseArp(bytes), packet);
    assertEquals(parseArp(bytes.subarray(0, random.below(28))), "truncated");
  }
});

Deno.test(`parseIpv6() reads what emitIpv6() wrote (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const header: Ipv6Header = {
      trafficClass: random.below(256),
      flowLabel: random.below(1 << 20),
      payloadLength: random.below(100),
      nextHeader: random.below(256),
      hopLimit: random.below(256),
      source: random.bytes(16),
      destination: random.bytes(16),
    };
    const bytes = new Uint8Array(40 + header.payloadLength);
    emitIpv6(header, bytes);
    assertEquals(parseIpv6(bytes), header);
  }
});

Deno.test("walkExtensions() finds the upper layer behind options", () => {
  const packet = new Uint8Array(40 + 8 + 8 + 4);
  packet.set(routerAlertHeader(44), 40);
  const fragment: FragmentHeader = {
    nextHeader: 58,
    offset: 1480,
    moreFragments: true,
    identification: 0xdeadbeef,
  };
  emitFragmentHeader(fragment, packet, 48);
  assertEquals(walkExtensions(packet, 0, 40), {
    protocol: 58,
    offset: 56,
    fragment,
    hasRouterAlert: true,
  });
});

Deno.test("walkExtensions() reports an unknown option by its two high bits (RFC 8200 §4.2)", () => {
  const packet = new Uint8Array(48);
  packet[40] = 17;
  packet[42] = 0x85;
  assertEquals(walkExtensions(packet, 60, 40), {
    code: 2,
    pointer: 42,
    report: "always",
  });
  packet[42] = 0x05 | 0x40;
  const problem = walkExtensions(packet, 60, 40);
  assert(typeof problem === "object" && isExtensionProblem(problem));
  assertEquals(problem.report, "never");
});

Deno.test("walkExtensions() refuses hop-by-hop options that are not first, and endless chains", () => {
  const packet = new Uint8Array(40 + 8 * 12);
  for (let i = 0; i < 12; i++) packet[40 + 8 * i] = 60;
  assertEquals(walkExtensions(packet, 60, 40), "limit");
  packet[40] = 0;
  assertEquals(walkExtensions(packet, 60, 40), {
    code: 1,
    pointer: 48,
    report: "unicast",
  });
});

Deno.test(`parseIcmpv4() and parseIcmpv6() read what was emitted (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const message: IcmpMessage = {
      type: random.below(256),
      code: random.below(256),
      rest: random.next32(),
      body: random.bytes(random.below(64)),
    };
    const [source, target] = [random.bytes(16), random.bytes(16)];
    const bytes = new Uint8Array(icmpSize(message));
    emitIcmpv4(message, bytes);
    assertEquals(parseIcmpv4(bytes), message);
    emitIcmpv6(message, bytes, source, target);
    assertEquals(parseIcmpv6(bytes, source, target), message);
    bytes[random.below(bytes.length)]! ^= 1 + random.below(255);
    assertEquals(parseIcmpv6(bytes, source, target), "checksum");
  }
});

Deno.test(`parseNdpOptions() reads what emitNdpOptions() wrote (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const options: NdpOptions = {
      ...(random.below(2) === 0 ? { sourceMac: random.bytes(6) } : {}),
      ...(random.below(2) === 0 ? { targetMac: random.bytes(6) } : {}),
      ...(random.below(2) === 0 ? { mtu: random.next32() } : {}),
      prefixes: Array.from({ length: random.below(3) }, () => ({
        bits: random.below(129),
        isOnLink: random.below(2) === 0,
        isAutonomous: random.below(2) === 0,
        validSeconds: random.next32(),
        preferredSeconds: random.next32(),
        prefix: random.bytes(16),
      })),
      dnsServers: Array.from(
        { length: random.below(3) },
        () => random.bytes(16),
      ),
    };
    assertEquals(parseNdpOptions(emitNdpOptions(options), 0), options);
    const body = { target: random.bytes(16), options };
    assertEquals(parseNeighborBody(emitNeighborBody(body)), body);
    const router = {
      hopLimit: random.below(256),
      isManaged: random.below(2) === 0,
      hasOtherConfig: random.below(2) === 0,
      lifetimeSeconds: random.below(65536),
      reachableMs: random.next32(),
      retransmitMs: random.next32(),
      options,
    };
    const { rest, body: routerBody } = emitRouterAdvertisement(router);
    assertEquals(parseRouterAdvertisement(rest, routerBody), router);
  }
});

Deno.test("parseNdpOptions() refuses an option of length zero (RFC 4861 §4.6)", () => {
  assertEquals(parseNdpOptions(new Uint8Array(8), 0), "option");
});

Deno.test(`parseIgmp() and parseMldReport() read what was emitted (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  const records = (size: number) =>
    Array.from({ length: random.below(4) }, () => ({
      type: 1 + random.below(6),
      group: random.bytes(size),
      sources: Array.from(
        { length: random.below(4) },
        () => random.bytes(size),
      ),
    }));
  for (let round = 0; round < ROUNDS; round++) {
    const messages: IgmpMessage[] = [
      { kind: "report3", records: records(4) },
      { kind: "report", version: 1, group: random.bytes(4) },
      { kind: "report", version: 2, group: random.bytes(4) },
      { kind: "leave", version: 2, group: random.bytes(4) },
      {
        kind: "query",
        version: 3,
        maxResponseMs: 100 * random.below(128),
        group: random.bytes(4),
      },
    ];
    for (const message of messages) {
      assertEquals(parseIgmp(emitIgmp(message)), message);
    }
    const listened = records(16);
    const { rest, body } = emitMldReport(listened);
    assertEquals(parseMldReport(rest, body), listened);
  }
});

Deno.test(`parseTcp() reads what emitTcp() wrote (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const hasTimestamps = random.below(2) === 0;
    const sackCount = random.below(hasTimestamps ? 3 : 4);
    const options = {
      mss: random.below(2) * (1 + random.below(65535)),
      windowScale: random.below(16) - 1,
      sackPermitted: random.below(2) === 0,
      hasTimestamps,
      tsValue: hasTimestamps ? random.next32() : 0,
      tsEcho: hasTimestamps ? random.next32() : 0,
      sackBlocks: [] as number[],
    };
    if (sackCount > 0) {
      options.mss = 0;
      options.windowScale = -1;
      options.sackPermitted = false;
      for (let i = 0; i < 2 * sackCount; i++) {
        options.sackBlocks.push(random.next32());
      }
    }
    const header: TcpHeader = {
      sourcePort: random.below(65536),
      destinationPort: random.below(65536),
      sequence: random.next32(),
      acknowledgment: random.next32(),
      flags: random.below(256),
      window: random.below(65536),
      urgentPointer: random.below(65536),
      headerSize: 20 + tcpOptionsSize(options),
      ...options,
    };
    const segment = random.bytes(header.headerSize + random.below(50));
    emitTcp(header, segment, 0);
    assertEquals(parseTcp(segment), header);
    const [source, target] = [random.bytes(4), random.bytes(4)];
    setTcpChecksum(segment, source, target);
    assert(isTcpChecksumRight(segment, source, target));
    segment[random.below(segment.length)]! ^= 1 + random.below(255);
    assert(!isTcpChecksumRight(segment, source, target));
  }
});

Deno.test("parseTcp() ends the options at one with a wrong length", () => {
  const segment = new Uint8Array(28);
  segment[12] = 0x70;
  segment.set([2, 4, 5, 180, 3, 0, 0, 0], 20);
  const header = parseTcp(segment);
  assert(typeof header === "object");
  assertEquals(header.mss, 1460);
  assertEquals(header.windowScale, -1);
});

Deno.test(`no parser and no description throws on mutated bytes (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  const address = random.bytes(16);
  for (let round = 0; round < 30_000; round++) {
    const bytes = random.bytes(random.below(120));
    if (bytes.length > 0) bytes[0] = [0x45, 0x60, 0x4f, 0x22][random.below(4)]!;
    if (bytes.length > 6) {
      bytes[6] = [0, 6, 17, 43, 44, 58, 60][random.below(7)]!;
    }
    parseArp(bytes);
    parseIpv6(bytes);
    walkExtensions(bytes, random.below(64), Math.min(40, bytes.length));
    parseIcmpv4(bytes);
    parseIcmpv6(bytes, address, address);
    parseNdpOptions(bytes, random.below(16));
    parseNeighborBody(bytes);
    parseRouterAdvertisement(random.next32(), bytes);
    parseMldQuery(random.next32(), bytes);
    parseMldReport(random.next32(), bytes);
    parseTcp(bytes);
    const igmp = Uint8Array.from(bytes);
    if (igmp.length >= 8) {
      igmp[2] = igmp[3] = 0;
      const sum = checksum(igmp, 0, igmp.length);
      igmp[2] = sum >> 8;
      igmp[3] = sum & 255;
    }
    parseIgmp(igmp);
    assert(describePacket(bytes).length > 0);
    assert(describeFrame(bytes).length > 0);
  }
});
