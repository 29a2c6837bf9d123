/**
 * Which platforms this host can run, found out by starting each.
 * @module
 */
import { DescriptorMaker } from "../ffi/files.ts";
import { nativePath } from "../ffi/library.ts";
import { MemoryFile } from "../ffi/memory_file.ts";
import { errnoFromCode } from "../kernel/abi/errno.ts";
import { O_RDONLY } from "../kernel/abi/fcntl.ts";
import { openPtrace } from "../platforms/ptrace/ptrace.ts";

/** Large enough for a platform to map. */
const TRIAL_WINDOW = 2 ** 24;

/** One platform on this host. */
export interface PlatformReport {
  readonly name: string;
  readonly isUsable: boolean;
  /** What it needs, or why it cannot run and what to do. */
  readonly note: string;
}

const REASONS: Readonly<Record<string, string>> = {
  EPERM: "tracing is forbidden here: allow ptrace(2) in the container's " +
    "seccomp profile, or set kernel.yama.ptrace_scope below 3",
  ENOSYS: "a seccomp profile forbids a call that it needs",
  ENODEV: "the processor has no XSAVE",
  EAGAIN: "no more processes are allowed: raise the limit (ulimit -u)",
  ENOMEM: "not enough memory",
};

function tryPtrace(): PlatformReport {
  using memory = new MemoryFile(TRIAL_WINDOW);
  using descriptors = new DescriptorMaker();
  const stubFd = descriptors.open(nativePath("ptrace_stub"), O_RDONLY);
  const platform = openPtrace({
    libraryPath: nativePath("libptrace.so"),
    memoryFd: memory.fd,
    stubFd,
    maxContexts: 1,
  });
  descriptors.close(stubFd);
  if (typeof platform !== "number") {
    platform.close();
    return { name: "ptrace", isUsable: true, note: "works everywhere, slowly" };
  }
  const { name } = errnoFromCode(platform);
  return { name: "ptrace", isUsable: false, note: REASONS[name] ?? name };
}

/** Tries every platform, the one that "auto" would take first. */
export function reportPlatforms(): PlatformReport[] {
  return [tryPtrace()];
}
