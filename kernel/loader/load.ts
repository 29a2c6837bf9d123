/**
 * The second half of execve(2): maps a program, its interpreter, the vDSO and
 * the stack into a new address space. The old program is gone by then, so an
 * error from here means that the process dies by SIGSEGV.
 *
 * Addresses are chosen as Linux chooses them (fs/binfmt_elf.c), within the
 * layout drawn by mm/address_layout.ts.
 * @module
 */
import { EINVAL, ENOMEM, type Errno, isErrno } from "../abi/errno.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_GROWSDOWN,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_STACK,
  PAGE_SIZE,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../abi/mman.ts";
import type { AddressLayout } from "../mm/address_layout.ts";
import type { Mappable } from "../mm/mappable.ts";
import {
  AT_RANDOM_BYTES,
  type AuxiliaryValues,
  initialStack,
  STACK_GAP_BYTES,
} from "./auxv.ts";
import { checkSegments, type ElfImage, type ElfSegment } from "./elf.ts";
import type { Executable, ExecutableFile } from "./executable.ts";
import type { ProgramMemory } from "./program_memory.ts";
import type { Vdso } from "./vdso.ts";

/** Room that a new stack has below its first bytes; it grows beyond. */
const STACK_ROOM_BYTES = 128 * 1024;

/** Values of the process that the program finds in its auxiliary vector. */
export type ProcessValues = Omit<
  AuxiliaryValues,
  "phdr" | "phnum" | "base" | "entry" | "vdso"
>;

export interface LoadOptions {
  readonly process: ProcessValues;
  readonly vdso: Vdso | null;
  /** Fills an array with random bytes. */
  readonly randomBytes: (into: Uint8Array) => void;
}

/** What runs next, and what /proc tells of it. */
export interface LoadedProgram {
  readonly entry: number;
  readonly sp: number;
  // prctl(2) PR_SET_MM names these.
  readonly startCode: number;
  readonly endCode: number;
  readonly startData: number;
  readonly endData: number;
  readonly brkStart: number;
  readonly startStack: number;
  readonly argStart: number;
  readonly argEnd: number;
  readonly envStart: number;
  readonly envEnd: number;
  /** The auxiliary vector's bytes. */
  readonly auxv: Uint8Array;
  /** Where the vDSO is; 0: nowhere. */
  readonly vdso: number;
}

/** Maps everything. EINVAL, ENOMEM, and what mappings may fail with. */
export function loadExecutable(
  executable: Executable<ExecutableFile>,
  memory: ProgramMemory,
  options: LoadOptions,
): LoadedProgram | Errno {
  const { layout } = memory;
  const { image, interpreter } = executable;
  const bias = mapImage(
    memory,
    image,
    executable.file.mappable,
    programBase(layout, image),
  );
  if (isErrno(bias)) return bias;
  const brkStart = chooseBrk(layout, image, bias);
  memory.startHeap(brkStart);

  let base = 0;
  let entry = image.entry + bias;
  if (interpreter !== null) {
    const interpBias = mapImage(
      memory,
      interpreter.image,
      interpreter.file.mappable,
      interpreter.image.isPositionIndependent ? null : 0,
    );
    if (isErrno(interpBias)) return interpBias;
    // As Linux has it: where address 0 of the interpreter would be.
    base = interpBias;
    entry = interpreter.image.entry + interpBias;
  }
  if (entry >= layout.maxAddress) return EINVAL;

  const vdso = options.vdso === null ? 0 : options.vdso.map(memory);
  if (isErrno(vdso)) return vdso;
  const random = new Uint8Array(AT_RANDOM_BYTES + 2);
  options.randomBytes(random);
  const stack = initialStack(
    layout.stackTop,
    executable.args,
    {
      ...options.process,
      phdr: image.phdrAddr === null ? 0 : image.phdrAddr + bias,
      phnum: image.phCount,
      base,
      entry: image.entry + bias,
      vdso,
    },
    random.subarray(0, AT_RANDOM_BYTES),
    (random.at(-1)! << 8 | random.at(-2)!) % STACK_GAP_BYTES,
  );
  const failure = mapStack(memory, image, stack);
  if (failure !== null) return failure;
  return {
    ...codeAndData(image, bias),
    entry,
    sp: stack.sp,
    brkStart,
    startStack: stack.sp,
    argStart: stack.argStart,
    argEnd: stack.argEnd,
    envStart: stack.envStart,
    envEnd: stack.envEnd,
    auxv: stack.auxv,
    vdso,
  };
}

/**
 * Where the first page of the program shall be: its own address, a random one,
 * or null for wherever mmap(2) puts it. The last is for interpreters that are
 * run as programs, so that they stay clear of what they will load.
 */
function programBase(layout: AddressLayout, image: ElfImage): number | null {
  if (!image.isPositionIndependent) return 0;
  if (image.interp === null && image.alignment <= PAGE_SIZE) return null;
  return Math.floor(layout.pieBase / image.alignment) * image.alignment;
}

/**
 * Maps the segments of one file. `base`: address of its first page for
 * position-independent files, 0 for others, null to let mmap(2) choose.
 * Returns what to add to the file's addresses.
 */
