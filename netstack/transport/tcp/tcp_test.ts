/** Connections between two stacks: opening, data, loss, closing, floods. */
import { assert, assertEquals } from "@std/assert";
import { makeChannel } from "../../link/channel.ts";
import { FaultInjector, type Faults } from "../../link/fault_injector.ts";
import { SeededRandom } from "../../random.ts";
import { PacketBuffer } from "../../stack/packet_buffer.ts";
import { Stack } from "../../stack/stack.ts";
import { parseAddress } from "../../wire/address.ts";
import { emitIpv4 } from "../../wire/ipv4.ts";
import {
  emitTcp,
  NO_TCP_OPTIONS,
  setTcpChecksum,
  TcpFlag,
} from "../../wire/tcp.ts";
import { Ready } from "../readiness.ts";
import type { TcpEndpoint } from "./endpoint.ts";
import { Tcp } from "./tcp.ts";

function ip(text: string) {
  return parseAddress(text)!;
}

function makePair(faults: Faults = {}, seed = 1) {
  const [left, right] = makeChannel({ kind: "ip", queueLimit: 10_000 });
  const devices = [
    new FaultInjector(left, seed, faults),
    new FaultInjector(right, seed + 1, faults),
  ];
  const hosts = devices.map((device, i) => {
    const stack = new Stack({ random: new SeededRandom(seed + 10 + i) });
    const nic = stack.addNic(device, "eth0");
    stack.addAddress(nic, ip(`10.0.0.${i + 1}`), 24);
    stack.addAddress(nic, ip(`fd00::${i + 1}`), 64);
    return { stack, nic, tcp: new Tcp(stack), device };
  });
  const [a, b] = [hosts[0]!, hosts[1]!];
  const time = { now: 0 };
  const poll = () => {
    for (let i = 0; i < 3; i++) {
      a.stack.poll(time.now);
      b.stack.poll(time.now);
    }
  };
  /** Lets time pass until `isDone`, at most `ms`; true if it was reached. */
  const run = (ms: number, isDone: () => boolean = () => false): boolean => {
    const end = time.now + ms;
    for (;;) {
      poll();
      if (isDone()) return true;
      const next = Math.min(a.stack.pollAt(), b.stack.pollAt());
      if (next > end) break;
      time.now = Math.max(next, time.now + 0.01);
    }
    time.now = end;
    poll();
    return isDone();
  };
  return { a, b, run, time };
}

type Pair = ReturnType<typeof makePair>;

function connect(pair: Pair, to = "10.0.0.2"): [TcpEndpoint, TcpEndpoint] {
  const family = ip(to).length === 4 ? 4 : 6;
  const listener = pair.b.tcp.open(family);
  listener.reuseAddress = true;
  const any = { address: new Uint8Array(family === 4 ? 4 : 16), port: 80 };
  assertEquals(listener.bind(any), undefined);
  assertEquals(listener.listen(8), undefined);
  const client = pair.a.tcp.open(family);
  const remote = { address: ip(to), port: 80 };
  assertEquals(client.connect(remote), "in-progress");
  const isOpen = () => (listener.readiness & Ready.READABLE) !== 0;
  assert(pair.run(20_000, isOpen), "no connection");
  const server = listener.accept();
  assert(typeof server === "object");
  listener.close();
  return [client, server];
}

/** Sends `data` from one to the other and closes; what arrived. */
function transfer(
  pair: Pair,
  from: TcpEndpoint,
  to: TcpEndpoint,
  data: Uint8Array,
  limitMs: number,
): Uint8Array {
  const got = new Uint8Array(data.length + 1);
  let sent = 0;
  let received = 0;
  let isOver = false;
  const step = () => {
    while (sent < data.length) {
      const count = from.write(data.subarray(sent, sent + 65_536));
      if (count === "would-block") break;
      assert(typeof count === "number", String(count));
      sent += count;
      if (sent === data.length) from.shutdown({ read: false, write: true });
    }
    for (;;) {
      const count = to.read(got.subarray(received));
      if (count === "would-block") break;
      assert(typeof count === "number", String(count));
      if (count === 0) {
        isOver = true;
        break;
      }
      received += count;
    }
    return isOver;
  };
  assert(pair.run(limitMs, step), `only ${received} of ${data.length} arrived`);
  return got.subarray(0, received);
}

Deno.test("TCP opens, carries bytes both ways and closes in order (RFC 9293 §3.5, §3.6)", () => {
  for (const to of ["10.0.0.2", "fd00::2"]) {
    const pair = makePair({ delayMs: 5 });
    pair.run(2000);
    const [client, server] = connect(pair, to);
    const data = new SeededRandom(7).bytes(300_000);
    assertEquals(transfer(pair, client, server, data, 20_000), data);
    pair.run(100);
    assertEquals(client.state, "FIN-WAIT-2");
    assertEquals(server.state, "CLOSE-WAIT");
    assertEquals(transfer(pair, server, client, data, 20_000), data);
    pair.run(1000);
    assertEquals(client.state, "TIME-WAIT");
    assertEquals(server.state, "CLOSED");
    client.close();
    server.close();
    pair.run(61_000);
    assertEquals(pair.a.tcp.connectionCount, 0);
    assertEquals(pair.b.tcp.connectionCount, 0);
  }
});

