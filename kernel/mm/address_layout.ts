/**
 * Where things go in a new address space: stack top, mmap base, load addresses,
 * with the randomisation that Linux applies on x86-64 (arch/x86/mm/mmap.c,
 * fs/binfmt_elf.c). Source: proc_sys_kernel(5) randomize_va_space.
 * @module
 */
import { PAGE_SIZE } from "../abi/mman.ts";

/** vm.mmap_min_addr: nothing is mapped below. */
export const MMAP_MIN_ADDR = 65536;
/** Pages kept free below a stack (stack_guard_gap). */
export const STACK_GUARD_GAP = 256 * PAGE_SIZE;

/** Random bits of x86-64: mmap base 28 pages' worth, stack top 22. */
const MMAP_RANDOM_PAGES = 2 ** 28;
const STACK_RANDOM_PAGES = 2 ** 22;
/** The heap starts up to 32 MiB behind the program. */
const BRK_RANDOM_PAGES = 0x2000;
/** Bounds of the room that is left for the stack. */
const MIN_GAP = 128 << 20;

export interface AddressLayout {
  /** Guests may map [minAddress, maxAddress). */
  readonly minAddress: number;
  readonly maxAddress: number;
  /** End of the stack. */
  readonly stackTop: number;
  /** mmap(2) searches downwards from here. */
  readonly mmapBase: number;
  /** Load address of position-independent programs (ELF_ET_DYN_BASE). */
  readonly pieBase: number;
  /** Bytes by which the heap starts behind the program. */
  readonly brkGap: number;
}

export interface LayoutOptions {
  readonly minAddress: number;
  readonly maxAddress: number;
  /** RLIMIT_STACK in bytes, Infinity if unlimited. */
  readonly stackLimit: number;
  /** 32 random bits; null: no randomisation (ADDR_NO_RANDOMIZE). */
  readonly random: (() => number) | null;
}

function alignUp(value: number): number {
  return Math.ceil(value / PAGE_SIZE) * PAGE_SIZE;
}

/** Draws a layout; all addresses are page multiples. */
export function drawLayout(options: LayoutOptions): AddressLayout {
  const { minAddress, maxAddress, random } = options;
  const draw = (pages: number): number =>
    random === null
      ? 0
      : Math.floor(((random() >>> 0) / 2 ** 32) * pages) * PAGE_SIZE;
  const stackTop = maxAddress - draw(STACK_RANDOM_PAGES);
  const stackRandom = random === null ? 0 : STACK_RANDOM_PAGES * PAGE_SIZE;
  const maxGap = alignUp((maxAddress / 6) * 5);
  const gap = Math.min(
    maxGap,
    Math.max(MIN_GAP, options.stackLimit) + stackRandom + STACK_GUARD_GAP,
  );
  return {
    minAddress: Math.max(minAddress, MMAP_MIN_ADDR),
    maxAddress,
    stackTop,
    mmapBase: maxAddress - alignUp(gap) - draw(MMAP_RANDOM_PAGES),
    pieBase: alignUp((maxAddress / 3) * 2) + draw(MMAP_RANDOM_PAGES),
    brkGap: draw(BRK_RANDOM_PAGES),
  };
}
