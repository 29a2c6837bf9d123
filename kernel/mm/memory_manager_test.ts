import { assert, assertEquals } from "@std/assert";
import {
  EACCES,
  EAGAIN,
  EEXIST,
  EFAULT,
  EINVAL,
  ENOMEM,
  EPERM,
  isErrno,
} from "../abi/errno.ts";
import {
  MADV_DONTNEED,
  MADV_WIPEONFORK,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
} from "../abi/mman.ts";
import {
  RLIMIT_AS,
  RLIMIT_DATA,
  RLIMIT_MEMLOCK,
  RLIMIT_STACK,
} from "../abi/resource.ts";
import { SEGV_ACCERR, SEGV_MAPERR, SIGBUS, SIGSEGV } from "../abi/signal.ts";
import { ANON, BASE, FakeProcess, RW } from "./_fake_process.ts";
import { MMAP_MIN_ADDR, STACK_GUARD_GAP } from "./address_layout.ts";
import { PageCache } from "./page_cache.ts";
import type { MemoryManager } from "./memory_manager.ts";

const OWNER = {
  acquire: () => {},
  release: () => {},
  mapName: "/some/file",
  mapDevice: 0x801,
  mapInode: 77,
};

function limit(memory: MemoryManager, resource: number, value: number): void {
  (memory.limits.soft as Float64Array)[resource] = value;
}

function request(
  process: FakeProcess,
  addr: number,
  length: number,
  flags: number,
) {
  return process.memory.map({
    addr,
    length,
    prot: RW,
    flags,
    mappable: null,
    offset: 0,
  });
}

Deno.test("MemoryManager.map() places mappings top-down, side by side", () => {
  const process = FakeProcess.create();
  const first = process.map(PAGE_SIZE);
  const second = process.map(3 * PAGE_SIZE);
  assertEquals(first, process.memory.layout.mmapBase - PAGE_SIZE);
  assertEquals(second, first - 3 * PAGE_SIZE);
  // The same rights: one VMA, and one run of the memory file.
  assertEquals(process.memory.vmas.count, 1);
});

Deno.test("MemoryManager.map() fills a gap that fits", () => {
  const process = FakeProcess.create();
  const top = process.map(10 * PAGE_SIZE);
  assertEquals(process.memory.unmap(top + 4 * PAGE_SIZE, PAGE_SIZE * 2), null);
  assertEquals(process.map(PAGE_SIZE), top + 5 * PAGE_SIZE);
  assertEquals(process.map(2 * PAGE_SIZE), top - 2 * PAGE_SIZE);
  assertEquals(process.map(PAGE_SIZE), top + 4 * PAGE_SIZE);
});

Deno.test("MemoryManager.map() refuses what mmap(2) refuses", () => {
  const process = FakeProcess.create();
  const { maxAddress } = process.memory.layout;
  const fixed = ANON | MAP_FIXED;
  assertEquals(request(process, 0, 0, ANON), EINVAL);
  assertEquals(request(process, 0, maxAddress + PAGE_SIZE, ANON), ENOMEM);
  assertEquals(request(process, BASE + 1, PAGE_SIZE, fixed), EINVAL);
  assertEquals(request(process, maxAddress, PAGE_SIZE, fixed), ENOMEM);
  assertEquals(request(process, 0, PAGE_SIZE, fixed), EPERM);
  assertEquals(
    request(process, MMAP_MIN_ADDR, PAGE_SIZE, fixed),
    MMAP_MIN_ADDR,
  );
  assertEquals(
    request(process, MMAP_MIN_ADDR, PAGE_SIZE, ANON | MAP_FIXED_NOREPLACE),
    EEXIST,
  );
});

Deno.test("MemoryManager.map() obeys RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK", () => {
  const process = FakeProcess.create();
  const { memory } = process;
  limit(memory, RLIMIT_AS, 10 * PAGE_SIZE);
  assertEquals(request(process, 0, 11 * PAGE_SIZE, ANON), ENOMEM);
  process.map(8 * PAGE_SIZE, { addr: BASE });
  // What is replaced does not count twice.
  process.map(8 * PAGE_SIZE, { addr: BASE });
  limit(memory, RLIMIT_AS, Infinity);
  limit(memory, RLIMIT_DATA, 9 * PAGE_SIZE);
  assertEquals(request(process, 0, 2 * PAGE_SIZE, ANON), ENOMEM);
  process.map(2 * PAGE_SIZE, { prot: PROT_READ });
  limit(memory, RLIMIT_DATA, Infinity);
  limit(memory, RLIMIT_MEMLOCK, PAGE_SIZE);
  const locked = ANON | MAP_LOCKED;
  assertEquals(request(process, 0, 2 * PAGE_SIZE, locked), EAGAIN);
  assert(!isErrno(request(process, 0, PAGE_SIZE, locked)));
  limit(memory, RLIMIT_MEMLOCK, 0);
  assertEquals(request(process, 0, PAGE_SIZE, locked), EPERM);
});

