/**
 * The memory file against the real host.
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { HostError } from "./library.ts";
import { MemoryFile } from "./memory_file.ts";

const FAR = 2 ** 39 + 12288;

Deno.test("MemoryFile copies, zeroes, reads and writes beyond 2^31", () => {
  using memory = new MemoryFile();
  memory.write(FAR, new Uint8Array([1, 2, 3, 4]));
  assertEquals(memory.view.getUint32(FAR, true), 0x04030201);
  memory.copy(FAR + 2, FAR, 4); // overlapping
  assertEquals([...memory.bytes.slice(FAR, FAR + 6)], [1, 2, 1, 2, 3, 4]);
  memory.zero(FAR + 1, 2);
  const out = new Uint8Array(6);
  memory.read(FAR, out);
  assertEquals([...out], [1, 0, 0, 2, 3, 4]);
});

Deno.test("punch() makes a range read as zero and keeps the rest", () => {
  using memory = new MemoryFile(2 ** 20);
  memory.populate(0, 3 * 4096);
  memory.bytes.fill(7, 0, 3 * 4096);
  memory.punch(4096, 4096);
  assertEquals(memory.view.getUint8(4095), 7);
  assertEquals(memory.view.getUint8(4096), 0);
  assertEquals(memory.view.getUint8(8191), 0);
  assertEquals(memory.view.getUint8(8192), 7);
});

Deno.test("residentBytes() counts touched pages, not the holes between", () => {
  using memory = new MemoryFile();
  assertEquals(memory.residentBytes(0, memory.size), 0);
  memory.populate(8192, 4096);
  memory.view.setUint8(FAR, 1);
  assertEquals(memory.residentBytes(0, memory.size), 8192);
  assertEquals(memory.residentBytes(0, 8192), 0);
  assertEquals(memory.residentBytes(10000, 100), 100);
  memory.punch(8192, 4096);
  assertEquals(memory.residentBytes(0, memory.size), 4096);
});

Deno.test("MemoryFile refuses ranges outside the window", () => {
  using memory = new MemoryFile(2 ** 20);
  const byte = new Uint8Array(1);
  for (const offset of [-1, 2 ** 20, 2 ** 60, NaN, Infinity]) {
    assertThrows(() => memory.write(offset, byte), HostError, "EINVAL");
    assertThrows(() => memory.read(offset, byte), HostError, "EINVAL");
    assertThrows(() => memory.zero(offset, 1), HostError, "EINVAL");
    assertThrows(() => memory.copy(0, offset, 1), HostError, "EINVAL");
    assertThrows(() => memory.copy(offset, 0, 1), HostError, "EINVAL");
    assertThrows(() => memory.punch(offset, 1), HostError, "EINVAL");
    assertThrows(() => memory.populate(offset, 1), HostError, "EINVAL");
    assertThrows(() => memory.residentBytes(offset, 1), HostError, "EINVAL");
  }
  assertThrows(() => memory.zero(0, NaN), HostError, "EINVAL");
});

Deno.test("the memory file cannot be resized by who holds its descriptor", () => {
  using memory = new MemoryFile(2 ** 20);
  const path = `/proc/self/fd/${memory.fd}`;
  assertThrows(() => Deno.truncateSync(path, 4096));
  assertThrows(() => Deno.truncateSync(path, 2 ** 21));
});
