/**
 * CacheReclaim: bounds the memory of cached file pages that the host can give
 * again. Caches are kept in the order in which they last read something; over
 * the limit, the clean pages of the oldest go, unless the file is mapped.
 *
 * Reclaiming happens between tasks only (kernel.ts): during an operation
 * somebody may hold the offset of a page.
 * @module
 */

/** A cache whose pages can be read again. */
export interface Reclaimable {
  /** Drops clean pages if nothing maps them; bytes freed. */
  dropClean(): number;
}

export class CacheReclaim {
  /** Bytes of cached pages above which some are dropped. */
  limitBytes = Infinity;
  /** Bytes of cached pages. */
  bytes = 0;
  /** Oldest first. */
  readonly #caches = new Map<Reclaimable, number>();

  /** Bytes of pages that `cache` has. */
  bytesOf(cache: Reclaimable): number {
    return this.#caches.get(cache) ?? 0;
  }

  /** `cache` read pages: it is the youngest now. */
  grew(cache: Reclaimable, bytes: number): void {
    const before = this.bytesOf(cache);
    this.#caches.delete(cache);
    this.#caches.set(cache, before + bytes);
    this.bytes += bytes;
  }

  /** `cache` dropped pages. */
  shrank(cache: Reclaimable, bytes: number): void {
    const rest = this.bytesOf(cache) - bytes;
    if (rest > 0) this.#caches.set(cache, rest);
    else this.#caches.delete(cache);
    this.bytes -= bytes;
  }

  get isOver(): boolean {
    return this.bytes > this.limitBytes;
  }

  /** Drops pages of the oldest caches until a quarter of the limit is free, or
   * nothing more can go; bytes freed. */
  reclaim(): number {
    const goal = this.limitBytes * 0.75;
    const before = this.bytes;
    for (const cache of [...this.#caches.keys()]) {
      if (this.bytes <= goal) break;
      cache.dropClean();
    }
    return before - this.bytes;
  }
}
