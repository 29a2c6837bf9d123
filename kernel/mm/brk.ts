/**
 * brk(2): the heap, one anonymous VMA behind the program. Never fails: returns
 * the break that is in force afterwards.
 * @module
 */
import { isErrno } from "../abi/errno.ts";
import { PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import { RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK } from "../abi/resource.ts";
import { provideRange } from "./anonymous.ts";
import type { MemoryState } from "./memory_state.ts";
import { pageAlign, PROT_ALL, unmapRange } from "./mmap.ts";
import { checkCommit } from "./overcommit.ts";
import { isFree } from "./placement.ts";
import { VM_LOCKED, VMA } from "./vma.ts";
import { MAX_MAP_COUNT } from "./vma_set.ts";

/** Moves the break to `wanted` if that is possible; the break. */
export function setBreak(mm: MemoryState, wanted: number): number {
  if (wanted < mm.brkStart) return mm.brk;
  const oldEnd = pageAlign(mm.brk);
  const newEnd = pageAlign(wanted);
  if (newEnd < oldEnd) {
    if (isErrno(unmapRange(mm, newEnd, oldEnd))) return mm.brk;
  } else if (newEnd > oldEnd && !grow(mm, oldEnd, newEnd, wanted)) {
    return mm.brk;
  }
  mm.brk = wanted;
  return wanted;
}

function grow(
  mm: MemoryState,
  start: number,
  end: number,
  wanted: number,
): boolean {
  const { vmas, layout } = mm;
  const { soft } = mm.limits;
  const length = end - start;
  if (end > layout.maxAddress) return false;
  if (wanted - mm.brkStart > soft[RLIMIT_DATA]!) return false;
  if (vmas.total + length > soft[RLIMIT_AS]!) return false;
  if (vmas.data + length > soft[RLIMIT_DATA]!) return false;
  const isLocked = (mm.defaultFlags & VM_LOCKED) !== 0;
  if (isLocked && vmas.locked + length > soft[RLIMIT_MEMLOCK]!) return false;
  const rights = PROT_READ | PROT_WRITE;
  if (checkCommit(mm, length, rights, 0) !== null) return false;
  if (vmas.count >= MAX_MAP_COUNT || !isFree(mm, start, end)) return false;
  vmas.insert(
    new VMA(mm, {
      start,
      end,
      prot: rights,
      maxProt: PROT_ALL,
      flags: mm.defaultFlags,
      mappable: null,
      fileOffset: 0,
      name: null,
    }),
  );
  vmas.mergeAround(start, end);
  mm.noteTotal();
  const failure = provideRange(mm, vmas.find(start)!, start, end, {
    populate: isLocked,
    side: "above",
  });
  if (failure === null) return true;
  unmapRange(mm, start, end);
  return false;
}
