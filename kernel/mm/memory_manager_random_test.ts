/**
 * Random mmap, munmap, mprotect, mremap, madvise, fork, truncate, loads and
 * stores, by guests and by the kernel, compared with a model that knows pages
 * as small objects.
 *
 * Whether a private mapping shows later changes of its file is unspecified
 * (mmap(2)), and here depends on copies made of neighbouring pages: such pages
 * may show any state that the file page once had.
 */
import { assert, assertEquals } from "@std/assert";
import { EFAULT, isErrno } from "../abi/errno.ts";
import {
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  PROT_READ,
  PROT_WRITE,
} from "../abi/mman.ts";
import { SIGBUS, SIGSEGV } from "../abi/signal.ts";
import { ANON, BASE, FakeProcess, RW } from "./_fake_process.ts";
import { type Random, withSeed } from "./_random.ts";
import { MemoryBuffer } from "./io_buffer.ts";
import { PageCache } from "./page_cache.ts";
import { isData } from "./vma_set.ts";

/** Pages in the arena that operations act on. */
const SLOTS = 48;
const FILE_PAGES = 24;

/** A page of memory: the bytes at its start and at its end. UNSURE: one of
 * those that the file page behind it ever had. */
interface Bytes {
  first: number;
  last: number;
}
const UNSURE = -1;
const UNSURE_PAGE: Readonly<Bytes> = { first: UNSURE, last: UNSURE };

interface Slot {
  prot: number;
  isShared: boolean;
  /** The private or anonymously shared page; null: the file's is seen. */
  own: Bytes | null;
  /** Page of the file, -1: anonymous. */
  filePage: number;
}

interface Model {
  readonly process: FakeProcess;
  slots: (Slot | null)[];
}

class World {
  readonly random: Random;
  readonly models: Model[] = [];
  readonly cache: PageCache;
  readonly filePages: Bytes[] = [];
  /** Values that bytes of the file had, by page. */
  readonly history = Array.from({ length: 2 * SLOTS }, () => new Set([0]));
  size = FILE_PAGES;
  readonly openMaps = { count: 0 };
  readonly mappable;
  readonly scratch: number;

  constructor(random: Random) {
    this.random = random;
    const process = FakeProcess.create(64 << 20);
    this.models.push({ process, slots: new Array(SLOTS).fill(null) });
    const scratch = process.file.allocate(PAGE_SIZE);
    assert(!isErrno(scratch));
    this.scratch = scratch;
    this.cache = new PageCache(process.file, null);
    const opens = this.openMaps;
    this.mappable = this.cache.mappableFor({
      acquire: () => opens.count++,
      release: () => void opens.count--,
      mapName: "/file",
      mapDevice: 1,
      mapInode: 2,
    });
    this.cache.truncate(FILE_PAGES * PAGE_SIZE);
    for (let i = 0; i < FILE_PAGES; i++) {
      this.filePages.push({ first: 0, last: 0 });
    }
  }

  range(): { from: number; count: number } {
    const from = this.random(SLOTS);
    const most = Math.min(SLOTS - from, this.random(4) === 0 ? SLOTS : 6);
    return { from, count: 1 + this.random(most) };
  }

  map(model: Model): void {
    const { from, count } = this.range();
    const addr = BASE + from * PAGE_SIZE;
    const prot = [RW, RW, PROT_READ, 0][this.random(4)]!;
    const kind = this.random(4);
    const isShared = kind === 1 || kind === 3;
    const flags = (isShared ? MAP_SHARED : MAP_PRIVATE) |
      (kind < 2 ? MAP_ANONYMOUS : 0);
    const filePage = kind < 2 ? -1 : this.random(FILE_PAGES - 1);
    model.process.map(count * PAGE_SIZE, {
      addr,
      prot,
      flags,
      ...(kind < 2 ? {} : {
        mappable: this.mappable,
        offset: filePage * PAGE_SIZE,
      }),
    });
    for (let i = 0; i < count; i++) {
      model.slots[from + i] = {
        prot,
        isShared,
        own: kind < 2 ? { first: 0, last: 0 } : null,
        filePage: kind < 2 ? -1 : filePage + i,
      };
    }
  }

