/**
 * The filter compiler: its programs are run by a small BPF interpreter and
 * compared with what the rules say. That the host takes them, and stops what
 * they do not list, is shown by tests/ffi/confinement_test.ts.
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { DENO_CALLS, HOST_FILE_CALLS, REACTOR_CALLS } from "./host_calls.ts";
import {
  type ArgCondition,
  compileFilter,
  Seccomp,
  type SyscallRule,
} from "./seccomp.ts";

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const ARCH = 0xc000003e;
const NUMBERS: Record<string, number> = { read: 0, write: 1, mmap: 9 };
const TARGET = {
  arch: ARCH,
  numberOf(name: string): number {
    const number = NUMBERS[name];
    if (number === undefined) throw new RangeError(name);
    return number;
  },
};

/** Classic BPF, as far as seccomp filters of ours go. */
function run(
  program: Uint8Array,
  call: { nr: number; arch?: number; args?: readonly bigint[] },
): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.nr, true);
  data.setUint32(4, call.arch ?? ARCH, true);
  call.args?.forEach((arg, i) => data.setBigUint64(16 + 8 * i, arg, true));
  const code = new DataView(program.buffer);
  let a = 0;
  for (let pc = 0;;) {
    const op = code.getUint16(pc * 8, true);
    const jt = code.getUint8(pc * 8 + 2);
    const jf = code.getUint8(pc * 8 + 3);
    const k = code.getUint32(pc * 8 + 4, true);
    pc++;
    if (op === 0x20) a = data.getUint32(k, true);
    else if (op === 0x05) pc += k;
    else if (op === 0x15) pc += a === k ? jt : jf;
    else if (op === 0x25) pc += a > k ? jt : jf;
    else if (op === 0x54) a = (a & k) >>> 0;
    else if (op === 0x06) return k;
    else throw new Error(`Unknown instruction ${op}`);
  }
}

const rule = (name: string, ...when: ArgCondition[]): SyscallRule => ({
  name,
  reason: "test",
  when,
});

Deno.test("compileFilter() allows what is listed and nothing else", () => {
  const program = compileFilter([rule("read"), rule("mmap")], TARGET);
  assertEquals(run(program, { nr: 0 }), ALLOW);
  assertEquals(run(program, { nr: 9 }), ALLOW);
  assertEquals(run(program, { nr: 1 }), KILL);
  assertEquals(run(program, { nr: 0x40000000 }), KILL); // x32
  assertEquals(run(program, { nr: 0xffffffff }), KILL);
});

Deno.test("compileFilter() kills calls of another ABI whatever the default", () => {
  const program = compileFilter([rule("read")], TARGET, { errno: 1 });
  assertEquals(run(program, { nr: 1 }), 0x00050001);
  assertEquals(run(program, { nr: 0, arch: 0x40000003 }), KILL);
});

Deno.test("compileFilter() tests whole 64-bit arguments unless told not to", () => {
  const wide = compileFilter([rule("read", { arg: 2, eq: 5 })], TARGET);
  const narrow = compileFilter(
    [rule("read", { arg: 2, width: 32, eq: 5 })],
    TARGET,
  );
  const args = (value: bigint) => ({ nr: 0, args: [0n, 0n, value] });
  assertEquals(run(wide, args(5n)), ALLOW);
  assertEquals(run(wide, args(5n | 1n << 32n)), KILL);
  assertEquals(run(narrow, args(5n | 1n << 32n)), ALLOW);
  assertEquals(run(narrow, args(4n)), KILL);
  const minusOne = compileFilter(
    [rule("read", { arg: 0, width: 32, eq: -1 })],
    TARGET,
  );
  assertEquals(run(minusOne, { nr: 0, args: [0xffffffffn] }), ALLOW);
});

Deno.test("compileFilter() bounds and masks at the edges of the words", () => {
  const most = compileFilter(
    [rule("read", { arg: 0, atMost: 2 ** 33 + 7 })],
    TARGET,
  );
  const edge = (1n << 33n) + 7n;
  const at = (value: bigint) => run(most, { nr: 0, args: [value] });
  for (const value of [0n, 0xffffffffn, 1n << 33n, edge]) {
    assertEquals(at(value), ALLOW, `${value}`);
  }
  for (const value of [edge + 1n, 3n << 32n, 1n << 63n]) {
    assertEquals(at(value), KILL, `${value}`);
  }
  const masked = compileFilter(
    [rule("mmap", { arg: 3, mask: 0x30, masked: 0x20 })],
    TARGET,
  );
  const flags = (value: bigint) =>
    run(masked, { nr: 9, args: [0n, 0n, 0n, value] });
  assertEquals(flags(0x22n), ALLOW);
  assertEquals(flags(0x2fn | 1n << 40n), ALLOW);
  assertEquals(flags(0x32n), KILL);
  assertEquals(flags(0x02n), KILL);
});

