/**
 * Bringing pages in ahead of their use: MAP_POPULATE, mlock(2),
 * MADV_POPULATE_READ and MADV_POPULATE_WRITE.
 * @module
 */
import { PAGE_SIZE, PROT_WRITE } from "../abi/mman.ts";
import { provideRange } from "./anonymous.ts";
import {
  ACCESS_GUEST,
  ACCESS_READ,
  ACCESS_WRITE,
  fault,
  FaultCode,
} from "./fault.ts";
import type { MemoryState } from "./memory_state.ts";

/**
 * Makes the pages of [start, end) present as if they were read, or written.
 * Stops at the first that cannot be, whose fault it returns.
 */
export function populateRange(
  mm: MemoryState,
  start: number,
  end: number,
  options: { readonly forWrite: boolean },
): FaultCode {
  let at = start;
  while (at < end) {
    const vma = mm.vmas.find(at);
    if (vma === null) return FaultCode.Unmapped;
    const to = Math.min(end, vma.end);
    const isWritable = (vma.prot & PROT_WRITE) !== 0;
    if (options.forWrite && !isWritable) return FaultCode.Forbidden;
    if (vma.prot === 0) return FaultCode.Forbidden;
    if (vma.isAnonymous) {
      const failure = provideRange(mm, vma, at, to, {
        populate: true,
        side: "none",
      });
      if (failure !== null) return FaultCode.Bus;
    }
    const access = ACCESS_GUEST |
      (options.forWrite ? ACCESS_WRITE : ACCESS_READ);
    while (at < to) {
      const pma = mm.pmas.find(at);
      if (pma !== null && !(options.forWrite && pma.isCow)) {
        // Its pages are there, perhaps untouched: populate them in the host.
        const pmaEnd = Math.min(to, pma.end);
        mm.platformMap(
          at,
          pmaEnd - at,
          mm.platformProt(vma, pma.isCow),
          pma.offsetOf(at),
          true,
        );
        at = pmaEnd;
        continue;
      }
      const code = fault(mm, at, access);
      if (code !== FaultCode.Ok) return code;
      // The run found may begin before `at`; it always reaches behind it.
      at = Math.max(at + PAGE_SIZE, Math.min(to, mm.found.end));
    }
  }
  return FaultCode.Ok;
}