Deno.test("TCP carries bytes over loopback", () => {
  const pair = makePair();
  const listener = pair.a.tcp.open(4);
  listener.bind({ address: ip("127.0.0.1"), port: 80 });
  listener.listen(1);
  const client = pair.a.tcp.open(4);
  client.connect({ address: ip("127.0.0.1"), port: 80 });
  pair.run(10);
  const server = listener.accept();
  assert(typeof server === "object");
  const data = new SeededRandom(8).bytes(3_000_000);
  assertEquals(transfer(pair, client, server, data, 10_000), data);
});

const WORSE: readonly (readonly [string, Faults])[] = [
  ["loss", { delayMs: 10, loss: 0.05 }],
  ["reordering", { delayMs: 10, reorder: 0.1, reorderMs: 8 }],
  ["duplicates", { delayMs: 3, duplicate: 0.2 }],
  ["damage", { delayMs: 3, corrupt: 0.05 }],
  ["all at once", {
    delayMs: 10,
    loss: 0.03,
    reorder: 0.05,
    reorderMs: 7,
    duplicate: 0.05,
    corrupt: 0.03,
    rate: 2000,
    queueLimit: 50,
  }],
];
for (const [name, faults] of WORSE) {
  for (const seed of [3, 44, 555]) {
    Deno.test(`TCP delivers every byte in order under ${name} (seed ${seed})`, () => {
      const pair = makePair(faults, seed);
      const [client, server] = connect(pair);
      const data = new SeededRandom(seed).bytes(400_000);
      assertEquals(transfer(pair, client, server, data, 600_000), data);
    });
  }
}

Deno.test("TCP keeps a path with 1 % loss busy (RFC 9438)", () => {
  const pair = makePair({ delayMs: 25, loss: 0.01 }, 77);
  const [client, server] = connect(pair);
  const data = new SeededRandom(9).bytes(4_000_000);
  const begun = pair.time.now;
  assertEquals(transfer(pair, client, server, data, 600_000).length, 4_000_000);
  const rate = data.length / (pair.time.now - begun);
  assert(rate > 150, `${rate.toFixed(0)} bytes a millisecond`);
});

Deno.test("connect() is refused where nobody listens (RFC 9293 §3.10.7.1)", () => {
  const pair = makePair();
  const client = pair.a.tcp.open(4);
  client.connect({ address: ip("10.0.0.2"), port: 81 });
  pair.run(10);
  assertEquals(client.readiness & Ready.ERROR, Ready.ERROR);
  assertEquals(client.takeError(), "connection-refused");
});

Deno.test("connect() times out when nothing comes back", () => {
  const pair = makePair({ loss: 1 });
  const client = pair.a.tcp.open(4);
  client.options.synRetries = 3;
  client.connect({ address: ip("10.0.0.2"), port: 80 });
  pair.run(10_000);
  assertEquals(client.state, "SYN-SENT");
  pair.run(10_000);
  assertEquals(client.takeError(), "timed-out");
});

Deno.test("close() with unread data resets the peer (RFC 2525 §2.17)", () => {
  const pair = makePair();
  const [client, server] = connect(pair);
  client.write(new Uint8Array(10));
  pair.run(10);
  server.close();
  pair.run(10);
  assertEquals(client.read(new Uint8Array(1)), "connection-reset");
  assertEquals(pair.b.tcp.connectionCount, 0);
});

Deno.test("ESTABLISHED with a full reader: the window closes, is probed and opens (RFC 9293 §3.8.6.1)", () => {
  const pair = makePair({ delayMs: 1 });
  const [client, server] = connect(pair);
  const chunk = new Uint8Array(65_536);
  let sent = 0;
  pair.run(3000, () => {
    const count = client.write(chunk);
    if (typeof count === "number") sent += count;
    return false;
  });
  assertEquals(client.block?.sndWnd, 0);
  assertEquals(client.write(chunk), "would-block");
  pair.run(60_000);
  assertEquals(client.state, "ESTABLISHED");
  let received = 0;
  pair.run(60_000, () => {
    const count = server.read(chunk);
    if (typeof count === "number") received += count;
    return received >= sent;
  });
  assertEquals(received, sent);
});

Deno.test("ESTABLISHED whose peer vanishes times out with keep-alive and with a user timeout", () => {
  for (const kind of ["keepAlive", "userTimeout"]) {
    const pair = makePair();
    const [client] = connect(pair);
    pair.a.device.faults = { loss: 1 };
    pair.b.device.faults = { loss: 1 };
    if (kind === "keepAlive") {
      client.options.keepAlive = true;
      client.options.keepIdleMs = 1000;
      client.options.keepIntervalMs = 1000;
      client.options.keepCount = 3;
      client.flush();
    } else {
      client.options.userTimeoutMs = 5000;
      client.write(new Uint8Array(10));
    }
    pair.run(1000);
    assertEquals(client.state, "ESTABLISHED");
    pair.run(30_000);
    assertEquals(client.takeError(), "timed-out", kind);
  }
});

