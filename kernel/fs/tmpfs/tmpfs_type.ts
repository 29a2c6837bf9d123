/**
 * mount(2) of a tmpfs: its options as text. Source: tmpfs(5).
 * @module
 */
import { EINVAL, type Errno, isErrno } from "../../abi/errno.ts";
import { PAGE_SIZE } from "../../abi/mman.ts";
import type { MemoryFile } from "../../mm/memory_file.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Clock } from "../../time/clock.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileSystem } from "../../vfs/file_system.ts";
import type { FileSystemType } from "../../vfs/vfs_core.ts";
import { TmpfsFileSystem } from "./tmpfs.ts";

/** What tmpfs instances are made of. */
export interface TmpfsParts {
  readonly memoryFile: MemoryFile;
  readonly clock: Clock;
  /** What percentages and the default size refer to, bytes. */
  readonly memoryBytes: number;
  newDevice(): number;
}

/** Values of one mount's options. */
interface Parsed {
  sizeBytes: number;
  maxInodes: number;
  mode: number;
  uid: number;
  gid: number;
}

export class TmpfsType implements FileSystemType {
  readonly name = "tmpfs";
  readonly needsDevice = false;
  readonly #parts: TmpfsParts;

  constructor(parts: TmpfsParts) {
    this.#parts = parts;
  }

  create(
    _source: string,
    data: ByteString,
    caller: Caller,
  ): FileSystem | Errno {
    const options = parseTmpfsOptions(data, this.#parts.memoryBytes, caller);
    if (isErrno(options)) return options;
    return new TmpfsFileSystem({
      memoryFile: this.#parts.memoryFile,
      clock: this.#parts.clock,
      device: this.#parts.newDevice(),
      ...options,
    });
  }
}

/** EINVAL: an option that tmpfs does not have, or a bad value. */
export function parseTmpfsOptions(
  data: ByteString,
  memoryBytes: number,
  caller: Caller,
): Readonly<Parsed> | Errno {
  const half = Math.floor(memoryBytes / 2 / PAGE_SIZE);
  const parsed: Parsed = {
    sizeBytes: half * PAGE_SIZE,
    maxInodes: half,
    mode: 0o1777,
    uid: caller.identity.fsuid,
    gid: caller.identity.fsgid,
  };
  for (const option of data.split(",")) {
    if (option === "") continue;
    const equals = option.indexOf("=");
    const name = equals < 0 ? option : option.slice(0, equals);
    const value = equals < 0 ? "" : option.slice(equals + 1);
    if (!apply(parsed, name, value, memoryBytes)) return EINVAL;
  }
  return parsed;
}

function apply(
  parsed: Parsed,
  name: string,
  value: string,
  memoryBytes: number,
): boolean {
  switch (name) {
    case "size": {
      const bytes = parseSize(value, memoryBytes);
      if (bytes === null) return false;
      parsed.sizeBytes = bytes === 0 ? Infinity : bytes;
      return true;
    }
    case "nr_blocks": {
      const blocks = parseSize(value, memoryBytes);
      if (blocks === null) return false;
      parsed.sizeBytes = blocks === 0 ? Infinity : blocks * PAGE_SIZE;
      return true;
    }
    case "nr_inodes": {
      const inodes = parseSize(value, memoryBytes);
      if (inodes === null) return false;
      parsed.maxInodes = inodes === 0 ? Infinity : inodes;
      return true;
    }
    case "mode": {
      if (!/^[0-7]{1,5}$/.test(value)) return false;
      parsed.mode = parseInt(value, 8) & 0o7777;
      return true;
    }
    case "uid":
    case "gid": {
      if (!/^[0-9]{1,10}$/.test(value)) return false;
      parsed[name] = Number(value);
      return Number(value) < 0xffffffff;
    }
    // Without swap, huge pages or 32-bit inode numbers these ask for nothing.
    case "noswap":
    case "inode32":
    case "inode64":
      return value === "";
    case "huge":
      return value === "never";
    default:
      return false;
  }
}

const SUFFIXES: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["k", 2 ** 10],
  ["m", 2 ** 20],
  ["g", 2 ** 30],
  ["t", 2 ** 40],
]);

/** "64k", "10%"; null if it is neither. */
function parseSize(value: string, memoryBytes: number): number | null {
  const match = /^([0-9]{1,15})([kmgt%]?)$/i.exec(value);
  if (match === null) return null;
  const count = Number(match[1]);
  const suffix = match[2]!.toLowerCase();
  if (suffix === "%") return Math.floor(count * memoryBytes / 100);
  return count * SUFFIXES.get(suffix)!;
}
