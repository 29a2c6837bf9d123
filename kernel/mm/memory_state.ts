/**
 * MemoryState: what a MemoryManager consists of, and the few ways to change it
 * that everything else in this folder is made of. The chapters (mmap.ts,
 * fault.ts, fork.ts, ...) are functions over it.
 *
 * Freed pages, and the files of removed VMAs, wait in quarantine until no guest thread can reach them: settle()
 * ends every operation that takes pages away. With one user the thread is in
 * the kernel, and pending requests are applied before it runs again, so the
 * pages can go at once; with more users, or when another process caused the
 * change, the address space is flushed first.
 * @module
 */
import { PROT_WRITE } from "../abi/mman.ts";
import type { HostMemory } from "../host.ts";
import type { AddressSpace } from "../../platforms/platform.ts";
import { DeferredMaps } from "./deferred_maps.ts";
import type { AddressLayout } from "./address_layout.ts";
import { HotPages } from "./hot_pages.ts";
import { Translation } from "./mappable.ts";
import type { MemoryFile } from "./memory_file.ts";
import { OffsetSpares } from "./offset_spares.ts";
import { type PMA, PmaSet } from "./pma.ts";
import { TranslationCache } from "./translation_cache.ts";
import type { VMA, VmaOwner } from "./vma.ts";
import { detach, VmaSet } from "./vma_set.ts";

/** Soft limits by RLIMIT_*; Infinity: none. Limits in kernel/task is one. */
export interface MemoryLimits {
  readonly soft: ArrayLike<number>;
}

/** A run of guest addresses that is contiguous in the memory file. */
export interface FoundRun {
  start: number;
  end: number;
  offset: number;
}

export class MemoryState implements VmaOwner {
  // Immutable.
  readonly file: MemoryFile;
  readonly memory: HostMemory;
  readonly addressSpace: AddressSpace;
  readonly layout: AddressLayout;

  /** Whose limits apply: the process's that uses this memory. */
  limits: MemoryLimits;
  readonly vmas = new VmaSet();
  readonly pmas = new PmaSet();
  readonly spares: OffsetSpares;
  readonly cache = new TranslationCache();
  /** Shared with forks that run the same program. */
  readonly hot: HotPages;

  // The heap, set by the loader.
  brkStart = 0;
  brk = 0;
  /** Flags that every new VMA gets: mlockall(2) with MCL_FUTURE. */
  defaultFlags = 0;
  /** Highest vmas.total and pmas.total seen (VmPeak, VmHWM). */
  peakTotal = 0;
  peakResident = 0;

  /** Tasks that share this memory, plus temporary holders. */
  users = 1;
  /** Host errno of a flush that failed, so that the platform no longer has what
   * it should: no guest may run here any more. 0: none did. */
  flushError = 0;
  /** Operations under way on behalf of another process. */
  foreignDepth = 0;

  // Scratch: results of the last fault() and translate(), so that faults
  // allocate nothing.
  readonly found: FoundRun = { start: 0, end: 0, offset: 0 };
  readonly translation = new Translation();

  readonly deferred = new DeferredMaps();
  readonly #quarantine: PMA[] = [];
  readonly #removed: VMA[] = [];

  constructor(fields: {
    readonly file: MemoryFile;
    readonly addressSpace: AddressSpace;
    readonly layout: AddressLayout;
    readonly limits: MemoryLimits;
    readonly hot?: HotPages;
  }) {
    this.file = fields.file;
    this.memory = fields.file.memory;
    this.addressSpace = fields.addressSpace;
    this.layout = fields.layout;
    this.limits = fields.limits;
    this.spares = new OffsetSpares(fields.file);
    this.hot = fields.hot ?? new HotPages();
  }

  /** Rights that the platform gives to a page of a VMA. */
  platformProt(vma: VMA, isCow: boolean): number {
    return isCow ? vma.prot & ~PROT_WRITE : vma.prot;
  }

  /** Mappings changed: cached translations may be wrong. */
  changed(): void {
    this.cache.clear();
  }

