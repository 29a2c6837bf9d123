/**
 * The platforms that the Sentry can start, by name: their files, how they are
 * opened, and the host calls that they make afterwards.
 * @module
 */
import type { DescriptorMaker } from "../../ffi/files.ts";
import { nativePath } from "../../ffi/library.ts";
import type { SyscallRule } from "../../ffi/seccomp.ts";
import { O_RDONLY } from "../../kernel/abi/fcntl.ts";
import type { NativePlatform } from "../../platforms/native.ts";
import { PTRACE_HOST_CALLS } from "../../platforms/ptrace/host_calls.ts";
import { openPtrace } from "../../platforms/ptrace/ptrace.ts";
import { SYSTRAP_HOST_CALLS } from "../../platforms/systrap/host_calls.ts";
import { openSystrap } from "../../platforms/systrap/systrap.ts";

export type PlatformName = "systrap" | "ptrace";
/** "auto": the first of PLATFORM_NAMES that this host can run. */
export type PlatformChoice = "auto" | PlatformName;

interface PlatformKind {
  readonly hostCalls: readonly SyscallRule[];
  open(options: {
    readonly libraryPath: string;
    readonly memoryFd: number;
    readonly stubFd: number;
    readonly maxContexts: number;
  }): NativePlatform | number;
}

const KINDS: Readonly<Record<PlatformName, PlatformKind>> = {
  systrap: { hostCalls: SYSTRAP_HOST_CALLS, open: openSystrap },
  ptrace: { hostCalls: PTRACE_HOST_CALLS, open: openPtrace },
};

/** The best first. */
export const PLATFORM_NAMES: readonly PlatformName[] = ["ptrace", "systrap"];

/** Host calls of a platform after it was opened. */
export function platformHostCalls(name: PlatformName): readonly SyscallRule[] {
  return KINDS[name].hostCalls;
}

/** Starts one platform; a negative host errno when this host cannot run it. */
export function openPlatform(
  name: PlatformName,
  memoryFd: number,
  descriptors: DescriptorMaker,
  maxContexts: number,
): NativePlatform | number {
  const stubFd = descriptors.open(nativePath(`${name}_stub`), O_RDONLY);
  const platform = KINDS[name].open({
    libraryPath: nativePath(`lib${name}.so`),
    memoryFd,
    stubFd,
    maxContexts,
  });
  descriptors.close(stubFd);
  return platform;
}
