/**
 * The capabilities that the kernel is assembled from. cmd/boot/loader.ts builds
 * a real Host, tests build a fake one; nothing else gives the kernel authority
 * over the outside.
 *
 * Results of host calls are >= 0, or a negative Linux errno; the caller turns
 * them into Errno values with errnoFromCode().
 * @module
 */

import type { Platform } from "../platforms/platform.ts";
import type { GoferClient } from "../gofer/client.ts";

/** A descriptor of the host, opaque to the kernel. */
export type HostFd = number & { readonly __brand: "HostFd" };

/**
 * The memory file: all application memory, page cache and tmpfs data, mapped
 * once into the Sentry. Offsets are bytes. `view` and `bytes` cover the whole
 * window; typed-array indices beyond 2^31 leave the fast path, so use `view`
 * for words and copyWithin for runs.
 */
export interface HostMemory {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** Size of the window in bytes. */
  readonly size: number;
  /** Gives [offset, offset + length) back to the host; it reads as zero. */
  punch(offset: number, length: number): void;
  /** Allocates the pages of a range so that later touches do not fault. */
  populate(offset: number, length: number): void;
  /** Bytes of the range that the host holds memory for: what was touched since
   * it was new or punched out. Quick for the whole file, else about 0.1 us per
   * page there is. */
  residentBytes(offset: number, length: number): number;
  /** Copies within the file; ranges may overlap. */
  copy(to: number, from: number, length: number): void;
  /** Fills with zero bytes. */
  zero(offset: number, length: number): void;
  /** Copies out of / into an ordinary array. */
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
}

/** Clocks. Nanoseconds since boot fit a double for 104 days of uptime. */
export interface HostClock {
  /** CLOCK_MONOTONIC in nanoseconds. */
  monotonicNs(): number;
  /** CLOCK_REALTIME minus CLOCK_MONOTONIC, as seconds and nanoseconds. */
  realtimeOffset(): { readonly sec: number; readonly nsec: number };
  /** CLOCK_BOOTTIME minus CLOCK_MONOTONIC in nanoseconds. */
  boottimeOffsetNs(): number;
  /** Samples (TSC, CLOCK_MONOTONIC) together; `tscHz` 0: TSC unusable. */
  sampleTsc(): {
    readonly tscLow: number;
    readonly tscHigh: number;
    readonly monotonicNs: number;
  };
  /** CPU time in ns that guest code used, by host accounting of all stubs. */
  guestCpuNs(): number;
}

/** Attributes of a donated host descriptor (fstat). */
export interface HostStat {
  readonly mode: number;
  readonly size: number;
  readonly ino: number;
  readonly dev: number;
  readonly rdev: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly blocks: number;
  readonly blksize: number;
  readonly atimeSec: number;
  readonly atimeNsec: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
  readonly ctimeSec: number;
  readonly ctimeNsec: number;
}

/**
 * I/O on descriptors that were donated to the Sentry: data moves between the
 * descriptor and the memory file without passing through JavaScript. Nothing
 * here opens by name.
 */
export interface HostFiles {
  /** pread(2) into the memory file; fileOffset -1 reads at the stream's head. */
  read(fd: HostFd, memory: number, length: number, fileOffset: number): number;
  /** pwrite(2) from the memory file; fileOffset -1 writes to the stream. */
  write(fd: HostFd, memory: number, length: number, fileOffset: number): number;
  stat(fd: HostFd): HostStat | number;
  truncate(fd: HostFd, length: number): number;
  allocate(fd: HostFd, mode: number, offset: number, length: number): number;
  sync(fd: HostFd, dataOnly: boolean): number;
  close(fd: HostFd): void;
  /** True if the descriptor is a terminal. */
  isTerminal(fd: HostFd): boolean;
  /** struct termios (kernel layout, 36 bytes) of a host terminal. */
  getTermios(fd: HostFd, into: Uint8Array): number;
  setTermios(fd: HostFd, action: number, from: Uint8Array): number;
  /** Window size [rows, cols, xpixel, ypixel] of a host terminal. */
  getWindowSize(fd: HostFd): readonly [number, number, number, number] | number;
  setWindowSize(
    fd: HostFd,
    size: readonly [number, number, number, number],
  ): number;
}

/** Readiness of host descriptors, delivered at the platform's doorbell. */
export interface HostReactor {
  /**
   * Watches `fd` for POLLIN/POLLOUT bits, edge-triggered; `token` comes back
   * from next(). Returns the readiness at this moment or a negative errno.
   */
  watch(fd: HostFd, events: number, token: number): number;
  unwatch(fd: HostFd): void;
  /** The token of a descriptor that became ready, or -1; see `revents`. */
  next(): number;
  /** Events that came with the last next(). */
  readonly revents: number;
  /** Readiness right now (poll with no timeout), without side effects. */
  poll(fd: HostFd, events: number): number;
}

/** Where the kernel's messages go. */
export interface HostLog {
  readonly isDebug: boolean;
  readonly isStrace: boolean;
  info(message: string): void;
  warn(message: string): void;
  debug(message: string): void;
  strace(line: string): void;
}

/** What the host is, for uname, /proc/cpuinfo, sysinfo and limits. */
export interface HostInfo {
  readonly cpuCount: number;
  readonly memoryBytes: number;
  /** Text of the host's /proc/cpuinfo flags and model, one CPU. */
  readonly cpuinfo: string;
  /** AT_HWCAP and AT_HWCAP2 of the host. */
  readonly hwcap: number;
  readonly hwcap2: number;
  /** TSC frequency in Hz, 0 when the TSC cannot serve as a clock. */
  readonly tscHz: number;
  /** The built vDSO image. */
  readonly vdso: Uint8Array;
}

export interface Host {
  readonly platform: Platform;
  readonly memory: HostMemory;
  readonly clock: HostClock;
  readonly files: HostFiles;
  readonly reactor: HostReactor;
  readonly log: HostLog;
  readonly info: HostInfo;
  /** Fills the range of the memory file, or the array, with random bytes. */
  randomBytes(into: Uint8Array): void;
  /** One client per file server connection, by the mount's name. */
  readonly gofers: ReadonlyMap<string, GoferClient>;
}
