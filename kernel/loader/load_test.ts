import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { AT_BASE, AT_ENTRY, AT_PHDR, AT_SYSINFO_EHDR } from "../abi/auxvec.ts";
import {
  ET_DYN,
  PF_R,
  PF_W,
  PF_X,
  PT_GNU_STACK,
  PT_INTERP,
} from "../abi/elf.ts";
import { EINVAL, ENOMEM, type Errno, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE, PROT_EXEC, PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import { FakeMemory } from "../mm/fake_memory.ts";
import { MemoryFile } from "../mm/memory_file.ts";
import { Timekeeper } from "../time/timekeeper.ts";
import { TimerQueue } from "../time/timer_queue.ts";
import { buildElf, type ElfSpec } from "./_elf_builder.ts";
import { FakeFiles, FakeProgramMemory } from "./_fakes.ts";
import { openExecutable } from "./executable.ts";
import { loadExecutable } from "./load.ts";
import { Vdso } from "./vdso.ts";

const RW = PROT_READ | PROT_WRITE;
const RX = PROT_READ | PROT_EXEC;
const PROCESS = {
  uid: 1,
  euid: 1,
  gid: 1,
  egid: 1,
  isSecure: false,
  hwcap: 0,
  hwcap2: 0,
  minSigStackSize: 2048,
};

/** A program of two segments with bss, at `at`. */
function program(at: number, more: Partial<ElfSpec> = {}): ElfSpec {
  return {
    entry: at + 0x1010,
    phdrs: [
      {
        p_flags: PF_R | PF_X,
        p_vaddr: at,
        p_filesz: 0x1800,
        p_memsz: 0x1800,
      },
      {
        p_flags: PF_R | PF_W,
        p_offset: 0x1800,
        p_vaddr: at + 0x2800,
        p_filesz: 0x100,
        p_memsz: 0x3000,
      },
      ...(more.phdrs ?? []),
    ],
    contents: [
      [0x1010, "code"],
      [0x1800, "data"],
      [0x1900, "must not be seen in bss"],
      ...(more.contents ?? []),
    ],
    sizeBytes: 0x2000,
    ...(more.type === undefined ? {} : { type: more.type }),
  };
}

function setUp(
  specs: Record<string, ElfSpec>,
  options: { vdso?: boolean; budget?: number; random?: number } = {},
) {
  const memory = new FakeMemory();
  const files = new FakeFiles(memory);
  for (const [path, spec] of Object.entries(specs)) {
    files.add(path, buildElf(spec));
  }
  const space = new FakeProgramMemory(memory, options.random ?? null);
  space.budget = options.budget ?? Infinity;
  const file = files.open("/a");
  assert(!isErrno(file));
  const args = { argv: ["a", "b"], envp: ["E=1"], execfn: "/a" };
  const executable = openExecutable(memory, files, file, args, 8 << 20);
  assert(!isErrno(executable));
  let vdso: Vdso | null = null;
  if (options.vdso) {
    const host = {
      monotonicNs: () => 0,
      realtimeOffset: () => ({ sec: 0, nsec: 0 }),
      boottimeOffsetNs: () => 0,
      sampleTsc: () => ({ tscLow: 0, tscHigh: 0, monotonicNs: 0 }),
      guestCpuNs: () => 0,
    };
    const created = Vdso.create(
      new MemoryFile(memory),
      new TimerQueue(),
      new Timekeeper(host, 0),
      new TextEncoder().encode("vdso image"),
    );
    assert(!isErrno(created));
    vdso = created;
  }
  const loaded = loadExecutable(executable, space, {
    process: PROCESS,
    vdso,
    randomBytes: (into) => into.fill(0x5a),
  });
  return { space, loaded };
}

function mustLoad(...args: Parameters<typeof setUp>) {
  const { space, loaded } = setUp(...args);
  if (isErrno(loaded)) throw new Error(loaded.name);
  const auxv = new Map<number, number>();
  const view = new DataView(loaded.auxv.buffer);
  for (let at = 0; at < loaded.auxv.length; at += 16) {
    auxv.set(
      Number(view.getBigUint64(at, true)),
      Number(view.getBigUint64(at + 8, true)),
    );
  }
  return { space, loaded, auxv };
}

const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);

