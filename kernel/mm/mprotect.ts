/**
 * mprotect(2): new rights for whole pages, VMA by VMA, as far as it goes.
 * @module
 */
import { EACCES, EINVAL, ENOMEM, type Errno } from "../abi/errno.ts";
import {
  PAGE_SIZE,
  PROT_GROWSDOWN,
  PROT_GROWSUP,
  PROT_SEM,
  PROT_WRITE,
} from "../abi/mman.ts";
import { RLIMIT_DATA } from "../abi/resource.ts";
import { provideRange } from "./anonymous.ts";
import { mapCachedPages } from "./fault.ts";
import type { MemoryState } from "./memory_state.ts";
import { pageAlign, PROT_ALL } from "./mmap.ts";
import { checkCommit } from "./overcommit.ts";
import { VM_GROWSDOWN, type VMA } from "./vma.ts";
import { isData, MAX_MAP_COUNT } from "./vma_set.ts";

const PROT_GROWS = PROT_GROWSDOWN | PROT_GROWSUP;

/**
 * Changes rights. EINVAL: unaligned, unknown bits; ENOMEM: part of the range is
 * not mapped (what lies before it is changed), limits; EACCES: the file was not
 * opened for that.
 */
export function protectRange(
  mm: MemoryState,
  addr: number,
  length: number,
  protAndGrowth: number,
): Errno | null {
  const grows = protAndGrowth & PROT_GROWS;
  const prot = protAndGrowth & ~PROT_GROWS;
  if (grows === PROT_GROWS) return EINVAL;
  if (addr % PAGE_SIZE !== 0) return EINVAL;
  if (length === 0) return null;
  let start = addr;
  const end = addr + pageAlign(length);
  if (end > mm.layout.maxAddress) return ENOMEM;
  if ((prot & ~(PROT_ALL | PROT_SEM)) !== 0) return EINVAL;
  const first = mm.vmas.items[mm.vmas.indexAfter(start)];
  if (first === undefined) return ENOMEM;
  if ((grows & PROT_GROWSDOWN) !== 0) {
    if (first.start >= end) return ENOMEM;
    if ((first.flags & VM_GROWSDOWN) === 0) return EINVAL;
    start = first.start;
  } else if (first.start > start) return ENOMEM;
  // Nothing on x86-64 grows upwards.
  else if ((grows & PROT_GROWSUP) !== 0) return EINVAL;

  mm.changed();
  let at = start;
  let failure: Errno | null = null;
  while (at < end) {
    const vma = mm.vmas.find(at);
    if (vma === null) {
      failure = ENOMEM;
      break;
    }
    const to = Math.min(end, vma.end);
    failure = protectVma(mm, vma, at, to, prot & PROT_ALL);
    if (failure !== null) break;
    at = to;
  }
  mm.vmas.mergeAround(start, at);
  return failure;
}

function protectVma(
  mm: MemoryState,
  whole: VMA,
  start: number,
  end: number,
  prot: number,
): Errno | null {
  if (whole.prot === prot) return null;
  if ((prot & ~whole.maxProt) !== 0) return EACCES;
  const { vmas } = mm;
  if (
    isData(prot, whole.flags) && !isData(whole.prot, whole.flags) &&
    vmas.data + (end - start) > mm.limits.soft[RLIMIT_DATA]!
  ) return ENOMEM;
  // What may be written already was counted before.
  if ((whole.prot & PROT_WRITE) === 0) {
    const refused = checkCommit(mm, end - start, prot, whole.flags);
    if (refused !== null) return refused;
  }
  if (vmas.count + 2 > MAX_MAP_COUNT) return ENOMEM;
  vmas.splitAt(start);
  vmas.splitAt(end);
  const vma = vmas.find(start)!;
  const wasAccessible = vma.prot !== 0;
  vmas.forget(vma);
  vma.prot = prot;
  vmas.tally(vma);

  // Neighbouring PMAs with the same rights need one request.
  let from = start;
  let to = start;
  let rights = -1;
  const flush = () => {
    if (to > from) mm.platformProtect(from, to - from, rights);
  };
  mm.pmas.forEachIn(start, end, (pmaStart, pmaEnd, pma) => {
    const wanted = mm.platformProt(vma, pma.isCow);
    if (pmaStart !== to || wanted !== rights) {
      flush();
      from = pmaStart;
      rights = wanted;
    }
    to = pmaEnd;
  });
  flush();

  if (vma.isAnonymous) {
    if (wasAccessible || prot === 0) return null;
    return provideRange(mm, vma, start, end, {
      populate: false,
      side: "above",
    });
  }
  mm.cutDeferred(start, end);
  if (vma.mayHaveMapped(start, end)) mm.unmapFilePages(start, end);
  if (vma.isShared || (prot & PROT_WRITE) === 0) {
    mapCachedPages(mm, vma, start, end);
  }
  return null;
}
