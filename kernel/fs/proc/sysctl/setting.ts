/**
 * Rows of /proc/sys. Unlike elsewhere, the mode bits bind root, too. Source:
 * proc_sys(5), sysctl(8).
 * @module
 */
import { EACCES, type Errno } from "../../../abi/errno.ts";
import { O_ACCMODE, O_RDONLY } from "../../../abi/fcntl.ts";
import type { Caller } from "../../../vfs/caller.ts";
import { file } from "../../kernfs/entries.ts";
import type { Entry } from "../../kernfs/entry_table.ts";
import type { FileRules } from "../../kernfs/generated_file.ts";
import type { ProcRoot } from "../proc_root.ts";

/** A value that never changes, or a function that tells it; a newline is
 * added. */
export type Value =
  | string
  | number
  | ((root: ProcRoot, caller: Caller) => string | number);

function reader(value: Value): FileRules<ProcRoot>["read"] {
  if (typeof value !== "function") return () => `${value}\n`;
  return (root, caller) => `${value(root, caller)}\n`;
}

function refuseWriting(_root: ProcRoot, flags: number): Errno | null {
  return (flags & O_ACCMODE) === O_RDONLY ? null : EACCES;
}

/** A value that nobody may change. */
export function constant(name: string, value: Value): Entry<ProcRoot> {
  return file(name, 0o444, {
    read: reader(value),
    refuseOpen: refuseWriting,
  });
}

/** A value that root may change. */
export function variable(
  name: string,
  value: Value,
  write: NonNullable<FileRules<ProcRoot>["write"]>,
): Entry<ProcRoot> {
  return file(name, 0o644, { read: reader(value), write });
}