function mapImage(
  memory: ProgramMemory,
  image: ElfImage,
  mappable: Mappable,
  base: number | null,
): number | Errno {
  const limit = memory.layout.maxAddress;
  const impossible = checkSegments(image, limit);
  if (impossible !== null) return impossible;
  let low = Infinity;
  let high = 0;
  for (const { vaddr, memBytes } of image.segments) {
    low = Math.min(low, pageStart(vaddr));
    high = Math.max(high, vaddr + memBytes);
  }
  let bias = 0;
  if (base === null) {
    const found = findRoom(memory, pageEnd(high) - low);
    if (isErrno(found)) return found;
    bias = found - low;
  } else if (image.isPositionIndependent) {
    bias = base - low;
    if (base === 0 || pageEnd(high) + bias > limit) return ENOMEM;
  }
  for (const segment of image.segments) {
    const failure = mapSegment(memory, segment, mappable, bias);
    if (failure !== null) return failure;
  }
  return bias;
}

/** Address of a free range, as mmap(2) would choose it. */
function findRoom(memory: ProgramMemory, length: number): number | Errno {
  const addr = memory.map({
    addr: 0,
    length,
    prot: PROT_NONE,
    flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
    mappable: null,
    offset: 0,
  });
  if (isErrno(addr)) return addr;
  return memory.unmap(addr, length) ?? addr;
}

function mapSegment(
  memory: ProgramMemory,
  { vaddr, memBytes, fileOffset, fileBytes, prot }: ElfSegment,
  mappable: Mappable,
  bias: number,
): Errno | null {
  const start = pageStart(vaddr + bias);
  const fileEnd = vaddr + bias + fileBytes;
  const memEnd = vaddr + bias + memBytes;
  let mapped = start;
  if (fileBytes > 0) {
    mapped = pageEnd(fileEnd);
    const addr = memory.map({
      addr: start,
      length: mapped - start,
      prot,
      flags: MAP_PRIVATE | MAP_FIXED,
      mappable,
      offset: fileOffset - (vaddr + bias - start),
    });
    if (isErrno(addr)) return addr;
    // The rest of the last page holds other bytes of the file. Where the
    // program can't write, nobody relies on zeros, and Linux leaves them too.
    if (memEnd > fileEnd && fileEnd < mapped && (prot & PROT_WRITE) !== 0) {
      const zeros = new Uint8Array(mapped - fileEnd);
      const failure = memory.writeBytes(fileEnd, zeros);
      if (failure !== null) return failure;
    }
  }
  if (pageEnd(memEnd) <= mapped) return null;
  const addr = memory.map({
    addr: mapped,
    length: pageEnd(memEnd) - mapped,
    // vm_brk_flags: zero pages are data, whatever the segment says.
    prot: PROT_READ | PROT_WRITE | (prot & PROT_EXEC),
    flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
    mappable: null,
    offset: 0,
  });
  return isErrno(addr) ? addr : null;
}

function chooseBrk(
  layout: AddressLayout,
  image: ElfImage,
  bias: number,
): number {
  // Behind a program in the mmap area the heap would soon hit a mapping.
  const isInMmapArea = image.isPositionIndependent && image.interp === null;
  const end = isInMmapArea
    ? layout.pieBase
    : Math.max(...image.segments.map((s) => s.vaddr + s.memBytes)) + bias;
  return pageEnd(end) + layout.brkGap;
}

/** Maps the stack and stores its first bytes. */
function mapStack(
  memory: ProgramMemory,
  image: ElfImage,
  stack: { readonly bytes: Uint8Array; readonly sp: number },
): Errno | null {
  const bottom = pageStart(stack.sp) - STACK_ROOM_BYTES;
  const addr = memory.map({
    addr: bottom,
    length: memory.layout.stackTop - bottom,
    prot: PROT_READ | PROT_WRITE | (image.hasExecutableStack ? PROT_EXEC : 0),
    flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN | MAP_STACK,
    mappable: null,
    offset: 0,
    name: "[stack]",
  });
  if (isErrno(addr)) return addr;
  return memory.writeBytes(stack.sp, stack.bytes);
}

/** Bounds of code and data as /proc/pid/stat shows them. */
function codeAndData(image: ElfImage, bias: number) {
  let startCode = Infinity;
  let endCode = 0;
  let startData = 0;
  let endData = 0;
  for (const { vaddr, fileBytes, prot } of image.segments) {
    const start = vaddr + bias;
    const end = start + fileBytes;
    if ((prot & PROT_EXEC) !== 0) {
      startCode = Math.min(startCode, start);
      endCode = Math.max(endCode, end);
    }
    startData = Math.max(startData, start);
    endData = Math.max(endData, end);
  }
  if (startCode === Infinity) startCode = startData;
  return { startCode, endCode, startData, endData };
}

function pageStart(address: number): number {
  return Math.floor(address / PAGE_SIZE) * PAGE_SIZE;
}

function pageEnd(address: number): number {
  return Math.ceil(address / PAGE_SIZE) * PAGE_SIZE;
}
