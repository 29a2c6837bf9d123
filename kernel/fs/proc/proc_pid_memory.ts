/**
 * What a process keeps in its own memory: /proc/PID/cmdline, environ, auxv.
 * The process may change or unmap all of it. Source: proc_pid_cmdline(5),
 * proc_pid_environ(5), proc_pid_auxv(5).
 * @module
 */
import type { MemoryManager } from "../../mm/memory_manager.ts";
import type { ProcessRef } from "./process_ref.ts";

/** Arguments and environment are limited to 6 MiB together (execve(2)). */
const MAX_BYTES = 6 << 20;
const CHUNK = 4096;
const EMPTY = new Uint8Array(0);

/** The bytes of [start, end) as far as they can be read. */
function readRange(
  memory: MemoryManager,
  start: number,
  end: number,
): Uint8Array {
  const length = Math.min(MAX_BYTES, Math.max(0, end - start));
  const bytes = new Uint8Array(length);
  let done = 0;
  memory.beginForeign();
  while (done < length) {
    const part = bytes.subarray(done, Math.min(length, done + CHUNK));
    if (memory.readBytes(start + done, part) !== null) break;
    done += part.length;
  }
  memory.endForeign();
  return bytes.subarray(0, done);
}

/**
 * The arguments. A program that wrote over the end of their last NUL uses the
 * space as one string, which may reach into the environment
 * (setproctitle(3)).
 */
export function pidCmdline(ref: ProcessRef): Uint8Array {
  const { memory } = ref;
  const program = memory?.program ?? null;
  if (memory === null || program === null) return EMPTY;
  const { argStart, argEnd, envStart, envEnd } = program;
  if (argEnd <= argStart) return EMPTY;
  const args = readRange(memory, argStart, argEnd);
  if (args.length < argEnd - argStart || args.at(-1) === 0) return args;
  const end = envStart === argEnd ? Math.max(argEnd, envEnd) : argEnd;
  const title = readRange(memory, argStart, Math.min(end, argStart + CHUNK));
  const nul = title.indexOf(0);
  return nul < 0 ? title : title.subarray(0, nul + 1);
}

export function pidEnviron(ref: ProcessRef): Uint8Array {
  const { memory } = ref;
  const program = memory?.program ?? null;
  if (memory === null || program === null) return EMPTY;
  return readRange(memory, program.envStart, program.envEnd);
}

export function pidAuxv(ref: ProcessRef): Uint8Array {
  return ref.memory?.program?.auxv ?? EMPTY;
}
