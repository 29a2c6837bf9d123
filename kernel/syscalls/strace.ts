/**
 * One line per system call, as strace(1) prints it, from the argument kinds
 * of its definition.
 * @module
 */
import { isErrno } from "../abi/errno.ts";
import { SYSCALL_NAMES } from "../arch/x64/syscall_table.ts";
import { ENAMETOOLONG } from "../abi/errno.ts";
import type { Task } from "../task/task.ts";
import {
  type ArgKind,
  decodeArgument,
  type SyscallDefinition,
  type SysResult,
} from "./syscall.ts";

/** Bytes of a string that are shown. */
const SHOWN_BYTES = 64;

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** Text of a byte string with everything unprintable escaped. */
export function quoteBytes(text: string): string {
  const escaped = text.replace(
    /[^ -~]|["\\]/g,
    (char) =>
      char === '"' || char === "\\"
        ? `\\${char}`
        : char === "\n"
        ? "\\n"
        : `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `"${escaped}"`;
}

function showArgument(task: Task, kind: ArgKind, index: number): string {
  const value = decodeArgument(kind, index);
  switch (kind) {
    case "path": {
      if (value === 0) return "NULL";
      const text = task.memory.readString(value, 4096, ENAMETOOLONG);
      return isErrno(text) ? hex(value) : quoteBytes(text);
    }
    case "addr":
    case "buf":
      return value === 0 ? "NULL" : hex(value);
    case "mode":
      return `0${value.toString(8)}`;
    case "flags":
    case "oflags":
      return hex(value >>> 0);
    case "dirfd":
      return value === -100 ? "AT_FDCWD" : String(value);
    default:
      return String(value);
  }
}

/** Text of the arguments at the entry of a call. */
export function showCall(
  task: Task,
  number: number,
  definition: SyscallDefinition | undefined,
): string {
  const who = `[${task.tid}] ${task.comm}: `;
  if (definition === undefined) {
    return `${who}${SYSCALL_NAMES[number] ?? `syscall_${number}`}(?)`;
  }
  const args = definition.argKinds.map((kind, i) =>
    showArgument(task, kind, i)
  );
  return `${who}${definition.name}(${args.join(", ")})`;
}

/** Text of a result. */
export function showResult(task: Task, result: SysResult): string {
  if (typeof result === "number") {
    return result > 0xffff ? hex(result) : String(result);
  }
  if (isErrno(result)) return `-1 ${result.name}`;
  return task.state === "dead" ? "?" : "...";
}

/** A written buffer's first bytes, for write-like calls. */
export function showBytes(task: Task, addr: number, length: number): string {
  const bytes = new Uint8Array(Math.min(length, SHOWN_BYTES));
  if (task.memory.readBytes(addr, bytes) !== null) return hex(addr);
  return quoteBytes(String.fromCharCode(...bytes));
}
