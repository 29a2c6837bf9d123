/**
 * What the cases of the conformance suite work with: a platform of its own, a
 * memory file, pages of guest code, and registers by name.
 * @module
 */

import { assert, assertEquals, fail } from "@std/assert";
import { Clock } from "../../ffi/clock.ts";
import { MemoryFile } from "../../ffi/memory_file.ts";
import type { NativePlatform } from "../../platforms/native.ts";
import type {
  AddressSpace,
  Context,
  StopReason,
} from "../../platforms/platform.ts";
import { type Code, type Register, REGISTERS } from "./assembler.ts";
import { assemble } from "./assembler.ts";

export const PAGE = 4096;
export const R = 1;
export const W = 2;
export const X = 4;
/** Where the guests' code and data lie. */
export const CODE = 0x40_0000;
export const DATA = 0x7000_1000_0000;

const WINDOW = 2 ** 36;
/** Far more than any case takes; then it hangs. */
const PATIENCE_NS = 60e9;

/** A plugin as the suite sees it. */
export interface Plugin {
  readonly name: string;
  open(memoryFd: number, maxContexts: number): NativePlatform | number;
  /** Host processes that run guests, by pid; null: it has none. */
  guestProcesses(): number[] | null;
}

/** One requirement of the contract. */
export interface Case {
  readonly name: string;
  readonly run: (machine: Machine) => void;
}

export class Machine implements Disposable {
  readonly plugin: Plugin;
  readonly platform: NativePlatform;
  readonly memory: MemoryFile;
  readonly clock = new Clock();
  #nextOffset = 0;

  constructor(plugin: Plugin, maxContexts = 2048) {
    this.plugin = plugin;
    this.memory = new MemoryFile(WINDOW);
    const platform = plugin.open(this.memory.fd, maxContexts);
    if (typeof platform === "number") fail(`open: errno ${-platform}`);
    this.platform = platform;
  }

  [Symbol.dispose](): void {
    this.platform.close();
    this.memory[Symbol.dispose]();
    this.clock[Symbol.dispose]();
  }

  /** Bytes of the memory file that no other case uses. */
  allocate(pages: number): number {
    const offset = this.#nextOffset;
    this.#nextOffset += pages * PAGE;
    assert(this.#nextOffset <= WINDOW, "memory file exhausted");
    return offset;
  }

  newSpace(): AddressSpace {
    const space = this.platform.newAddressSpace();
    if (typeof space === "number") fail(`newAddressSpace: errno ${-space}`);
    return space;
  }

  newContext(): Context {
    const context = this.platform.newContext();
    if (typeof context === "number") fail(`newContext: errno ${-context}`);
    return context;
  }

  /** Maps a page of code at CODE, and with it `dataPages` pages at DATA. */
  newGuest(code: Code, dataPages = 1): Guest {
    return new Guest(this, this.newSpace(), code, dataPages);
  }

  /** Waits for the next stop of any context. */
  nextStop(): Context {
    const deadline = this.clock.monotonicNs() + PATIENCE_NS;
    for (;;) {
      const context = this.platform.nextStopped();
      if (context !== null) return context;
      if (this.clock.monotonicNs() > deadline) fail("no context stops");
      this.platform.wait(deadline);
    }
  }
}

/** A space with one page of code and one context that stands at its start. */
export class Guest {
  readonly machine: Machine;
  /** A case that moves the context changes it. */
  space: AddressSpace;
  readonly context: Context;
  readonly codeOffset: number;
  readonly dataOffset: number;

  constructor(
    machine: Machine,
    space: AddressSpace,
    code: Code,
    dataPages: number,
  ) {
    this.machine = machine;
    this.space = space;
    this.codeOffset = machine.allocate(1);
    this.dataOffset = machine.allocate(dataPages);
    machine.memory.write(this.codeOffset, assemble(code));
    space.map(CODE, PAGE, R | X, this.codeOffset, true);
    space.map(DATA, dataPages * PAGE, R | W, this.dataOffset, false);
    this.context = this.newThread();
  }

  /** Another context that stands at the start of the code. */
  newThread(): Context {
    const context = this.machine.newContext();
    setRegister(context, "rip", CODE);
    setRegister(context, "rsp", DATA + PAGE);
    setRegister(context, "rsi", DATA);
    setRegister(context, "rdi", DATA);
    return context;
  }

  set(register: Register, value: number | bigint): void {
    setRegister(this.context, register, value);
  }

  get(register: Register): bigint {
    return getRegister(this.context, register);
  }

  resume(): void {
    assertEquals(this.context.resume(this.space), 0);
  }

  /** Runs to the next stop, which must be of this guest. Its reason. */
  run(): StopReason {
    this.resume();
    const stopped = this.machine.nextStop();
    assertEquals(stopped.index, this.context.index);
    return stopped.stopReason;
  }

  release(): void {
    this.context.release();
    this.space.release();
  }
}

function registerOffset(context: Context, register: Register): number {
  return context.regsBase + 8 * REGISTERS.indexOf(register);
}

export function setRegister(
  context: Context,
  register: Register,
  value: number | bigint,
): void {
  const at = registerOffset(context, register);
  context.view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
}

export function getRegister(context: Context, register: Register): bigint {
  return context.view.getBigUint64(registerOffset(context, register), true);
}
