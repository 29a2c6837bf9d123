import { assert, assertEquals } from "@std/assert";
import {
  EFAULT,
  EIO,
  ENOMEM,
  ENOSPC,
  ENXIO,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import { MAP_SHARED, PAGE_SIZE } from "../abi/mman.ts";
import { type Random, withSeed } from "./_random.ts";
import { FakeProcess } from "./_fake_process.ts";
import { FakeMemory } from "./fake_memory.ts";
import { IoBuffer, MemoryBuffer } from "./io_buffer.ts";
import { Translation } from "./mappable.ts";
import { MemoryFile } from "./memory_file.ts";
import { type PageBacking, PageCache } from "./page_cache.ts";

/** A host file: an array that counts its calls. */
class FakeBacking implements PageBacking {
  reads = 0;
  writes: [number, number][] = [];
  failure: Errno | null = null;
  constructor(readonly memory: FakeMemory, readonly content: Uint8Array) {}

  readPages(at: number, to: number, length: number): number | Errno {
    this.reads++;
    if (this.failure !== null) return this.failure;
    const part = this.content.subarray(at, at + length);
    this.memory.write(to, part);
    return part.length;
  }
  writePages(at: number, from: number, length: number): Errno | null {
    this.writes.push([at, length]);
    this.memory.read(from, this.content.subarray(at, at + length));
    return this.failure;
  }
}

/** A buffer whose memory faults from byte `good` on. */
class FaultyBuffer extends IoBuffer {
  done = 0;
  constructor(
    memory: FakeMemory,
    readonly offset: number,
    readonly length: number,
    readonly good: number,
  ) {
    super(memory);
  }
  get remaining(): number {
    return this.length - this.done;
  }
  override run(maxLength: number): number | Errno {
    const left = Math.min(this.good - this.done, maxLength);
    if (left <= 0) return EFAULT;
    this.runLength = left;
    return this.offset + this.done;
  }
  override advance(length: number): void {
    this.done += length;
  }
}

function setup(pages = 4096) {
  const memory = new FakeMemory(pages * PAGE_SIZE);
  const file = new MemoryFile(memory);
  const scratch = file.allocate(256 * PAGE_SIZE);
  if (isErrno(scratch)) throw new Error("no scratch");
  const write = (cache: PageCache, bytes: Uint8Array, at: number) => {
    memory.write(scratch, bytes);
    return cache.write(new MemoryBuffer(memory, scratch, bytes.length), at);
  };
  const read = (cache: PageCache, length: number, at: number) => {
    const got = cache.read(new MemoryBuffer(memory, scratch, length), at);
    if (isErrno(got)) return got;
    return memory.bytes.slice(scratch, scratch + got);
  };
  return { memory, file, scratch, write, read };
}

function pattern(length: number, start = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (start + i * 7) & 0xff);
}

Deno.test("PageCache.read() of a hole gives zeros and takes no memory", () => {
  const { file, read } = setup();
  const cache = new PageCache(file, null);
  const before = file.allocatedBytes;
  cache.truncate(10 * PAGE_SIZE + 5);
  assertEquals(read(cache, 100, 10 * PAGE_SIZE), new Uint8Array(5));
  assertEquals(cache.residentPages, 0);
  assertEquals(file.allocatedBytes, before);
  assertEquals(read(cache, 100, 10 * PAGE_SIZE + 5), new Uint8Array(0));
});

Deno.test("PageCache.write() grows the file and leaves holes", () => {
  const { file, read, write } = setup();
  const cache = new PageCache(file, null);
  const bytes = pattern(9000);
  assertEquals(write(cache, bytes, 5000), 9000);
  assertEquals(cache.size, 14000);
  assertEquals(read(cache, 20000, 5000), bytes);
  assertEquals(read(cache, 5000, 0), new Uint8Array(5000));
  assertEquals(cache.nextData(0), PAGE_SIZE);
  assertEquals(cache.nextHole(0), 0);
  assertEquals(cache.nextHole(PAGE_SIZE), 14000);
  assertEquals(cache.nextData(14000), ENXIO);
});

Deno.test("PageCache.truncate() zeroes the tail for a later growth", () => {
  const { file, read, write } = setup();
  const cache = new PageCache(file, null);
  write(cache, pattern(3 * PAGE_SIZE), 0);
  cache.truncate(PAGE_SIZE + 10);
  assertEquals(cache.residentPages, 2);
  cache.truncate(3 * PAGE_SIZE);
  const all = read(cache, 3 * PAGE_SIZE, 0);
  assert(!isErrno(all));
  assertEquals(all.slice(0, PAGE_SIZE + 10), pattern(PAGE_SIZE + 10));
  assert(all.subarray(PAGE_SIZE + 10).every((byte) => byte === 0));
});