Deno.test("write() holds small segments back until an ACK, unless noDelay (RFC 1122 §4.2.3.4)", () => {
  for (const noDelay of [false, true]) {
    const pair = makePair({ delayMs: 20 });
    const [client, server] = connect(pair);
    pair.run(100);
    client.options.noDelay = noDelay;
    for (let i = 0; i < 5; i++) client.write(Uint8Array.of(i));
    pair.run(21);
    assertEquals(server.readableBytes, noDelay ? 5 : 1);
    pair.run(200);
    assertEquals(server.readableBytes, 5);
  }
});

function segment(
  from: string,
  fromPort: number,
  fields: { sequence: number; acknowledgment: number; flags: number },
): PacketBuffer {
  const header = {
    ...NO_TCP_OPTIONS,
    sourcePort: fromPort,
    destinationPort: 80,
    window: 65535,
    urgentPointer: 0,
    headerSize: 20,
    ...fields,
  };
  const packet = new PacketBuffer(new Uint8Array(40));
  emitTcp(header, packet.bytes, 20);
  const [source, destination] = [ip(from), ip("10.0.0.2")];
  setTcpChecksum(packet.bytes.subarray(20), source, destination);
  emitIpv4({
    trafficClass: 0,
    totalLength: 40,
    identification: 0,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    timeToLive: 64,
    protocol: 6,
    source,
    destination,
    options: new Uint8Array(0),
  }, packet.bytes);
  return packet;
}

Deno.test("LISTEN under a SYN flood holds few handshakes and serves by cookies (RFC 4987 §3.6)", () => {
  const pair = makePair();
  const listener = pair.b.tcp.open(4);
  listener.bind({ address: ip("0.0.0.0"), port: 80 });
  listener.listen(16);
  for (let i = 0; i < 5000; i++) {
    const from = `10.1.${i >> 8}.${i & 255}`;
    const fields = { sequence: i, acknowledgment: 0, flags: TcpFlag.SYN };
    pair.a.nic.device.send(segment(from, 1000, fields), 0);
  }
  pair.run(1);
  assert(pair.b.tcp.connectionCount <= 17);
  const client = pair.a.tcp.open(4);
  client.connect({ address: ip("10.0.0.2"), port: 80 });
  pair.run(10);
  assertEquals(client.state, "ESTABLISHED");
  const server = listener.accept();
  assert(typeof server === "object");
  assertEquals(client.write(Uint8Array.of(1, 2, 3)), 3);
  pair.run(100);
  assertEquals(server.readableBytes, 3);
});

Deno.test("ESTABLISHED, RST or SYN in the window: a challenge ACK, no reset (RFC 5961 §3.2, §4.2)", () => {
  const pair = makePair();
  const [client, server] = connect(pair);
  const block = server.block!;
  for (const flags of [TcpFlag.RST, TcpFlag.SYN]) {
    pair.run(1000);
    const before = pair.b.stack.statistics.get("TcpChallengeAcks") ?? 0;
    const fields = {
      sequence: (block.rcvNxt + 100) >>> 0,
      acknowledgment: 0,
      flags,
    };
    const forged = segment("10.0.0.1", client.localPort, fields);
    pair.a.nic.device.send(forged, 0);
    pair.run(10);
    assertEquals(server.state, "ESTABLISHED");
    assertEquals(pair.b.stack.statistics.get("TcpChallengeAcks"), before + 1);
  }
  const fields = {
    sequence: block.rcvNxt,
    acknowledgment: 0,
    flags: TcpFlag.RST,
  };
  pair.a.nic.device.send(segment("10.0.0.1", client.localPort, fields), 0);
  pair.run(10);
  assertEquals(server.takeError(), "connection-reset");
});

Deno.test("TCP survives mutated segments in every state (seed 2026)", () => {
  const random = new SeededRandom(2026);
  const pair = makePair({ corrupt: 0.02, delayMs: 1 }, 5);
  for (let round = 0; round < 30; round++) {
    const [client, server] = connect(pair);
    for (let i = 0; i < 100; i++) {
      const block = server.block!;
      const fields = {
        sequence: (block.rcvNxt + random.below(2000) - 1000) >>> 0,
        acknowledgment: (block.sndUna + random.below(2000) - 1000) >>> 0,
        flags: random.below(64),
      };
      const forged = segment("10.0.0.1", client.localPort, fields);
      pair.a.nic.device.send(forged, 0);
      if (random.below(4) === 0) client.write(random.bytes(random.below(3000)));
      if (random.below(4) === 0) server.write(random.bytes(random.below(3000)));
      if (random.below(50) === 0) client.shutdown({ read: false, write: true });
      if (random.below(3) === 0) server.read(new Uint8Array(4096));
      pair.run(random.below(20));
    }
    client.close();
    server.close();
  }
  pair.run(1_000_000);
  assertEquals(pair.a.tcp.connectionCount, 0);
  assertEquals(pair.b.tcp.connectionCount, 0);
});
