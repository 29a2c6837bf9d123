import { assertEquals } from "@std/assert";
import { PAGE_SIZE } from "../abi/mman.ts";
import { FakeMemory } from "./fake_memory.ts";
import { MemoryBuffer } from "./io_buffer.ts";
import { MemoryFile } from "./memory_file.ts";
import { type PageBacking, PageCache } from "./page_cache.ts";

const ZEROS: PageBacking = {
  readPages: () => 0,
  writePages: () => null,
};

Deno.test("CacheReclaim drops what was read longest ago, unless it is mapped", () => {
  const file = new MemoryFile(new FakeMemory());
  const pages = 20;
  const size = pages * PAGE_SIZE;
  const caches = Array.from(
    { length: 4 },
    () => new PageCache(file, ZEROS, { size }),
  );
  const scratch = file.allocate(size);
  for (const cache of caches) {
    cache.read(new MemoryBuffer(file.memory, Number(scratch), size), 0);
  }
  assertEquals(file.caches.bytes, 4 * size);
  const range = { invalidate: () => {} };
  caches[0]!.addMapping(range, false);
  file.caches.limitBytes = 3 * size;
  assertEquals(file.caches.isOver, true);
  assertEquals(file.caches.reclaim(), 2 * size);
  assertEquals(caches.map((c) => c.residentPages), [pages, 0, 0, pages]);
  assertEquals(file.caches.isOver, false);
});

Deno.test("CacheReclaim keeps dirty pages", () => {
  const file = new MemoryFile(new FakeMemory());
  const cache = new PageCache(file, ZEROS, { size: 2 * PAGE_SIZE });
  const scratch = Number(file.allocate(2 * PAGE_SIZE));
  cache.read(new MemoryBuffer(file.memory, scratch, 2 * PAGE_SIZE), 0);
  cache.write(new MemoryBuffer(file.memory, scratch, 1), 0);
  file.caches.limitBytes = 0;
  assertEquals(file.caches.reclaim(), PAGE_SIZE);
  assertEquals(cache.residentPages, 1);
  cache.dispose();
  assertEquals(file.caches.bytes, 0);
});
