import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  ELF64_EHDR,
  ELF64_EHDR_SIZE,
  ELF64_PHDR_SIZE,
  EM_386,
  ET_DYN,
  ET_REL,
  PF_R,
  PF_W,
  PF_X,
  PT_GNU_STACK,
  PT_INTERP,
} from "../abi/elf.ts";
import { EINVAL, EIO, ENOEXEC, isErrno } from "../abi/errno.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import { buildElf, type ElfSpec } from "./_elf_builder.ts";
import {
  checkSegments,
  type ElfImage,
  isElf,
  parseElfHeader,
  parseInterp,
  readElf,
  type ReadExactly,
  readInterp,
} from "./elf.ts";

const LIMIT = 0x7ffffffff000;

function reading(file: Uint8Array): ReadExactly {
  return (offset, into) => {
    if (offset + into.length > file.length) return EIO;
    into.set(file.subarray(offset, offset + into.length));
    return null;
  };
}

function read(spec: ElfSpec): ReturnType<typeof readElf> {
  const file = buildElf(spec);
  return readElf(file.subarray(0, ELF64_EHDR_SIZE), reading(file));
}

function mustRead(spec: ElfSpec): ElfImage {
  const image = read(spec);
  if (isErrno(image)) throw new Error(image.name);
  return image;
}

const TEXT = {
  p_flags: PF_R | PF_X,
  p_vaddr: 0x400000,
  p_filesz: 0x500,
  p_memsz: 0x500,
};

Deno.test("readElf() returns entry, segments and what they are for", () => {
  const image = mustRead({
    type: ET_DYN,
    entry: 0x1234,
    phdrs: [
      { p_flags: PF_R, p_filesz: 0x300, p_memsz: 0x300, p_align: 0x1000 },
      { ...TEXT, p_vaddr: 0x1000, p_offset: 0x1000, p_align: 0x200000 },
      { p_flags: PF_R | PF_W, p_vaddr: 0x2010, p_offset: 0x10, p_memsz: 0x99 },
      { p_type: PT_INTERP, p_offset: 0x200, p_filesz: 7 },
      { p_type: PT_GNU_STACK, p_flags: PF_R | PF_W | PF_X },
    ],
  });
  assertEquals(image.isPositionIndependent, true);
  assertEquals(image.entry, 0x1234);
  assertEquals(image.segments.map((s) => s.prot), [
    PROT_READ,
    PROT_READ | PROT_EXEC,
    PROT_READ | PROT_WRITE,
  ]);
  assertEquals(image.segments[1]?.vaddr, 0x1000);
  assertEquals(image.interp, { offset: 0x200, bytes: 7 });
  assertEquals(image.phdrAddr, ELF64_EHDR_SIZE);
  assertEquals(image.alignment, 0x200000);
  assert(image.hasExecutableStack);
});

Deno.test("readElf() takes the stack for not executable unless told", () => {
  assert(!mustRead({ phdrs: [TEXT] }).hasExecutableStack);
  const plain = { p_type: PT_GNU_STACK, p_flags: PF_R | PF_W };
  assert(!mustRead({ phdrs: [TEXT, plain] }).hasExecutableStack);
});

Deno.test("readElf() knows when the program headers aren't mapped", () => {
  const phdrs = [{ ...TEXT, p_offset: 0x1000 }];
  assertStrictEquals(mustRead({ phdrs }).phdrAddr, null);
});

Deno.test("readElf() refuses files for other machines and of other kinds", () => {
  for (
    const spec of [
      { type: ET_REL },
      { machine: EM_386 },
      { phentsize: 32 },
      { phnum: 0 },
      { phnum: 65535 },
      { phoff: 2 ** 62 },
      { phoff: 4096 },
    ]
  ) {
    assertStrictEquals(
      read({ phdrs: [TEXT], ...spec }),
      ENOEXEC,
      JSON.stringify(spec),
    );
  }
});

Deno.test("parseElfHeader() refuses truncated headers", () => {
  const file = buildElf({ phdrs: [TEXT] });
  for (let length = 0; length < ELF64_EHDR_SIZE; length++) {
    assertStrictEquals(parseElfHeader(file.subarray(0, length)), ENOEXEC);
  }
});

Deno.test("isElf() needs all four bytes of the magic", () => {
  assert(isElf(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46)));
  assert(!isElf(Uint8Array.of(0x7f, 0x45, 0x4c)));
  assert(!isElf(Uint8Array.of(0x7f, 0x45, 0x4c, 0x47)));
});

