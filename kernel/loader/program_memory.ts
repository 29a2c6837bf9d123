/**
 * What the loader needs of an address space. The memory manager is one; tests
 * have a simple one.
 * @module
 */
import type { Errno } from "../abi/errno.ts";
import type { AddressLayout } from "../mm/address_layout.ts";
import type { Mappable } from "../mm/mappable.ts";

/** A mapping to be made, as for mmap(2). */
export interface ProgramMapping {
  readonly addr: number;
  readonly length: number;
  readonly prot: number;
  readonly flags: number;
  readonly mappable: Mappable | null;
  readonly offset: number;
}

/** The empty address space that a program is loaded into. */
export interface ProgramMemory {
  /** Where the stack ends, and where programs and heaps go. */
  readonly layout: AddressLayout;
  map(mapping: ProgramMapping): number | Errno;
  unmap(addr: number, length: number): Errno | null;
  writeBytes(addr: number, from: Uint8Array): Errno | null;
  /** The heap is empty and begins at `addr`. */
  setBrkStart(addr: number): void;
}
