/** Devices hand packets on; the tracer's file and the injector's faults. */
import { assert, assertEquals } from "@std/assert";
import { NEVER } from "../clock.ts";
import { PacketBuffer } from "../stack/packet_buffer.ts";
import { makeChannel } from "./channel.ts";
import { FaultInjector } from "./fault_injector.ts";
import { Loopback } from "./loopback.ts";
import { Tracer } from "./tracer.ts";

const packet = (...bytes: number[]) =>
  PacketBuffer.from(Uint8Array.from(bytes));

Deno.test("Loopback gives back what was sent, in order", () => {
  const device = new Loopback();
  assertEquals(device.pollAt(5), NEVER);
  assert(device.send(packet(1)));
  assert(device.send(packet(2)));
  assertEquals(device.pollAt(5), 5);
  assertEquals([...device.receive()!.view()], [1]);
  assertEquals([...device.receive()!.view()], [2]);
  assertEquals(device.receive(), undefined);
});

Deno.test("makeChannel() joins two ends and drops beyond its limit", () => {
  const [a, b] = makeChannel({ queueLimit: 2 });
  assert(a.send(packet(1), 0));
  assert(a.send(packet(2), 0));
  assert(!a.send(packet(3), 0));
  assertEquals(a.receive(0), undefined);
  assertEquals([...b.receive(0)!.view()], [1]);
});

Deno.test("Tracer writes pcap with nanoseconds", () => {
  const [a, b] = makeChannel();
  const pieces: Uint8Array[] = [];
  const tracer = new Tracer(a, (bytes) => pieces.push(bytes), 1_000_000);
  tracer.send(packet(7, 8, 9), 1.5);
  b.send(packet(1), 2);
  tracer.receive(3);
  assertEquals(pieces.map((piece) => piece.length), [24, 19, 17]);
  const record = new DataView(pieces[1]!.buffer);
  assertEquals(record.getUint32(0, true), 1000);
  assertEquals(record.getUint32(4, true), 1_500_000);
  assertEquals(record.getUint32(8, true), 3);
});

Deno.test("FaultInjector delays by time and by rate", () => {
  const [a, b] = makeChannel();
  const slow = new FaultInjector(b, 1, { delayMs: 10, rate: 1 });
  a.send(packet(1, 2, 3, 4), 0);
  a.send(packet(5, 6), 0);
  assertEquals(slow.receive(0), undefined);
  assertEquals(slow.pollAt(0), 14);
  assertEquals(slow.receive(14)!.size, 4);
  assertEquals(slow.receive(15.9), undefined);
  assertEquals(slow.receive(16)!.size, 2);
});

Deno.test("FaultInjector loses, repeats and damages about as often as asked", () => {
  const [a, b] = makeChannel({ queueLimit: 10_000 });
  const faults = {
    loss: 0.1,
    duplicate: 0.1,
    corrupt: 0.1,
    queueLimit: 20_000,
  };
  const bad = new FaultInjector(b, 99, faults);
  for (let i = 0; i < 10_000; i++) a.send(packet(0, 0, 0, 0), 0);
  let received = 0;
  let damaged = 0;
  for (;;) {
    const got = bad.receive(0);
    if (got === undefined) break;
    received++;
    if (got.view().some((byte) => byte !== 0)) damaged++;
  }
  assert(bad.lost > 800 && bad.lost < 1200);
  assert(received > 9600 && received < 10_200);
  assert(damaged > 800 && damaged < 1200);
});
