/**
 * FakeAddressSpace: a platform's address space as a page table, for tests. It
 * applies requests at flush(), as strictly as the host: protecting what is not
 * mapped is an error.
 * @module
 */
import { PAGE_SIZE, PROT_WRITE } from "../abi/mman.ts";
import type { AddressSpace } from "../../platforms/platform.ts";

interface Page {
  readonly offset: number;
  readonly prot: number;
}

export class FakeAddressSpace implements AddressSpace {
  readonly pages = new Map<number, Page>();
  isReleased = false;
  /** Requests since the start, and how many flushes carried any. */
  requests = 0;
  flushes = 0;
  #pending: (() => void)[] = [];

  map(
    addr: number,
    length: number,
    prot: number,
    offset: number,
    _populate: boolean,
  ): void {
    this.#check(addr, length);
    if (offset <= 0 || offset % PAGE_SIZE !== 0) {
      throw new Error(`map at memory-file offset ${offset}`);
    }
    this.#pending.push(() => {
      for (let at = 0; at < length; at += PAGE_SIZE) {
        this.pages.set(addr + at, { offset: offset + at, prot });
      }
    });
  }
  unmap(addr: number, length: number): void {
    this.#check(addr, length);
    this.#pending.push(() => {
      if (length / PAGE_SIZE > this.pages.size) {
        for (const at of [...this.pages.keys()]) {
          if (at >= addr && at < addr + length) this.pages.delete(at);
        }
        return;
      }
      for (let at = 0; at < length; at += PAGE_SIZE) {
        this.pages.delete(addr + at);
      }
    });
  }
  protect(addr: number, length: number, prot: number): void {
    this.#check(addr, length);
    this.#pending.push(() => {
      for (let at = addr; at < addr + length; at += PAGE_SIZE) {
        const page = this.pages.get(at);
        if (page === undefined) throw new Error(`protect of unmapped ${at}`);
        this.pages.set(at, { offset: page.offset, prot });
      }
    });
  }
  flush(): number {
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length > 0) this.flushes++;
    for (const apply of pending) apply();
    return 0;
  }
  release(): void {
    if (this.isReleased) throw new Error("Address space released twice");
    this.isReleased = true;
    this.pages.clear();
    this.#pending = [];
  }

  /** The page a guest would touch at `addr`, null: it faults. */
  lookup(addr: number, isWrite: boolean): number | null {
    const start = Math.floor(addr / PAGE_SIZE) * PAGE_SIZE;
    const page = this.pages.get(start);
    if (page === undefined || page.prot === 0) return null;
    if (isWrite && (page.prot & PROT_WRITE) === 0) return null;
    return page.offset + (addr - start);
  }

  #check(addr: number, length: number): void {
    this.requests++;
    if (this.isReleased) throw new Error("Address space was released");
    if (addr % PAGE_SIZE !== 0 || length % PAGE_SIZE !== 0 || length <= 0) {
      throw new Error(`Request for [${addr}, +${length})`);
    }
  }
}