Deno.test("MemoryManager.map() refuses obvious overcommitment only", () => {
  const process = FakeProcess.create();
  process.file.commitLimitBytes = 1 << 30;
  assertEquals(request(process, 0, 2 ** 31, ANON), ENOMEM);
  assert(!isErrno(request(process, 0, 2 ** 31, ANON | MAP_NORESERVE)));
  const addr = process.map(2 ** 31, { prot: PROT_READ });
  assertEquals(process.memory.protect(addr, 2 ** 31, RW), ENOMEM);
  assertEquals(process.memory.protect(addr, 2 ** 20, RW), null);
});

Deno.test("MemoryManager.map() leaves nothing behind when memory is short", () => {
  const process = FakeProcess.create(1 << 20);
  assertEquals(request(process, 0, 8 << 20, ANON), ENOMEM);
  assertEquals(process.memory.vmas.count, 0);
  assertEquals(process.file.allocatedBytes, 0);
});

Deno.test("MemoryManager.map() of PROT_NONE and of giant regions takes no memory", () => {
  const process = FakeProcess.create();
  process.map(2 ** 40, { prot: PROT_NONE });
  process.map(2 ** 40);
  assertEquals(process.file.allocatedBytes, 0);
});

Deno.test("MemoryManager.handleFault() tells the signals apart", () => {
  const process = FakeProcess.create();
  const cache = new PageCache(process.file, null);
  cache.truncate(PAGE_SIZE);
  const addr = process.map(2 * PAGE_SIZE, {
    prot: PROT_READ,
    flags: MAP_SHARED,
    mappable: cache.mappableFor(OWNER),
  });
  assertEquals(process.load(BASE), { signo: SIGSEGV, code: SEGV_MAPERR });
  assertEquals(process.store(addr, 1), { signo: SIGSEGV, code: SEGV_ACCERR });
  const past = process.load(addr + PAGE_SIZE);
  assert(typeof past !== "number");
  assertEquals(past.signo, SIGBUS);
  const fetch = process.memory.handleFault(addr, 0x14);
  assertEquals(fetch, { signo: SIGSEGV, code: SEGV_ACCERR });
  assertEquals(process.memory.handleFault(2 ** 63, 4)?.code, SEGV_MAPERR);
});

Deno.test("MemoryManager keeps freed pages until its threads cannot see them", () => {
  const process = FakeProcess.create();
  const { memory, space, file } = process;
  const addr = process.map(4 * PAGE_SIZE);
  process.store(addr, 1);
  const offset = space.lookup(addr, true);
  assert(offset !== null);
  // A second thread runs on: the pages may be freed only after a flush.
  memory.acquire();
  const { flushes } = space;
  let wasMapped = true;
  const release = file.release.bind(file);
  file.release = (at, length) => {
    wasMapped = space.lookup(addr, false) !== null;
    release(at, length);
  };
  assertEquals(memory.unmap(addr, 4 * PAGE_SIZE), null);
  assertEquals(wasMapped, false);
  assertEquals(space.flushes, flushes + 1);
});

Deno.test("MemoryManager keeps pages that the host refused to unmap", () => {
  const process = FakeProcess.create();
  const { memory, space, file } = process;
  const addr = process.map(4 * PAGE_SIZE);
  memory.acquire();
  space.flush = () => -12;
  assertEquals(memory.unmap(addr, 4 * PAGE_SIZE), null);
  assertEquals(memory.flushError, 12);
  assert(file.allocatedBytes > 0);
  memory.release();
  memory.release();
  assertEquals(file.allocatedBytes, 0);
});

Deno.test("MemoryManager.fork() copies hot pages ahead, once it knows them", () => {
  const process = FakeProcess.create();
  const addr = process.map(200 * PAGE_SIZE);
  for (let i = 0; i < 200; i++) process.store(addr + i * PAGE_SIZE, 1);
  for (let round = 0; round < 3; round++) {
    const child = process.fork();
    const before = child.space.flushes;
    assertEquals(child.store(addr + 50 * PAGE_SIZE, 7), null);
    // The first flush maps everything; a fault would need another.
    assertEquals(child.space.flushes - before, round === 0 ? 2 : 1);
    assertEquals(process.load(addr + 50 * PAGE_SIZE), 1);
    assertEquals(child.load(addr + 50 * PAGE_SIZE), 7);
    child.memory.release();
  }
});