  // Requests to the platform. They take effect at the next flush, which comes
  // before any thread of this memory resumes.
  platformMap(
    start: number,
    length: number,
    prot: number,
    offset: number,
    populate: boolean,
  ): void {
    this.submitDeferred();
    this.addressSpace.map(start, length, prot, offset, populate);
  }
  platformUnmap(start: number, length: number): void {
    this.deferred.cut(start, start + length);
    this.submitDeferred();
    this.addressSpace.unmap(start, length);
  }
  platformProtect(start: number, length: number, prot: number): void {
    this.submitDeferred();
    this.addressSpace.protect(start, length, prot);
  }
  /** As platformMap() where the platform has nothing, but not before a fault or
   * another request. */
  platformMapLater(
    start: number,
    length: number,
    prot: number,
    offset: number,
    populate: boolean,
  ): void {
    this.deferred.add(start, start + length, prot, offset, populate);
  }
  /** Withdraws deferred requests for [start, end). */
  cutDeferred(start: number, end: number): void {
    this.deferred.cut(start, end);
  }
  submitDeferred(): void {
    if (this.deferred.isEmpty) return;
    this.deferred.submit(this.addressSpace, (start, end) => {
      // The VMA may have been split since.
      const { items } = this.vmas;
      for (let i = this.vmas.indexAfter(start); i < items.length; i++) {
        if (items[i]!.start >= end) return;
        items[i]!.noteMapped(start, end);
      }
    });
  }
  /** Whether a deferred request is what a fault at `addr` waits for; it is
   * made then. */
  resolveDeferred(addr: number, prot: number): boolean {
    if (!this.deferred.covers(addr, prot)) return false;
    this.submitDeferred();
    return true;
  }

  /** Gives [start, end) of `vma` private pages that the caller owns, and maps
   * them. Precondition: no PMA is there. */
  addPages(
    vma: VMA,
    start: number,
    end: number,
    offset: number,
    isCow: boolean,
    populate: boolean,
  ): void {
    this.pmas.add(start, end, offset, isCow);
    const prot = this.platformProt(vma, isCow);
    this.platformMap(start, end - start, prot, offset, populate);
    this.cache.clear();
  }

  /** As addPages() of fresh pages where the platform has nothing, mapped no
   * sooner than needed. */
  addPagesLater(vma: VMA, start: number, end: number, offset: number): void {
    this.pmas.add(start, end, offset, false);
    this.platformMapLater(start, end - start, vma.prot, offset, false);
    this.cache.clear();
  }

  /** Takes the private pages of [start, end) away, into quarantine. The caller
   * unmaps or replaces them and calls settle(). */
  dropPages(start: number, end: number): void {
    for (const pma of this.pmas.take(start, end)) this.#quarantine.push(pma);
    this.cache.clear();
  }

  /** Takes VMAs [from, to) of the list out. The caller unmaps or replaces
   * their pages and calls settle(), which lets go of the files: those may own
   * pages that a guest thread still reaches. */
  dropVmas(from: number, to: number): void {
    for (const vma of this.vmas.remove(from, to)) {
      if (vma.mappable !== null) this.#removed.push(vma);
    }
    this.cache.clear();
  }

  /** Ends an operation that dropped pages or VMAs: releases them once no guest
   * thread can reach them. */
  settle(): void {
    if (this.#quarantine.length === 0 && this.#removed.length === 0) return;
    if (this.users > 1 || this.foreignDepth > 0) this.flush();
    // Guests may still reach the pages of a broken space until it is gone.
    if (this.flushError !== 0) return;
    for (const pma of this.#quarantine) {
      this.file.release(pma.offset, pma.end - pma.start);
    }
    this.#quarantine.length = 0;
    // Detaching may close a file, whose cache may call back: take them first.
    for (const vma of this.#removed.splice(0)) detach(vma);
  }

  /** VmaOwner: file bytes [fileOffset, fileOffset + length) have other pages
   * now, or none. Flushes, so that the caller may reuse the old ones. */
  invalidateVma(
    vma: VMA,
    fileOffset: number,
    length: number,
    keepPrivate: boolean,
  ): void {
    const from = vma.start + Math.max(0, fileOffset - vma.fileOffset);
    const to = Math.min(
      vma.end,
      vma.start + (fileOffset + length - vma.fileOffset),
    );
    if (from >= to) return;
    this.cache.clear();
    this.submitDeferred();
    let isChanged = false;
    if (!keepPrivate && this.pmas.overlaps(from, to)) {
      this.dropPages(from, to);
      this.platformUnmap(from, to - from);
      isChanged = true;
    } else if (vma.mayHaveMapped(from, to)) {
      this.unmapFilePages(from, to);
      isChanged = true;
    }
    if (!isChanged) return;
    this.foreignDepth++;
    this.flush();
    if (this.flushError !== 0) {
      // The caller frees the pages next, whoever still sees them.
      throw new Error(`Cannot unmap file pages: host error ${this.flushError}`);
    }
    this.settle();
    this.foreignDepth--;
  }

  /** Unmaps what is not private in [start, end); the next access faults. */
  unmapFilePages(start: number, end: number): void {
    this.pmas.forEachGap(start, end, (from, to) => {
      this.platformUnmap(from, to - from);
    });
    this.cache.clear();
  }

  /** Applies all requests now. */
  flush(): void {
    const result = this.addressSpace.flush();
    if (result < 0 && this.flushError === 0) this.flushError = -result;
  }

  noteTotal(): void {
    if (this.vmas.total > this.peakTotal) this.peakTotal = this.vmas.total;
    if (this.pmas.total > this.peakResident) {
      this.peakResident = this.pmas.total;
    }
  }
}
