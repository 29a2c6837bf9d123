/**
 * Stack growth: VMAs with MAP_GROWSDOWN extend downwards when touched below
 * their start, up to RLIMIT_STACK and not closer to the mapping below than the
 * guard gap. Source: mmap(2), getrlimit(2).
 * @module
 */
import { PAGE_SIZE } from "../abi/mman.ts";
import { RLIMIT_AS, RLIMIT_STACK } from "../abi/resource.ts";
import { STACK_GUARD_GAP } from "./address_layout.ts";
import { provideRange } from "./anonymous.ts";
import type { MemoryState } from "./memory_state.ts";
import { VM_GROWSDOWN, type VMA } from "./vma.ts";

/** Growth goes down to a multiple of this: one fault instead of 32. */
const GROWTH_BYTES = 32 * PAGE_SIZE;

/** The stack that now contains `page`; null if no stack may grow there. */
export function growStack(mm: MemoryState, page: number): VMA | null {
  const index = mm.vmas.indexAfter(page);
  const vma = mm.vmas.items[index];
  if (vma === undefined || (vma.flags & VM_GROWSDOWN) === 0) return null;
  const floor = lowestStart(mm, vma, index);
  if (page < floor) return null;
  const wanted = Math.floor(page / GROWTH_BYTES) * GROWTH_BYTES;
  const start = Math.max(floor, wanted);
  const oldStart = vma.start;
  mm.vmas.resize(vma, start, vma.end);
  mm.noteTotal();
  const failure = provideRange(mm, vma, start, oldStart, {
    populate: false,
    side: "below",
  });
  // Without memory the pages are asked for again, one fault at a time.
  if (failure !== null) mm.changed();
  return vma;
}

/** How far down the limits and the neighbour below let a stack grow. */
function lowestStart(mm: MemoryState, vma: VMA, index: number): number {
  const below = mm.vmas.items[index - 1];
  const neighbour = below === undefined
    ? mm.layout.minAddress
    : below.end + gapAbove(below);
  const { soft } = mm.limits;
  const byStack = vma.end - soft[RLIMIT_STACK]!;
  const byTotal = vma.start - (soft[RLIMIT_AS]! - mm.vmas.total);
  const floor = Math.max(neighbour, byStack, byTotal, mm.layout.minAddress);
  return Math.ceil(floor / PAGE_SIZE) * PAGE_SIZE;
}

/** A stack's guard region is not kept from an inaccessible mapping, which is
 * a guard itself, nor from another stack. */
function gapAbove(below: VMA): number {
  return below.prot === 0 || (below.flags & VM_GROWSDOWN) !== 0
    ? 0
    : STACK_GUARD_GAP;
}
