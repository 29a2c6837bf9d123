/**
 * `#!` lines: which interpreter runs a script, and with which argument.
 * Follows fs/binfmt_script.c to the byte; see "Interpreter scripts" in
 * execve(2).
 * @module
 */
import { ENOEXEC, type Errno } from "../abi/errno.ts";
import { BINPRM_BUF_SIZE } from "../abi/limits.ts";
import type { ByteString } from "../mm/user_memory.ts";

/** What a `#!` line asks for. */
export interface ScriptLine {
  readonly interpreter: ByteString;
  /** All that follows the interpreter, as one argument; null if nothing. */
  readonly argument: ByteString | null;
}

const NUL = 0;
const TAB = 0x09;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const HASH = 0x23;
const BANG = 0x21;

/** Whether the file claims to be a script. */
export function isScript(head: Uint8Array): boolean {
  return head[0] === HASH && head[1] === BANG;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}

/** Index of the first byte in [from, last] that is no blank, or -1. */
function nextNonBlank(line: Uint8Array, from: number, last: number): number {
  for (let i = from; i <= last; i++) if (!isBlank(line[i])) return i;
  return -1;
}

/** Index of the first blank or NUL in [from, last], or -1. */
function nextTerminator(line: Uint8Array, from: number, last: number): number {
  for (let i = from; i <= last; i++) {
    if (isBlank(line[i]) || line[i] === NUL) return i;
  }
  return -1;
}

/** The C string in [from, end). */
function text(line: Uint8Array, from: number, end: number): ByteString {
  let result = "";
  for (let i = from; i < end && line[i] !== NUL; i++) {
    result += String.fromCharCode(line[i]!);
  }
  return result;
}

/**
 * Parses the first bytes of a file, at most BINPRM_BUF_SIZE of which count.
 * ENOEXEC: not a script, no interpreter, or its path may be cut off.
 */
export function parseScript(head: Uint8Array): ScriptLine | Errno {
  if (!isScript(head)) return ENOEXEC;
  // What the file doesn't have reads as NUL.
  const line = new Uint8Array(BINPRM_BUF_SIZE);
  line.set(head.subarray(0, BINPRM_BUF_SIZE));
  const last = BINPRM_BUF_SIZE - 1;

  let end = lineEnd(line);
  if (end < 0) {
    const name = nextNonBlank(line, 2, last);
    if (name < 0) return ENOEXEC;
    // An unterminated name that fills the buffer might go on in the file. An
    // argument may be cut; a path may not.
    if (nextTerminator(line, name, last) < 0) return ENOEXEC;
    end = last;
  }
  while (isBlank(line[end - 1])) end--;

  const name = nextNonBlank(line, 2, end);
  if (name < 0 || name === end) return ENOEXEC;
  const separator = nextTerminator(line, name, end);
  let argument = -1;
  if (separator >= 0 && line[separator] !== NUL) {
    argument = nextNonBlank(line, separator, end);
  }
  return {
    interpreter: text(line, name, separator < 0 ? end : separator),
    argument: argument < 0 ? null : text(line, argument, end),
  };
}

/** Index of the newline; a NUL before it ends the search, as in strnchr. */
function lineEnd(line: Uint8Array): number {
  for (let i = 0; i < line.length; i++) {
    if (line[i] === NEWLINE) return i;
    if (line[i] === NUL) return -1;
  }
  return -1;
}

/**
 * The argument vector that the interpreter gets: its name, the argument, the
 * script's path, and the caller's arguments without their first.
 */
export function scriptArguments(
  script: ScriptLine,
  path: ByteString,
  argv: readonly ByteString[],
): ByteString[] {
  const head = script.argument === null
    ? [script.interpreter]
    : [script.interpreter, script.argument];
  return [...head, path, ...argv.slice(1)];
}
