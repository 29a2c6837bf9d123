/**
 * How a system call is defined, decoded and named. One defineSyscall() gives
 * name, support level and argument kinds; the kinds drive decoding, strace and
 * the printed support table (`runsc help syscalls`).
 *
 * Decoding is lazy and allocates nothing: each definition owns one arguments
 * object whose getters read the current frame, so a handler takes what it
 * needs by destructuring, once, in its parameter list. The frame is the
 * kernel's copy of the registers: a guest cannot change it underneath.
 * @module
 */
import type { Errno } from "../abi/errno.ts";
import type { Task } from "../task/task.ts";
import type { Blocked, Unchanged } from "../task/task_block.ts";

/** Value for rax, an error, "run me again later", or "registers are set". */
export type SysResult = number | Errno | Blocked | Unchanged;

/**
 * Argument kinds. All decode to a number:
 * int-like (low 32 bits, signed): int fd dirfd flags oflags signo pid clockid
 * unsigned 32 bits: uint mode uid gid mask
 * 64 bits as a double (exact below 2^53): addr path buf size ulong
 * signed 64 bits as a double: off long
 * The finer names tell strace how to print.
 */
export type ArgKind =
  | "int"
  | "fd"
  | "dirfd"
  | "flags"
  | "oflags"
  | "signo"
  | "pid"
  | "clockid"
  | "uint"
  | "mode"
  | "uid"
  | "gid"
  | "addr"
  | "path"
  | "buf"
  | "size"
  | "ulong"
  | "off"
  | "long";

/** How much of the call is there; `partial` says what is missing. */
export type Support = "full" | { readonly partial: string };

export type ArgKinds = Readonly<Record<string, ArgKind>>;

export interface SyscallDefinition {
  readonly name: string;
  readonly support: Support;
  readonly argNames: readonly string[];
  readonly argKinds: readonly ArgKind[];
  /** Runs the handler with the arguments of the current frame. */
  readonly invoke: (task: Task) => SysResult;
}

/** Low and high words of the six arguments: a0lo a0hi a1lo ... */
let frame = new Uint32Array(12);

/** Makes `words` (12 entries) what argument getters read. */
export function setFrame(words: Uint32Array<ArrayBuffer>): void {
  frame = words;
}

/** Argument `index` of the current frame as the kind says. */
export function decodeArgument(kind: ArgKind, index: number): number {
  const low = frame[2 * index]!;
  switch (kind) {
    case "int":
    case "fd":
    case "dirfd":
    case "flags":
    case "oflags":
    case "signo":
    case "pid":
    case "clockid":
      return low | 0;
    case "uint":
    case "mode":
    case "uid":
    case "gid":
      return low;
    case "addr":
    case "path":
    case "buf":
    case "size":
    case "ulong":
      return frame[2 * index + 1]! * 4294967296 + low;
    case "off":
    case "long":
      return (frame[2 * index + 1]! | 0) * 4294967296 + low;
  }
}

/** A getter specialised per kind, so that each stays monomorphic. */
function getter(kind: ArgKind, index: number): () => number {
  const lowAt = 2 * index;
  const highAt = lowAt + 1;
  switch (kind) {
    case "uint":
    case "mode":
    case "uid":
    case "gid":
      return () => frame[lowAt]!;
    case "addr":
    case "path":
    case "buf":
    case "size":
    case "ulong":
      return () => frame[highAt]! * 4294967296 + frame[lowAt]!;
    case "off":
    case "long":
      return () => (frame[highAt]! | 0) * 4294967296 + frame[lowAt]!;
    default:
      return () => frame[lowAt]! | 0;
  }
}

/**
 * Declares a system call. `args` are in register order; `run` destructures the
 * ones it needs.
 */
export function defineSyscall<const A extends ArgKinds>(definition: {
  readonly name: string;
  readonly support: Support;
  readonly args: A;
  readonly run: (
    task: Task,
    args: { readonly [K in keyof A]: number },
  ) => SysResult;
}): SyscallDefinition {
  const argNames = Object.keys(definition.args);
  const argKinds = Object.values(definition.args);
  const descriptors: PropertyDescriptorMap = {};
  for (const [index, name] of argNames.entries()) {
    descriptors[name] = { get: getter(argKinds[index]!, index) };
  }
  // The getters define exactly the properties that the type promises.
  const args = Object.create(null, descriptors) as {
    readonly [K in keyof A]: number;
  };
  const run = definition.run;
  return {
    name: definition.name,
    support: definition.support,
    argNames,
    argKinds,
    invoke: (task) => run(task, args),
  };
}

/**
 * Notes that a guest asked for something we do not have: counted per call and
 * branch, in debug logs once. The handler then returns the errno that an old
 * kernel would give.
 */
export function unimplemented(task: Task, what: string): void {
  task.kernel.noteUnimplemented(task, what);
}
