/** Two stacks on a cable: ARP, discovery, echo, UDP, fragments, errors. */
import { assert, assertEquals } from "@std/assert";
import { makeChannel } from "../link/channel.ts";
import { SeededRandom } from "../random.ts";
import { Icmp } from "../transport/icmp/icmp.ts";
import { PingEndpoint } from "../transport/icmp/ping.ts";
import { Udp } from "../transport/udp/udp.ts";
import { parseAddress } from "../wire/address.ts";
import { Stack } from "./stack.ts";

function ip(text: string) {
  return parseAddress(text)!;
}

function makePair(mtu = 1500) {
  const cable = makeChannel({ mtu });
  const hosts = cable.map((device, i) => {
    const stack = new Stack({ random: new SeededRandom(i + 1) });
    const nic = stack.addNic(device, "eth0");
    stack.addAddress(nic, ip(`10.0.0.${i + 1}`), 24);
    stack.addAddress(nic, ip(`fe80::${i + 1}`), 64, { probe: false });
    return { stack, nic, udp: new Udp(stack), icmp: new Icmp(stack) };
  });
  const [a, b] = [hosts[0]!, hosts[1]!];
  let now = 0;
  const run = (ms = 0) => {
    const end = now + ms;
    for (;;) {
      for (let i = 0; i < 20; i++) {
        a.stack.poll(now);
        b.stack.poll(now);
      }
      const next = Math.min(a.stack.pollAt(), b.stack.pollAt());
      if (next > end) break;
      now = Math.max(next, now + 0.01);
    }
    now = end;
  };
  return { a, b, run };
}

const hello = new TextEncoder().encode("hello");

Deno.test("Stack carries a UDP datagram after ARP and after discovery", () => {
  for (const [from, to] of [["10.0.0.1", "10.0.0.2"], ["fe80::1", "fe80::2"]]) {
    const { a, b, run } = makePair();
    const family = ip(to!).length === 4 ? 4 : 6;
    const server = b.udp.open(family);
    assertEquals(server.bind({ address: ip(to!), port: 53 }), undefined);
    const client = a.udp.open(family);
    assertEquals(client.connect({ address: ip(to!), port: 53 }), undefined);
    assertEquals(client.send(hello), 5);
    run();
    const got = server.receive();
    assert(typeof got === "object");
    assertEquals(got.payload, hello);
    assertEquals(got.from.address, ip(from!));
    assertEquals(server.send(hello, got.from), 5);
    run();
    assertEquals((client.receive() as { payload: Uint8Array }).payload, hello);
    assertEquals(client.receive(), "would-block");
  }
});

Deno.test("UdpEndpoint learns that nobody listens (RFC 1122 §4.1.3.3)", () => {
  for (const to of ["10.0.0.2", "fe80::2", "127.0.0.1", "::1"]) {
    const { a, run } = makePair();
    const client = a.udp.open(ip(to).length === 4 ? 4 : 6);
    client.connect({ address: ip(to), port: 9 });
    client.send(hello);
    run();
    assertEquals(client.receive(), "connection-refused", to);
    assertEquals(client.receive(), "would-block");
  }
});

Deno.test("Stack cuts large datagrams and puts them together", () => {
  for (const to of ["10.0.0.2", "fe80::2"]) {
    const { a, b, run } = makePair();
    const family = ip(to).length === 4 ? 4 : 6;
    const server = b.udp.open(family);
    server.bind({ address: ip(to), port: 7 });
    const client = a.udp.open(family);
    const large = new SeededRandom(3).bytes(60_000);
    assertEquals(client.send(large, { address: ip(to), port: 7 }), 60_000);
    run();
    const got = server.receive();
    assert(typeof got === "object");
    assertEquals(got.payload, large);
  }
});

Deno.test("UdpEndpoint with dontFragment refuses what the link cannot carry", () => {
  const { a } = makePair();
  const client = a.udp.open(4);
  client.options.dontFragment = true;
  const to = { address: ip("10.0.0.2"), port: 7 };
  assertEquals(client.send(new Uint8Array(1473), to), "message-too-long");
  assertEquals(client.send(new Uint8Array(1472), to), 1472);
});

