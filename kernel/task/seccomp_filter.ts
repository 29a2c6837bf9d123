/**
 * Filters of seccomp(2): classic BPF over struct seccomp_data, checked when
 * installed so that a run needs no checks. Source: seccomp(2), BPF(4).
 * @module
 */
import { EINVAL, type Errno } from "../abi/errno.ts";
import * as bpf from "../abi/seccomp.ts";

/** Operations that a filter may use, by code; jumps and the rest apart. */
const PLAIN: ReadonlySet<number> = new Set([
  bpf.BPF_LD | bpf.BPF_W | bpf.BPF_LEN,
  bpf.BPF_LDX | bpf.BPF_W | bpf.BPF_LEN,
  bpf.BPF_LD | bpf.BPF_IMM,
  bpf.BPF_LDX | bpf.BPF_IMM,
  bpf.BPF_MISC | bpf.BPF_TAX,
  bpf.BPF_MISC | bpf.BPF_TXA,
  bpf.BPF_RET | bpf.BPF_K,
  bpf.BPF_RET | bpf.BPF_A,
  bpf.BPF_ALU | bpf.BPF_NEG,
]);
const LOAD = bpf.BPF_LD | bpf.BPF_W | bpf.BPF_ABS;
const MEMORY: ReadonlySet<number> = new Set([
  bpf.BPF_LD | bpf.BPF_MEM,
  bpf.BPF_LDX | bpf.BPF_MEM,
  bpf.BPF_ST,
  bpf.BPF_STX,
]);
const ARITHMETIC: ReadonlySet<number> = new Set([
  bpf.BPF_ADD,
  bpf.BPF_SUB,
  bpf.BPF_MUL,
  bpf.BPF_DIV,
  bpf.BPF_AND,
  bpf.BPF_OR,
  bpf.BPF_XOR,
  bpf.BPF_LSH,
  bpf.BPF_RSH,
]);

/** Words per instruction: code, jt, jf, k. */
const WIDTH = 4;

export class SeccompFilter {
  readonly #code: Uint32Array;
  readonly #memory = new Uint32Array(bpf.BPF_MEMWORDS);
  /** Instructions of this filter and all before it, as Linux counts them. */
  readonly totalLength: number;

  constructor(
    code: Uint32Array,
    /** The filter that was there before; it runs too. */
    readonly previous: SeccompFilter | null,
    readonly isLogged: boolean,
  ) {
    this.#code = code;
    this.totalLength = code.length / WIDTH + 4 + (previous?.totalLength ?? 0);
  }

  /** Whether `older` is this filter or one below it. */
  descendsFrom(older: SeccompFilter | null): boolean {
    if (older === null || older === this) return true;
    return this.previous?.descendsFrom(older) ?? false;
  }

  /** The word that the most severe of all filters returns; `data`: struct
   * seccomp_data as 16 words. */
  run(data: Uint32Array): number {
    let result = this.#execute(data);
    for (let at = this.previous; at !== null; at = at.previous) {
      const other = at.#execute(data);
      if (severity(other) < severity(result)) result = other;
    }
    return result;
  }

  #execute(data: Uint32Array): number {
    const code = this.#code;
    const memory = this.#memory.fill(0);
    let a = 0;
    let x = 0;
    for (let at = 0;; at += WIDTH) {
      const op = code[at]!;
      const k = code[at + 3]!;
      switch (op & 7) {
        case bpf.BPF_LD:
          if (op === LOAD) a = data[k >>> 2]!;
          else if ((op & 0xe0) === bpf.BPF_MEM) a = memory[k]!;
          else a = (op & 0xe0) === bpf.BPF_LEN ? bpf.SECCOMP_DATA_SIZE : k;
          break;
        case bpf.BPF_LDX:
          if ((op & 0xe0) === bpf.BPF_MEM) x = memory[k]!;
          else x = (op & 0xe0) === bpf.BPF_LEN ? bpf.SECCOMP_DATA_SIZE : k;
          break;
        case bpf.BPF_ST:
          memory[k] = a;
          break;
        case bpf.BPF_STX:
          memory[k] = x;
          break;
        case bpf.BPF_ALU: {
          const operand = (op & bpf.BPF_X) !== 0 ? x : k;
          // Division by a zero in X ends the filter: kill.
          if ((op & 0xf0) === bpf.BPF_DIV && operand === 0) return 0;
          a = compute(op & 0xf0, a, operand);
          break;
        }
        case bpf.BPF_JMP: {
          if ((op & 0xf0) === bpf.BPF_JA) {
            at += k * WIDTH;
            break;
          }
          const operand = (op & bpf.BPF_X) !== 0 ? x : k;
          const holds = compare(op & 0xf0, a, operand);
          at += (holds ? code[at + 1]! : code[at + 2]!) * WIDTH;
          break;
        }
        case bpf.BPF_RET:
          return (op & 0x18) === bpf.BPF_A ? a : k;
        default:
          if ((op & 0xf8) === bpf.BPF_TXA) a = x;
          else x = a;
      }
    }
  }
}

