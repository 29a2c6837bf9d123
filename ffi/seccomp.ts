/**
 * Seccomp filters from data: an allow-list of system calls, each with its
 * reason, compiled to the BPF that the host kernel runs, and installed on all
 * threads. Source: seccomp(2), linux/filter.h.
 * @module
 */

import { cString, must, nativePath } from "./library.ts";

/**
 * A condition on an argument, by its index 0..5. Values are compared as
 * unsigned; of `width` 32 only the low word counts, which is right for `int`
 * arguments and wrong for addresses and sizes. Default: 64.
 */
export type ArgCondition =
  & { readonly arg: number; readonly width?: 32 | 64 }
  & (
    | { readonly eq: number }
    | { readonly oneOf: readonly number[] }
    | { readonly atMost: number }
    | { readonly mask: number; readonly masked: number }
  );

/** A system call that the process may make. */
export interface SyscallRule {
  readonly name: string;
  /** Who needs it and for what. */
  readonly reason: string;
  /** All must hold. Rules of the same name are alternatives: those with
   * conditions are tried first, in their order. */
  readonly when?: readonly ArgCondition[];
  /**
   * The call is not allowed but fails with this errno: for one that a library
   * tries on its own and can do without. Default: it is allowed.
   */
  readonly errno?: number;
}

/** What happens to any other call. `trap` and errno are for tests. */
export type FilterDefault = "kill" | "trap" | { readonly errno: number };

/** What a filter is compiled for. */
export interface FilterTarget {
  /** AUDIT_ARCH_* of the host. */
  readonly arch: number;
  /** Number of a system call; throws for a name it does not know. */
  numberOf(name: string): number;
}

// linux/bpf_common.h
const LD_W_ABS = 0x20;
const JMP_JA = 0x05;
const JMP_JEQ = 0x15;
const JMP_JGT = 0x25;
const ALU_AND = 0x54;
const RET = 0x06;
const INSTRUCTION_BYTES = 8;
const MAX_INSTRUCTIONS = 4096;

// struct seccomp_data
const DATA_NR = 0;
const DATA_ARCH = 4;
const DATA_ARGS = 16;

// linux/seccomp.h
const RET_KILL_PROCESS = 0x80000000;
const RET_TRAP = 0x00030000;
const RET_ERRNO = 0x00050000;
const RET_ALLOW = 0x7fff0000;

interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const statement = (code: number, k: number): Instruction => ({
  code,
  jt: 0,
  jf: 0,
  k: k >>> 0,
});
const jump = (
  code: number,
  k: number,
  jt: number,
  jf: number,
): Instruction => ({ code, jt, jf, k: k >>> 0 });

/** Jump here means: this alternative does not match. Resolved by close(). */
const FAIL = -1;

/**
 * The filter as an array of struct sock_filter. Rules are tried in the order
 * given: put the calls of the hot path first. Throws a RangeError for a
 * condition that cannot be, and for a filter that the kernel would not take.
 */
export function compileFilter(
  rules: readonly SyscallRule[],
  target: FilterTarget,
  otherwise: FilterDefault = "kill",
): Uint8Array<ArrayBuffer> {
  const refuse = statement(RET, returnOf(otherwise));
  const program = [
    statement(LD_W_ABS, DATA_ARCH),
    // Another ABI has other numbers: never let it through.
    jump(JMP_JEQ, target.arch, 1, 0),
    statement(RET, RET_KILL_PROCESS),
    statement(LD_W_ABS, DATA_NR),
  ];
  for (const [name, alternatives] of groupByName(rules)) {
    const number = target.numberOf(name);
    const fallback = answerToRest(alternatives) ?? refuse;
    const block = alternatives.filter((rule) => !isUnconditional(rule))
      .flatMap((rule) =>
        combinations(rule.when ?? []).flatMap((conditions) =>
          compileAlternative(conditions, answerOf(rule))
        )
      );
    if (block.length === 0) {
      program.push(jump(JMP_JEQ, number, 0, 1), fallback);
      continue;
    }
    // A jump over the block may be longer than a conditional one can be.
    program.push(
      jump(JMP_JEQ, number, 1, 0),
      statement(JMP_JA, block.length + 1),
      ...block,
      fallback,
    );
  }
  program.push(refuse);
  if (program.length > MAX_INSTRUCTIONS) {
    throw new RangeError(`Filter of ${program.length} instructions`);
  }
  return encode(program);
}

function isUnconditional(rule: SyscallRule): boolean {
  return rule.when === undefined || rule.when.length === 0;
}

/** The answer to what meets no condition: of the rules without one, that which
 * allows, else that which has an errno. */
function answerToRest(rules: readonly SyscallRule[]): Instruction | undefined {
  const rest = rules.filter((rule) => isUnconditional(rule));
  const rule = rest.find(({ errno }) => errno === undefined) ?? rest[0];
  return rule === undefined ? undefined : answerOf(rule);
}

function answerOf(rule: SyscallRule): Instruction {
  const { errno } = rule;
  return statement(RET, errno === undefined ? RET_ALLOW : returnOf({ errno }));
}

function groupByName(
  rules: readonly SyscallRule[],
): Map<string, readonly SyscallRule[]> {
  const groups = new Map<string, SyscallRule[]>();
  for (const rule of rules) {
    const group = groups.get(rule.name);
    if (group === undefined) groups.set(rule.name, [rule]);
    else group.push(rule);
  }
  return groups;
}

