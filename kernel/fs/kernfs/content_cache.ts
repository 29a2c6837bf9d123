/**
 * ContentCache: the generated contents that open files keep between reads, as
 * many as fit a budget. Programs decide how many files they leave half-read, so
 * the oldest contents are given up; those files make theirs again.
 * @module
 */

/** Bytes that all contents of a cache may take. */
const MAX_BYTES = 32 << 20;

/** An open file that can do without its content. */
export interface ContentOwner {
  dropContent(): void;
}

export class ContentCache {
  readonly #maxBytes: number;
  /** Bytes by owner, oldest first. */
  readonly #sizes = new Map<ContentOwner, number>();
  #bytes = 0;

  constructor(maxBytes: number = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `owner` has a content of that many bytes now, instead of any other. The
   * newest may stay whatever its size. */
  keep(owner: ContentOwner, bytes: number): void {
    this.forget(owner);
    for (const oldest of this.#sizes.keys()) {
      if (this.#bytes + bytes <= this.#maxBytes) break;
      this.forget(oldest);
      oldest.dropContent();
    }
    this.#sizes.set(owner, bytes);
    this.#bytes += bytes;
  }

  /** `owner` has no content any more. */
  forget(owner: ContentOwner): void {
    const bytes = this.#sizes.get(owner);
    if (bytes === undefined) return;
    this.#bytes -= bytes;
    this.#sizes.delete(owner);
  }
}
