/**
 * Page faults, of guests and of system calls that touch guest memory: find out
 * whether the access is allowed and make the page present. Source: mmap(2),
 * sigaction(2) on SIGSEGV and SIGBUS.
 * @module
 */
import { EFAULT, type Errno } from "../abi/errno.ts";
import { PAGE_SIZE, PROT_EXEC, PROT_WRITE } from "../abi/mman.ts";
import { provideAround } from "./anonymous.ts";
import { breakCow, copyFromFile } from "./copy_on_write.ts";
import type { MemoryState } from "./memory_state.ts";
import { growStack } from "./stack.ts";
import type { VMA } from "./vma.ts";

// What the access wants to do.
export const ACCESS_READ = 0;
export const ACCESS_WRITE = 1;
export const ACCESS_EXEC = 2;
/** A debugger's write: allowed on read-only private memory too. */
export const ACCESS_FORCE = 4;
/** By the guest itself: pages must be mapped in the platform. */
export const ACCESS_GUEST = 8;

/** How a fault ended. */
export const FaultCode = {
  Ok: 0,
  /** No VMA: SEGV_MAPERR. */
  Unmapped: 1,
  /** The VMA forbids it: SEGV_ACCERR. */
  Forbidden: 2,
  /** The file has no such page, or it cannot be read: BUS_ADRERR. */
  Bus: 3,
} as const;
export type FaultCode = typeof FaultCode[keyof typeof FaultCode];

/** File pages looked up before the faulting one. */
const AROUND_BYTES = 16 * PAGE_SIZE;
/** Most bytes of a file mapped by one fault. */
const FILE_RUN_BYTES = 16 << 20;
/** Text read by the first fault in it. */
const PREFETCH_BYTES = 2 << 20;

/**
 * Makes the page at `addr` accessible. On success `mm.found` is the run around
 * it, contiguous in the memory file, to which the same access is allowed.
 */
export function fault(
  mm: MemoryState,
  addr: number,
  access: number,
): FaultCode {
  const page = Math.floor(addr / PAGE_SIZE) * PAGE_SIZE;
  const vma = mm.vmas.find(page) ?? growStack(mm, page);
  if (vma === null) return FaultCode.Unmapped;
  if (!isAllowed(vma, access)) return FaultCode.Forbidden;
  const isWrite = (access & ACCESS_WRITE) !== 0;
  const isGuest = (access & ACCESS_GUEST) !== 0;
  if (vma.isShared) {
    return codeOf(provideFilePages(mm, vma, page, isWrite, isGuest));
  }
  let pma = mm.pmas.find(page);
  const wasPresent = pma !== null;
  if (pma === null) {
    if (!vma.isAnonymous && !isWrite) {
      return codeOf(provideFilePages(mm, vma, page, false, isGuest));
    }
    const failure = vma.isAnonymous
      ? provideAround(mm, vma, page)
      : copyFromFile(mm, vma, page);
    if (failure !== null) return FaultCode.Bus;
    pma = mm.pmas.find(page)!;
  } else if (isWrite && pma.isCow) {
    if (breakCow(mm, vma, pma, page) !== null) return FaultCode.Bus;
    pma = mm.pmas.find(page)!;
  }
  const { found } = mm;
  found.start = Math.max(pma.start, vma.start);
  found.end = Math.min(pma.end, vma.end);
  found.offset = pma.offsetOf(found.start);
  if (isGuest && wasPresent) {
    // Another thread was faster, or the platform lost the page: say it again.
    const end = Math.min(found.end, page + AROUND_BYTES);
    mm.platformMap(
      page,
      end - page,
      mm.platformProt(vma, pma.isCow),
      pma.offsetOf(page),
      true,
    );
  }
  return FaultCode.Ok;
}

function isAllowed(vma: VMA, access: number): boolean {
  if ((access & ACCESS_WRITE) !== 0) {
    if ((vma.prot & PROT_WRITE) !== 0) return true;
    return (access & ACCESS_FORCE) !== 0 &&
      (!vma.isShared || (vma.maxProt & PROT_WRITE) !== 0);
  }
  if ((access & ACCESS_EXEC) !== 0) return (vma.prot & PROT_EXEC) !== 0;
  // x86 pages are readable if they are anything at all.
  return vma.prot !== 0 || (access & ACCESS_FORCE) !== 0;
}

