/**
 * Which platforms this host can run, found out by starting each.
 * @module
 */
import { DescriptorMaker } from "../ffi/files.ts";
import { MemoryFile } from "../ffi/memory_file.ts";
import { errnoFromCode } from "../kernel/abi/errno.ts";
import {
  openPlatform,
  PLATFORM_NAMES,
  type PlatformName,
} from "./boot/platform_kinds.ts";

/** Large enough for a platform to map. */
const TRIAL_WINDOW = 2 ** 24;

/** One platform on this host. */
export interface PlatformReport {
  readonly name: string;
  readonly isUsable: boolean;
  /** What it needs, or why it cannot run and what to do. */
  readonly note: string;
}

const NOTES: Readonly<Record<PlatformName, string>> = {
  systrap: "fast, needs no special hardware",
  ptrace: "works everywhere, slowly",
};

const REASONS: Readonly<Record<PlatformName, Record<string, string>>> = {
  systrap: { ENODEV: "the processor has no XSAVE or no FSGSBASE" },
  ptrace: {
    ENODEV: "the processor has no XSAVE",
    EPERM: "tracing is forbidden here: allow ptrace(2) in the container's " +
      "seccomp profile, or set kernel.yama.ptrace_scope below 3",
  },
};

const COMMON_REASONS: Readonly<Record<string, string>> = {
  ENOSYS: "a seccomp profile forbids a call that it needs",
  EAGAIN: "no more processes are allowed: raise the limit (ulimit -u)",
  ENOMEM: "not enough memory",
};

function tryPlatform(name: PlatformName): PlatformReport {
  using memory = new MemoryFile(TRIAL_WINDOW);
  using descriptors = new DescriptorMaker();
  const platform = openPlatform(name, memory.fd, descriptors, 1);
  if (typeof platform !== "number") {
    platform.close();
    return { name, isUsable: true, note: NOTES[name] };
  }
  const error = errnoFromCode(platform).name;
  const note = REASONS[name][error] ?? COMMON_REASONS[error] ?? error;
  return { name, isUsable: false, note };
}

/** Tries every platform, the one that "auto" would take first. */
export function reportPlatforms(): PlatformReport[] {
  return PLATFORM_NAMES.map(tryPlatform);
}
