/**
 * DeferredMaps: map requests that can wait for the first fault. What is not in
 * the platform yet faults, so a mapping of untouched addresses need not be
 * there when the guest resumes; a dynamic linker's dozen of mmap(2) calls then
 * cost one request table instead of one each. Anything that must take effect
 * goes after the deferred requests, in the same table.
 * @module
 */
import type { AddressSpace } from "../../platforms/platform.ts";

interface DeferredMap {
  readonly start: number;
  readonly end: number;
  readonly prot: number;
  readonly offset: number;
  readonly populate: boolean;
}

export class DeferredMaps {
  #maps: DeferredMap[] = [];

  get isEmpty(): boolean {
    return this.#maps.length === 0;
  }

  add(
    start: number,
    end: number,
    prot: number,
    offset: number,
    populate: boolean,
  ): void {
    this.#maps.push({ start, end, prot, offset, populate });
  }

  /** Whether a request covers `addr` with all rights of `prot`. */
  covers(addr: number, prot: number): boolean {
    return this.#maps.some((map) =>
      addr >= map.start && addr < map.end && (map.prot & prot) === prot
    );
  }

  /** Forgets what was asked for [start, end). */
  cut(start: number, end: number): void {
    if (this.#maps.length === 0) return;
    const rest: DeferredMap[] = [];
    for (const map of this.#maps) {
      if (map.end <= start || map.start >= end) {
        rest.push(map);
        continue;
      }
      if (map.start < start) rest.push({ ...map, end: start });
      if (map.end > end) {
        const offset = map.offset + (end - map.start);
        rest.push({ ...map, start: end, offset });
      }
    }
    this.#maps = rest;
  }

  /** Makes the requests, telling `note` each range. */
  submit(
    space: AddressSpace,
    note: (start: number, end: number) => void,
  ): void {
    const maps = this.#maps;
    this.#maps = [];
    for (const { start, end, prot, offset, populate } of maps) {
      space.map(start, end - start, prot, offset, populate);
      note(start, end);
    }
  }
}
