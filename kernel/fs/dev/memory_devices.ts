/**
 * The memory devices, major 1: null, zero, full, random, urandom. Source:
 * null(4), full(4), random(4), Documentation/admin-guide/devices.txt.
 * @module
 */
import { makedev, MEM_MAJOR } from "../../abi/dev.ts";
import {
  EINVAL,
  ENODEV,
  ENOSPC,
  ENXIO,
  type Errno,
  isErrno,
} from "../../abi/errno.ts";
import { S_IFCHR } from "../../abi/stat.ts";
import type { IoBuffer } from "../../mm/io_buffer.ts";
import type { Mappable } from "../../mm/mappable.ts";
import type { Caller } from "../../vfs/caller.ts";
import type {
  DeviceDriver,
  DeviceRegistry,
} from "../../vfs/device_registry.ts";
import { FileDescription } from "../../vfs/file_description.ts";
import type { VfsPath } from "../../vfs/mount.ts";

export const NULL_DEVICE = makedev(MEM_MAJOR, 3);
export const ZERO_DEVICE = makedev(MEM_MAJOR, 5);
export const FULL_DEVICE = makedev(MEM_MAJOR, 7);
export const RANDOM_DEVICE = makedev(MEM_MAJOR, 8);
export const URANDOM_DEVICE = makedev(MEM_MAJOR, 9);

/** What the memory devices need of the kernel. */
export interface MemoryDeviceHost {
  /** Fills the array with random bytes. */
  randomBytes(into: Uint8Array): void;
  /** New anonymous zero pages for mmap(2) of /dev/zero. */
  zeroPages(): Mappable | Errno;
}

/** Adds the memory devices to the registry. */
export function registerMemoryDevices(
  devices: DeviceRegistry,
  host: MemoryDeviceHost,
): void {
  const driver = new MemoryDriver(host);
  devices.registerMajor(S_IFCHR, MEM_MAJOR, driver);
}

class MemoryDriver implements DeviceDriver {
  readonly #host: MemoryDeviceHost;
  constructor(host: MemoryDeviceHost) {
    this.#host = host;
  }

  open(path: VfsPath, rdev: number, flags: number): FileDescription | Errno {
    switch (rdev) {
      case NULL_DEVICE:
        return new NullDescription(path, flags);
      case ZERO_DEVICE:
        return new ZeroDescription(path, flags, this.#host);
      case FULL_DEVICE:
        return new FullDescription(path, flags);
      case RANDOM_DEVICE:
      case URANDOM_DEVICE:
        return new RandomDescription(path, flags, this.#host);
      default:
        return ENXIO;
    }
  }
}

/** Consumes what is written; reads as empty; lseek(2) goes to 0. */
class NullDescription extends FileDescription {
  override get isPollable(): boolean {
    return false;
  }
  override read(_io: IoBuffer, _caller: Caller): number | Errno {
    return 0;
  }
  override write(io: IoBuffer, _caller: Caller): number | Errno {
    const length = io.remaining;
    io.advance(length);
    return length;
  }
  override readAt(
    io: IoBuffer,
    _offset: number,
    caller: Caller,
  ): number | Errno {
    return this.read(io, caller);
  }
  override writeAt(
    io: IoBuffer,
    _offset: number,
    caller: Caller,
  ): number | Errno {
    return this.write(io, caller);
  }
  override seek(_offset: number, _whence: number): number {
    return this.offset = 0;
  }
  override mappable(): Mappable | Errno {
    return ENODEV;
  }
}

class ZeroDescription extends NullDescription {
  readonly #host: MemoryDeviceHost;
  constructor(path: VfsPath, flags: number, host: MemoryDeviceHost) {
    super(path, flags);
    this.#host = host;
  }
  override read(io: IoBuffer): number | Errno {
    return io.putZeros(io.remaining);
  }
  override mappable(): Mappable | Errno {
    return this.#host.zeroPages();
  }
}

class FullDescription extends NullDescription {
  override read(io: IoBuffer): number | Errno {
    return io.putZeros(io.remaining);
  }
  override write(): Errno {
    return ENOSPC;
  }
}

const RNDGETENTCNT = 0x80045200;
/** Bits in the pool once it is seeded, for ever. */
const ENTROPY_BITS = 256;

/** Random bytes on their way, used within one call. */
const randomScratch = new Uint8Array(4096);

class RandomDescription extends NullDescription {
  readonly #host: MemoryDeviceHost;
  constructor(path: VfsPath, flags: number, host: MemoryDeviceHost) {
    super(path, flags);
    this.#host = host;
  }

  override get isPollable(): boolean {
    return true;
  }
  override read(io: IoBuffer): number | Errno {
    let total = 0;
    while (io.remaining > 0) {
      const length = Math.min(io.remaining, randomScratch.length);
      this.#host.randomBytes(
        length === randomScratch.length
          ? randomScratch
          : randomScratch.subarray(0, length),
      );
      const put = io.put(randomScratch, 0, length);
      if (isErrno(put)) return total > 0 ? total : put;
      total += put;
      if (put < length) break;
    }
    randomScratch.fill(0);
    return total;
  }

  /** Only RNDGETENTCNT: the host's generator takes no entropy and no orders.
   * EINVAL for the others. */
  override ioctl(
    request: number,
    argument: number,
    caller: Caller,
  ): number | Errno {
    if (request !== RNDGETENTCNT) return EINVAL;
    return caller.memory.writeU32(argument, ENTROPY_BITS) ?? 0;
  }
}