Deno.test("readInterp() returns the first interpreter's path", () => {
  const file = buildElf({
    phdrs: [
      TEXT,
      { p_type: PT_INTERP, p_offset: 0x200, p_filesz: 8 },
      { p_type: PT_INTERP, p_offset: 0x300, p_filesz: 8 },
    ],
    contents: [[0x200, "/lib/ld\0"], [0x300, "/wrong!\0"]],
    sizeBytes: 0x400,
  });
  const image = readElf(file.subarray(0, 64), reading(file));
  assert(!isErrno(image));
  assertEquals(readInterp(image, reading(file)), "/lib/ld");
});

Deno.test("readInterp() fails with EIO when the path is cut off", () => {
  for (const p_offset of [0x1000, 2 ** 62]) {
    const image = mustRead({
      phdrs: [TEXT, { p_type: PT_INTERP, p_offset, p_filesz: 8 }],
    });
    assertStrictEquals(readInterp(image, reading(new Uint8Array(64))), EIO);
  }
});

Deno.test("parseProgramHeaders() refuses impossible interpreter lengths", () => {
  for (const p_filesz of [0, 1, 4097, 2 ** 40]) {
    const spec = { phdrs: [TEXT, { p_type: PT_INTERP, p_filesz }] };
    assertStrictEquals(read(spec), ENOEXEC);
  }
});

Deno.test("parseInterp() needs a final NUL and stops at the first", () => {
  assertStrictEquals(parseInterp(Uint8Array.of(0x2f, 0x61)), ENOEXEC);
  assertEquals(parseInterp(Uint8Array.of(0x2f, 0, 0x61, 0)), "/");
});

Deno.test("checkSegments() refuses what no address space can hold", () => {
  const wrong = [
    [],
    [{ ...TEXT, p_filesz: 0x501 }],
    [{ ...TEXT, p_vaddr: LIMIT }],
    [{ ...TEXT, p_vaddr: 2 ** 63 }],
    [{ ...TEXT, p_memsz: LIMIT }],
    [{ ...TEXT, p_memsz: 2 ** 63 }],
    [{ ...TEXT, p_offset: 1 }],
    [{ ...TEXT, p_offset: 2 ** 60 }],
  ];
  for (const phdrs of wrong) {
    // A file without program headers is refused sooner; this one has another.
    const image = mustRead({
      phdrs: [...phdrs, { p_type: PT_GNU_STACK }],
    });
    assertStrictEquals(
      checkSegments(image, LIMIT),
      EINVAL,
      JSON.stringify(phdrs),
    );
  }
  assertStrictEquals(checkSegments(mustRead({ phdrs: [TEXT] }), LIMIT), null);
});

Deno.test("readElf() never throws or reads out of bounds on random bytes", () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
  const valid = buildElf({
    type: ET_DYN,
    phdrs: [
      TEXT,
      { p_type: PT_INTERP, p_offset: 0x120, p_filesz: 8 },
      { ...TEXT, p_vaddr: 0x500000 },
    ],
    contents: [[0x120, "/lib/ld\0"]],
    sizeBytes: 0x200,
  });
  for (let round = 0; round < 20_000; round++) {
    const file = valid.slice(0, random(4) === 0 ? random(valid.length) : 0x200);
    for (let flips = random(6); flips > 0 && file.length > 0; flips--) {
      file[random(file.length)] = random(4) === 0 ? 0xff : random(256);
    }
    const context = `seed ${seed}, round ${round}`;
    const source = reading(file);
    const image = readElf(file.subarray(0, ELF64_EHDR_SIZE), source);
    if (isErrno(image)) {
      assertStrictEquals(image, ENOEXEC, context);
      continue;
    }
    assert(image.segments.length <= image.phCount, context);
    const interp = readInterp(image, source);
    assert(interp === null || isErrno(interp) || interp.length < 4096, context);
    if (checkSegments(image, LIMIT) !== null) continue;
    for (const { vaddr, memBytes, fileBytes } of image.segments) {
      assert(vaddr + memBytes <= LIMIT && fileBytes <= memBytes, context);
    }
  }
});

Deno.test("readElf() reads as many program headers as Linux does", () => {
  const most = Math.floor(65536 / ELF64_PHDR_SIZE);
  const phdrs = Array.from({ length: most }, () => TEXT);
  assertEquals(mustRead({ phdrs }).segments.length, most);
  assertStrictEquals(read({ phdrs: [...phdrs, TEXT] }), ENOEXEC);
  assertEquals(ELF64_EHDR.e_phnum, 56);
});