Deno.test("loadExecutable() maps a fixed program where it wants to be", () => {
  const { space, loaded, auxv } = mustLoad({ "/a": program(0x400000) });
  assertEquals(loaded.entry, 0x401010);
  assertEquals(text(space.read(0x401010, 4)), "code");
  assertEquals(text(space.read(0x402800, 4)), "data");
  assertEquals(space.prot(0x401000), RX);
  assertEquals(space.prot(0x402800), RW);
  assertEquals(auxv.get(AT_PHDR), 0x400040);
  assertEquals(auxv.get(AT_ENTRY), 0x401010);
  assertEquals(auxv.get(AT_BASE), 0);
});

Deno.test("loadExecutable() clears bss to the end of its last page", () => {
  const { space } = mustLoad({ "/a": program(0x400000) });
  const bss = space.read(0x402900, 0x406000 - 0x402900);
  assertEquals(bss, new Uint8Array(bss.length));
  assertEquals(space.prot(0x405fff), RW);
  assertEquals(space.prot(0x406000), undefined);
});

Deno.test("loadExecutable() maps a segment without file bytes as zeros", () => {
  const { space } = mustLoad({
    "/a": program(0x400000, {
      phdrs: [{
        p_flags: PF_R | PF_W,
        p_vaddr: 0x500123,
        p_memsz: 0x10,
        p_offset: 0x7777,
      }],
    }),
  });
  assertEquals(space.read(0x500000, PAGE_SIZE), new Uint8Array(PAGE_SIZE));
  assertEquals(space.prot(0x500fff), RW);
  assertEquals(space.prot(0x501000), undefined);
});

Deno.test("loadExecutable() places the heap behind the program", () => {
  const fixed = mustLoad({ "/a": program(0x400000) });
  assertEquals(fixed.space.brkStart, 0x406000);
  const other = mustLoad({ "/a": program(0x400000) }, { random: 0xa5a5a5a5 });
  assert(other.loaded.brkStart > 0x406000);
  assert(other.loaded.brkStart < 0x406000 + 0x02000000);
  assertEquals(other.loaded.brkStart % PAGE_SIZE, 0);
});

Deno.test("loadExecutable() loads a dynamic program and its interpreter apart", () => {
  const interp = {
    phdrs: [{ p_type: PT_INTERP, p_offset: 0x700, p_filesz: 4 }],
    contents: [[0x700, "/ld\0"]] as const,
    type: ET_DYN,
  };
  const { space, loaded, auxv } = mustLoad({
    "/a": program(0, interp),
    "/ld": program(0, { type: ET_DYN }),
  });
  const bias = space.layout.pieBase;
  const base = auxv.get(AT_BASE) ?? 0;
  assertEquals(auxv.get(AT_ENTRY), bias + 0x1010);
  assertEquals(auxv.get(AT_PHDR), bias + 0x40);
  assert(base > 0x7f0000000000);
  assertEquals(loaded.entry, base + 0x1010);
  assertEquals(space.name(bias), "/a");
  assertEquals(space.name(base), "/ld");
  assertEquals(space.brkStart, bias + 0x6000);
});

Deno.test("loadExecutable() randomises and aligns a dynamic program's base", () => {
  const spec = program(0, {
    phdrs: [{
      p_flags: PF_R,
      p_vaddr: 0x200000,
      p_align: 0x200000,
      p_memsz: 0x1000,
    }, { p_type: PT_INTERP, p_offset: 0x700, p_filesz: 4 }],
    contents: [[0x700, "/ld\0"]],
    type: ET_DYN,
  });
  const ld = program(0, { type: ET_DYN });
  const first = mustLoad({ "/a": spec, "/ld": ld }, { random: 0x11111111 });
  const second = mustLoad({ "/a": spec, "/ld": ld }, { random: 0x22222222 });
  const base = ({ loaded }: typeof first) => loaded.startCode;
  assertEquals(base(first) % 0x200000, 0);
  assertNotEquals(base(first), base(second));
});