Deno.test("PageCache.punch() gives whole pages back and zeroes the rest", () => {
  const { file, read, write } = setup();
  const cache = new PageCache(file, null);
  write(cache, pattern(4 * PAGE_SIZE), 0);
  cache.punch(100, 3 * PAGE_SIZE);
  assertEquals(cache.residentPages, 2);
  const want = pattern(4 * PAGE_SIZE);
  want.fill(0, 100, 100 + 3 * PAGE_SIZE);
  assertEquals(read(cache, 4 * PAGE_SIZE, 0), want);
});

Deno.test("PageCache.write() keeps what was copied before a fault", () => {
  const { memory, file, scratch, read } = setup();
  const cache = new PageCache(file, null);
  memory.bytes.fill(7, scratch, scratch + 4 * PAGE_SIZE);
  const io = new FaultyBuffer(
    memory,
    scratch,
    4 * PAGE_SIZE,
    2 * PAGE_SIZE + 9,
  );
  const wrote = cache.write(io, 0);
  assertEquals(wrote, 2 * PAGE_SIZE);
  assertEquals(io.done, 2 * PAGE_SIZE);
  assertEquals(cache.size, 2 * PAGE_SIZE);
  const none = new FaultyBuffer(memory, scratch, 10, 0);
  assertEquals(cache.write(none, 0), EFAULT);
  assertEquals(cache.read(none, 0), EFAULT);
  assertEquals(read(cache, 4, 0), new Uint8Array(4).fill(7));
});

Deno.test("PageCache.write() stops with ENOSPC at its usage limit", () => {
  const { file, write } = setup();
  let left = 3;
  const usage = {
    charge: (pages: number) => {
      if (pages > left) return ENOSPC;
      left -= pages;
      return null;
    },
    uncharge: (pages: number) => {
      left += pages;
    },
  };
  const cache = new PageCache(file, null, { usage });
  assertEquals(write(cache, pattern(5 * PAGE_SIZE), 0), 3 * PAGE_SIZE);
  assertEquals(write(cache, pattern(10), 3 * PAGE_SIZE), ENOSPC);
  cache.truncate(PAGE_SIZE);
  assertEquals(left, 2);
  cache.dispose();
  assertEquals(left, 3);
});

Deno.test("PageCache.allocate() leaves nothing behind when it fails", () => {
  const { file, write } = setup();
  let left = 600;
  const usage = {
    charge: (pages: number) => {
      if (pages > left) return ENOSPC;
      left -= pages;
      return null;
    },
    uncharge: (pages: number) => {
      left += pages;
    },
  };
  const cache = new PageCache(file, null, { usage });
  write(cache, pattern(10), 7 * PAGE_SIZE);
  assertEquals(cache.allocate(0, 601 * PAGE_SIZE), ENOSPC);
  assertEquals(left, 599);
  assertEquals(cache.residentPages, 1);
  assertEquals(cache.allocate(0, 600 * PAGE_SIZE), null);
  assertEquals(left, 0);
  cache.dispose();
});

Deno.test("PageCache.allocate() refuses more than there is at once", () => {
  const { file } = setup();
  file.commitLimitBytes = 8 * PAGE_SIZE;
  const cache = new PageCache(file, null);
  assertEquals(cache.allocate(PAGE_SIZE, 9 * PAGE_SIZE), ENOMEM);
  assertEquals(cache.allocate(PAGE_SIZE, 8 * PAGE_SIZE), null);
  cache.dispose();
});

Deno.test("PageCache.read() reads a backing once, ahead of the reader", () => {
  const { memory, file, read } = setup();
  const content = pattern(40 * PAGE_SIZE + 77);
  const backing = new FakeBacking(memory, content);
  const cache = new PageCache(file, backing, { size: content.length });
  assertEquals(read(cache, 10, 3), content.slice(3, 13));
  assertEquals(backing.reads, 1);
  for (let at = 0; at < content.length; at += 1000) {
    assertEquals(read(cache, 1000, at), content.slice(at, at + 1000));
  }
  assert(backing.reads <= 3);
  assertEquals(cache.residentPages, 41);
  assertEquals(cache.dropClean(), 41 * PAGE_SIZE);
});

Deno.test("PageCache.read() reports the backing's error, and keeps nothing", () => {
  const { memory, file, read } = setup();
  const backing = new FakeBacking(memory, pattern(PAGE_SIZE));
  backing.failure = EIO;
  const cache = new PageCache(file, backing, { size: PAGE_SIZE });
  const before = file.allocatedBytes;
  assertEquals(read(cache, 10, 0), EIO);
  assertEquals(file.allocatedBytes, before);
  assertEquals(cache.residentPages, 0);
});

Deno.test("PageCache.sync() writes dirty pages back, cut at the size", () => {
  const { memory, file, write } = setup();
  const content = pattern(3 * PAGE_SIZE);
  const backing = new FakeBacking(memory, content);
  const cache = new PageCache(file, backing, { size: 2 * PAGE_SIZE + 50 });
  write(cache, Uint8Array.of(1, 2, 3), PAGE_SIZE + 1);
  write(cache, Uint8Array.of(9), 2 * PAGE_SIZE + 60);
  assertEquals(cache.sync(0, Infinity), null);
  assertEquals(backing.writes, [[PAGE_SIZE, PAGE_SIZE + 61]]);
  assertEquals(content[PAGE_SIZE + 2], 2);
  assertEquals(cache.sync(0, Infinity), null);
  assertEquals(backing.writes.length, 1);
});

