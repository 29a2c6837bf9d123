/**
 * Builds ELF files for the loader's tests: small, and as wrong as a test wants.
 * @module
 */
import {
  ELF64_EHDR,
  ELF64_EHDR_SIZE,
  ELF64_PHDR,
  ELF64_PHDR_SIZE,
  ELFMAG_U32,
  EM_X86_64,
  ET_EXEC,
  PT_LOAD,
} from "../abi/elf.ts";

/** Numbers for a program header; absent ones are 0. */
export type PhdrFields = { [Field in keyof typeof ELF64_PHDR]?: number };

/** What differs from a plain ET_EXEC file. */
export interface ElfSpec {
  readonly type?: number;
  readonly machine?: number;
  readonly entry?: number;
  readonly phentsize?: number;
  readonly phnum?: number;
  readonly phoff?: number;
  readonly phdrs: readonly PhdrFields[];
  /** Bytes of the file behind the headers, by offset. */
  readonly contents?: readonly (readonly [number, Uint8Array | string])[];
  readonly sizeBytes?: number;
}

export function buildElf(spec: ElfSpec): Uint8Array {
  const headers = ELF64_EHDR_SIZE + spec.phdrs.length * ELF64_PHDR_SIZE;
  const bytes = new Uint8Array(Math.max(spec.sizeBytes ?? 0, headers));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ELFMAG_U32, true);
  bytes.set([2, 1, 1], 4);
  view.setUint16(ELF64_EHDR.e_type, spec.type ?? ET_EXEC, true);
  view.setUint16(ELF64_EHDR.e_machine, spec.machine ?? EM_X86_64, true);
  setU64(view, ELF64_EHDR.e_entry, spec.entry ?? 0);
  setU64(view, ELF64_EHDR.e_phoff, spec.phoff ?? ELF64_EHDR_SIZE);
  view.setUint16(
    ELF64_EHDR.e_phentsize,
    spec.phentsize ?? ELF64_PHDR_SIZE,
    true,
  );
  view.setUint16(ELF64_EHDR.e_phnum, spec.phnum ?? spec.phdrs.length, true);
  spec.phdrs.forEach((fields, i) => {
    const at = ELF64_EHDR_SIZE + i * ELF64_PHDR_SIZE;
    view.setUint32(at, fields.p_type ?? PT_LOAD, true);
    view.setUint32(at + ELF64_PHDR.p_flags, fields.p_flags ?? 0, true);
    for (
      const name of [
        "p_offset",
        "p_vaddr",
        "p_filesz",
        "p_memsz",
        "p_align",
      ] as const
    ) setU64(view, at + ELF64_PHDR[name], fields[name] ?? 0);
  });
  for (const [offset, content] of spec.contents ?? []) {
    bytes.set(
      typeof content === "string" ? new TextEncoder().encode(content) : content,
      offset,
    );
  }
  return bytes;
}

function setU64(view: DataView, at: number, value: number): void {
  view.setBigUint64(at, BigInt(value), true);
}
