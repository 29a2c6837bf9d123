/** Router advertisements make routes and addresses, and end them. */
import { assert, assertEquals } from "@std/assert";
import { makeChannel } from "../link/channel.ts";
import { SeededRandom } from "../random.ts";
import { PacketBuffer } from "../stack/packet_buffer.ts";
import { Stack } from "../stack/stack.ts";
import { Icmp } from "../transport/icmp/icmp.ts";
import { IPV6_ALL_NODES, multicastMac, parseAddress } from "../wire/address.ts";
import { emitEthernet, EtherType } from "../wire/ethernet.ts";
import { emitIcmpv6, Icmpv6Type } from "../wire/icmp.ts";
import { emitIpv6 } from "../wire/ipv6.ts";
import { emitRouterAdvertisement } from "../wire/ndp.ts";

function ip(text: string) {
  return parseAddress(text)!;
}

/** An advertisement of fe80::99 for `prefix`, as a frame. */
function advertisement(
  prefix: string,
  seconds: number,
  hopLimit = 255,
): PacketBuffer {
  const { rest, body } = emitRouterAdvertisement({
    hopLimit: 64,
    isManaged: false,
    hasOtherConfig: false,
    lifetimeSeconds: seconds,
    reachableMs: 0,
    retransmitMs: 0,
    options: {
      sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 9),
      prefixes: [{
        bits: 64,
        isOnLink: true,
        isAutonomous: true,
        validSeconds: seconds,
        preferredSeconds: seconds,
        prefix: ip(prefix),
      }],
      dnsServers: [],
    },
  });
  const packet = PacketBuffer.allocate(8 + body.length);
  const source = ip("fe80::99");
  const destination = IPV6_ALL_NODES;
  const type = Icmpv6Type.ROUTER_ADVERTISEMENT;
  const message = { type, code: 0, rest, body };
  emitIcmpv6(message, packet.view(), source, destination);
  emitIpv6({
    trafficClass: 0,
    flowLabel: 0,
    payloadLength: packet.size,
    nextHeader: 58,
    hopLimit,
    source,
    destination,
  }, packet.prepend(40));
  emitEthernet({
    destination: multicastMac(destination),
    source: Uint8Array.of(2, 0, 0, 0, 0, 9),
    type: EtherType.IPV6,
  }, packet.prepend(14));
  return packet;
}

function makeHost() {
  const [router, device] = makeChannel();
  const stack = new Stack({ random: new SeededRandom(1) });
  const nic = stack.addNic(device, "eth0");
  new Icmp(stack);
  return { router, stack, nic };
}

const OWN = "2001:db8::ff:fe00:2";

Deno.test("Autoconfiguration makes an address and a default route, until their time is over (RFC 4862 §5.5.3)", () => {
  const { router, stack, nic } = makeHost();
  router.send(advertisement("2001:db8::", 100), 0);
  stack.poll(0);
  assertEquals(nic.findAddress(ip(OWN))?.state, "tentative");
  stack.poll(1001);
  assertEquals(nic.findAddress(ip(OWN))?.state, "preferred");
  const route = stack.findRoute(ip("2001:db8:1::1"));
  assert(typeof route === "object");
  assertEquals(route.nextHop, ip("fe80::99"));
  assertEquals(route.source, ip(OWN));
  stack.poll(100_001);
  stack.poll(100_002);
  stack.poll(100_003);
  assertEquals(nic.findAddress(ip(OWN)), undefined);
  assertEquals(stack.findRoute(ip("2001:db8:1::1")), "network-unreachable");
});

Deno.test("Autoconfiguration hears only neighbours (RFC 4861 §6.1.2) and a limited number of prefixes", () => {
  const { router, stack, nic } = makeHost();
  router.send(advertisement("2001:db8::", 100, 64), 0);
  stack.poll(0);
  assertEquals(nic.addresses.length, 0);
  for (let i = 1; i < 500; i++) {
    router.send(advertisement(`2001:db8:${i.toString(16)}::`, 100), 0);
    stack.poll(i);
  }
  assert(nic.addresses.length <= 64);
  assert(stack.routes.entries.length <= 192);
});
