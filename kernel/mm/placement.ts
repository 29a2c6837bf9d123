/**
 * Where mmap(2) puts a mapping: top-down below the mmap base, as Linux's
 * vm_unmapped_area() does, keeping the guard gap below stacks.
 * @module
 */
import { ENOMEM, type Errno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import { STACK_GUARD_GAP } from "./address_layout.ts";
import type { MemoryState } from "./memory_state.ts";
import { VM_GROWSDOWN, type VMA } from "./vma.ts";

/** MAP_32BIT searches here, upwards. */
const LOW_START = 0x40000000;
const LOW_END = 0x80000000;

/** Start of a VMA, less the gap that must stay free below a stack. */
function startWithGap(vma: VMA): number {
  return (vma.flags & VM_GROWSDOWN) === 0
    ? vma.start
    : Math.max(0, vma.start - STACK_GUARD_GAP);
}

/** Whether nothing is mapped in [start, end), nor would lie in a guard gap. */
export function isFree(mm: MemoryState, start: number, end: number): boolean {
  const next = mm.vmas.items[mm.vmas.indexAfter(start)];
  return next === undefined || startWithGap(next) >= end;
}

/** A free place for `length` bytes. `hint`: wanted address or 0. ENOMEM. */
export function findFree(
  mm: MemoryState,
  hint: number,
  length: number,
  options: { readonly isLow: boolean },
): number | Errno {
  const { layout } = mm;
  if (length > layout.maxAddress) return ENOMEM;
  const limit = options.isLow ? LOW_END : layout.maxAddress;
  if (hint > 0) {
    const at = Math.max(
      layout.minAddress,
      Math.floor(hint / PAGE_SIZE) * PAGE_SIZE,
    );
    if (at <= limit - length && isFree(mm, at, at + length)) return at;
  }
  if (options.isLow) {
    return searchUp(mm, length, LOW_START, LOW_END) ?? ENOMEM;
  }
  return searchDown(mm, length) ??
    searchUp(mm, length, layout.mmapBase, layout.maxAddress) ?? ENOMEM;
}

/** The highest gap below the mmap base. */
function searchDown(mm: MemoryState, length: number): number | null {
  const { items } = mm.vmas;
  const { mmapBase, minAddress } = mm.layout;
  let index = mm.vmas.indexAfter(mmapBase);
  let high = mmapBase;
  const above = items[index];
  if (above !== undefined) high = Math.min(high, startWithGap(above));
  while (true) {
    const below = items[--index];
    const low = below === undefined ? minAddress : below.end;
    if (high - low >= length) return high - length;
    if (below === undefined) return null;
    high = startWithGap(below);
  }
}

/** The lowest gap within [from, to). */
function searchUp(
  mm: MemoryState,
  length: number,
  from: number,
  to: number,
): number | null {
  const { items } = mm.vmas;
  let at = from;
  for (let i = mm.vmas.indexAfter(from);; i++) {
    const next = items[i];
    const end = next === undefined ? to : Math.min(to, startWithGap(next));
    if (end - at >= length) return at;
    if (next === undefined || next.end >= to) return null;
    at = Math.max(at, next.end);
  }
}