function codeOf(failure: Errno | null): FaultCode {
  return failure === null ? FaultCode.Ok : FaultCode.Bus;
}

/** Finds file pages around `page`, and maps them if the guest faulted. */
function provideFilePages(
  mm: MemoryState,
  vma: VMA,
  page: number,
  isWrite: boolean,
  isGuest: boolean,
): Errno | null {
  const mappable = vma.mappable;
  if (mappable === null) return EFAULT;
  // Where no one counts dirty pages, one fault serves reads and writes.
  const forWrite = isWrite ||
    (vma.isShared && (vma.prot & PROT_WRITE) !== 0 &&
      mappable.isWriteTracked === false);
  const around = Math.floor(page / AROUND_BYTES) * AROUND_BYTES;
  const isText = (vma.prot & PROT_EXEC) !== 0;
  const gap = mm.pmas.gapAround(
    page,
    isText ? vma.start : Math.max(vma.start, around),
    Math.min(vma.end, page + FILE_RUN_BYTES),
  );
  // A program's text is used all over: read it in one go, not window by window.
  if (isText && vma.mappedEnd === 0) {
    const from = Math.max(vma.start, around - PREFETCH_BYTES / 4);
    const length = Math.min(vma.end - from, PREFETCH_BYTES);
    mappable.prefetch?.(vma.offsetOf(from), length);
  }
  const { translation } = mm;
  let start = gap.start;
  let failure = mappable.translate(
    vma.offsetOf(start),
    gap.end - start,
    forWrite,
    translation,
  );
  if (failure !== null || start + translation.length <= page) {
    start = page;
    failure = mappable.translate(
      vma.offsetOf(start),
      gap.end - start,
      forWrite,
      translation,
    );
    if (failure !== null) return failure;
  }
  const end = Math.min(gap.end, start + translation.length);
  mm.found.start = start;
  mm.found.end = end;
  mm.found.offset = translation.offset;
  if (isGuest) mapFileRun(mm, vma, page, forWrite);
  return null;
}

/** Maps `mm.found`; the pages around the fault are populated too. */
function mapFileRun(
  mm: MemoryState,
  vma: VMA,
  page: number,
  forWrite: boolean,
): void {
  const { start, end, offset } = mm.found;
  const prot = vma.isShared && forWrite ? vma.prot : vma.prot & ~PROT_WRITE;
  const map = (from: number, to: number, populate: boolean) => {
    if (from >= to) return;
    mm.platformMap(from, to - from, prot, offset + (from - start), populate);
  };
  const around = Math.floor(page / AROUND_BYTES) * AROUND_BYTES;
  const near = Math.max(start, around);
  const far = Math.min(end, around + AROUND_BYTES);
  map(start, near, false);
  map(near, far, true);
  map(far, end, false);
  vma.noteMapped(start, end);
}

/**
 * Maps, together with whatever is mapped next, file pages of [start, end) that
 * are in memory already: they would fault one after the other. Precondition:
 * the platform has none there.
 */
export function mapCachedPages(
  mm: MemoryState,
  vma: VMA,
  start: number,
  end: number,
): void {
  const mappable = vma.mappable;
  if (mappable === null || vma.prot === 0) return;
  const forWrite = vma.isShared && (vma.prot & PROT_WRITE) !== 0 &&
    mappable.isWriteTracked === false;
  const prot = forWrite ? vma.prot : vma.prot & ~PROT_WRITE;
  const { translation } = mm;
  let runs = 0;
  mm.pmas.forEachGap(start, end, (from, to) => {
    for (let at = from; at < to && runs < MAX_CACHED_RUNS; runs++) {
      const isCached = mappable.translateCached?.(
        vma.offsetOf(at),
        to - at,
        translation,
      ) ?? false;
      if (!isCached) return;
      const length = Math.min(translation.length, to - at);
      mm.platformMapLater(
        at,
        length,
        prot,
        translation.offset,
        length <= AROUND_BYTES,
      );
      at += length;
    }
  });
}

/** Requests that mapping ahead may make per VMA. */
const MAX_CACHED_RUNS = 8;
