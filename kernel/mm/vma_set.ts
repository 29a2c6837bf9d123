/**
 * VmaSet: the VMAs of an address space, with the totals that rlimits and
 * /proc/pid/status need. Split and merge as Linux does; whoever changes rights
 * or flags brackets the change with forget() and count().
 * @module
 */
import { PROT_EXEC, PROT_WRITE } from "../abi/mman.ts";
import { RangeList } from "./range_list.ts";
import { VM_GROWSDOWN, VM_LOCKED, VM_SHARED, VMA } from "./vma.ts";

/** vm.max_map_count. */
export const MAX_MAP_COUNT = 65530;

export class VmaSet extends RangeList<VMA> {
  // Totals in bytes, as Linux's mm_struct has them in pages.
  total = 0;
  data = 0;
  stack = 0;
  exec = 0;
  locked = 0;

  get count(): number {
    return this.items.length;
  }

  /** Adds a VMA's size to the totals; forget() takes it off again. */
  tally(vma: VMA): void {
    this.#add(vma, vma.length);
  }
  forget(vma: VMA): void {
    this.#add(vma, -vma.length);
  }
  #add(vma: VMA, bytes: number): void {
    this.total += bytes;
    if ((vma.flags & VM_LOCKED) !== 0) this.locked += bytes;
    if ((vma.flags & VM_GROWSDOWN) !== 0) this.stack += bytes;
    else if (isData(vma.prot, vma.flags)) this.data += bytes;
    else if ((vma.prot & PROT_EXEC) !== 0) this.exec += bytes;
  }

  /** Adds a VMA whose file is acquired and registered already. */
  override insert(vma: VMA): number {
    this.tally(vma);
    return super.insert(vma);
  }

  /** Takes VMAs [from, to) out; the caller detaches them from their files. */
  remove(from: number, to: number): VMA[] {
    const removed = this.removeAt(from, to - from);
    for (const vma of removed) this.forget(vma);
    return removed;
  }

  /** Moves the ends of a VMA; the file offset follows the start. */
  resize(vma: VMA, start: number, end: number): void {
    this.forget(vma);
    if (vma.mappable !== null) vma.fileOffset += start - vma.start;
    vma.start = start;
    vma.end = end;
    this.tally(vma);
  }

  /** Cuts the VMA that contains `addr` inside in two there. */
  splitAt(addr: number): void {
    const index = this.indexAfter(addr);
    const vma = this.items[index];
    if (vma === undefined || vma.start >= addr) return;
    const right = new VMA(vma.owner, {
      start: addr,
      end: vma.end,
      prot: vma.prot,
      maxProt: vma.maxProt,
      flags: vma.flags,
      mappable: vma.mappable,
      fileOffset: vma.offsetOf(addr),
      name: vma.name,
    });
    right.mappedStart = vma.mappedStart;
    right.mappedEnd = vma.mappedEnd;
    // The file took the whole VMA, so it takes a part of it.
    attach(right);
    vma.end = addr;
    this.insertAt(index + 1, right);
  }

  /** Cuts at both ends of [start, end); indices [from, to) of the VMAs in it. */
  isolate(start: number, end: number): { from: number; to: number } {
    this.splitAt(start);
    this.splitAt(end);
    const from = this.indexAfter(start);
    let to = from;
    while (to < this.items.length && this.items[to]!.start < end) to++;
    return { from, to };
  }

  /** Merges VMAs that touch [start, end] with their neighbours. */
  mergeAround(start: number, end: number): void {
    let index = Math.max(0, this.indexAfter(start) - 1);
    while (index + 1 < this.items.length) {
      const vma = this.items[index]!;
      const next = this.items[index + 1]!;
      if (vma.start > end) return;
      if (!vma.canMerge(next)) {
        index++;
        continue;
      }
      vma.end = next.end;
      if (next.mappedEnd !== 0) {
        vma.noteMapped(next.mappedStart, next.mappedEnd);
      }
      detach(next);
      this.removeAt(index + 1, 1);
    }
  }

  /** How many VMAs more there would be after cutting [start, end) out. */
  cutsOf(start: number, end: number): number {
    const first = this.find(start);
    const last = this.find(end - 1);
    const inner = first !== null && first === last && first.start < start &&
      first.end > end;
    return inner ? 1 : 0;
  }

  /** First address from which [start, end) is not mapped; `end` if it all is. */
  mappedUpTo(start: number, end: number): number {
    let at = start;
    for (let i = this.indexAfter(start); at < end; i++) {
      const vma = this.items[i];
      if (vma === undefined || vma.start > at) return at;
      at = vma.end;
    }
    return end;
  }
}

/** Whether memory counts for RLIMIT_DATA: private, writable, no stack. */
export function isData(prot: number, flags: number): boolean {
  return (prot & PROT_WRITE) !== 0 &&
    (flags & (VM_SHARED | VM_GROWSDOWN)) === 0;
}

/** Registers a new VMA with its file; Errno if the file refuses. */
export function attach(vma: VMA): ReturnType<
  NonNullable<
    VMA["mappable"]
  >["addMapping"]
> {
  const { mappable } = vma;
  if (mappable === null) return null;
  const refused = mappable.addMapping(
    vma,
    vma.fileOffset,
    vma.length,
    vma.isWritableShared,
  );
  if (refused === null) mappable.acquire();
  return refused;
}

/** Undoes attach(). */
export function detach(vma: VMA): void {
  const { mappable } = vma;
  if (mappable === null) return;
  mappable.removeMapping(
    vma,
    vma.fileOffset,
    vma.length,
    vma.isWritableShared,
  );
  mappable.release();
}
