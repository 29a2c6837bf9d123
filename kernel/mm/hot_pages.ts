/**
 * HotPages: private pages that are written soon after each fork(2) - the top of
 * the stack, the allocator's words, a shell's variables. They are learned from
 * the copies that writes after earlier forks made, in parent and child, which
 * share this list as long as they run the same program. The next fork copies
 * them at once, which costs a fraction of the faults it saves.
 * @module
 */
import { PAGE_SIZE } from "../abi/mman.ts";
import type { AddressRange } from "./range_list.ts";

/** Pages copied ahead per fork, in all. */
const MAX_PAGES = 96;
/** Forks after which a range must prove itself again, by a fault. */
const LIFETIME_FORKS = 16;

interface HotRange extends AddressRange {
  /** Value of #forks at which it is forgotten. */
  readonly expires: number;
}

export class HotPages {
  #ranges: HotRange[] = [];
  #pages = 0;
  #forks = 0;

  /** [start, end) was copied because it was written. */
  note(start: number, end: number): void {
    if (this.#forks === 0) return;
    const pages = (end - start) / PAGE_SIZE;
    if (this.#pages + pages > MAX_PAGES) return;
    for (const range of this.#ranges) {
      if (range.start < end && start < range.end) return;
    }
    this.#ranges.push({ start, end, expires: this.#forks + LIFETIME_FORKS });
    this.#pages += pages;
  }

  /** A fork takes place: the ranges to copy, in order of address. */
  takeTurn(): readonly AddressRange[] {
    this.#forks++;
    if (this.#ranges.length === 0) return this.#ranges;
    this.#ranges = this.#ranges
      .filter((range) => range.expires > this.#forks)
      .sort((a, b) => a.start - b.start);
    this.#pages = 0;
    for (const range of this.#ranges) {
      this.#pages += (range.end - range.start) / PAGE_SIZE;
    }
    return this.#ranges;
  }
}
