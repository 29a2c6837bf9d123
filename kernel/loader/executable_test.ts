import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { EM_386, ET_DYN, PT_INTERP } from "../abi/elf.ts";
import {
  E2BIG,
  EACCES,
  EIO,
  ELIBBAD,
  ELOOP,
  ENOENT,
  ENOEXEC,
  isErrno,
} from "../abi/errno.ts";
import { FakeMemory } from "../mm/fake_memory.ts";
import { buildElf } from "./_elf_builder.ts";
import { FakeFiles } from "./_fakes.ts";
import { openExecutable } from "./executable.ts";

const LOAD = { p_vaddr: 0x400000, p_filesz: 0x40, p_memsz: 0x40 };
const PROGRAM = buildElf({ phdrs: [LOAD] });

function withInterp(path: string): Uint8Array {
  return buildElf({
    type: ET_DYN,
    phdrs: [
      LOAD,
      { p_type: PT_INTERP, p_offset: 0x200, p_filesz: path.length + 1 },
    ],
    contents: [[0x200, `${path}\0`]],
    sizeBytes: 0x300,
  });
}

function setUp(files: Record<string, Uint8Array | string>) {
  const all = new FakeFiles(new FakeMemory());
  for (const [path, content] of Object.entries(files)) all.add(path, content);
  const open = (path: string, argv: string[] = ["arg0", "arg1"]) => {
    const file = all.open(path);
    if (isErrno(file)) throw new Error(`no ${path}`);
    const args = { argv, envp: [], execfn: path };
    return openExecutable(all.memory, all, file, args, 8 << 20);
  };
  const leaks = () =>
    [...all.byPath].filter(([, f]) => f.references !== 0).map(([p]) => p);
  return { all, open, leaks };
}

Deno.test("openExecutable() reads a program that needs no interpreter", () => {
  const { open, leaks } = setUp({ "/bin/a": PROGRAM });
  const result = open("/bin/a");
  assert(!isErrno(result));
  assertEquals(result.interpreter, null);
  assertEquals(result.args.argv, ["arg0", "arg1"]);
  assertEquals(leaks(), ["/bin/a"]);
  result[Symbol.dispose]();
  assertEquals(leaks(), []);
});

Deno.test("openExecutable() opens the interpreter of a dynamic program", () => {
  const ld = buildElf({ type: ET_DYN, phdrs: [LOAD], entry: 0x77 });
  const { open, leaks } = setUp({ "/bin/a": withInterp("/ld"), "/ld": ld });
  const result = open("/bin/a");
  assert(!isErrno(result));
  assertEquals(result.interpreter?.image.entry, 0x77);
  assertEquals(leaks(), ["/bin/a", "/ld"]);
  result[Symbol.dispose]();
  assertEquals(leaks(), []);
});

Deno.test("openExecutable() runs scripts by their interpreters", () => {
  const { open, leaks } = setUp({
    "/a": "#!/b -x\n",
    "/b": "#!/bin/c\n",
    "/bin/c": PROGRAM,
  });
  const result = open("/a");
  assert(!isErrno(result));
  assertEquals(result.args.argv, ["/bin/c", "/b", "-x", "/a", "arg1"]);
  assertEquals(result.args.execfn, "/a");
  assertEquals(result.file.mapName, "/bin/c");
  assertEquals(leaks(), ["/bin/c"]);
});

Deno.test("openExecutable() follows five scripts, but not a sixth", () => {
  const files: Record<string, Uint8Array | string> = { "/0": PROGRAM };
  for (let i = 1; i <= 6; i++) files[`/${i}`] = `#!/${i - 1}\n`;
  const { open, leaks } = setUp(files);
  const deepest = open("/5");
  assert(!isErrno(deepest));
  deepest[Symbol.dispose]();
  assertStrictEquals(open("/6"), ELOOP);
  assertEquals(leaks(), []);
});

Deno.test("openExecutable() fails for a script that runs itself", () => {
  const { open, leaks } = setUp({ "/a": "#!/a\n" });
  assertStrictEquals(open("/a"), ELOOP);
  assertEquals(leaks(), []);
});

Deno.test("openExecutable() tells why a file can't be run", () => {
  const { open, leaks } = setUp({
    "/empty": "",
    "/text": "echo hello\n",
    "/short": PROGRAM.slice(0, 63),
    "/cut": PROGRAM.slice(0, 100),
    "/i386": buildElf({ machine: EM_386, phdrs: [LOAD] }),
    "/lost": "#!/none\n",
    "/nameless": "#!",
    "/lost-ld": withInterp("/none"),
    "/nameless-ld": withInterp("\0"),
    "/text-ld": withInterp("/text"),
    "/long-text-ld": withInterp("/long-text"),
    "/long-text": "#".repeat(300),
    "/i386-ld": withInterp("/i386"),
    "/cut-ld": withInterp("/cut"),
    "/cut-path": withInterp("/ld").slice(0, 0x202),
  });
  const expected = {
    "/empty": ENOEXEC,
    "/text": ENOEXEC,
    "/short": ENOEXEC,
    "/cut": ENOEXEC,
    "/i386": ENOEXEC,
    "/lost": ENOENT,
    "/nameless": EACCES,
    "/lost-ld": ENOENT,
    "/nameless-ld": EACCES,
    "/text-ld": EIO,
    "/long-text-ld": ELIBBAD,
    "/i386-ld": ELIBBAD,
    "/cut-ld": ELIBBAD,
    "/cut-path": EIO,
  };
  for (const [path, errno] of Object.entries(expected)) {
    assertStrictEquals(open(path), errno, path);
    assertEquals(leaks(), [], path);
  }
});

Deno.test("openExecutable() checks the arguments before the file", () => {
  const { open, leaks } = setUp({ "/text": "no program" });
  assertStrictEquals(open("/text", ["a".repeat(200_000)]), E2BIG);
  assertEquals(leaks(), []);
});

Deno.test("openExecutable() reads headers across pages of the cache", () => {
  const phdrs = Array.from({ length: 200 }, () => LOAD);
  const { open } = setUp({ "/a": buildElf({ phdrs, phoff: 64 }) });
  const result = open("/a");
  assert(!isErrno(result));
  assertEquals(result.image.segments.length, 200);
});
