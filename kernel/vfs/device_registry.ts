/**
 * Which driver serves a device number. Drivers register when the kernel is
 * assembled; opening a device node of any file system ends here. Source:
 * mknod(2), open(2).
 * @module
 */
import { major } from "../abi/dev.ts";
import { ENXIO, type Errno } from "../abi/errno.ts";
import { S_IFCHR } from "../abi/stat.ts";
import type { Caller } from "./caller.ts";
import type { FileDescription } from "./file_description.ts";
import type { VfsPath } from "./mount.ts";

/** Opens devices. */
export interface DeviceDriver {
  /** `rdev`: the device number (new_encode_dev) of the node at `path`; `flags`:
   * O_*. ENXIO: no such device. */
  open(
    path: VfsPath,
    rdev: number,
    flags: number,
    caller: Caller,
  ): FileDescription | Errno;
}

export class DeviceRegistry {
  readonly #characters = new Map<number, DeviceDriver>();
  readonly #blocks = new Map<number, DeviceDriver>();
  readonly #characterMajors = new Map<number, DeviceDriver>();
  readonly #blockMajors = new Map<number, DeviceDriver>();

  /** `type`: S_IFCHR or S_IFBLK; `rdev`: one device number. */
  register(type: number, rdev: number, driver: DeviceDriver): void {
    const table = type === S_IFCHR ? this.#characters : this.#blocks;
    table.set(rdev, driver);
  }

  /** Serves every minor number of `majorNumber` that has no driver itself. */
  registerMajor(
    type: number,
    majorNumber: number,
    driver: DeviceDriver,
  ): void {
    const table = type === S_IFCHR ? this.#characterMajors : this.#blockMajors;
    table.set(majorNumber, driver);
  }

  /** ENXIO: nothing serves this number. */
  open(
    type: number,
    path: VfsPath,
    rdev: number,
    flags: number,
    caller: Caller,
  ): FileDescription | Errno {
    const isCharacter = type === S_IFCHR;
    const exact = isCharacter ? this.#characters : this.#blocks;
    const majors = isCharacter ? this.#characterMajors : this.#blockMajors;
    const driver = exact.get(rdev) ?? majors.get(major(rdev));
    return driver?.open(path, rdev, flags, caller) ?? ENXIO;
  }
}
