/**
 * What the loader needs of an address space. The MemoryManager is one; tests
 * have a simple one.
 * @module
 */
import type { Errno } from "../abi/errno.ts";
import type { AddressLayout } from "../mm/address_layout.ts";
import type { MapRequest } from "../mm/mmap.ts";

/** The empty address space that a program is loaded into. */
export interface ProgramMemory {
  /** Where the stack ends, and where programs and heaps go. */
  readonly layout: AddressLayout;
  map(request: MapRequest): number | Errno;
  unmap(addr: number, length: number): Errno | null;
  writeBytes(addr: number, from: Uint8Array): Errno | null;
  /** The heap is empty and begins at `addr`. */
  startHeap(addr: number): void;
}