Deno.test("compileFilter() takes conditions together, rules as alternatives", () => {
  const program = compileFilter([
    rule("read", { arg: 0, oneOf: [3, 4] }, { arg: 1, atMost: 10 }),
    rule("read", { arg: 0, eq: 9 }),
    rule("write"),
  ], TARGET);
  const at = (fd: bigint, n: bigint) => run(program, { nr: 0, args: [fd, n] });
  assertEquals(at(3n, 10n), ALLOW);
  assertEquals(at(4n, 0n), ALLOW);
  assertEquals(at(4n, 11n), KILL);
  assertEquals(at(5n, 1n), KILL);
  assertEquals(at(9n, 1000n), ALLOW);
  assertEquals(run(program, { nr: 1 }), ALLOW);
});

Deno.test("compileFilter() refuses a call with the errno of its rule", () => {
  const program = compileFilter([
    { name: "read", reason: "test", errno: 2 },
    { name: "write", reason: "test", errno: 13, when: [{ arg: 0, eq: 1 }] },
    rule("write", { arg: 0, eq: 2 }),
  ], TARGET);
  assertEquals(run(program, { nr: 0 }), 0x00050002);
  assertEquals(run(program, { nr: 1, args: [1n] }), 0x0005000d);
  assertEquals(run(program, { nr: 1, args: [2n] }), ALLOW);
  assertEquals(run(program, { nr: 1, args: [3n] }), KILL);
  const mixed = compileFilter([
    { name: "read", reason: "test", errno: 2 },
    rule("read", { arg: 0, eq: 5 }),
  ], TARGET);
  assertEquals(run(mixed, { nr: 0, args: [5n] }), ALLOW);
  assertEquals(run(mixed, { nr: 0, args: [6n] }), 0x00050002);
});

Deno.test("compileFilter() agrees with its conditions on random calls", () => {
  const seed = Date.now() >>> 0;
  let state = seed;
  const random = (bound: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * bound);
  };
  const pick = (): number =>
    [0, 1, 7, 0xffffffff, 2 ** 32, 2 ** 40][random(6)]!;
  const condition = (): ArgCondition => {
    const arg = random(3);
    const value = pick();
    const kind = random(4);
    if (kind === 0) return { arg, eq: value };
    if (kind === 1) return { arg, oneOf: [value, pick()] };
    if (kind === 2) return { arg, atMost: value };
    return { arg, mask: value, masked: random(2) === 0 ? 0 : value };
  };
  const holds = (c: ArgCondition, args: readonly bigint[]): boolean => {
    const value = args[c.arg]!;
    if ("eq" in c) return value === BigInt(c.eq);
    if ("oneOf" in c) return c.oneOf.some((v) => value === BigInt(v));
    if ("atMost" in c) return value <= BigInt(c.atMost);
    return (value & BigInt(c.mask)) === BigInt(c.masked);
  };
  for (let round = 0; round < 2000; round++) {
    const rules = Array.from(
      { length: 1 + random(3) },
      () => rule("read", ...Array.from({ length: 1 + random(2) }, condition)),
    );
    const program = compileFilter(rules, TARGET);
    const args = [0, 1, 2].map(() => BigInt(pick()) + BigInt(random(2)));
    const expected = rules.some((r) => r.when!.every((c) => holds(c, args)));
    assertEquals(
      run(program, { nr: 0, args }),
      expected ? ALLOW : KILL,
      `seed ${seed} round ${round}: ${JSON.stringify(rules)} ${args}`,
    );
  }
});

Deno.test("compileFilter() refuses what it cannot express", () => {
  const compile = (...when: ArgCondition[]) => () =>
    compileFilter([rule("read", ...when)], TARGET);
  assertThrows(compile({ arg: 6, eq: 0 }), RangeError);
  assertThrows(compile({ arg: 0, eq: -1 }), RangeError);
  assertThrows(compile({ arg: 0, eq: 2 ** 60 }), RangeError);
  assertThrows(compile({ arg: 0, width: 32, eq: 2 ** 32 }), RangeError);
  assertThrows(compile({ arg: 0, mask: 1, masked: 2 }), RangeError);
  assertThrows(() => compileFilter([rule("nonesuch")], TARGET), RangeError);
});

Deno.test("Seccomp knows the numbers of all calls in our lists", () => {
  using seccomp = new Seccomp();
  for (
    const { name } of [...DENO_CALLS, ...HOST_FILE_CALLS, ...REACTOR_CALLS]
  ) {
    seccomp.numberOf(name);
  }
  assertThrows(() => seccomp.numberOf("nonesuch"), RangeError, "nonesuch");
});
