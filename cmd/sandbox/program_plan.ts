/**
 * The plan of a sandbox for one program on a directory of the host, as `do` and
 * the embedding API make it: the directory is read-only below an overlay in
 * memory, and /proc, /sys and /dev are our own kernel's.
 * @module
 */
import {
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
} from "../../kernel/abi/mount.ts";
import type { BootMount, KernelBootMount } from "../boot/boot_spec.ts";
import { ALL_CAPABILITIES, USER_CAPABILITIES } from "./process_defaults.ts";
import type { GoferTree, SandboxPlan } from "./sandbox_plan.ts";

/** A directory or file of the host that the sandbox shares. */
export interface SharedPath {
  /** Absolute path on the host. */
  readonly source: string;
  /** Absolute path in the sandbox. */
  readonly target: string;
  readonly isReadOnly: boolean;
}

export interface ProgramOptions {
  readonly id: string;
  /** Directory of the host that becomes "/". */
  readonly root: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly hostname: string;
  readonly shares: readonly SharedPath[];
  readonly hasTerminal: boolean;
}

const PROTECTED = MS_NOSUID | MS_NOEXEC | MS_NODEV;

function kernelMount(
  kind: KernelBootMount["kind"],
  target: string,
  flags: number,
  options: Readonly<Record<string, string>> = {},
): KernelBootMount {
  return { kind, target, flags, source: kind, options };
}

const SYSTEM_MOUNTS: readonly BootMount[] = [
  kernelMount("proc", "/proc", PROTECTED),
  kernelMount("sysfs", "/sys", PROTECTED),
  kernelMount("devtmpfs", "/dev", MS_NOSUID, { mode: "755" }),
  kernelMount("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, {
    gid: "5",
    mode: "620",
    ptmxmode: "666",
  }),
  kernelMount("tmpfs", "/dev/shm", PROTECTED, { mode: "1777" }),
];

/** The plan for `options`. */
export function planProgram(options: ProgramOptions): SandboxPlan {
  const mounts: BootMount[] = [
    {
      kind: "gofer",
      target: "/",
      flags: 0,
      name: "root",
      isShared: false,
      hasOverlay: true,
      source: "overlay",
    },
    ...SYSTEM_MOUNTS,
  ];
  const trees: GoferTree[] = [
    { name: "root", source: options.root, isReadOnly: true },
  ];
  for (const [index, share] of options.shares.entries()) {
    const name = `share${index}`;
    const { source, target, isReadOnly } = share;
    mounts.push({
      kind: "gofer",
      target,
      flags: isReadOnly ? MS_RDONLY : 0,
      name,
      isShared: true,
      hasOverlay: false,
      source,
    });
    trees.push({ name, source, isReadOnly });
  }
  return {
    id: options.id,
    hostname: options.hostname,
    domainname: "",
    mounts,
    devices: [],
    trees,
    // ^C ends a program that has not thought about signals.
    isInitProtected: false,
    process: {
      argv: options.args,
      env: Object.entries(options.env).map(([name, value]) =>
        `${name}=${value}`
      ),
      cwd: options.cwd,
      uid: options.uid,
      gid: options.gid,
      groups: [],
      umask: 0o022,
      capabilities: options.uid === 0 ? ALL_CAPABILITIES : USER_CAPABILITIES,
      limits: [],
      noNewPrivileges: false,
      hasTerminal: options.hasTerminal,
    },
  };
}
