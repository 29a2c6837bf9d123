/**
 * A process for tests: a MemoryManager over a FakeAddressSpace, with guest
 * accesses that fault as a CPU would.
 * @module
 */
import { isErrno } from "../abi/errno.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
} from "../abi/mman.ts";
import { RLIM_NLIMITS, RLIMIT_STACK } from "../abi/resource.ts";
import { drawLayout } from "./address_layout.ts";
import { FakeAddressSpace } from "./fake_address_space.ts";
import { FakeMemory } from "./fake_memory.ts";
import type { Mappable } from "./mappable.ts";
import { MemoryFile } from "./memory_file.ts";
import { type FaultSignal, MemoryManager } from "./memory_manager.ts";

export const RW = PROT_READ | PROT_WRITE;
export const ANON = MAP_PRIVATE | MAP_ANONYMOUS;

/** Where tests map things: below it, nothing is. */
export const BASE = 0x10000000;

export function makeLimits(): { soft: Float64Array } {
  const soft = new Float64Array(RLIM_NLIMITS).fill(Infinity);
  soft[RLIMIT_STACK] = 8 << 20;
  return { soft };
}

export class FakeProcess {
  readonly space: FakeAddressSpace;
  readonly memory: MemoryManager;
  readonly file: MemoryFile;

  constructor(file: MemoryFile, memory?: MemoryManager) {
    this.file = file;
    this.memory = memory ?? new MemoryManager({
      file,
      addressSpace: new FakeAddressSpace(),
      layout: drawLayout({
        minAddress: 0,
        maxAddress: 0x7fffffff0000,
        stackLimit: 8 << 20,
        random: null,
      }),
      limits: makeLimits(),
    });
    if (!(this.memory.addressSpace instanceof FakeAddressSpace)) {
      throw new Error("not a fake address space");
    }
    this.space = this.memory.addressSpace;
  }

  static create(windowBytes?: number): FakeProcess {
    return new FakeProcess(new MemoryFile(new FakeMemory(windowBytes)));
  }

  fork(): FakeProcess {
    const child = this.memory.fork(new FakeAddressSpace());
    if (isErrno(child)) throw new Error(`fork: ${child}`);
    return new FakeProcess(this.file, child);
  }

  /** mmap that must succeed. */
  map(
    length: number,
    options: {
      addr?: number;
      prot?: number;
      flags?: number;
      mappable?: Mappable;
      offset?: number;
      maxProt?: number;
    } = {},
  ): number {
    const addr = this.memory.map({
      addr: options.addr ?? 0,
      length,
      prot: options.prot ?? RW,
      flags: (options.flags ?? ANON) |
        (options.addr === undefined ? 0 : MAP_FIXED),
      mappable: options.mappable ?? null,
      offset: options.offset ?? 0,
      ...(options.maxProt === undefined ? {} : { maxProt: options.maxProt }),
    });
    if (isErrno(addr)) throw new Error(`mmap: ${addr}`);
    return addr;
  }

  #touch(addr: number, isWrite: boolean): number | FaultSignal {
    for (let tries = 0; tries < 3; tries++) {
      this.space.flush();
      const offset = this.space.lookup(addr, isWrite);
      if (offset !== null) return offset;
      const signal = this.memory.handleFault(addr, isWrite ? 6 : 4);
      if (signal !== null) return signal;
    }
    throw new Error(`Fault at ${addr.toString(16)} is never resolved`);
  }

  /** A load by the guest: the byte, or the signal it got. */
  load(addr: number): number | FaultSignal {
    const offset = this.#touch(addr, false);
    if (typeof offset !== "number") return offset;
    return this.file.memory.view.getUint8(offset);
  }

  /** A store by the guest: null, or the signal it got. */
  store(addr: number, value: number): FaultSignal | null {
    const offset = this.#touch(addr, true);
    if (typeof offset !== "number") return offset;
    this.file.memory.view.setUint8(offset, value);
    return null;
  }
}