Deno.test("loadExecutable() keeps an interpreter run by itself out of the way", () => {
  const { loaded, space } = mustLoad({ "/a": program(0, { type: ET_DYN }) });
  assert(loaded.entry > 0x7f0000000000);
  // Its heap isn't behind it, but where a program's would be.
  assertEquals(space.brkStart, space.layout.pieBase);
});

Deno.test("loadExecutable() stores the first stack and leaves room below", () => {
  const { space, loaded } = mustLoad({ "/a": program(0x400000) });
  assertEquals(space.u64(loaded.sp), 2);
  assertEquals(space.string(space.u64(loaded.sp + 8)), "a");
  assertEquals(space.string(space.u64(loaded.sp + 32)), "E=1");
  assertEquals(space.prot(loaded.sp - 128 * 1024), RW);
  assertEquals(space.prot(loaded.sp), RW);
});

Deno.test("loadExecutable() makes the stack executable when asked to", () => {
  const { space, loaded } = mustLoad({
    "/a": program(0x400000, {
      phdrs: [{ p_type: PT_GNU_STACK, p_flags: PF_R | PF_W | PF_X }],
    }),
  });
  assertEquals(space.prot(loaded.sp), RW | PROT_EXEC);
});

Deno.test("loadExecutable() maps the vDSO with its page below", () => {
  const { space, loaded, auxv } = mustLoad({ "/a": program(0x400000) }, {
    vdso: true,
  });
  assertEquals(auxv.get(AT_SYSINFO_EHDR), loaded.vdso);
  assertEquals(text(space.read(loaded.vdso, 10)), "vdso image");
  assertEquals(space.prot(loaded.vdso), RX);
  assertEquals(space.prot(loaded.vdso - PAGE_SIZE), PROT_READ);
  assertEquals(space.name(loaded.vdso - 1), "[vvar]");
});

Deno.test("loadExecutable() refuses segments beyond the address space", () => {
  const { loaded } = setUp({ "/a": program(0x7ffffffff000 - 0x2000) });
  assertStrictEquals(loaded, EINVAL);
});

Deno.test("loadExecutable() reports whichever mapping fails", () => {
  const specs = { "/a": program(0x400000) };
  let failures = 0;
  for (let budget = 0;; budget++) {
    const { loaded } = setUp(specs, { vdso: true, budget });
    if (!isErrno(loaded)) break;
    assertStrictEquals<Errno>(loaded, ENOMEM);
    failures++;
  }
  assertEquals(failures, 7); // text, data, bss, three of the vDSO, stack
});

Deno.test("loadExecutable() maps random segments or refuses them, but never throws", () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
  const sizes = [
    0,
    1,
    0xfff,
    0x1000,
    0x1001,
    0x5000,
    2 ** 31,
    2 ** 47,
    2 ** 63,
  ];
  const size = () => sizes[random(sizes.length)] ?? 0;
  let loadedCount = 0;
  for (let round = 0; round < 100; round++) {
    const phdrs = Array.from({ length: 1 + random(3) }, () => {
      const low = random(4) === 0 ? random(PAGE_SIZE) : 0;
      return {
        p_flags: random(8),
        p_vaddr: [0x400000, 0x410000, size()][random(3)]! + low,
        p_offset: random(4) === 0 ? size() : low,
        p_filesz: [0, 0x800, size()][random(3)]!,
        p_memsz: random(3) === 0 ? size() : 0x2000,
        p_align: size(),
      };
    });
    const spec = { phdrs, type: random(2) === 0 ? ET_DYN : 2, entry: size() };
    const { loaded, space } = setUp({ "/a": spec });
    if (isErrno(loaded)) continue;
    loadedCount++;
    for (const { addr, length } of space.mappings) {
      const isInside = addr + length <= space.layout.maxAddress;
      assert(isInside, `seed ${seed}, round ${round}`);
    }
  }
  assert(loadedCount > 0, `seed ${seed}`);
});
