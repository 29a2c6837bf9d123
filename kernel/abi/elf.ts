/**
 * ELF64 headers as execve(2) and core dumps use them.
 *
 * Source: uapi linux/elf.h, linux/elf-em.h; elf(5).
 * @module
 */

// e_ident: indexes and values.
export const EI_MAG0 = 0;
export const EI_CLASS = 4;
export const EI_DATA = 5;
export const EI_VERSION = 6;
export const EI_OSABI = 7;
export const EI_PAD = 9;
export const EI_NIDENT = 16;
export const ELFCLASS32 = 1;
export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;
export const EV_CURRENT = 1;
export const ELFOSABI_NONE = 0;
export const ELFOSABI_LINUX = 3;

// Object types.
export const ET_NONE = 0;
export const ET_REL = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
export const ET_CORE = 4;

// Machines.
export const EM_386 = 3;
export const EM_X86_64 = 62;
export const EM_AARCH64 = 183;

// Segment types.
export const PT_NULL = 0;
export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
export const PT_SHLIB = 5;
export const PT_PHDR = 6;
export const PT_TLS = 7;

export const PT_GNU_EH_FRAME = 0x6474e550;
export const PT_GNU_STACK = 0x6474e551;
export const PT_GNU_RELRO = 0x6474e552;
export const PT_GNU_PROPERTY = 0x6474e553;

// Segment permissions.
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

// Note types of a core dump.
export const NT_PRSTATUS = 1;
export const NT_PRFPREG = 2;
export const NT_PRPSINFO = 3;
export const NT_TASKSTRUCT = 4;
export const NT_AUXV = 6;
export const NT_SIGINFO = 0x53494749;
export const NT_FILE = 0x46494c45;
export const NT_X86_XSTATE = 0x202;

/** Size of `Elf64_Ehdr` in bytes. */
export const ELF64_EHDR_SIZE = 64;

/** Byte offsets of the fields of Elf64_Ehdr. */
export const ELF64_EHDR = {
  e_ident: 0,
  e_type: 16,
  e_machine: 18,
  e_version: 20,
  e_entry: 24,
  e_phoff: 32,
  e_shoff: 40,
  e_flags: 48,
  e_ehsize: 52,
  e_phentsize: 54,
  e_phnum: 56,
  e_shentsize: 58,
  e_shnum: 60,
  e_shstrndx: 62,
} as const;

/** Size of `Elf64_Phdr` in bytes. */
export const ELF64_PHDR_SIZE = 56;

/** Byte offsets of the fields of Elf64_Phdr. */
export const ELF64_PHDR = {
  p_type: 0,
  p_flags: 4,
  p_offset: 8,
  p_vaddr: 16,
  p_paddr: 24,
  p_filesz: 32,
  p_memsz: 40,
  p_align: 48,
} as const;

/** Size of `Elf64_Shdr` in bytes. */
export const ELF64_SHDR_SIZE = 64;

/** Byte offsets of the fields of Elf64_Shdr. */
export const ELF64_SHDR = {
  sh_name: 0,
  sh_type: 4,
  sh_flags: 8,
  sh_addr: 16,
  sh_offset: 24,
  sh_size: 32,
  sh_link: 40,
  sh_info: 44,
  sh_addralign: 48,
  sh_entsize: 56,
} as const;

/** Size of `Elf64_Sym` in bytes. */
export const ELF64_SYM_SIZE = 24;

/** Byte offsets of the fields of Elf64_Sym. */
export const ELF64_SYM = {
  st_name: 0,
  st_info: 4,
  st_other: 5,
  st_shndx: 6,
  st_value: 8,
  st_size: 16,
} as const;

/** Size of `Elf64_Dyn` in bytes. */
export const ELF64_DYN_SIZE = 16;

/** Byte offsets of the fields of Elf64_Dyn. */
export const ELF64_DYN = {
  d_tag: 0,
  d_val: 8,
} as const;

/** Size of `Elf64_Nhdr` in bytes. */
export const ELF64_NHDR_SIZE = 12;

/** Byte offsets of the fields of Elf64_Nhdr. */
export const ELF64_NHDR = {
  n_namesz: 0,
  n_descsz: 4,
  n_type: 8,
} as const;

/** First four bytes of an ELF file, as a little-endian word. */
export const ELFMAG_U32 = 0x464c457f;
