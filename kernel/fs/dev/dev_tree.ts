/**
 * What /dev of a container holds: the default devices, the links and the
 * mount points that the OCI runtime specification lists (config-linux.md,
 * "Default Devices"; runtime-linux.md, "Dev symbolic links").
 * @module
 */
import { makedev, TTYAUX_MAJOR } from "../../abi/dev.ts";
import { EEXIST, type Errno, isErrno } from "../../abi/errno.ts";
import { S_IFCHR, S_IFDIR, S_IFLNK } from "../../abi/stat.ts";
import type { Inode } from "../../vfs/inode.ts";
import {
  FULL_DEVICE,
  NULL_DEVICE,
  RANDOM_DEVICE,
  URANDOM_DEVICE,
  ZERO_DEVICE,
} from "./memory_devices.ts";

export const TTY_DEVICE = makedev(TTYAUX_MAJOR, 0);
export const CONSOLE_DEVICE = makedev(TTYAUX_MAJOR, 1);
export const PTMX_DEVICE = makedev(TTYAUX_MAJOR, 2);

/** Group that owns terminals, as in Debian and the OCI examples. */
const TTY_GID = 5;

interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly rdev?: number;
  readonly target?: string;
  readonly gid?: number;
}

const DEFAULT_ENTRIES: readonly Entry[] = [
  { name: "null", mode: S_IFCHR | 0o666, rdev: NULL_DEVICE },
  { name: "zero", mode: S_IFCHR | 0o666, rdev: ZERO_DEVICE },
  { name: "full", mode: S_IFCHR | 0o666, rdev: FULL_DEVICE },
  { name: "random", mode: S_IFCHR | 0o666, rdev: RANDOM_DEVICE },
  { name: "urandom", mode: S_IFCHR | 0o666, rdev: URANDOM_DEVICE },
  { name: "tty", mode: S_IFCHR | 0o666, rdev: TTY_DEVICE, gid: TTY_GID },
  { name: "ptmx", mode: S_IFLNK | 0o777, target: "pts/ptmx" },
  { name: "fd", mode: S_IFLNK | 0o777, target: "/proc/self/fd" },
  { name: "stdin", mode: S_IFLNK | 0o777, target: "/proc/self/fd/0" },
  { name: "stdout", mode: S_IFLNK | 0o777, target: "/proc/self/fd/1" },
  { name: "stderr", mode: S_IFLNK | 0o777, target: "/proc/self/fd/2" },
  { name: "core", mode: S_IFLNK | 0o777, target: "/proc/kcore" },
  { name: "pts", mode: S_IFDIR | 0o755 },
  { name: "shm", mode: S_IFDIR | 0o1777 },
  { name: "mqueue", mode: S_IFDIR | 0o755 },
];

const CONSOLE_ENTRY: Entry = {
  name: "console",
  mode: S_IFCHR | 0o620,
  rdev: CONSOLE_DEVICE,
  gid: TTY_GID,
};

/**
 * Fills the root directory of a fresh tmpfs; names that exist are kept.
 * `hasConsole`: the container has a terminal, so /dev/console exists.
 */
export function populateDev(
  root: Inode,
  options: { readonly hasConsole: boolean },
): Errno | null {
  const entries = options.hasConsole
    ? [...DEFAULT_ENTRIES, CONSOLE_ENTRY]
    : DEFAULT_ENTRIES;
  for (const entry of entries) {
    const made = root.create(entry.name, {
      mode: entry.mode,
      uid: 0,
      gid: entry.gid ?? 0,
      rdev: entry.rdev ?? 0,
      target: entry.target ?? "",
    });
    if (isErrno(made) && made !== EEXIST) return made;
  }
  return null;
}
