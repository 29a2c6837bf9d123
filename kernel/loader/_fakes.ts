/**
 * A page table and files for the loader's tests.
 * @module
 */
import { EFAULT, EINVAL, ENOENT, ENOMEM, type Errno } from "../abi/errno.ts";
import { MAP_FIXED, PAGE_SIZE, PROT_WRITE } from "../abi/mman.ts";
import type { HostMemory } from "../host.ts";
import { type AddressLayout, drawLayout } from "../mm/address_layout.ts";
import type { Mappable, Translation } from "../mm/mappable.ts";
import type { MapRequest } from "../mm/mmap.ts";
import type { ExecutableFile, ExecutableOpener } from "./executable.ts";
import type { ProgramMemory } from "./program_memory.ts";

/** A file whose bytes lie in the memory file. */
export class FakeFile implements ExecutableFile, Mappable {
  references = 1;
  readonly mapDevice = 0;
  readonly mapInode = 1;
  readonly mappable: Mappable = this;
  readonly #offset: number;
  readonly sizeBytes: number;

  constructor(
    readonly memory: HostMemory,
    readonly mapName: string,
    bytes: Uint8Array,
    offset: number,
  ) {
    this.#offset = offset;
    this.sizeBytes = bytes.length;
    memory.write(offset, bytes);
  }

  translate(
    fileOffset: number,
    maxLength: number,
    _write: boolean,
    into: Translation,
  ): Errno | null {
    const end = Math.ceil(this.sizeBytes / PAGE_SIZE) * PAGE_SIZE;
    if (fileOffset >= end) return EFAULT;
    into.offset = this.#offset + fileOffset;
    // A page at a time, as from a page cache in pieces.
    into.length = Math.min(maxLength, PAGE_SIZE);
    return null;
  }
  addMapping(): null {
    return null;
  }
  removeMapping(): void {}
  sync(): null {
    return null;
  }
  acquire(): void {
    this.references++;
  }
  release(): void {
    this.references--;
  }
}

/** Files by path; each open() gives a reference. */
export class FakeFiles implements ExecutableOpener<FakeFile> {
  readonly byPath = new Map<string, FakeFile>();
  #next = 1 << 20;

  constructor(readonly memory: HostMemory) {}

  add(path: string, content: Uint8Array | string): FakeFile {
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    const file = new FakeFile(this.memory, path, bytes, this.#next);
    file.references = 0;
    this.#next += Math.ceil((bytes.length + 1) / PAGE_SIZE) * PAGE_SIZE;
    this.byPath.set(path, file);
    return file;
  }

  open(path: string): FakeFile | Errno {
    const file = this.byPath.get(path);
    if (file === undefined) return ENOENT;
    file.acquire();
    return file;
  }
}

interface Page {
  readonly bytes: Uint8Array;
  readonly prot: number;
  readonly name: string;
}

/** An address space as a map of pages, each a copy of what it shows. */
export class FakeProgramMemory implements ProgramMemory {
  readonly layout: AddressLayout;
  readonly pages = new Map<number, Page>();
  readonly mappings: MapRequest[] = [];
  brkStart = 0;
  /** Mappings that still succeed. */
  budget = Infinity;
  #free: number;

  /** `random`: null, or what each draw of the layout gives, below 2^32. */
  constructor(readonly memory: HostMemory, random: number | null = null) {
    this.layout = drawLayout({
      minAddress: 0,
      maxAddress: 0x7ffffffff000,
      stackLimit: 8 << 20,
      random: random === null ? null : () => random,
    });
    this.#free = this.layout.mmapBase;
  }

  map(mapping: MapRequest): number | Errno {
    if (--this.budget < 0) return ENOMEM;
    const { length, prot, flags, mappable, offset } = mapping;
    let { addr } = mapping;
    if (addr % PAGE_SIZE !== 0 || length <= 0 || length % PAGE_SIZE !== 0) {
      return EINVAL;
    }
    if ((flags & MAP_FIXED) === 0) addr = this.#free -= length;
    if (addr + length > this.layout.maxAddress) return ENOMEM;
    this.mappings.push({ ...mapping, addr });
    // Giant mappings are only recorded: tests don't look into them.
    for (let at = 0; at < Math.min(length, 1 << 24); at += PAGE_SIZE) {
      this.pages.set(addr + at, {
        bytes: this.#content(mappable, offset + at),
        prot,
        name: mappable?.mapName ?? "",
      });
    }
    return addr;
  }

  #content(mappable: Mappable | null, offset: number): Uint8Array {
    const bytes = new Uint8Array(PAGE_SIZE);
    if (mappable === null) return bytes;
    const translation = { offset: 0, length: 0 };
    const failure = mappable.translate(offset, PAGE_SIZE, false, translation);
    if (failure === null) this.memory.read(translation.offset, bytes);
    return bytes;
  }

  unmap(addr: number, length: number): null {
    for (let at = 0; at < Math.min(length, 1 << 24); at += PAGE_SIZE) {
      this.pages.delete(addr + at);
    }
    return null;
  }

  writeBytes(addr: number, from: Uint8Array): Errno | null {
    for (let i = 0; i < from.length; i++) {
      const page = this.#page(addr + i);
      if (page === undefined || (page.prot & PROT_WRITE) === 0) return EFAULT;
      page.bytes[(addr + i) % PAGE_SIZE] = from[i]!;
    }
    return null;
  }

  startHeap(addr: number): void {
    this.brkStart = addr;
  }

  #page(addr: number): Page | undefined {
    return this.pages.get(Math.floor(addr / PAGE_SIZE) * PAGE_SIZE);
  }

  prot(addr: number): number | undefined {
    return this.#page(addr)?.prot;
  }
  name(addr: number): string | undefined {
    return this.#page(addr)?.name;
  }
  read(addr: number, length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => {
      const page = this.#page(addr + i);
      if (page === undefined) throw new Error(`Nothing at ${addr + i}`);
      return page.bytes[(addr + i) % PAGE_SIZE]!;
    });
  }
  u64(addr: number): number {
    const bytes = this.read(addr, 8);
    return Number(new DataView(bytes.buffer).getBigUint64(0, true));
  }
  string(addr: number): string {
    let text = "";
    for (let at = addr;; at++) {
      const byte = this.read(at, 1)[0]!;
      if (byte === 0) return text;
      text += String.fromCharCode(byte);
    }
  }
}
