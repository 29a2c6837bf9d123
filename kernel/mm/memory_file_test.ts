import { assert, assertEquals, assertThrows } from "@std/assert";
import { ENOMEM, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import { FakeMemory } from "./fake_memory.ts";
import { type Random, withSeed } from "./_random.ts";
import { MemoryFile } from "./memory_file.ts";

function allocate(file: MemoryFile, pages: number): number {
  const offset = file.allocate(pages * PAGE_SIZE);
  if (isErrno(offset)) throw new Error(`allocate: ${offset}`);
  return offset;
}

Deno.test("MemoryFile.allocate() never hands out offset 0", () => {
  const file = new MemoryFile(new FakeMemory(1 << 20));
  assert(allocate(file, 1) > 0);
});

Deno.test("MemoryFile.allocate() gives zero pages after a dirty release", () => {
  const memory = new FakeMemory(1 << 20);
  const file = new MemoryFile(memory);
  const first = allocate(file, 4);
  memory.bytes.fill(0xaa, first, first + 4 * PAGE_SIZE);
  file.release(first, 4 * PAGE_SIZE);
  const again = allocate(file, 4);
  assertEquals(again, first);
  assert(memory.bytes.subarray(again, again + 4 * PAGE_SIZE).every((b) => !b));
});

Deno.test("MemoryFile.allocate() fails with ENOMEM when the window is full", () => {
  const file = new MemoryFile(new FakeMemory(16 * PAGE_SIZE));
  const offset = allocate(file, 15);
  assertEquals(file.allocate(PAGE_SIZE), ENOMEM);
  file.release(offset, 15 * PAGE_SIZE);
  assertEquals(allocate(file, 15), offset);
});

Deno.test("MemoryFile.allocate() aligns", () => {
  const file = new MemoryFile(new FakeMemory(8 << 20));
  allocate(file, 3);
  const offset = file.allocate(PAGE_SIZE, { align: 1 << 20 });
  assertEquals(offset, 1 << 20);
  assertEquals(file.allocatedBytes, 4 * PAGE_SIZE);
});

Deno.test("MemoryFile.release() frees a page with its last reference", () => {
  const file = new MemoryFile(new FakeMemory(1 << 20));
  const offset = allocate(file, 3);
  file.addReference(offset + PAGE_SIZE, PAGE_SIZE);
  assert(file.isShared(offset + PAGE_SIZE));
  assertEquals(file.exclusiveRun(offset, 3 * PAGE_SIZE), PAGE_SIZE);
  file.release(offset, 3 * PAGE_SIZE);
  assertEquals(file.allocatedBytes, PAGE_SIZE);
  assertEquals(file.references(offset), 0);
  assertEquals(file.references(offset + PAGE_SIZE), 1);
  assertThrows(() => file.release(offset, PAGE_SIZE), Error, "is free");
});

Deno.test("MemoryFile.release() punches long runs and excess stale pages", () => {
  const memory = new FakeMemory(96 << 20);
  const file = new MemoryFile(memory);
  const long = allocate(file, 1024);
  memory.bytes[long] = 1;
  file.release(long, 1024 * PAGE_SIZE);
  assertEquals(memory.punches, 1);
  assertEquals(file.staleBytes, 0);
  const runs: number[] = [];
  for (let i = 0; i < 64; i++) {
    runs.push(allocate(file, 255), allocate(file, 1));
  }
  for (let i = 0; i < runs.length; i += 2) {
    file.release(runs[i]!, 255 * PAGE_SIZE);
  }
  assert(memory.punches > 1);
  assert(file.staleBytes <= 32 << 20);
});

Deno.test("MemoryFile keeps every page in one hand (random)", () => {
  withSeed(keepPages);
});

function keepPages(random: Random): void {
  const memory = new FakeMemory(4 << 20);
  const file = new MemoryFile(memory);
  const held: { offset: number; pages: number; mark: number }[] = [];
  let pages = 0;
  for (let step = 0; step < 20000; step++) {
    if (random(2) === 0) {
      const count = 1 + random(random(8) === 0 ? 200 : 12);
      const offset = file.allocate(count * PAGE_SIZE);
      if (isErrno(offset)) {
        assertEquals(offset, ENOMEM);
        continue;
      }
      for (let i = 0; i < count; i++) {
        const at = offset + i * PAGE_SIZE;
        assertEquals(memory.view.getUint32(at, true), 0);
        assertEquals(file.references(at), 1);
        memory.view.setUint32(at, step + 1, true);
      }
      held.push({ offset, pages: count, mark: step + 1 });
      pages += count;
    } else if (held.length > 0) {
      const at = random(held.length);
      const run = held[at]!;
      held[at] = held[held.length - 1]!;
      held.pop();
      for (let i = 0; i < run.pages; i++) {
        const word = memory.view.getUint32(run.offset + i * PAGE_SIZE, true);
        assertEquals(word, run.mark);
      }
      file.release(run.offset, run.pages * PAGE_SIZE);
      pages -= run.pages;
    }
    assertEquals(file.allocatedBytes, pages * PAGE_SIZE);
  }
  for (const run of held) file.release(run.offset, run.pages * PAGE_SIZE);
  // Nothing was lost: the whole window but page 0 can be had in one piece.
  assertEquals(
    file.allocate(memory.size - PAGE_SIZE),
    PAGE_SIZE,
  );
}
