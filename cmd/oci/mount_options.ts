/**
 * Options of a mount in config.json: flags, and what is left for the file
 * system (OCI runtime specification, config.md#mounts; mount(8)).
 * @module
 */
import {
  MS_DIRSYNC,
  MS_LAZYTIME,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_RDONLY,
  MS_RELATIME,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
} from "../../kernel/abi/mount.ts";

export interface MountOptions {
  /** MS_* bits. */
  readonly flags: number;
  /** `bind` or `rbind` was among them. */
  readonly isBind: boolean;
  /** Everything else, by name; "" for an option without value. */
  readonly data: Readonly<Record<string, string>>;
}

/** Bits to set, then bits to clear. */
const FLAGS: Readonly<Record<string, readonly [number, number]>> = {
  ro: [MS_RDONLY, 0],
  rw: [0, MS_RDONLY],
  nosuid: [MS_NOSUID, 0],
  suid: [0, MS_NOSUID],
  nodev: [MS_NODEV, 0],
  dev: [0, MS_NODEV],
  noexec: [MS_NOEXEC, 0],
  exec: [0, MS_NOEXEC],
  sync: [MS_SYNCHRONOUS, 0],
  async: [0, MS_SYNCHRONOUS],
  dirsync: [MS_DIRSYNC, 0],
  noatime: [MS_NOATIME, 0],
  atime: [0, MS_NOATIME],
  nodiratime: [MS_NODIRATIME, 0],
  diratime: [0, MS_NODIRATIME],
  relatime: [MS_RELATIME, 0],
  norelatime: [0, MS_RELATIME],
  strictatime: [MS_STRICTATIME, 0],
  nostrictatime: [0, MS_STRICTATIME],
  lazytime: [MS_LAZYTIME, 0],
  nolazytime: [0, MS_LAZYTIME],
  nosymfollow: [MS_NOSYMFOLLOW, 0],
  symfollow: [0, MS_NOSYMFOLLOW],
  defaults: [0, 0],
};

/** Propagation concerns other mount namespaces of the host, which never see
 * the sandbox's mounts: nothing to do. */
const PROPAGATION =
  /^r?(private|shared|slave|unbindable)$|^(mand|nomand|silent|loud)$/;

/** Options that mean the same for every file system. */
export const MOUNT_OPTION_NAMES: readonly string[] = [
  "bind",
  "rbind",
  ...Object.keys(FLAGS),
];

/** Sorts the options of one mount. */
export function parseMountOptions(options: readonly string[]): MountOptions {
  let flags = 0;
  let isBind = false;
  const data: Record<string, string> = Object.create(null);
  for (const option of options) {
    // The recursive forms (rro, rnosuid, ...) say the same of submounts.
    const name = Object.hasOwn(FLAGS, option) ? option : option.slice(1);
    const isRecursive = name !== option && option.startsWith("r");
    const bits = (name === option || isRecursive) && Object.hasOwn(FLAGS, name)
      ? FLAGS[name]
      : undefined;
    if (bits !== undefined) {
      flags = (flags | bits[0]) & ~bits[1];
    } else if (option === "bind" || option === "rbind") {
      isBind = true;
    } else if (!PROPAGATION.test(option)) {
      const equals = option.indexOf("=");
      if (equals < 0) data[option] = "";
      else data[option.slice(0, equals)] = option.slice(equals + 1);
    }
  }
  return { flags, isBind, data: { ...data } };
}