  unmap(model: Model): void {
    const { from, count } = this.range();
    assertEquals(
      model.process.memory.unmap(BASE + from * PAGE_SIZE, count * PAGE_SIZE),
      null,
    );
    model.slots.fill(null, from, from + count);
  }

  protect(model: Model): void {
    const { from, count } = this.range();
    const prot = [RW, RW, PROT_READ, 0][this.random(4)]!;
    const result = model.process.memory.protect(
      BASE + from * PAGE_SIZE,
      count * PAGE_SIZE,
      prot,
    );
    for (let i = from; i < from + count; i++) {
      const slot = model.slots[i];
      if (slot === null || slot === undefined) {
        assert(isErrno(result));
        return;
      }
      slot.prot = prot;
    }
    assertEquals(result, null);
  }

  dontNeed(model: Model): void {
    const { from, count } = this.range();
    model.process.memory.advise(
      BASE + from * PAGE_SIZE,
      count * PAGE_SIZE,
      MADV_DONTNEED,
    );
    for (let i = from; i < from + count; i++) {
      const slot = model.slots[i];
      if (!slot || slot.isShared) continue;
      slot.own = slot.filePage < 0 ? { first: 0, last: 0 } : null;
    }
  }

  remap(model: Model): void {
    const { from, count } = this.range();
    const to = this.random(SLOTS);
    const keep = this.random(4) === 0;
    const room = SLOTS - to;
    const newCount = keep ? count : 1 + this.random(Math.min(room, 8));
    if (newCount > room) return;
    if (from < to + newCount && to < from + count) return;
    const flags = MREMAP_FIXED | MREMAP_MAYMOVE |
      (keep ? MREMAP_DONTUNMAP : 0);
    // Linux unmaps the target before it looks at the source: keep to one VMA.
    const { memory } = model.process;
    const vma = memory.vmas.find(BASE + from * PAGE_SIZE);
    const last = BASE + (from + count) * PAGE_SIZE;
    if (vma === null || vma.end < last) return;
    const result = memory.remap({
      addr: BASE + from * PAGE_SIZE,
      oldLength: count * PAGE_SIZE,
      newLength: newCount * PAGE_SIZE,
      flags,
      newAddr: BASE + to * PAGE_SIZE,
    });
    assertEquals(result, BASE + to * PAGE_SIZE);
    const moved = model.slots.slice(from, from + count);
    const sample = moved[0]!;
    for (let i = 0; i < count; i++) {
      const old = moved[i]!;
      model.slots[from + i] = keep
        ? {
          ...old,
          own: old.isShared
            ? old.own
            : old.filePage < 0
            ? { first: 0, last: 0 }
            : null,
        }
        : null;
    }
    for (let i = 0; i < newCount; i++) {
      const old = moved[i];
      if (old) model.slots[to + i] = { ...old };
      else if (sample.isShared && sample.filePage < 0) {
        // Past the end of the shared object.
        model.slots[to + i] = null;
        memory.unmap(BASE + (to + i) * PAGE_SIZE, PAGE_SIZE);
      } else {
        model.slots[to + i] = {
          prot: sample.prot,
          isShared: sample.isShared,
          own: sample.filePage < 0 ? { first: 0, last: 0 } : null,
          filePage: sample.filePage < 0 ? -1 : sample.filePage + i,
        };
      }
    }
  }

  fork(model: Model): void {
    if (this.models.length >= 4) return;
    const process = model.process.fork();
    this.models.push({
      process,
      slots: model.slots.map((slot) =>
        slot === null ? null : {
          ...slot,
          own: slot.own === null || slot.isShared ? slot.own : { ...slot.own },
        }
      ),
    });
  }