Deno.test("UdpEndpoint of IPv6 hears IPv4 as mapped, unless v6Only", () => {
  const { a, b, run } = makePair();
  const server = b.udp.open(6);
  server.bind({ address: ip("::"), port: 7 });
  const client = a.udp.open(4);
  client.send(hello, { address: ip("10.0.0.2"), port: 7 });
  run();
  const got = server.receive();
  assert(typeof got === "object");
  assertEquals(got.from.address, ip("::ffff:10.0.0.1"));
  assertEquals(server.send(hello, got.from), 5);
  run();
  assert(typeof client.receive() === "object");
});

Deno.test("Stack answers echo and PingEndpoint gets the answer", () => {
  for (const to of ["10.0.0.2", "fe80::2", "127.0.0.1"]) {
    const { a, run } = makePair();
    const family = ip(to).length === 4 ? 4 : 6;
    const ping = new PingEndpoint(a.icmp, family);
    const echo = Uint8Array.of(family === 4 ? 8 : 128, 0, 0, 0, 0, 0, 0, 7, 1);
    assertEquals(ping.send(echo, { address: ip(to), port: 0 }), 9);
    run();
    const got = ping.receive();
    assert(typeof got === "object", to);
    assertEquals(got.payload[0], family === 4 ? 0 : 129);
    assertEquals(got.payload.slice(6), Uint8Array.of(0, 7, 1));
  }
});

Deno.test("Stack reports a neighbour that does not answer", () => {
  const { a, run } = makePair();
  const client = a.udp.open(4);
  client.connect({ address: ip("10.0.0.9"), port: 9 });
  client.send(hello);
  run(10_000);
  assertEquals(client.receive(), "host-unreachable");
});

Deno.test("Stack.addAddress() gives up an address that another host has (RFC 4862 §5.4)", () => {
  const { a, b, run } = makePair();
  a.stack.addAddress(a.nic, ip("fe80::2"), 64);
  a.stack.addAddress(a.nic, ip("fe80::3"), 64);
  run(2000);
  assertEquals(a.nic.findAddress(ip("fe80::2")), undefined);
  assertEquals(a.nic.findAddress(ip("fe80::3"))?.state, "preferred");
  assertEquals(b.nic.findAddress(ip("fe80::2"))?.state, "preferred");
});

Deno.test("UdpEndpoint hears groups that it joined and broadcasts", () => {
  const { a, b, run } = makePair();
  const server = b.udp.open(4);
  server.bind({ address: ip("0.0.0.0"), port: 7 });
  const client = a.udp.open(4);
  const group = { address: ip("239.1.2.3"), port: 7 };
  client.options.multicastNic = a.nic.index;
  client.send(hello, group);
  run();
  assertEquals(server.receive(), "would-block");
  assertEquals(server.joinGroup(group.address, b.nic.index), undefined);
  client.send(hello, group);
  run();
  assert(typeof server.receive() === "object");
  const all = { address: ip("10.0.0.255"), port: 7 };
  assertEquals(client.send(hello, all), "permission-denied");
  client.options.isBroadcastAllowed = true;
  assertEquals(client.send(hello, all), 5);
  run();
  assert(typeof server.receive() === "object");
});

Deno.test("PortTable keeps two endpoints from one port, unless both agree", () => {
  const { a } = makePair();
  const any = { address: ip("0.0.0.0"), port: 7 };
  const first = a.udp.open(4);
  assertEquals(first.bind(any), undefined);
  const second = a.udp.open(4);
  assertEquals(second.bind(any), "address-in-use");
  first.options.reuseAddress = true;
  second.options.reuseAddress = true;
  assertEquals(second.bind(any), undefined);
  first.close();
  second.close();
  assertEquals(a.udp.open(4).bind(any), undefined);
});
