/** Headers survive a round trip; bytes of every kind are judged, not thrown. */
import { assert, assertEquals } from "@std/assert";
import { SeededRandom } from "../random.ts";
import { checksum } from "./checksum.ts";
import { emitEthernet, parseEthernet } from "./ethernet.ts";
import {
  emitIpv4,
  type Ipv4Header,
  ipv4HeaderSize,
  parseIpv4,
} from "./ipv4.ts";
import { emitUdp, parseUdp, UDP_HEADER_SIZE } from "./udp.ts";

const SEED = 20_011;

Deno.test("checksum() gives the example of RFC 1071 §3", () => {
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  assertEquals(checksum(bytes, 0, 8), ~0xddf2 & 0xffff);
});

Deno.test("checksum() pads an odd range with zero", () => {
  const bytes = Uint8Array.of(0x12, 0x34, 0x56);
  assertEquals(checksum(bytes, 0, 3), ~(0x1234 + 0x5600) & 0xffff);
});

Deno.test(`parseIpv4() reads what emitIpv4() wrote (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  for (let round = 0; round < 2000; round++) {
    const options = random.bytes(4 * random.below(11));
    const payload = random.below(100);
    const header: Ipv4Header = {
      trafficClass: random.below(256),
      totalLength: 20 + options.length + payload,
      identification: random.below(65536),
      dontFragment: random.below(2) === 1,
      moreFragments: random.below(2) === 1,
      fragmentOffset: 8 * random.below(8192),
      timeToLive: random.below(256),
      protocol: random.below(256),
      source: random.bytes(4),
      destination: random.bytes(4),
      options,
    };
    const packet = new Uint8Array(header.totalLength);
    emitIpv4(header, packet);
    assertEquals(parseIpv4(packet), header);
    // Every changed byte of the header is noticed.
    const at = random.below(ipv4HeaderSize(header));
    packet[at]! ^= 1 + random.below(255);
    assert(typeof parseIpv4(packet) === "string");
  }
});

Deno.test(`parseUdp() reads what emitUdp() wrote (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  for (let round = 0; round < 2000; round++) {
    const size = random.below(2) === 0 ? 4 : 16;
    const source = random.bytes(size);
    const destination = random.bytes(size);
    const datagram = random.bytes(UDP_HEADER_SIZE + random.below(64));
    const header = {
      sourcePort: random.below(65536),
      destinationPort: random.below(65536),
      length: datagram.length,
    };
    emitUdp(header, datagram, source, destination);
    assertEquals(parseUdp(datagram, source, destination), header);
    const short = datagram.subarray(0, random.below(datagram.length));
    assertEquals(parseUdp(short, source, destination), "truncated");
  }
});

Deno.test("parseEthernet() reads what emitEthernet() wrote", () => {
  const header = {
    destination: Uint8Array.of(1, 2, 3, 4, 5, 6),
    source: Uint8Array.of(7, 8, 9, 10, 11, 12),
    type: 0x86dd,
  };
  const frame = new Uint8Array(14);
  emitEthernet(header, frame);
  assertEquals(parseEthernet(frame), header);
  assertEquals(parseEthernet(frame.subarray(0, 13)), "truncated");
  frame[12] = 5;
  assertEquals(parseEthernet(frame), "length");
});

Deno.test(`no parser throws on random bytes (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  const addresses = [random.bytes(4), random.bytes(16)];
  for (let round = 0; round < 20_000; round++) {
    const bytes = random.bytes(random.below(80));
    if (bytes.length > 0 && random.below(2) === 0) bytes[0] = 0x45;
    parseEthernet(bytes);
    parseIpv4(bytes);
    for (const address of addresses) parseUdp(bytes, address, address);
  }
});
