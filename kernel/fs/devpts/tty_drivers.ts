/**
 * The drivers of terminal device nodes: ptmx, /dev/pts/N, /dev/tty and
 * /dev/console, and the file system type "devpts". Source: tty(4), pts(4),
 * console(4).
 * @module
 */
import {
  makedev,
  TTYAUX_MAJOR,
  UNIX98_PTY_SLAVE_MAJOR,
} from "../../abi/dev.ts";
import { EIO, ENXIO, type Errno, isErrno } from "../../abi/errno.ts";
import { O_NOCTTY } from "../../abi/fcntl.ts";
import { S_IFCHR } from "../../abi/stat.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import type {
  DeviceDriver,
  DeviceRegistry,
} from "../../vfs/device_registry.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { FileSystem } from "../../vfs/file_system.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import type { FileSystemType } from "../../vfs/vfs_core.ts";
import {
  DevptsFileSystem,
  openMaster,
  parseDevptsOptions,
  PtmxInode,
  PtsInode,
  type TerminalCount,
} from "./devpts.ts";
import { terminalOf, type Tty, type TtyServices } from "./tty.ts";
import { openTty } from "./tty_description.ts";

const TTY_DEVICE = makedev(TTYAUX_MAJOR, 0);
const CONSOLE_DEVICE = makedev(TTYAUX_MAJOR, 1);
const PTMX_DEVICE = makedev(TTYAUX_MAJOR, 2);

/** All terminals of a kernel. */
export class Terminals implements FileSystemType, DeviceDriver {
  // FileSystemType.
  readonly name = "devpts";
  readonly needsDevice = false;

  /** What /dev/console opens; the container's terminal, if it has one. */
  console: Tty | null = null;
  /** The instance that a ptmx node outside any devpts makes terminals in: the
   * first one that was mounted. */
  #first: DevptsFileSystem | null = null;
  readonly #newDevice: () => number;
  readonly #services: TtyServices;
  readonly #count: TerminalCount = { open: 0 };

  /** `newDevice` gives st_dev of a new instance. */
  constructor(newDevice: () => number, services: TtyServices) {
    this.#newDevice = newDevice;
    this.#services = services;
  }

  /** Announces the drivers. */
  register(devices: DeviceRegistry): void {
    for (const device of [TTY_DEVICE, CONSOLE_DEVICE, PTMX_DEVICE]) {
      devices.register(S_IFCHR, device, this);
    }
    // Minors beyond 2^8 stay within the major in our encoding.
    devices.registerMajor(S_IFCHR, UNIX98_PTY_SLAVE_MAJOR, this);
  }

  /** mount(2) of devpts: a new instance. EINVAL. */
  create(_source: string, data: ByteString): FileSystem | Errno {
    return this.createInstance(data);
  }

  /** A new instance with options such as "gid=5,mode=620,ptmxmode=666". */
  createInstance(data: ByteString): DevptsFileSystem | Errno {
    const options = parseDevptsOptions(data);
    if (isErrno(options)) return options;
    const device = this.#newDevice();
    const instance = new DevptsFileSystem(
      device,
      options,
      this.#services,
      this.#count,
    );
    this.#first ??= instance;
    return instance;
  }

  open(
    path: VfsPath,
    rdev: number,
    flags: number,
    caller: Caller,
  ): FileDescription | Errno {
    const inode = path.dentry.inode;
    switch (rdev) {
      case PTMX_DEVICE: {
        const instance = inode instanceof PtmxInode
          ? inode.instance
          : this.#first;
        if (instance === null) return ENXIO;
        return openMaster(instance, path, flags, caller);
      }
      case TTY_DEVICE: {
        const terminal = terminalOf(caller);
        if (terminal === null) return ENXIO;
        return openTty(terminal, path, flags | O_NOCTTY, caller);
      }
      case CONSOLE_DEVICE:
        if (this.console === null) return ENXIO;
        return openTty(this.console, path, flags | O_NOCTTY, caller);
      default:
        // A pts node elsewhere names no instance.
        if (!(inode instanceof PtsInode) || inode.pty.isLocked) return EIO;
        return openTty(inode.pty.tty, path, flags, caller);
    }
  }
}
