/**
 * Overcommit: memory is promised freely, except that no single private
 * writable mapping may exceed all there is. Source: proc(5),
 * /proc/sys/vm/overcommit_memory mode 0; Linux's Documentation/mm,
 * "Overcommit Accounting".
 * @module
 */
import { ENOMEM, type Errno } from "../abi/errno.ts";
import { PROT_WRITE } from "../abi/mman.ts";
import type { MemoryState } from "./memory_state.ts";
import { VM_NORESERVE, VM_SHARED } from "./vma.ts";

/** ENOMEM if `length` more bytes with these rights are obviously too many. */
export function checkCommit(
  mm: MemoryState,
  length: number,
  prot: number,
  vmFlags: number,
): Errno | null {
  if ((prot & PROT_WRITE) === 0) return null;
  if ((vmFlags & (VM_SHARED | VM_NORESERVE)) !== 0) return null;
  return length > mm.file.commitLimitBytes ? ENOMEM : null;
}