  exit(): void {
    if (this.models.length < 2) return;
    const [model] = this.models.splice(this.random(this.models.length), 1);
    model!.process.memory.release();
  }

  resize(): void {
    const size = this.random(FILE_PAGES + 1);
    this.cache.truncate(size * PAGE_SIZE);
    for (let i = size; i < FILE_PAGES; i++) {
      this.filePages[i] = { first: 0, last: 0 };
    }
    if (size < this.size) {
      for (const model of this.models) {
        for (const slot of model.slots) {
          // Private copies go too, as after truncate(2).
          if (slot && slot.filePage >= size) slot.own = null;
        }
      }
    }
    this.size = size;
  }

  writeFile(): void {
    const page = this.random(FILE_PAGES);
    const value = 1 + this.random(250);
    this.cache.memory.view.setUint8(this.scratch, value);
    const io = new MemoryBuffer(this.cache.memory, this.scratch, 1);
    if (page >= this.size) return;
    assertEquals(this.cache.write(io, page * PAGE_SIZE), 1);
    this.filePages[page]!.first = value;
    this.history[page]!.add(value);
  }

  /** The page seen through a slot: bytes, or the signal. */
  page(slot: Slot | null, isWrite: boolean): Bytes | number {
    if (slot === null) return SIGSEGV;
    if (slot.prot === 0) return SIGSEGV;
    if (isWrite && (slot.prot & PROT_WRITE) === 0) return SIGSEGV;
    if (slot.own !== null) return slot.own;
    if (slot.filePage >= this.size) return SIGBUS;
    return slot.isShared ? this.filePages[slot.filePage]! : UNSURE_PAGE;
  }

  store(model: Model): void {
    const at = this.random(SLOTS);
    const slot = model.slots[at] ?? null;
    const isFirst = this.random(2) === 0;
    const addr = BASE + at * PAGE_SIZE + (isFirst ? 0 : PAGE_SIZE - 1);
    const value = 1 + this.random(250);
    let page = this.page(slot, true);
    const byKernel = this.random(3) === 0;
    if (byKernel) {
      const result = model.process.memory.writeU8(addr, value);
      assertEquals(result, typeof page === "number" ? EFAULT : null);
    } else {
      const result = model.process.store(addr, value);
      assertEquals(result?.signo, typeof page === "number" ? page : undefined);
    }
    if (typeof page === "number" || slot === null) return;
    if (!slot.isShared && slot.own === null) {
      page = { ...page };
      slot.own = page;
    }
    if (isFirst) page.first = value;
    else page.last = value;
    if (slot.own === null) this.history[slot.filePage]!.add(value);
  }

  load(model: Model): void {
    const at = this.random(SLOTS);
    const isFirst = this.random(2) === 0;
    const addr = BASE + at * PAGE_SIZE + (isFirst ? 0 : PAGE_SIZE - 1);
    const page = this.page(model.slots[at] ?? null, false);
    const want = typeof page === "number"
      ? page
      : isFirst
      ? page.first
      : page.last;
    if (this.random(3) === 0) {
      const got = model.process.memory.readU8(addr);
      if (typeof page === "number") assertEquals(got, EFAULT);
      else this.compare(model.slots[at]!, want, got);
    } else {
      const got = model.process.load(addr);
      if (typeof page === "number") {
        assert(typeof got !== "number", "the load should fault");
        assertEquals(got.signo, page);
      } else this.compare(model.slots[at]!, want, got);
    }
  }

  compare(slot: Slot, want: number, got: unknown): void {
    if (want !== UNSURE) assertEquals(got, want);
    else {
      assert(typeof got === "number");
      assert(this.history[slot.filePage]!.has(got), `never was ${got}`);
    }
  }