Deno.test("PageCache.translate() refuses pages past the end with EFAULT", () => {
  const { file } = setup();
  const cache = new PageCache(file, null);
  cache.truncate(PAGE_SIZE + 1);
  const into = new Translation();
  assertEquals(cache.translate(PAGE_SIZE, PAGE_SIZE, true, into), null);
  assertEquals(into.length, PAGE_SIZE);
  assertEquals(cache.translate(2 * PAGE_SIZE, PAGE_SIZE, false, into), EFAULT);
});

Deno.test("PageCache keeps a sequentially written file in one run", () => {
  const { file, write } = setup();
  const cache = new PageCache(file, null);
  for (let i = 0; i < 100; i++) {
    write(cache, pattern(PAGE_SIZE), i * PAGE_SIZE);
    file.allocate(PAGE_SIZE);
  }
  let runs = 0;
  const into = new Translation();
  for (let at = 0; at < 100 * PAGE_SIZE; at += into.length) {
    assert(cache.translateCached(at, 100 * PAGE_SIZE, into));
    runs++;
  }
  assert(runs < 25, `${runs} runs`);
});

Deno.test("PageCache keeps a file together that is read in any order", () => {
  const { memory, file, read } = setup();
  const content = pattern(400 * PAGE_SIZE);
  const backing = new FakeBacking(memory, content);
  const cache = new PageCache(file, backing, { size: content.length });
  for (const page of [300, 20, 200, 100, 390, 0, 150, 250, 340, 60, 210]) {
    assertEquals(
      read(cache, 10, page * PAGE_SIZE),
      content.slice(page * PAGE_SIZE, page * PAGE_SIZE + 10),
    );
    file.allocate(PAGE_SIZE);
  }
  const into = new Translation();
  for (let at = 0; at < content.length; at += PAGE_SIZE) {
    cache.translate(at, PAGE_SIZE, false, into);
  }
  cache.translate(0, content.length, false, into);
  assertEquals(into.length, content.length);
});

Deno.test("PageCache.write() from a mapping of the same absent pages", () => {
  const process = FakeProcess.create();
  const cache = new PageCache(process.file, null);
  cache.truncate(8 * PAGE_SIZE);
  const addr = process.map(8 * PAGE_SIZE, {
    flags: MAP_SHARED,
    mappable: cache.mappableFor({
      acquire: () => {},
      release: () => {},
      mapName: "",
      mapDevice: 0,
      mapInode: 0,
    }),
  });
  const io = process.memory.buffer(addr, 8 * PAGE_SIZE);
  assert(!isErrno(io));
  assertEquals(cache.write(io, 0), 8 * PAGE_SIZE);
  assertEquals(cache.residentPages, 8);
  process.memory.release();
  cache.dispose();
  assertEquals(process.file.allocatedBytes, 0);
});

Deno.test("PageCache behaves as an array (random)", () => {
  withSeed((random) => likeAnArray(random, false));
  withSeed((random) => likeAnArray(random, true));
});

function likeAnArray(random: Random, isBacked: boolean): void {
  const { memory, file, read, write } = setup();
  const limit = 300 * PAGE_SIZE;
  const model = new Uint8Array(limit);
  let size = isBacked ? 100_000 : 0;
  const content = new Uint8Array(limit);
  content.set(pattern(size));
  model.set(pattern(size));
  const backing = isBacked ? new FakeBacking(memory, content) : null;
  const cache = new PageCache(file, backing, { size });
  const before = file.allocatedBytes;
  for (let step = 0; step < 500; step++) {
    const at = random(limit / 2);
    const length = 1 + random(random(4) === 0 ? 60_000 : 3000);
    switch (random(isBacked ? 4 : 6)) {
      case 0:
      case 1: {
        const bytes = pattern(length, step);
        assertEquals(write(cache, bytes, at), length);
        model.set(bytes, at);
        size = Math.max(size, at + length);
        break;
      }
      case 2: {
        const end = Math.max(at, Math.min(size, at + length));
        assertEquals(read(cache, length, at), model.slice(at, end));
        break;
      }
      case 3:
        if (isBacked) {
          assertEquals(cache.sync(0, Infinity), null);
          assertEquals(content.subarray(0, size), model.subarray(0, size));
          cache.dropClean();
        }
        break;
      case 4:
        cache.truncate(at);
        model.fill(0, at);
        size = at;
        break;
      case 5:
        cache.punch(at, length);
        model.fill(0, at, at + length);
        break;
    }
    assertEquals(cache.size, size);
  }
  cache.dispose();
  assertEquals(file.allocatedBytes, before);
}