Deno.test("MemoryManager.fork() gives the parent its pages back in one fault", () => {
  const process = FakeProcess.create();
  const first = process.map(64 * PAGE_SIZE, { addr: BASE });
  const second = process.map(64 * PAGE_SIZE, { addr: BASE + (1 << 24) });
  process.store(first, 1);
  process.store(second, 1);
  process.fork().memory.release();
  process.space.flush();
  assertEquals(process.space.lookup(first, true), null);
  assertEquals(process.store(first, 2), null);
  assert(process.space.lookup(second + 63 * PAGE_SIZE, true) !== null);
});

Deno.test("MemoryManager.fork() leaves the parent whole when memory is short", () => {
  const process = FakeProcess.create(1 << 20);
  const { memory, file } = process;
  const addr = process.map(150 * PAGE_SIZE);
  assertEquals(
    memory.advise(addr, 150 * PAGE_SIZE, MADV_WIPEONFORK),
    null,
  );
  process.store(addr, 5);
  const before = file.allocatedBytes;
  const child = memory.fork(new FakeProcess(file).space);
  assertEquals(child, ENOMEM);
  assertEquals(file.allocatedBytes, before);
  assertEquals(process.store(addr + PAGE_SIZE, 6), null);
  assertEquals(process.load(addr), 5);
});

Deno.test("MemoryManager grows a stack down to its limit and guard gap", () => {
  const process = FakeProcess.create();
  const { memory } = process;
  const top = BASE + (64 << 20);
  process.map(PAGE_SIZE, {
    addr: top - PAGE_SIZE,
    flags: ANON | MAP_GROWSDOWN,
  });
  assertEquals(process.store(top - 5 * PAGE_SIZE, 1), null);
  assertEquals(process.store(top - (4 << 20), 1), null);
  assertEquals(process.load(top - 5 * PAGE_SIZE), 1);
  const below = process.store(top - (9 << 20), 1);
  assertEquals(below, { signo: SIGSEGV, code: SEGV_MAPERR });
  limit(memory, RLIMIT_STACK, 64 << 20);
  process.map(PAGE_SIZE, { addr: top - (10 << 20) });
  const floor = top - (10 << 20) + PAGE_SIZE + STACK_GUARD_GAP;
  assertEquals(process.store(floor, 1), null);
  assertEquals(process.store(floor - 1, 1)?.signo, SIGSEGV);
});

Deno.test("MemoryManager.protect() changes what lies before a gap", () => {
  const process = FakeProcess.create();
  const { memory } = process;
  const addr = process.map(PAGE_SIZE, { addr: BASE });
  process.map(PAGE_SIZE, { addr: BASE + 2 * PAGE_SIZE });
  assertEquals(memory.protect(addr, 3 * PAGE_SIZE, PROT_READ), ENOMEM);
  assertEquals(process.store(addr, 1)?.code, SEGV_ACCERR);
  assertEquals(process.store(addr + 2 * PAGE_SIZE, 1), null);
  assertEquals(memory.protect(addr + 1, PAGE_SIZE, PROT_READ), EINVAL);
});

Deno.test("MemoryManager.protect() grants no more than the file was opened for", () => {
  const process = FakeProcess.create();
  const cache = new PageCache(process.file, null);
  cache.truncate(PAGE_SIZE);
  const addr = process.map(PAGE_SIZE, {
    prot: PROT_READ,
    flags: MAP_SHARED,
    mappable: cache.mappableFor(OWNER),
    maxProt: PROT_READ | PROT_EXEC,
  });
  assertEquals(process.memory.protect(addr, PAGE_SIZE, RW), EACCES);
  assert(!cache.isWritablyMapped);
});

Deno.test("MemoryManager.remap() refuses ranges that leave the address space", () => {
  const process = FakeProcess.create();
  const addr = process.map(4 * PAGE_SIZE, { addr: BASE });
  process.map(PAGE_SIZE);
  const remap = (oldLength: number, newLength: number, flags: number) =>
    process.memory.remap({ addr, oldLength, newLength, flags, newAddr: 0 });
  assertEquals(remap(2 ** 63, PAGE_SIZE, 0), EINVAL);
  assertEquals(remap(2 ** 47, PAGE_SIZE, 0), EINVAL);
  assertEquals(remap(PAGE_SIZE, 2 ** 63, MREMAP_MAYMOVE), ENOMEM);
  assertEquals(remap(5 * PAGE_SIZE, 6 * PAGE_SIZE, MREMAP_MAYMOVE), EFAULT);
  assertEquals(process.memory.vmas.total, 5 * PAGE_SIZE);
});