  /** A word that spans two pages, by the kernel. */
  loadAcross(model: Model): void {
    const at = this.random(SLOTS - 1);
    const low = this.page(model.slots[at] ?? null, false);
    const high = this.page(model.slots[at + 1] ?? null, false);
    const addr = BASE + (at + 1) * PAGE_SIZE - 1;
    const got = model.process.memory.readU16(addr);
    if (typeof low === "number" || typeof high === "number") {
      assertEquals(got, EFAULT);
      return;
    }
    assert(typeof got === "number");
    this.compare(model.slots[at]!, low.last, got & 0xff);
    this.compare(model.slots[at + 1]!, high.first, got >> 8);
  }

  step(): void {
    const model = this.models[this.random(this.models.length)]!;
    const dice = this.random(100);
    if (dice < 40) this.store(model);
    else if (dice < 60) this.load(model);
    else if (dice < 65) this.loadAcross(model);
    else if (dice < 73) this.map(model);
    else if (dice < 78) this.unmap(model);
    else if (dice < 83) this.protect(model);
    else if (dice < 87) this.dontNeed(model);
    else if (dice < 91) this.remap(model);
    else if (dice < 94) this.fork(model);
    else if (dice < 96) this.exit();
    else if (dice < 97) this.resize();
    else this.writeFile();
    for (const each of this.models) checkInvariants(each.process);
  }
}

/** What must hold between operations, see README.md. */
function checkInvariants(process: FakeProcess): void {
  const { memory, space, file } = process;
  space.flush();
  let end = 0;
  let total = 0;
  let data = 0;
  for (const vma of memory.vmas.items) {
    assert(vma.start >= end && vma.end > vma.start, "VMAs are in order");
    end = vma.end;
    total += vma.length;
    if (isData(vma.prot, vma.flags)) data += vma.length;
  }
  assertEquals([memory.vmas.total, memory.vmas.data], [total, data]);
  let pmaEnd = 0;
  let pmaTotal = 0;
  for (const pma of memory.pmas.items) {
    assert(pma.start >= pmaEnd, "PMAs are in order");
    pmaEnd = pma.end;
    pmaTotal += pma.end - pma.start;
    for (let at = pma.start; at < pma.end; at += PAGE_SIZE) {
      const vma = memory.vmas.find(at);
      assert(vma !== null && !vma.isShared, "a PMA lies in a private VMA");
      const references = file.references(pma.offsetOf(at));
      assert(pma.isCow ? references >= 1 : references === 1, "references");
      if (memory.deferred.covers(at, vma.prot)) continue;
      const page = space.pages.get(at);
      assert(page !== undefined, "pages of a PMA are mapped");
      assertEquals(page.offset, pma.offsetOf(at));
      assertEquals(page.prot, pma.isCow ? vma.prot & ~PROT_WRITE : vma.prot);
    }
  }
  assertEquals(memory.pmas.total, pmaTotal);
  for (const [at, page] of space.pages) {
    const vma = memory.vmas.find(at);
    assert(vma !== null, `page ${at.toString(16)} has no VMA`);
    assertEquals(page.prot & ~vma.prot, 0);
    assert(file.references(page.offset) > 0, "a mapped page is free");
    if (!vma.isShared && memory.pmas.find(at) === null) {
      assertEquals(page.prot & PROT_WRITE, 0);
    }
  }
}

Deno.test("MemoryManager behaves as the model (random)", () => {
  for (let round = 0; round < 12; round++) {
    withSeed((random) => {
      const world = new World(random);
      const { file } = world.models[0]!.process;
      for (let step = 0; step < 1500; step++) world.step();
      for (const model of world.models) model.process.memory.release();
      assertEquals(world.openMaps.count, 0);
      assert(!world.cache.isMapped);
      world.cache.dispose();
      assertEquals(file.allocatedBytes, PAGE_SIZE);
    });
  }
});

Deno.test("FakeProcess maps what it is asked to", () => {
  const process = FakeProcess.create();
  const addr = process.map(PAGE_SIZE, { flags: ANON });
  assertEquals(process.store(addr, 7), null);
  assertEquals(process.load(addr), 7);
});
