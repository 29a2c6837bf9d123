/**
 * The systrap platform: see README.md beside this file. Everything that needs
 * privileges happens here, before lock-down.
 * @module
 */

import { type NativePlatform, openNative } from "../native.ts";

/** Behind STUB_JUMPS in stub/stub_layout.h. */
const MIN_ADDRESS = 0x7_0000;
/** STUB_BASE in stub/stub_layout.h: the stub's own pages begin there. */
const MAX_ADDRESS = 0x7fff_f700_0000;

export interface SystrapOptions {
  /** Path of libsystrap.so. */
  readonly libraryPath: string;
  /** Host descriptor of the memory file. */
  readonly memoryFd: number;
  /** Host descriptor of the executable systrap_stub. */
  readonly stubFd: number;
  /** Guest threads at one time; at most MAX_CONTEXTS. */
  readonly maxContexts: number;
}

/**
 * Starts the platform. Returns a negative host errno when the host refuses:
 * -ENODEV (no XSAVE, or no FSGSBASE), -ENOSYS (the stub template could not
 * settle, as under a seccomp profile), -EAGAIN, -ENOMEM.
 */
export function openSystrap(options: SystrapOptions): NativePlatform | number {
  return openNative({
    ...options,
    name: "systrap",
    minAddress: MIN_ADDRESS,
    maxAddress: MAX_ADDRESS,
  });
}
