/**
 * PagePlacement: where the pages of a cached file go in the memory file. What
 * mappings and transfers need is contiguity, so a file reserves offsets in
 * blocks around its first page there, in whatever order its pages come; pages
 * of a growing file reserve as much again as the file has.
 * @module
 */
import { type Errno, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import type { FilePages } from "./file_pages.ts";
import type { MemoryFile } from "./memory_file.ts";
import { OffsetSpares } from "./offset_spares.ts";

/** Counts the pages of a file system instance, as tmpfs' size= needs it. */
export interface PageUsage {
  /** ENOSPC, EDQUOT. */
  charge(pages: number): Errno | null;
  uncharge(pages: number): void;
}

/** Pages of a block within which a file is kept together. */
const BLOCK = 1024;

export class PagePlacement {
  readonly #file: MemoryFile;
  readonly #pages: FilePages;
  readonly #usage: PageUsage | null;
  /** Spares by file offset. */
  readonly #spares: OffsetSpares;
  /** Pages behind the offset that place() returned. */
  placed = 0;

  constructor(file: MemoryFile, pages: FilePages, usage: PageUsage | null) {
    this.#file = file;
    this.#pages = pages;
    this.#usage = usage;
    this.#spares = new OffsetSpares(file);
  }

  /**
   * Memory-file offset for absent pages from `index` on, at most `count`;
   * `placed` is how many. They are charged and owned by the caller, who inserts
   * them or gives them back. `filePages`: size of the file as far as it is
   * known. ENOSPC, ENOMEM.
   */
  place(
    index: number,
    count: number,
    filePages: number,
    isZeroed: boolean,
  ): number | Errno {
    const start = index * PAGE_SIZE;
    const spare = this.#spares.available(start) / PAGE_SIZE;
    let wanted = spare > 0 ? Math.min(count, spare) : count;
    let refused = this.#usage?.charge(wanted) ?? null;
    if (refused !== null && wanted > 1) {
      wanted = 1;
      refused = this.#usage?.charge(wanted) ?? null;
    }
    if (refused !== null) return refused;
    const end = (index + wanted) * PAGE_SIZE;
    const hull = spare > 0
      ? { start, end }
      : this.#hull(index, wanted, filePages);
    const offset = this.#spares.take(start, end, hull, isZeroed);
    if (isErrno(offset)) this.#usage?.uncharge(wanted);
    else this.placed = wanted;
    return offset;
  }

  /** Gives back pages that place() returned and nobody inserted. */
  giveBack(offset: number, count: number): void {
    this.#file.release(offset, count * PAGE_SIZE);
    this.#usage?.uncharge(count);
  }

  /** Releases pages taken out of the file. */
  drop(
    first: number,
    end: number,
    options: { readonly cleanOnly: boolean },
  ): number {
    const file = this.#file;
    const dropped = this.#pages.remove(
      first,
      end,
      options,
      (offset, length) => file.release(offset, length),
    );
    if (dropped > 0) this.#usage?.uncharge(dropped);
    return dropped;
  }

  dropSpares(): void {
    this.#spares.clear();
  }

  /** The absent pages around a run that are worth reserving with it. */
  #hull(index: number, count: number, filePages: number) {
    const blockStart = Math.floor(index / BLOCK) * BLOCK;
    let first = index;
    while (first > blockStart && this.#pages.find(first - 1) === 0) first--;
    // A file that grows at its end is likely to go on.
    const grown = index + count + Math.min(this.#pages.count, BLOCK);
    const last = Math.max(
      index + count,
      Math.min(Math.max(filePages, grown), blockStart + BLOCK),
    );
    const ahead = this.#pages.absentRun(index + count, last - index - count);
    return {
      start: first * PAGE_SIZE,
      end: (index + count + ahead) * PAGE_SIZE,
    };
  }
}
