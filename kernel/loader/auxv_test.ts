import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  AT_EXECFN,
  AT_HWCAP,
  AT_NULL,
  AT_PHDR,
  AT_PLATFORM,
  AT_RANDOM,
  AT_SECURE,
  AT_SYSINFO_EHDR,
} from "../abi/auxvec.ts";
import { E2BIG } from "../abi/errno.ts";
import { checkArguments, initialStack } from "./auxv.ts";

const TOP = 0x7ffffffff000;
const VALUES = {
  phdr: 0x555555554040,
  phnum: 13,
  base: 0x7ffff7fc0000,
  entry: 0x555555555000,
  vdso: 0x7ffff7fbe000,
  uid: 1000,
  euid: 0,
  gid: 1000,
  egid: 0,
  isSecure: true,
  hwcap: 0xbfebfbff,
  hwcap2: 2,
  minSigStackSize: 3632,
};
const RANDOM = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

type Stack = ReturnType<typeof initialStack>;

class Reader {
  readonly #view: DataView;
  constructor(readonly stack: Stack) {
    this.#view = new DataView(stack.bytes.buffer);
  }
  word(addr: number): number {
    return Number(this.#view.getBigUint64(addr - this.stack.sp, true));
  }
  string(addr: number): string {
    const start = addr - this.stack.sp;
    const end = this.stack.bytes.indexOf(0, start);
    return String.fromCharCode(...this.stack.bytes.subarray(start, end));
  }
  /** Strings of a table of pointers, and the address behind its NULL. */
  strings(addr: number): [string[], number] {
    const found: string[] = [];
    while (this.word(addr) !== 0) {
      found.push(this.string(this.word(addr)));
      addr += 8;
    }
    return [found, addr + 8];
  }
  auxv(addr: number): Map<number, number> {
    const found = new Map<number, number>();
    for (;; addr += 16) {
      const key = this.word(addr);
      if (key === AT_NULL) return found;
      assert(!found.has(key), `key ${key} twice`);
      found.set(key, this.word(addr + 8));
    }
  }
}

function build(
  argv: string[],
  envp: string[],
  options: { gap?: number; values?: Partial<typeof VALUES> } = {},
): Stack {
  return initialStack(
    TOP,
    { argv, envp, execfn: "./prog" },
    { ...VALUES, ...options.values },
    RANDOM,
    options.gap ?? 0,
  );
}

Deno.test("initialStack() lays out arguments, environment and vector", () => {
  const stack = build(["prog", "", "a b"], ["PATH=/bin", "X=\xff"]);
  const reader = new Reader(stack);
  assertEquals(reader.word(stack.sp), 3);
  const [argv, envpAt] = reader.strings(stack.sp + 8);
  assertEquals(argv, ["prog", "", "a b"]);
  const [envp, auxvAt] = reader.strings(envpAt);
  assertEquals(envp, ["PATH=/bin", "X=\xff"]);
  const auxv = reader.auxv(auxvAt);
  assertEquals(auxv.get(AT_PHDR), VALUES.phdr);
  assertEquals(auxv.get(AT_HWCAP), 0xbfebfbff);
  assertEquals(auxv.get(AT_SECURE), 1);
  assertEquals(auxv.get(AT_SYSINFO_EHDR), VALUES.vdso);
  assertEquals(reader.string(auxv.get(AT_EXECFN) ?? 0), "./prog");
  assertEquals(reader.string(auxv.get(AT_PLATFORM) ?? 0), "x86_64");
  const randomAt = (auxv.get(AT_RANDOM) ?? 0) - stack.sp;
  assertEquals(stack.bytes.slice(randomAt, randomAt + 16), RANDOM);
  const own = stack.bytes.slice(auxvAt - stack.sp);
  assertEquals(own.slice(0, stack.auxv.length), stack.auxv);
});

Deno.test("initialStack() aligns sp to 16 bytes whatever the lengths and gap", () => {
  for (let args = 0; args < 5; args++) {
    for (let gap = 0; gap < 40; gap++) {
      const argv = Array.from({ length: args }, (_, i) => "x".repeat(i * gap));
      const stack = build(argv, ["E=1"], { gap });
      assertEquals(stack.sp % 16, 0);
      assertEquals(stack.sp + stack.bytes.length, TOP);
      assertEquals(new Reader(stack).word(stack.sp), Math.max(args, 1));
    }
  }
});

Deno.test("initialStack() ends in eight zero bytes, strings below", () => {
  const stack = build(["a", "bc"], ["E=1"]);
  assertEquals(stack.bytes.slice(-8), new Uint8Array(8));
  const area = (from: number, to: number) =>
    String.fromCharCode(
      ...stack.bytes.subarray(from - stack.sp, to - stack.sp),
    );
  assertEquals(area(stack.argStart, stack.argEnd), "a\0bc\0");
  assertEquals(area(stack.envStart, stack.envEnd), "E=1\0");
  assertEquals(stack.argEnd, stack.envStart);
  assertEquals(area(stack.envEnd, TOP - 8), "./prog\0");
});

Deno.test("initialStack() gives an empty argv one empty string", () => {
  const stack = build([], ["E=1"]);
  const [argv, envpAt] = new Reader(stack).strings(stack.sp + 8);
  assertEquals(argv, [""]);
  assertEquals(new Reader(stack).strings(envpAt)[0], ["E=1"]);
});

Deno.test("initialStack() leaves AT_SYSINFO_EHDR out without a vDSO", () => {
  const stack = build(["a"], [], { values: { vdso: 0 } });
  const auxv = new Reader(stack).auxv(stack.sp + 8 + 16 + 8);
  assert(!auxv.has(AT_SYSINFO_EHDR));
});

Deno.test("checkArguments() bounds a single string with its NUL", () => {
  const args = (length: number) => ({
    argv: ["a".repeat(length)],
    envp: [],
    execfn: "x",
  });
  assertStrictEquals(checkArguments(args(131071), 8 << 20), null);
  assertStrictEquals(checkArguments(args(131072), 8 << 20), E2BIG);
});

Deno.test("checkArguments() bounds the sum by a quarter of the stack", () => {
  const args = (count: number) => ({
    argv: Array.from({ length: count }, () => "a".repeat(99_991)),
    envp: [],
    execfn: "x",
  });
  assertStrictEquals(checkArguments(args(20), 8 << 20), null);
  assertStrictEquals(checkArguments(args(21), 8 << 20), E2BIG);
  // Never below ARG_MAX, never above 6 MiB.
  assertStrictEquals(checkArguments(args(1), 0), null);
  assertStrictEquals(checkArguments(args(2), 0), E2BIG);
  assertStrictEquals(checkArguments(args(62), Infinity), null);
  assertStrictEquals(checkArguments(args(63), Infinity), E2BIG);
});

Deno.test("checkArguments() counts the pointers of empty strings", () => {
  const envp = Array.from({ length: 240_000 }, () => "");
  const args = { argv: ["a"], envp, execfn: "x" };
  assertStrictEquals(checkArguments(args, 8 << 20), E2BIG);
});