Deno.test("MemoryManager.setBreak() keeps the heap in one VMA and one run", () => {
  const process = FakeProcess.create();
  const { memory } = process;
  memory.startHeap(BASE + 5);
  const start = memory.setBreak(0);
  assertEquals(start, BASE + PAGE_SIZE);
  for (let i = 1; i <= 50; i++) {
    const wanted = start + i * 3000;
    assertEquals(memory.setBreak(wanted), wanted);
    process.map(PAGE_SIZE);
  }
  const heap = memory.mappings({ isMeasured: false }).find((row) =>
    row.name === "[heap]"
  );
  assertEquals(heap?.start, start);
  assertEquals(
    memory.pmas.items.filter((pma) => pma.start < start + 150_000).length,
    1,
  );
  assertEquals(memory.setBreak(start - 1), start + 150_000);
  assertEquals(memory.setBreak(start), start);
  assertEquals(memory.setBreak(2 ** 62), start);
});

Deno.test("MemoryManager.setBreak() does not run into another mapping", () => {
  const process = FakeProcess.create();
  const { memory } = process;
  memory.startHeap(BASE);
  process.map(PAGE_SIZE, { addr: BASE + 4 * PAGE_SIZE });
  assertEquals(memory.setBreak(BASE + 4 * PAGE_SIZE), BASE + 4 * PAGE_SIZE);
  assertEquals(memory.setBreak(BASE + 4 * PAGE_SIZE + 1), BASE + 4 * PAGE_SIZE);
});

Deno.test("MemoryManager.mappings() names files, heap and rights", () => {
  const process = FakeProcess.create();
  const cache = new PageCache(process.file, null);
  cache.truncate(8 * PAGE_SIZE);
  const addr = process.map(2 * PAGE_SIZE, {
    prot: PROT_READ,
    flags: MAP_PRIVATE,
    mappable: cache.mappableFor(OWNER),
    offset: 3 * PAGE_SIZE,
  });
  const [row] = process.memory.mappings({ isMeasured: false });
  assertEquals(
    [row?.start, row?.end, row?.prot, row?.isShared, row?.fileOffset],
    [addr, addr + 2 * PAGE_SIZE, PROT_READ, false, 3 * PAGE_SIZE],
  );
  assertEquals([row?.device, row?.inode, row?.name], [0x801, 77, "/some/file"]);
  process.memory.unmap(addr, PAGE_SIZE);
  assertEquals(
    process.memory.mappings({ isMeasured: false })[0]?.fileOffset,
    4 * PAGE_SIZE,
  );
});

Deno.test("MemoryManager.advise() of DONTNEED gives pages back to the host", () => {
  const process = FakeProcess.create();
  const addr = process.map(64 * PAGE_SIZE);
  for (let i = 0; i < 64; i++) process.store(addr + i * PAGE_SIZE, 9);
  assertEquals(
    process.memory.advise(addr, 64 * PAGE_SIZE, MADV_DONTNEED),
    null,
  );
  assertEquals(process.load(addr + 5 * PAGE_SIZE), 0);
});

Deno.test("shared anonymous memory ends with its last mapping", () => {
  const process = FakeProcess.create();
  const shared = MAP_SHARED | MAP_ANONYMOUS;
  const addr = process.map(4 * PAGE_SIZE, { flags: shared });
  const child = process.fork();
  assertEquals(child.store(addr, 3), null);
  assertEquals(process.load(addr), 3);
  process.memory.release();
  assertEquals(child.load(addr), 3);
  child.memory.unmap(addr, 4 * PAGE_SIZE);
  assertEquals(process.file.allocatedBytes, 0);
});

Deno.test("MemoryManager.release() gives everything back", () => {
  const process = FakeProcess.create();
  process.memory.startHeap(BASE);
  process.memory.setBreak(BASE + 100_000);
  process.map(10 * PAGE_SIZE);
  process.memory.acquire();
  process.memory.release();
  assert(!process.space.isReleased);
  process.memory.release();
  assert(process.space.isReleased);
  assertEquals(process.file.allocatedBytes, 0);
});

Deno.test("futexKey() knows shared words by their place in memory", () => {
  const process = FakeProcess.create();
  const own = process.map(PAGE_SIZE);
  const flags = MAP_SHARED | MAP_ANONYMOUS;
  const common = process.map(PAGE_SIZE, { flags });
  const child = process.fork();
  const key = (from: FakeProcess, addr: number, shared: boolean) => {
    const found = from.memory.futexKey(addr, shared);
    assert(!isErrno(found));
    return found;
  };
  assertEquals(
    key(process, common + 4, true).offset,
    key(child, common + 4, true).offset,
  );
  assert(
    key(process, common, true).space === key(child, common, true).space,
  );
  assert(key(process, own, false).space !== key(child, own, false).space);
  assert(key(process, own, true).space === process.memory);
  assertEquals(process.memory.futexKey(own + 2, false), EINVAL);
  assertEquals(process.memory.futexKey(BASE, true), EFAULT);
});
