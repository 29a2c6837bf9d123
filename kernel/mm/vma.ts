/**
 * VMA: a virtual memory area (struct vm_area_struct), what a range of guest
 * addresses means: rights, the file behind it, flags. Which pages are private
 * copies is told by PMAs (pma.ts). Source: mmap(2), proc_pid_smaps(5).
 * @module
 */
import type { Mappable, MappedRange } from "./mappable.ts";
import type { AddressRange } from "./range_list.ts";

/** Flags of a VMA; rights stand in `prot`. */
export const VM_SHARED = 1 << 0;
export const VM_GROWSDOWN = 1 << 1;
export const VM_LOCKED = 1 << 2;
export const VM_LOCKONFAULT = 1 << 3;
export const VM_DONTCOPY = 1 << 4;
export const VM_WIPEONFORK = 1 << 5;
export const VM_NORESERVE = 1 << 6;
export const VM_DONTDUMP = 1 << 7;
export const VM_MERGEABLE = 1 << 8;
export const VM_HUGEPAGE = 1 << 9;
export const VM_NOHUGEPAGE = 1 << 10;
export const VM_SEQ_READ = 1 << 11;
export const VM_RAND_READ = 1 << 12;
/** Kernel-provided pages ([vdso], [vvar]): no growth, no DONTFORK undo. */
export const VM_SPECIAL = 1 << 13;

/** Told when a file behind a VMA loses pages. */
export interface VmaOwner {
  invalidateVma(
    vma: VMA,
    fileOffset: number,
    length: number,
    keepPrivate: boolean,
  ): void;
}

export interface VmaFields {
  readonly start: number;
  readonly end: number;
  readonly prot: number;
  readonly maxProt: number;
  readonly flags: number;
  readonly mappable: Mappable | null;
  readonly fileOffset: number;
  readonly name: string | null;
}

export class VMA implements AddressRange, MappedRange {
  readonly owner: VmaOwner;
  start: number;
  end: number;
  /** PROT_READ | PROT_WRITE | PROT_EXEC. */
  prot: number;
  /** What mprotect(2) may grant. */
  maxProt: number;
  flags: number;
  /** The file, or the memory shared by MAP_SHARED | MAP_ANONYMOUS; null for
   * private anonymous memory. */
  readonly mappable: Mappable | null;
  /** File offset of `start`; 0 without a mappable. */
  fileOffset: number;
  /** "[stack]", "[vdso]" and so on, or PR_SET_VMA_ANON_NAME's. */
  name: string | null;
  /** Hull of the addresses at which the platform may have file pages. */
  mappedStart = 0;
  mappedEnd = 0;

  constructor(owner: VmaOwner, fields: VmaFields) {
    this.owner = owner;
    this.start = fields.start;
    this.end = fields.end;
    this.prot = fields.prot;
    this.maxProt = fields.maxProt;
    this.flags = fields.flags;
    this.mappable = fields.mappable;
    this.fileOffset = fields.fileOffset;
    this.name = fields.name;
  }

  get length(): number {
    return this.end - this.start;
  }
  get isShared(): boolean {
    return (this.flags & VM_SHARED) !== 0;
  }
  /** Private memory without a file. */
  get isAnonymous(): boolean {
    return this.mappable === null;
  }
  /** Counts against F_SEAL_WRITE: it may write to the file, now or later. */
  get isWritableShared(): boolean {
    return this.isShared && (this.maxProt & 2) !== 0;
  }

  /** File offset of an address of this VMA. */
  offsetOf(addr: number): number {
    return this.mappable === null ? 0 : this.fileOffset + (addr - this.start);
  }

  /** Notes that the platform maps file pages at [start, end). */
  noteMapped(start: number, end: number): void {
    if (this.mappedEnd === 0) {
      this.mappedStart = start;
      this.mappedEnd = end;
      return;
    }
    this.mappedStart = Math.min(this.mappedStart, start);
    this.mappedEnd = Math.max(this.mappedEnd, end);
  }

  /** Whether the platform may have file pages within [start, end). */
  mayHaveMapped(start: number, end: number): boolean {
    return this.mappedStart < end && start < this.mappedEnd;
  }

  // MappedRange.
  invalidate(
    fileOffset: number,
    length: number,
    options: { readonly keepPrivate: boolean },
  ): void {
    this.owner.invalidateVma(this, fileOffset, length, options.keepPrivate);
  }

  /** Whether `next`, which begins where this ends, may become part of this. */
  canMerge(next: VMA): boolean {
    return this.end === next.start && this.prot === next.prot &&
      this.flags === next.flags && this.maxProt === next.maxProt &&
      this.mappable === next.mappable && this.name === next.name &&
      (this.mappable === null ||
        this.fileOffset + this.length === next.fileOffset);
  }
}
