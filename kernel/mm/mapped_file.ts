/**
 * MappedFile: the Mappable of one open file. Pages come from the inode's cache;
 * the name, and what must stay open while the mapping lasts, from the open file.
 * @module
 */
import { EOPNOTSUPP, type Errno } from "../abi/errno.ts";
import type { Mappable, MappedRange, Translation } from "./mappable.ts";

/** The open file behind a mapping: a FileDescription, for one. */
export interface FileOwner {
  acquire(): unknown;
  release(): void;
  /** For /proc/pid/maps. */
  readonly mapName: string;
  readonly mapDevice: number;
  readonly mapInode: number;
}

/** The part of PageCache that mappings use. */
export interface MappedPages {
  translate(
    fileOffset: number,
    maxLength: number,
    write: boolean,
    into: Translation,
  ): Errno | null;
  translateCached(
    fileOffset: number,
    maxLength: number,
    into: Translation,
  ): boolean;
  prefetch(fileOffset: number, length: number): void;
  addMapping(range: MappedRange, isWritableShared: boolean): void;
  removeMapping(range: MappedRange, isWritableShared: boolean): void;
  /** Makes a hole in memory that has no backing. */
  punch(fileOffset: number, length: number): void;
  sync(fileOffset: number, length: number): Errno | null;
  readonly isWriteTracked: boolean;
}

export class MappedFile implements Mappable {
  readonly #pages: MappedPages;
  readonly #owner: FileOwner;

  constructor(pages: MappedPages, owner: FileOwner) {
    this.#pages = pages;
    this.#owner = owner;
  }

  get mapName(): string {
    return this.#owner.mapName;
  }
  get mapDevice(): number {
    return this.#owner.mapDevice;
  }
  get isWriteTracked(): boolean {
    return this.#pages.isWriteTracked;
  }
  get mapInode(): number {
    return this.#owner.mapInode;
  }

  translate(
    fileOffset: number,
    maxLength: number,
    write: boolean,
    into: Translation,
  ): Errno | null {
    return this.#pages.translate(fileOffset, maxLength, write, into);
  }
  translateCached(
    fileOffset: number,
    maxLength: number,
    into: Translation,
  ): boolean {
    return this.#pages.translateCached(fileOffset, maxLength, into);
  }
  prefetch(fileOffset: number, length: number): void {
    this.#pages.prefetch(fileOffset, length);
  }
  addMapping(
    range: MappedRange,
    _fileOffset: number,
    _length: number,
    isWritableShared: boolean,
  ): Errno | null {
    this.#pages.addMapping(range, isWritableShared);
    return null;
  }
  removeMapping(
    range: MappedRange,
    _fileOffset: number,
    _length: number,
    isWritableShared: boolean,
  ): void {
    this.#pages.removeMapping(range, isWritableShared);
  }
  punch(fileOffset: number, length: number): Errno | null {
    if (this.#pages.isWriteTracked) return EOPNOTSUPP;
    this.#pages.punch(fileOffset, length);
    return null;
  }
  sync(fileOffset: number, length: number): Errno | null {
    return this.#pages.sync(fileOffset, length);
  }
  acquire(): void {
    this.#owner.acquire();
  }
  release(): void {
    this.#owner.release();
  }
}
