/** What one poll does and in which order. */
import { assert, assertEquals } from "@std/assert";
import { makeChannel } from "../link/channel.ts";
import { SeededRandom } from "../random.ts";
import { Tcp } from "../transport/tcp/tcp.ts";
import { parseAddress } from "../wire/address.ts";
import { Stack } from "./stack.ts";

Deno.test("Stack.poll() takes packets before it fires timers: a late poll is no loss", () => {
  const cable = makeChannel({ kind: "ip" });
  const [a, b] = cable.map((device, i) => {
    const stack = new Stack({ random: new SeededRandom(i + 1) });
    const nic = stack.addNic(device, "eth0");
    stack.addAddress(nic, parseAddress(`10.0.0.${i + 1}`)!, 24);
    return { stack, tcp: new Tcp(stack) };
  });
  assert(a !== undefined && b !== undefined);
  const address = parseAddress("10.0.0.2")!;
  const listener = b.tcp.open(4);
  listener.bind({ address, port: 80 });
  listener.listen(1);
  const client = a.tcp.open(4);
  client.connect({ address, port: 80 });
  b.stack.poll(1);
  // The answer waits while this side is away for longer than its timeout.
  a.stack.poll(5000);
  assertEquals(client.state, "ESTABLISHED");
  assertEquals(a.stack.statistics.get("TcpOutSegs"), 2); // SYN, ACK
});
