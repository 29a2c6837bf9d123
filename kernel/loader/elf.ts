/**
 * Reads what execve(2) needs of an ELF64 file: header, segments, interpreter.
 * Pure: bytes come in, plain data goes out; mapping is load.ts's business.
 *
 * The bytes are the guest's. Errors are those of fs/binfmt_elf.c: ENOEXEC for
 * what the program's own headers get wrong (execve tries no further), ELIBBAD
 * for its interpreter's, EINVAL for segments that no address space can hold.
 * Source: elf(5), execve(2).
 * @module
 */
import { EINVAL, EIO, ENOEXEC, type Errno, isErrno } from "../abi/errno.ts";
import {
  ELF64_EHDR,
  ELF64_EHDR_SIZE,
  ELF64_PHDR,
  ELF64_PHDR_SIZE,
  ELFMAG_U32,
  EM_X86_64,
  ET_DYN,
  ET_EXEC,
  PF_R,
  PF_W,
  PF_X,
  PT_GNU_STACK,
  PT_INTERP,
  PT_LOAD,
} from "../abi/elf.ts";
import { PATH_MAX } from "../abi/limits.ts";
import { PAGE_SIZE, PROT_EXEC, PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import type { ByteString } from "../mm/user_memory.ts";

/** Most bytes of program headers that Linux reads. */
const MAX_PROGRAM_HEADERS_BYTES = 65536;

/** The ELF header's own part. */
export interface ElfHeader {
  /** ET_DYN: the file may be mapped anywhere. */
  readonly isPositionIndependent: boolean;
  /** Unrelocated address of the first instruction. */
  readonly entry: number;
  /** Place of the program headers in the file, bytes. */
  readonly phOffset: number;
  readonly phCount: number;
}

/** A PT_LOAD: file bytes, then zero bytes, at an unrelocated address. */
export interface ElfSegment {
  readonly vaddr: number;
  readonly memBytes: number;
  readonly fileOffset: number;
  readonly fileBytes: number;
  /** PROT_* bits. */
  readonly prot: number;
}

/** An executable or an interpreter, ready to be mapped. */
export interface ElfImage extends ElfHeader {
  readonly segments: readonly ElfSegment[];
  /** Place of the interpreter's path in the file, null if there is none. */
  readonly interp: { readonly offset: number; readonly bytes: number } | null;
  /** Unrelocated address of the program headers; null: not mapped. */
  readonly phdrAddr: number | null;
  /** PT_GNU_STACK asks for an executable stack. */
  readonly hasExecutableStack: boolean;
  /** Alignment that the segments want for their common base, bytes. */
  readonly alignment: number;
}

/** A 64-bit field as a double: exact below 2^53, and huge where not. */
function u64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

/** Whether the file claims to be ELF; other formats may try it if not. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 &&
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) ===
      ELFMAG_U32;
}

/** Parses the first bytes of a file. ENOEXEC: not an x86-64 program. */
export function parseElfHeader(bytes: Uint8Array): ElfHeader | Errno {
  if (bytes.length < ELF64_EHDR_SIZE || !isElf(bytes)) return ENOEXEC;
  const view = new DataView(bytes.buffer, bytes.byteOffset, ELF64_EHDR_SIZE);
  const type = view.getUint16(ELF64_EHDR.e_type, true);
  if (type !== ET_EXEC && type !== ET_DYN) return ENOEXEC;
  if (view.getUint16(ELF64_EHDR.e_machine, true) !== EM_X86_64) return ENOEXEC;
  // Tells the 32-bit class apart, too: its headers have another size.
  if (view.getUint16(ELF64_EHDR.e_phentsize, true) !== ELF64_PHDR_SIZE) {
    return ENOEXEC;
  }
  const phCount = view.getUint16(ELF64_EHDR.e_phnum, true);
  if (phCount === 0 || phCount * ELF64_PHDR_SIZE > MAX_PROGRAM_HEADERS_BYTES) {
    return ENOEXEC;
  }
  return {
    isPositionIndependent: type === ET_DYN,
    entry: u64(view, ELF64_EHDR.e_entry),
    phOffset: u64(view, ELF64_EHDR.e_phoff),
    phCount,
  };
}

/**
 * Parses the program headers that `header` announces. `bytes` is exactly
 * phCount * ELF64_PHDR_SIZE long. ENOEXEC: the interpreter's path has an
 * impossible length. Segments aren't judged here, see checkSegments().
 */
export function parseProgramHeaders(
  header: ElfHeader,
  bytes: Uint8Array,
): ElfImage | Errno {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const segments: ElfSegment[] = [];
  let interp: ElfImage["interp"] = null;
  let phdrAddr: number | null = null;
  let hasExecutableStack = false;
  let alignment = PAGE_SIZE;
  for (let i = 0; i < header.phCount; i++) {
    const at = i * ELF64_PHDR_SIZE;
    const flags = view.getUint32(at + ELF64_PHDR.p_flags, true);
    const fileOffset = u64(view, at + ELF64_PHDR.p_offset);
    const fileBytes = u64(view, at + ELF64_PHDR.p_filesz);
    switch (view.getUint32(at + ELF64_PHDR.p_type, true)) {
      case PT_LOAD: {
        const vaddr = u64(view, at + ELF64_PHDR.p_vaddr);
        const memBytes = u64(view, at + ELF64_PHDR.p_memsz);
        const prot = protOf(flags);
        segments.push({ vaddr, memBytes, fileOffset, fileBytes, prot });
        const align = u64(view, at + ELF64_PHDR.p_align);
        if (isPowerOfTwo(align)) alignment = Math.max(alignment, align);
        const isInFile = header.phOffset >= fileOffset &&
          header.phOffset < fileOffset + fileBytes;
        if (isInFile) phdrAddr = header.phOffset - fileOffset + vaddr;
        break;
      }
      case PT_INTERP:
        if (interp !== null) break; // the first one counts
        if (fileBytes > PATH_MAX || fileBytes < 2) return ENOEXEC;
        interp = { offset: fileOffset, bytes: fileBytes };
        break;
      case PT_GNU_STACK:
        hasExecutableStack = (flags & PF_X) !== 0;
        break;
    }
  }
  return {
    ...header,
    segments,
    interp,
    phdrAddr,
    hasExecutableStack,
    alignment,
  };
}

function protOf(flags: number): number {
  return ((flags & PF_R) !== 0 ? PROT_READ : 0) |
    ((flags & PF_W) !== 0 ? PROT_WRITE : 0) |
    ((flags & PF_X) !== 0 ? PROT_EXEC : 0);
}

function isPowerOfTwo(value: number): boolean {
  // Alignments from 2^47 on can't be met; Linux's loader overflows on them.
  return value >= 1 && value < 2 ** 47 && Number.isInteger(Math.log2(value));
}

/** The path within PT_INTERP's bytes. ENOEXEC: it lacks its final NUL. */
export function parseInterp(bytes: Uint8Array): ByteString | Errno {
  if (bytes[bytes.length - 1] !== 0) return ENOEXEC;
  let path = "";
  for (const byte of bytes) {
    if (byte === 0) break;
    path += String.fromCharCode(byte);
  }
  return path;
}

/**
 * Whether the segments can lie below `limit`, relative to any base. EINVAL:
 * more file bytes than memory, beyond the limit, or not congruent to the
 * file's pages; also if nothing is to be loaded at all.
 */
export function checkSegments(image: ElfImage, limit: number): Errno | null {
  if (image.segments.length === 0) return EINVAL;
  for (const segment of image.segments) {
    const { vaddr, memBytes, fileOffset, fileBytes } = segment;
    if (vaddr >= limit || fileBytes > memBytes) return EINVAL;
    if (memBytes > limit - vaddr) return EINVAL;
    if (fileBytes === 0) continue;
    if (fileOffset % PAGE_SIZE !== vaddr % PAGE_SIZE) return EINVAL;
    if (fileOffset + fileBytes > Number.MAX_SAFE_INTEGER) return EINVAL;
  }
  return null;
}

/** Reads exactly into.length bytes at a file offset: EIO at the end of file. */
export type ReadExactly = (offset: number, into: Uint8Array) => Errno | null;

/** Reads and parses all headers of a file. ENOEXEC, or an error of `read`. */
export function readElf(
  head: Uint8Array,
  read: ReadExactly,
): ElfImage | Errno {
  const header = parseElfHeader(head);
  if (isErrno(header)) return header;
  const bytes = new Uint8Array(header.phCount * ELF64_PHDR_SIZE);
  // binfmt_elf.c doesn't tell why the headers could not be read.
  if (read(header.phOffset, bytes) !== null) return ENOEXEC;
  return parseProgramHeaders(header, bytes);
}

/** Reads the interpreter's path. ENOEXEC, EIO, or an error of `read`. */
export function readInterp(
  image: ElfImage,
  read: ReadExactly,
): ByteString | null | Errno {
  if (image.interp === null) return null;
  if (image.interp.offset > Number.MAX_SAFE_INTEGER) return EIO;
  const bytes = new Uint8Array(image.interp.bytes);
  const failure = read(image.interp.offset, bytes);
  return failure === null ? parseInterp(bytes) : failure;
}
