/**
 * The first bytes of a new program's stack: argument and environment strings,
 * their pointers, and the auxiliary vector, in the order that Linux gives them
 * (create_elf_tables in fs/binfmt_elf.c, copy_strings in fs/exec.c).
 * Source: execve(2), getauxval(3), the x86-64 psABI, "Process Initialization".
 *
 *   top   8 zero bytes, execfn, environment, arguments
 *         random gap, platform name, 16 random bytes
 *   sp    argc, argv..., NULL, envp..., NULL, auxv..., AT_NULL
 * @module
 */
import { E2BIG, type Errno } from "../abi/errno.ts";
import {
  AT_BASE,
  AT_CLKTCK,
  AT_EGID,
  AT_ENTRY,
  AT_EUID,
  AT_EXECFN,
  AT_FLAGS,
  AT_GID,
  AT_HWCAP,
  AT_HWCAP2,
  AT_MINSIGSTKSZ,
  AT_NULL,
  AT_PAGESZ,
  AT_PHDR,
  AT_PHENT,
  AT_PHNUM,
  AT_PLATFORM,
  AT_RANDOM,
  AT_SECURE,
  AT_SYSINFO_EHDR,
  AT_UID,
} from "../abi/auxvec.ts";
import { ELF64_PHDR_SIZE } from "../abi/elf.ts";
import { ARG_MAX, MAX_ARG_STRINGS, MAX_ARG_STRLEN } from "../abi/limits.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import { USER_HZ } from "../abi/time.ts";
import type { ByteString } from "../mm/user_memory.ts";

/** Strings never use more than this, whatever the stack limit: 3/4 of 8 MiB. */
const MAX_STRINGS_BYTES = 6 << 20;
/** Random bytes that AT_RANDOM points to. */
export const AT_RANDOM_BYTES = 16;
/** The gap between strings and tables is below this (arch_align_stack). */
export const STACK_GAP_BYTES = 8192;

const POINTER = 8;
const ALIGN = 16;
const PLATFORM: ByteString = "x86_64";

/** What the caller of execve(2) gave, and the name it gave it under. */
export interface ProgramArguments {
  readonly argv: readonly ByteString[];
  readonly envp: readonly ByteString[];
  /** AT_EXECFN: the path as execve(2) got it. */
  readonly execfn: ByteString;
}

/** What the auxiliary vector says of the loaded program and its process. */
export interface AuxiliaryValues {
  readonly phdr: number;
  readonly phnum: number;
  /** Load address of the interpreter; 0 if there is none. */
  readonly base: number;
  /** The program's own entry. */
  readonly entry: number;
  /** Address of the vDSO's ELF header; 0: there is none. */
  readonly vdso: number;
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly egid: number;
  /** The program got privileges that its caller lacks. */
  readonly isSecure: boolean;
  readonly hwcap: number;
  readonly hwcap2: number;
  /** Bytes of the largest signal frame. */
  readonly minSigStackSize: number;
}

/** A stack to be written at [sp, top). */
export interface InitialStack {
  readonly bytes: Uint8Array;
  readonly sp: number;
  // Where the strings lie, for /proc/pid/cmdline and environ: [start, end).
  readonly argStart: number;
  readonly argEnd: number;
  readonly envStart: number;
  readonly envEnd: number;
  /** The auxiliary vector alone, for /proc/pid/auxv. */
  readonly auxv: Uint8Array;
}

/**
 * Whether the strings and their pointers fit. E2BIG: a string is longer than
 * MAX_ARG_STRLEN with its NUL, or together they exceed a quarter of the stack
 * limit (RLIMIT_STACK in bytes, Infinity if unlimited).
 */
export function checkArguments(
  { argv, envp, execfn }: ProgramArguments,
  stackLimit: number,
): Errno | null {
  if (argv.length > MAX_ARG_STRINGS || envp.length > MAX_ARG_STRINGS) {
    return E2BIG;
  }
  const limit = Math.max(
    ARG_MAX,
    Math.min(Math.floor(stackLimit / 4), MAX_STRINGS_BYTES),
  );
  // An empty argv gets one, empty, string: see initialStack().
  let total = (Math.max(argv.length, 1) + envp.length) * POINTER;
  total += execfn.length + 1;
  for (const strings of [argv, envp]) {
    for (const { length } of strings) {
      if (length >= MAX_ARG_STRLEN) return E2BIG;
      total += length + 1;
    }
    if (total > limit) return E2BIG;
  }
  return null;
}

