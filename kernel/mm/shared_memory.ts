/**
 * SharedMemory: memory that several address spaces map without a file:
 * MAP_SHARED | MAP_ANONYMOUS (shared by fork) and System V segments. Its pages
 * are reserved as a whole, giant objects in chunks, and go with the last
 * reference.
 * @module
 */
import { EFAULT, type Errno, isErrno } from "../abi/errno.ts";
import type { Mappable, Translation } from "./mappable.ts";
import type { MemoryFile } from "./memory_file.ts";

const CHUNK_BYTES = 64 << 20;

export class SharedMemory implements Mappable {
  readonly #file: MemoryFile;
  /** Memory-file offset of each chunk of the object; undefined: untouched. */
  readonly #chunks: (number | undefined)[] = [];
  #references = 0;
  readonly isWriteTracked = false;

  /** `length`: bytes, a page multiple. Lives until the first reference that
   * was taken is given back, and all others. */
  constructor(
    file: MemoryFile,
    readonly length: number,
    readonly mapName: string,
    readonly mapDevice: number,
    readonly mapInode: number,
  ) {
    this.#file = file;
  }

  translate(
    fileOffset: number,
    maxLength: number,
    _write: boolean,
    into: Translation,
  ): Errno | null {
    if (fileOffset >= this.length) return EFAULT;
    const index = Math.floor(fileOffset / CHUNK_BYTES);
    const base = index * CHUNK_BYTES;
    const chunkLength = Math.min(CHUNK_BYTES, this.length - base);
    let offset = this.#chunks[index];
    if (offset === undefined) {
      const allocated = this.#file.allocate(chunkLength);
      if (isErrno(allocated)) return allocated;
      offset = allocated;
      this.#chunks[index] = offset;
    }
    into.offset = offset + (fileOffset - base);
    into.length = Math.min(maxLength, base + chunkLength - fileOffset);
    return null;
  }

  /** Reserving is as good as having, as long as it is a chunk or two. */
  translateCached(
    fileOffset: number,
    maxLength: number,
    into: Translation,
  ): boolean {
    const index = Math.floor(fileOffset / CHUNK_BYTES);
    if (index > 1 && this.#chunks[index] === undefined) return false;
    return this.translate(fileOffset, maxLength, true, into) === null;
  }

  /** Gives pages back to the host; they read as zero (MADV_REMOVE). */
  punch(fileOffset: number, length: number): Errno | null {
    const end = Math.min(this.length, fileOffset + length);
    let at = fileOffset;
    while (at < end) {
      const index = Math.floor(at / CHUNK_BYTES);
      const next = Math.min(end, (index + 1) * CHUNK_BYTES);
      const offset = this.#chunks[index];
      if (offset !== undefined) {
        const inChunk = at - index * CHUNK_BYTES;
        this.#file.memory.punch(offset + inChunk, next - at);
      }
      at = next;
    }
    return null;
  }

  // Pages never change their place, so nobody has to be told.
  addMapping(): null {
    return null;
  }
  removeMapping(): void {}
  sync(): null {
    return null;
  }

  acquire(): void {
    this.#references++;
  }
  release(): void {
    if (--this.#references > 0) return;
    for (const [index, offset] of this.#chunks.entries()) {
      if (offset === undefined) continue;
      const length = Math.min(CHUNK_BYTES, this.length - index * CHUNK_BYTES);
      this.#file.release(offset, length);
    }
    this.#chunks.length = 0;
  }
}
