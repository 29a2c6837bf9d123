/** The stack's input under mutated packets: nothing throws, memory is bounded. */
import { assert, assertEquals } from "@std/assert";
import { makeChannel } from "../link/channel.ts";
import {
  Reassembler,
  REASSEMBLY_LIMIT_BYTES,
} from "../network/fragmentation.ts";
import { SeededRandom } from "../random.ts";
import { Icmp } from "../transport/icmp/icmp.ts";
import { PingEndpoint } from "../transport/icmp/ping.ts";
import { RawEndpoint } from "../transport/raw/endpoint.ts";
import { Tcp } from "../transport/tcp/tcp.ts";
import { Udp } from "../transport/udp/udp.ts";
import { parseAddress } from "../wire/address.ts";
import { checksum } from "../wire/checksum.ts";
import { MAX_NEIGHBORS } from "./neighbor_cache.ts";
import { PacketBuffer } from "./packet_buffer.ts";
import { Stack } from "./stack.ts";

const SEED = 90_210;

function ip(text: string) {
  return parseAddress(text)!;
}

function makeHost(index: number, device: ReturnType<typeof makeChannel>[0]) {
  const stack = new Stack({
    random: new SeededRandom(index),
    isForwarding: index === 2,
  });
  const nic = stack.addNic(device, "eth0");
  stack.addAddress(nic, ip(`10.0.0.${index}`), 24, { probe: false });
  stack.addAddress(nic, ip(`fe80::${index}`), 64, { probe: false });
  const icmp = new Icmp(stack);
  return { stack, nic, icmp, udp: new Udp(stack), tcp: new Tcp(stack) };
}

/** Frames as two hosts exchange them: the seeds of the mutations. */
function recordTraffic(): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const [left, right] = makeChannel();
  const record = (device: typeof left): typeof left => ({
    kind: device.kind,
    mtu: device.mtu,
    mac: device.mac,
    isReliable: false,
    send: (packet, now) => device.send(packet, now),
    pollAt: (now) => device.pollAt(now),
    receive: (now) => {
      const packet = device.receive(now);
      if (packet !== undefined) frames.push(packet.view().slice());
      return packet;
    },
  });
  const a = makeHost(1, record(left));
  const b = makeHost(2, record(right));
  for (const to of ["10.0.0.2", "fe80::2"]) {
    const family = ip(to).length === 4 ? 4 : 6;
    const remote = { address: ip(to), port: 80 };
    const listener = b.tcp.open(family);
    listener.bind(remote);
    listener.listen(4);
    const client = a.tcp.open(family);
    client.connect(remote);
    a.udp.open(family).send(new Uint8Array(4000), remote);
    const echo = Uint8Array.of(family === 4 ? 8 : 128, 0, 0, 0, 0, 0, 0, 1, 2);
    new PingEndpoint(a.icmp, family).send(echo, remote);
    for (let now = 0; now < 2000; now += 20) {
      a.stack.poll(now);
      b.stack.poll(now);
      if (now === 400) client.write(new Uint8Array(5000));
      if (now === 800) client.close();
    }
    listener.close();
  }
  return frames;
}

Deno.test(`Stack takes mutated frames without throwing, in bounded memory (seed ${SEED})`, () => {
  const frames = recordTraffic();
  assert(frames.length > 30);
  const random = new SeededRandom(SEED);
  const [left, right] = makeChannel({ queueLimit: 10_000 });
  const { stack, nic, tcp, udp } = makeHost(2, right);
  const listener = tcp.open(6);
  listener.bind({ address: ip("::"), port: 80 });
  listener.listen(4);
  const sink = udp.open(6);
  sink.bind({ address: ip("::"), port: 80 });
  const raw = new RawEndpoint(stack, 4, 17);
  let now = 0;
  for (let round = 0; round < 60_000; round++) {
    const frame = frames[random.below(frames.length)]!.slice();
    for (let i = random.below(4); i >= 0; i--) {
      frame[random.below(frame.length)] = random.below(256);
    }
    // Often with a right header checksum, to get further.
    if (random.below(2) === 0 && frame[12] === 8 && frame[13] === 0) {
      const size = Math.min((frame[14]! & 15) * 4, frame.length - 14);
      if (size >= 20) {
        frame.fill(0, 24, 26);
        const sum = checksum(frame, 14, size);
        frame[24] = sum >> 8;
        frame[25] = sum & 255;
      }
    }
    const cut = random.below(4) === 0
      ? frame.subarray(0, random.below(frame.length + 1))
      : frame;
    left.send(PacketBuffer.from(cut), now);
    if (round % 16 === 0) {
      now += random.below(50);
      stack.poll(now);
      while (left.receive(now) !== undefined);
    }
  }
  assert(nic.neighbors.size <= MAX_NEIGHBORS);
  assert(tcp.connectionCount <= 4 + 1 + 5 + 1);
  raw.close();
  sink.close();
  listener.close();
  for (let i = 0; i < 2000; i++) stack.poll(now += 1000);
  assertEquals(tcp.connectionCount, 0);
});

Deno.test(`Reassembler keeps its limit under a flood of pieces (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  const reassembler = new Reassembler(30_000);
  for (let i = 0; i < 20_000; i++) {
    const packet = PacketBuffer.from(
      new Uint8Array(8 * (1 + random.below(180))),
    );
    packet.source = random.bytes(4);
    packet.destination = ip("10.0.0.2");
    reassembler.add({
      packet,
      identification: random.below(65536),
      offset: 8 * random.below(8000),
      moreFragments: random.below(4) !== 0,
      protocol: 17,
    }, i);
    assert(reassembler.bytes <= REASSEMBLY_LIMIT_BYTES);
  }
  reassembler.expire(Infinity);
  assertEquals(reassembler.bytes, 0);
});

Deno.test(`Reassembler joins pieces in any order and drops overlaps (RFC 5722; seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  for (let round = 0; round < 200; round++) {
    const reassembler = new Reassembler(30_000);
    const data = random.bytes(1 + random.below(20_000));
    const step = 8 * (1 + random.below(185));
    const pieces: { offset: number; end: number }[] = [];
    for (let at = 0; at < data.length; at += step) {
      pieces.push({ offset: at, end: Math.min(at + step, data.length) });
    }
    for (let i = pieces.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [pieces[i], pieces[j]] = [pieces[j]!, pieces[i]!];
    }
    let whole: Uint8Array | undefined;
    for (const { offset, end } of pieces.slice(0, 512)) {
      whole = reassembler.add({
        packet: PacketBuffer.from(data.subarray(offset, end)),
        identification: 1,
        offset,
        moreFragments: end < data.length,
        protocol: 17,
      }, 0)?.payload;
    }
    if (pieces.length <= 512) assertEquals(whole, data);
    else assertEquals(whole, undefined);
  }
  const reassembler = new Reassembler(30_000);
  const piece = (offset: number, size: number, moreFragments: boolean) =>
    reassembler.add({
      packet: PacketBuffer.from(new Uint8Array(size)),
      identification: 2,
      offset,
      moreFragments,
      protocol: 17,
    }, 0);
  assertEquals(piece(0, 16, true), undefined);
  assertEquals(piece(8, 16, false), undefined);
  assertEquals(reassembler.bytes, 0);
});
