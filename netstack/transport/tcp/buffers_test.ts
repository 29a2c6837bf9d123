/** Queues of a connection against plain arrays. */
import { assert, assertEquals } from "@std/assert";
import { SeededRandom } from "../../random.ts";
import { OutOfOrderQueue, ReceiveQueue } from "./receive_buffer.ts";
import { SendBuffer } from "./send_buffer.ts";
import { SentQueue } from "./sent_queue.ts";
import { seqAdd, seqLess } from "./sequence.ts";

const SEED = 31_337;

Deno.test("seqLess() compares across the wrap (RFC 9293 §3.4)", () => {
  assert(seqLess(0xffffffff, 0));
  assert(!seqLess(0, 0xffffffff));
  assertEquals(seqAdd(0xffffffff, 2), 1);
});

Deno.test(`OutOfOrderQueue gives back every byte of pieces in any order (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  for (let round = 0; round < 300; round++) {
    const base = round % 2 === 0 ? 0xfffffe00 : random.next32();
    const data = random.bytes(2000);
    const queue = new OutOfOrderQueue();
    const order = new ReceiveQueue();
    let next = base;
    for (let i = 0; i < 2000; i++) {
      const start = i < 100 ? 1 + random.below(1999) : random.below(2000);
      const length = 1 + random.below(Math.min(300, 2000 - start));
      if (seqLess(next, seqAdd(base, start))) {
        const bytes = data.subarray(start, start + length);
        queue.insert(seqAdd(base, start), bytes);
      } else if (seqLess(next, seqAdd(base, start + length))) {
        const from = (next - base) >>> 0;
        queue.insert(next, data.subarray(from, start + length));
      }
      const edges = queue.blocks(4);
      for (let j = 0; j < edges.length; j += 2) {
        assert(seqLess(edges[j]!, edges[j + 1]!));
      }
      next = queue.take(next, order);
      if (next === seqAdd(base, 2000)) break;
    }
    // What no piece has covered comes last; the rest is there already.
    queue.insert(next, data.subarray((next - base) >>> 0));
    next = queue.take(next, order);
    assertEquals(next, seqAdd(base, 2000));
    const got = new Uint8Array(2001);
    assertEquals(order.read(got), 2000);
    assertEquals(got.subarray(0, 2000), data);
    assertEquals(queue.size, 0);
  }
});

Deno.test(`SendBuffer behaves as an array (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  const buffer = new SendBuffer();
  let model: number[] = [];
  for (let round = 0; round < 3000; round++) {
    if (random.below(2) === 0) {
      const bytes = random.bytes(random.below(500));
      buffer.append(bytes);
      model.push(...bytes);
    } else {
      const length = random.below(Math.min(800, model.length) + 1);
      buffer.drop(length);
      model = model.slice(length);
    }
    assertEquals(buffer.size, model.length);
    const offset = random.below(model.length + 1);
    const length = random.below(model.length - offset + 1);
    const got = new Uint8Array(length);
    buffer.copy(offset, length, got, 0);
    assertEquals([...got], model.slice(offset, offset + length));
  }
});

Deno.test(`SentQueue keeps its sums right (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  const queue = new SentQueue();
  let [una, next] = [0xffffff00, 0xffffff00];
  for (let round = 0; round < 5000; round++) {
    const length = 1 + random.below(1000);
    switch (random.below(5)) {
      case 0:
      case 1:
        queue.push(next, seqAdd(next, length), round);
        next = seqAdd(next, length);
        break;
      case 2:
        una = seqLess(seqAdd(una, length), next) ? seqAdd(una, length) : next;
        queue.acknowledge(una, () => {});
        break;
      case 3:
        queue.sack(seqAdd(una, length), seqAdd(una, 3 * length), () => {});
        break;
      case 4: {
        const first = queue.first;
        if (first !== undefined) queue.markLost(first);
        const lost = queue.firstLost();
        if (lost !== undefined && random.below(2) === 0) {
          queue.split(lost, 100);
          queue.resent(lost, round);
        }
      }
    }
    let [inFlight, lost, sacked] = [0, 0, 0];
    for (const segment of queue) {
      const size = (segment.end - segment.start) >>> 0;
      if (segment.isInFlight) inFlight += size;
      if (segment.isSacked) sacked += size;
      else if (segment.isLost) lost += size;
    }
    assertEquals(
      [queue.inFlight, queue.lostBytes, queue.sackedBytes],
      [inFlight, lost, sacked],
    );
  }
});
