import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { EFAULT, ENOMEM, isErrno } from "../abi/errno.ts";
import {
  FakeHostMemory,
  FakeUserMemory,
  GUEST_END,
} from "../fs/fake_caller.ts";
import { MemoryBuffer } from "./io_buffer.ts";
import { MemoryRing } from "./memory_ring.ts";

const GUEST = 4096;

Deno.test("MemoryRing agrees with a list of bytes, whatever is done to it", () => {
  const seed = 4711;
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor(state / 65536) % below;
  };
  const host = new FakeHostMemory(64 << 20);
  const ring = new MemoryRing(host, host, 8192);
  let model: number[] = [];
  for (let round = 0; round < 4000; round++) {
    const action = random(10);
    if (action < 5 && ring.free > 0) {
      const length = 1 + random(ring.free);
      const bytes = Uint8Array.from({ length }, () => random(256));
      host.write(GUEST, bytes);
      const moved = ring.append(new MemoryBuffer(host, GUEST, length), length);
      assertEquals(moved, length, `seed ${seed}`);
      model.push(...bytes);
    } else if (action < 9 && ring.used > 0) {
      const skip = random(ring.used);
      const length = 1 + random(ring.used - skip);
      const isPeek = skip > 0 || random(2) === 0;
      const io = new MemoryBuffer(host, GUEST, length);
      const moved = isPeek
        ? ring.peek(io, length, skip)
        : ring.take(io, length);
      assertEquals(moved, length, `seed ${seed}`);
      const got = new Uint8Array(length);
      host.read(GUEST, got);
      assertEquals([...got], model.slice(skip, skip + length), `seed ${seed}`);
      if (!isPeek) model = model.slice(length);
    } else if (action === 9) {
      const least = Math.ceil(ring.used / 4096);
      const pages = Math.min(8, Math.max(1, least + random(3)));
      assertEquals(ring.resize(4096 * pages), null);
    }
    assertEquals(ring.used, model.length);
  }
  ring.clear();
  assertEquals(host.allocated, 0);
});

Deno.test("MemoryRing reports faults, and moves what it can before them", () => {
  const host = new FakeHostMemory();
  const memory = new FakeUserMemory(host);
  const ring = new MemoryRing(host, host, 4096);
  const io = memory.buffer(GUEST_END - 10, 20);
  assert(!isErrno(io));
  assertEquals(ring.append(io, 20), 10);
  const bad = memory.buffer(GUEST_END, 20);
  assert(!isErrno(bad));
  assertStrictEquals(ring.append(bad, 20), EFAULT);
  const room = memory.buffer(GUEST_END - 4, 10);
  assert(!isErrno(room));
  assertEquals(ring.take(room, 10), 4);
  assertEquals(ring.used, 6);
});

Deno.test("MemoryRing without memory is ENOMEM and stays as it was", () => {
  const host = new FakeHostMemory();
  const pages = { allocate: () => ENOMEM, release: () => {} };
  const ring = new MemoryRing(host, pages, 4096);
  const io = new MemoryBuffer(host, GUEST, 4);
  assertStrictEquals(ring.append(io, 4), ENOMEM);
  assertEquals(ring.used, 0);
  assertEquals(ring.resize(8192), null);
});