/** Conditions without `oneOf`: every way of choosing a value for each. */
function combinations(
  conditions: readonly ArgCondition[],
): (readonly ArgCondition[])[] {
  let result: (readonly ArgCondition[])[] = [[]];
  for (const condition of conditions) {
    const choices: readonly ArgCondition[] = "oneOf" in condition
      ? condition.oneOf.map((eq) => ({
        arg: condition.arg,
        width: condition.width ?? 64,
        eq,
      }))
      : [condition];
    result = result.flatMap((chosen) =>
      choices.map((choice) => [...chosen, choice])
    );
  }
  return result;
}

/** Answers if all hold, else goes on behind the last instruction. */
function compileAlternative(
  conditions: readonly ArgCondition[],
  answer: Instruction,
): Instruction[] {
  const code = conditions.flatMap((condition) => compileCondition(condition));
  code.push(answer);
  return code.map((instruction, index) => {
    const resolve = (to: number) => to === FAIL ? code.length - index - 1 : to;
    const jt = resolve(instruction.jt);
    const jf = resolve(instruction.jf);
    if (jt > 255 || jf > 255) throw new RangeError("Too many conditions");
    return { ...instruction, jt, jf };
  });
}

function compileCondition(condition: ArgCondition): Instruction[] {
  const { arg, width = 64 } = condition;
  if (!Number.isInteger(arg) || arg < 0 || arg > 5) {
    throw new RangeError(`System calls have no argument ${arg}`);
  }
  const low = DATA_ARGS + 8 * arg; // both machines are little-endian
  const high = low + 4;
  if ("atMost" in condition) {
    const [lo, hi] = words(condition.atMost, width);
    const lowTest = [
      statement(LD_W_ABS, low),
      jump(JMP_JGT, lo, FAIL, 0),
    ];
    if (width === 32) return lowTest;
    return [
      statement(LD_W_ABS, high),
      jump(JMP_JGT, hi, FAIL, 0),
      jump(JMP_JEQ, hi, 0, lowTest.length), // below: the low word is free
      ...lowTest,
    ];
  }
  const isMasked = "mask" in condition;
  const [lo, hi] = words(
    isMasked ? condition.masked : valueOf(condition),
    width,
  );
  const [maskLo, maskHi] = isMasked
    ? words(condition.mask, width)
    : [0xffffffff, 0xffffffff];
  const test = (offset: number, mask: number, value: number) => {
    if ((value & ~mask) !== 0) {
      throw new RangeError(`Masked value of argument ${arg} exceeds its mask`);
    }
    if (mask === 0) return [];
    return [
      statement(LD_W_ABS, offset),
      ...(mask === 0xffffffff ? [] : [statement(ALU_AND, mask)]),
      jump(JMP_JEQ, value, 0, FAIL),
    ];
  };
  const lowTest = test(low, maskLo, lo);
  return width === 32 ? lowTest : [...test(high, maskHi, hi), ...lowTest];
}

function valueOf(condition: ArgCondition): number {
  if ("eq" in condition) return condition.eq;
  throw new RangeError(`Argument ${condition.arg} has no condition`);
}

/** Low and high word. A negative value is an `int`: of width 32 only. */
function words(value: number, width: 32 | 64): readonly [number, number] {
  const isInt = width === 32 && value >= -0x80000000 && value <= 0xffffffff;
  if (!Number.isSafeInteger(value) || (value < 0 && !isInt)) {
    throw new RangeError(`Not a value for an argument: ${value}`);
  }
  if (width === 32) {
    if (!isInt) throw new RangeError(`Wider than 32 bits: ${value}`);
    return [value >>> 0, 0];
  }
  return [value >>> 0, Math.floor(value / 2 ** 32)];
}

function returnOf(action: FilterDefault): number {
  if (action === "kill") return RET_KILL_PROCESS;
  if (action === "trap") return RET_TRAP;
  return RET_ERRNO | action.errno & 0xffff;
}

function encode(program: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, jt, jf, k }, index) => {
    const at = index * INSTRUCTION_BYTES;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, jt);
    view.setUint8(at + 3, jf);
    view.setUint32(at + 4, k, true);
  });
  return bytes;
}

const SYMBOLS = {
  host_seccomp_number: { parameters: ["buffer"], result: "i32" },
  host_seccomp_arch: { parameters: [], result: "u32" },
  host_seccomp_install: { parameters: ["buffer", "f64"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The host's seccomp: what filters are compiled for and installed by. */
export class Seccomp implements FilterTarget, Disposable {
  readonly arch: number;
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #calls: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

  constructor(path = nativePath("libhost.so")) {
    this.#library = Deno.dlopen(path, SYMBOLS);
    this.#calls = this.#library.symbols;
    this.arch = this.#calls.host_seccomp_arch();
  }

  /** Throws for a name that native/seccomp_calls.h does not list. */
  numberOf(name: string): number {
    const number = this.#calls.host_seccomp_number(cString(name));
    if (number < 0) throw new RangeError(`Unknown system call: ${name}`);
    return number;
  }

  /**
   * Puts every thread under the filter, for good. Throws a HostError; ESRCH: a
   * thread has a filter that the others have not.
   */
  install(program: Uint8Array<ArrayBuffer>): void {
    must(
      "seccomp",
      this.#calls.host_seccomp_install(program, program.length),
    );
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}