/** Actions compare as signed words: KILL_PROCESS is the least. */
function severity(result: number): number {
  return (result & bpf.SECCOMP_RET_ACTION_FULL) | 0;
}

function compute(operation: number, a: number, b: number): number {
  switch (operation) {
    case bpf.BPF_ADD:
      return (a + b) >>> 0;
    case bpf.BPF_SUB:
      return (a - b) >>> 0;
    case bpf.BPF_MUL:
      return Math.imul(a, b) >>> 0;
    case bpf.BPF_DIV:
      return Math.floor(a / b);
    case bpf.BPF_AND:
      return (a & b) >>> 0;
    case bpf.BPF_OR:
      return (a | b) >>> 0;
    case bpf.BPF_XOR:
      return (a ^ b) >>> 0;
    case bpf.BPF_LSH:
      return b > 31 ? 0 : (a << b) >>> 0;
    case bpf.BPF_RSH:
      return b > 31 ? 0 : a >>> b;
    default:
      return -a >>> 0; // BPF_NEG
  }
}

function compare(condition: number, a: number, b: number): boolean {
  switch (condition) {
    case bpf.BPF_JEQ:
      return a === b;
    case bpf.BPF_JGT:
      return a > b;
    case bpf.BPF_JGE:
      return a >= b;
    default:
      return (a & b) !== 0; // BPF_JSET
  }
}

/** Parses an array of struct sock_filter. EINVAL: it is no valid filter. */
export function parseFilter(bytes: Uint8Array): Uint32Array | Errno {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = bytes.length / bpf.SOCK_FILTER_SIZE;
  const code = new Uint32Array(count * WIDTH);
  for (let i = 0; i < count; i++) {
    const at = i * bpf.SOCK_FILTER_SIZE;
    code[i * WIDTH] = view.getUint16(at, true);
    code[i * WIDTH + 1] = bytes[at + 2]!;
    code[i * WIDTH + 2] = bytes[at + 3]!;
    code[i * WIDTH + 3] = view.getUint32(at + 4, true);
  }
  for (let i = 0; i < count; i++) {
    if (!isValid(code, i, count)) return EINVAL;
  }
  const last = code[(count - 1) * WIDTH]!;
  return (last & 7) === bpf.BPF_RET ? code : EINVAL;
}

function isValid(code: Uint32Array, i: number, count: number): boolean {
  const op = code[i * WIDTH]!;
  const k = code[i * WIDTH + 3]!;
  if (PLAIN.has(op)) return true;
  if (op === LOAD) return k % 4 === 0 && k < bpf.SECCOMP_DATA_SIZE;
  if (MEMORY.has(op)) return k < bpf.BPF_MEMWORDS;
  const operation = op & 0xf0;
  if ((op & 7) === bpf.BPF_ALU && ARITHMETIC.has(operation)) {
    if ((op & ~0xff) !== 0) return false;
    if ((op & bpf.BPF_X) !== 0) return true;
    if (operation === bpf.BPF_DIV) return k !== 0;
    const isShift = operation === bpf.BPF_LSH || operation === bpf.BPF_RSH;
    return !isShift || k < 32;
  }
  if ((op & 7) !== bpf.BPF_JMP || op > 0xff) return false;
  if (op === (bpf.BPF_JMP | bpf.BPF_JA)) return i + 1 + k < count;
  if (operation < bpf.BPF_JEQ || operation > bpf.BPF_JSET) return false;
  return i + 1 + code[i * WIDTH + 1]! < count &&
    i + 1 + code[i * WIDTH + 2]! < count;
}
