/**
 * The loader with the real memory manager below it.
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { AT_PHDR } from "../abi/auxvec.ts";
import { ET_DYN, PF_R, PF_W, PF_X, PT_INTERP } from "../abi/elf.ts";
import { EFAULT, ENOMEM, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import { RLIMIT_AS } from "../abi/resource.ts";
import { drawLayout } from "../mm/address_layout.ts";
import { FakeAddressSpace } from "../mm/fake_address_space.ts";
import { FakeMemory } from "../mm/fake_memory.ts";
import { MemoryFile } from "../mm/memory_file.ts";
import { MemoryManager } from "../mm/memory_manager.ts";
import { buildElf } from "./_elf_builder.ts";
import { FakeFile } from "./_fakes.ts";
import { openExecutable } from "./executable.ts";
import { loadExecutable } from "./load.ts";

const PROGRAM = buildElf({
  type: ET_DYN,
  entry: 0x200,
  phdrs: [
    { p_flags: PF_R | PF_X, p_filesz: 0x1000, p_memsz: 0x1000 },
    {
      p_flags: PF_R | PF_W,
      p_offset: 0x1000,
      p_vaddr: 0x1000,
      p_filesz: 0x10,
      p_memsz: 0x3000,
    },
    { p_type: PT_INTERP, p_offset: 0x300, p_filesz: 4 },
  ],
  contents: [
    [0x200, "code"],
    [0x300, "/ld\0"],
    [0x1000, "initialised data"],
    [0x1010, "what lies behind"],
  ],
  sizeBytes: 0x1800,
});
const INTERPRETER = buildElf({
  type: ET_DYN,
  entry: 0x180,
  phdrs: [{ p_flags: PF_R | PF_X, p_filesz: 0x200, p_memsz: 0x200 }],
  sizeBytes: 0x200,
});

const LIMITS = () => new Array<number>(16).fill(Infinity);

function setUp() {
  const host = new FakeMemory(64 << 20);
  const file = new MemoryFile(host);
  const newFile = (name: string, bytes: Uint8Array) => {
    const offset = file.allocate(Math.ceil(bytes.length / PAGE_SIZE) * 4096);
    if (isErrno(offset)) throw new Error(offset.name);
    return new FakeFile(host, name, bytes, offset);
  };
  const files = {
    program: newFile("/a", PROGRAM),
    interpreter: newFile("/ld", INTERPRETER),
  };
  const load = (soft: number[] = LIMITS()) => {
    const executable = openExecutable(
      host,
      {
        open: () => {
          files.interpreter.acquire();
          return files.interpreter;
        },
      },
      files.program,
      { argv: ["a", "b"], envp: ["E=1"], execfn: "/a" },
      8 << 20,
    );
    if (isErrno(executable)) throw new Error(executable.name);
    const memory = new MemoryManager({
      file,
      addressSpace: new FakeAddressSpace(),
      layout: drawLayout({
        minAddress: 0,
        maxAddress: 0x7ffffffff000,
        stackLimit: 8 << 20,
        random: () => 0x9abcdef0,
      }),
      limits: { soft },
    });
    const loaded = loadExecutable(executable, memory, {
      process: {
        uid: 0,
        euid: 0,
        gid: 0,
        egid: 0,
        isSecure: false,
        hwcap: 0,
        hwcap2: 0,
        minSigStackSize: 2048,
      },
      vdso: null,
      randomBytes: (into) => into.fill(3),
    });
    return { memory, loaded };
  };
  return { load, files };
}

function mustLoad(load: ReturnType<typeof setUp>["load"]) {
  const { memory, loaded } = load();
  if (isErrno(loaded)) throw new Error(loaded.name);
  return { memory, loaded };
}

function text(memory: MemoryManager, addr: number, length: number): string {
  const bytes = new Uint8Array(length);
  assertStrictEquals(memory.readBytes(addr, bytes), null);
  return String.fromCharCode(...bytes);
}

Deno.test("loadExecutable() gives guests what the file holds, and zeros behind", () => {
  const { memory, loaded } = mustLoad(setUp().load);
  const bias = memory.layout.pieBase;
  assertEquals(text(memory, bias + 0x200, 4), "code");
  assertEquals(text(memory, bias + 0x1000, 18), "initialised data\0\0");
  assertEquals(text(memory, bias + 0x3ff0, 0x10), "\0".repeat(16));
  assertStrictEquals(memory.readU8(bias + 0x4000), EFAULT);
  assertEquals(loaded.brkStart, bias + 0x4000 + memory.layout.brkGap);
  assertEquals(memory.brkStart, loaded.brkStart);
});

Deno.test("loadExecutable() leaves code read-only and the file unchanged", () => {
  const { load } = setUp();
  const first = mustLoad(load);
  const bias = first.memory.layout.pieBase;
  assertStrictEquals(first.memory.writeU32(bias + 0x200, 0), EFAULT);
  assertStrictEquals(first.memory.writeU32(bias + 0x1000, 0), null);
  // The next process sees the file, not what the first made of it.
  const second = mustLoad(load);
  assertEquals(text(second.memory, bias + 0x1000, 4), "init");
});

Deno.test("loadExecutable() leaves a stack that guests can read and push on", () => {
  const { memory, loaded } = mustLoad(setUp().load);
  assertEquals(memory.readU64(loaded.sp), 2);
  const argv0 = memory.readU64(loaded.sp + 8);
  assert(typeof argv0 === "number");
  assertEquals(memory.readString(argv0, 10, ENOMEM), "a");
  assertStrictEquals(memory.writeU64(loaded.sp - 8, 1), null);
  // Below the room that it starts with, it grows.
  assertStrictEquals(memory.writeU64(loaded.sp - (1 << 20), 1), null);
  const view = new DataView(loaded.auxv.buffer);
  assertEquals(view.getUint32(4 * 16, true), AT_PHDR);
});

Deno.test("loadExecutable() fails within the limits of the process", () => {
  const soft = LIMITS();
  soft[RLIMIT_AS] = 16 * PAGE_SIZE;
  assertStrictEquals(setUp().load(soft).loaded, ENOMEM);
});

Deno.test("loadExecutable() leaves no reference on files once memory is gone", () => {
  const { load, files } = setUp();
  const before = files.program.references;
  const { memory } = mustLoad(load);
  assert(files.program.references > before);
  memory.release();
  assertEquals(files.program.references, before);
});