/**
 * Lays out the stack below `top` (a page multiple). `random`: AT_RANDOM_BYTES
 * random bytes, which the program gets to see; `gap`: a random number below
 * STACK_GAP_BYTES. Precondition: checkArguments() had no objection.
 */
export function initialStack(
  top: number,
  { argv, envp, execfn }: ProgramArguments,
  values: AuxiliaryValues,
  random: Uint8Array,
  gap: number,
): InitialStack {
  // Programs rely on argv[0]; without one they would take envp[0] for it.
  const args = argv.length === 0 ? [""] : argv;
  const argBytes = stringBytes(args);
  const envBytes = stringBytes(envp);
  const execfnAt = top - POINTER - (execfn.length + 1);
  const envStart = execfnAt - envBytes;
  const argStart = envStart - argBytes;

  const platformAt = alignDown(argStart - gap) - (PLATFORM.length + 1);
  const randomAt = platformAt - AT_RANDOM_BYTES;
  const auxv = encodePairs(
    auxiliaryPairs(values, { execfnAt, platformAt, randomAt }),
  );
  const pointers = 1 + args.length + 1 + envp.length + 1;
  const sp = alignDown(randomAt - pointers * POINTER - auxv.length);

  const bytes = new Uint8Array(top - sp);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const word = (value: number) => {
    setU64(view, at, value);
    at += POINTER;
  };
  const table = (strings: readonly ByteString[], start: number) => {
    let address = start;
    for (const string of strings) {
      word(address);
      putString(bytes, address - sp, string);
      address += string.length + 1;
    }
    word(0);
  };
  word(args.length);
  table(args, argStart);
  table(envp, envStart);
  bytes.set(auxv, at);
  bytes.set(random.subarray(0, AT_RANDOM_BYTES), randomAt - sp);
  putString(bytes, platformAt - sp, PLATFORM);
  putString(bytes, execfnAt - sp, execfn);
  return {
    bytes,
    sp,
    argStart,
    argEnd: envStart,
    envStart,
    envEnd: execfnAt,
    auxv,
  };
}

type Pair = readonly [key: number, value: number];

/** The vector's entries in Linux's order, without the final AT_NULL. */
function auxiliaryPairs(
  values: AuxiliaryValues,
  { execfnAt, platformAt, randomAt }: Record<
    "execfnAt" | "platformAt" | "randomAt",
    number
  >,
): Pair[] {
  const vdso: Pair[] = values.vdso === 0
    ? []
    : [[AT_SYSINFO_EHDR, values.vdso]];
  return [
    ...vdso,
    [AT_MINSIGSTKSZ, values.minSigStackSize],
    [AT_HWCAP, values.hwcap],
    [AT_PAGESZ, PAGE_SIZE],
    [AT_CLKTCK, USER_HZ],
    [AT_PHDR, values.phdr],
    [AT_PHENT, ELF64_PHDR_SIZE],
    [AT_PHNUM, values.phnum],
    [AT_BASE, values.base],
    [AT_FLAGS, 0],
    [AT_ENTRY, values.entry],
    [AT_UID, values.uid],
    [AT_EUID, values.euid],
    [AT_GID, values.gid],
    [AT_EGID, values.egid],
    [AT_SECURE, values.isSecure ? 1 : 0],
    [AT_RANDOM, randomAt],
    [AT_HWCAP2, values.hwcap2],
    [AT_EXECFN, execfnAt],
    [AT_PLATFORM, platformAt],
  ];
}

function encodePairs(pairs: readonly Pair[]): Uint8Array {
  const bytes = new Uint8Array((pairs.length + 1) * 2 * POINTER);
  const view = new DataView(bytes.buffer);
  [...pairs, [AT_NULL, 0] as const].forEach(([key, value], i) => {
    setU64(view, i * 2 * POINTER, key);
    setU64(view, i * 2 * POINTER + POINTER, value);
  });
  return bytes;
}

function stringBytes(strings: readonly ByteString[]): number {
  let total = 0;
  for (const { length } of strings) total += length + 1;
  return total;
}

function putString(bytes: Uint8Array, at: number, string: ByteString): void {
  for (let i = 0; i < string.length; i++) bytes[at + i] = string.charCodeAt(i);
}

function alignDown(address: number): number {
  return Math.floor(address / ALIGN) * ALIGN;
}

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}
