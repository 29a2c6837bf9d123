/**
 * Builds the mount tree of a container in our own kernel, in the order of the
 * spec. Mountpoints that the image lacks are made, as every runtime does; they
 * appear in the overlay, never on the host.
 *
 * Runs after lock-down: from here on, content of the image is looked at.
 * @module
 */
import { EEXIST, ENOENT, type Errno, isErrno } from "../../kernel/abi/errno.ts";
import { makedev } from "../../kernel/abi/dev.ts";
import {
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
} from "../../kernel/abi/mount.ts";
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFREG } from "../../kernel/abi/stat.ts";
import { populateDev } from "../../kernel/fs/dev/dev_tree.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Caller } from "../../kernel/vfs/caller.ts";
import type { FileSystem } from "../../kernel/vfs/file_system.ts";
import { FsContext } from "../../kernel/vfs/fs_context.ts";
import type { VfsPath } from "../../kernel/vfs/mount.ts";
import { FOLLOW } from "../../kernel/vfs/vfs_core.ts";
import { ExitStatus } from "../exit_status.ts";
import { BootCaller } from "./boot_caller.ts";
import { BootError } from "./boot_error.ts";
import type {
  BootMount,
  BootSpec,
  GoferBootMount,
  KernelBootMount,
  PathBootMount,
} from "./boot_spec.ts";
import { goferFileSystem } from "./gofer_mount.ts";
import { toByteString } from "./byte_string.ts";

const DEVICE_TYPES = { c: S_IFCHR, b: S_IFBLK, p: S_IFIFO } as const;

function fail(what: string, error: Errno): never {
  throw new BootError(ExitStatus.HostRefused, `${what}: ${error.name}`);
}

/** The value, or a failed boot with the name of the mount. */
function must<T>(what: string, result: T | Errno): T {
  return isErrno(result) ? fail(what, result) : result;
}

function check(what: string, error: Errno | null): void {
  if (error !== null) fail(what, error);
}

export class MountTreeBuilder {
  readonly #kernel: Kernel;
  readonly #spec: BootSpec;
  readonly #root: VfsPath;
  readonly #caller: Caller;

  private constructor(
    kernel: Kernel,
    spec: BootSpec,
    rootFs: FileSystem,
    source: string,
  ) {
    this.#kernel = kernel;
    this.#spec = spec;
    const rootMount = kernel.vfs.newNamespace(rootFs, {
      flags: 0,
      source,
    });
    this.#root = rootMount.placeOf(rootMount.root);
    this.#caller = new BootCaller(
      new FsContext(this.#root, this.#root, 0),
      kernel.clock,
    );
  }

  /** Builds the whole tree; its root, acquired. Throws a BootError that names
   * the mount which failed. */
  static build(kernel: Kernel, spec: BootSpec): VfsPath {
    const [first, ...others] = spec.mounts;
    if (first?.kind !== "gofer" || first.target !== "/") {
      throw new BootError(ExitStatus.BadConfig, "the first mount is not /");
    }
    const rootFs = must("mount /", goferFileSystem(kernel, first));
    const builder = new MountTreeBuilder(kernel, spec, rootFs, first.source);
    for (const mount of others) builder.#mount(mount);
    builder.#makeDevices();
    if ((first.flags & MS_RDONLY) !== 0) {
      check("/", kernel.vfs.remount(builder.#root, first.flags));
    }
    return builder.#root.acquire();
  }

  #mount(mount: BootMount): void {
    switch (mount.kind) {
      case "gofer":
        return this.#mountGofer(mount);
      case "masked":
      case "readonly":
        return this.#cover(mount);
      default:
        return this.#mountKernel(mount);
    }
  }

  #mountGofer(mount: GoferBootMount): void {
    const what = `mount ${mount.target}`;
    const fs = must(what, goferFileSystem(this.#kernel, mount));
    const at = this.#mountpoint(mount.target, fs.root.isDirectory);
    must(what, this.#kernel.vfs.mount(fs, at, mount));
    at.release();
  }

  #mountKernel(mount: KernelBootMount): void {
    const what = `mount ${mount.target} (${mount.kind})`;
    const fs = must(what, this.#newFileSystem(mount));
    if (mount.kind === "devtmpfs") {
      const { hasTerminal } = this.#spec.process;
      check(what, populateDev(fs.root, { hasConsole: hasTerminal }));
    }
    const at = this.#mountpoint(mount.target, true);
    must(what, this.#kernel.vfs.mount(fs, at, mount));
    at.release();
  }

  #newFileSystem(mount: KernelBootMount): FileSystem | Errno {
    const { fileSystemTypes } = this.#kernel.vfs;
    const name = mount.kind === "devtmpfs" ? "tmpfs" : mount.kind;
    // Without message queues their directory is an empty one.
    const type = fileSystemTypes.get(name) ??
      (name === "mqueue" ? fileSystemTypes.get("tmpfs") : undefined);
    if (type === undefined) {
      throw new BootError(
        ExitStatus.Unavailable,
        `mount ${mount.target}: this kernel has no file system "${name}"`,
      );
    }
    const data = Object.entries(mount.options)
      .map(([option, value]) => value === "" ? option : `${option}=${value}`)
      .join(",");
    return type.create(
      toByteString(mount.source),
      toByteString(data),
      this.#caller,
    );
  }

  /** The place of a mountpoint, made if need be; acquired. */
  #mountpoint(target: string, isDirectory: boolean): VfsPath {
    const { vfs } = this.#kernel;
    const path = toByteString(target);
    const found = vfs.resolve(this.#caller, this.#root, path, FOLLOW);
    if (found !== ENOENT) return must(`mountpoint ${target}`, found);
    const names = path.split("/").filter((name) => name !== "");
    for (let depth = 1; depth <= names.length; depth++) {
      const parent = `/${names.slice(0, depth).join("/")}`;
      const error = depth < names.length || isDirectory
        ? vfs.mkdir(this.#caller, this.#root, parent, 0o755)
        : vfs.mknod(this.#caller, this.#root, parent, S_IFREG | 0o644, 0);
      if (isErrno(error) && error !== EEXIST) {
        fail(`mountpoint ${target}`, error);
      }
    }
    return must(
      `mountpoint ${target}`,
      vfs.resolve(this.#caller, this.#root, path, FOLLOW),
    );
  }

  /** Hides a path, or makes it read-only. */
  #cover({ kind, target }: PathBootMount): void {
    const { vfs } = this.#kernel;
    const path = toByteString(target);
    const found = vfs.resolve(this.#caller, this.#root, path, FOLLOW);
    if (isErrno(found)) return; // nothing there to protect
    const what = `${kind} ${target}`;
    if (kind === "readonly") {
      must(what, vfs.bind(found, found, { isRecursive: true }));
      this.#remountReadOnly(what, path, found.mount.flags);
    } else if (found.dentry.inode!.isDirectory) {
      this.#mountKernel({
        kind: "tmpfs",
        target,
        flags: MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
        source: "tmpfs",
        options: { size: "0" },
      });
    } else {
      const nothing = vfs.resolve(
        this.#caller,
        this.#root,
        "/dev/null",
        FOLLOW,
      );
      if (!isErrno(nothing)) {
        must(what, vfs.bind(nothing, found, { isRecursive: false }));
        nothing.release();
      }
    }
    found.release();
  }

  #remountReadOnly(what: string, path: string, flags: number): void {
    const { vfs } = this.#kernel;
    const covered = must(
      what,
      vfs.resolve(this.#caller, this.#root, path, FOLLOW),
    );
    check(what, vfs.remount(covered, flags | MS_RDONLY));
    covered.release();
  }

  /** The nodes that the spec lists; those that exist already stay. */
  #makeDevices(): void {
    const { vfs } = this.#kernel;
    for (const device of this.#spec.devices) {
      const path = toByteString(device.path);
      const made = vfs.mknod(
        this.#caller,
        this.#root,
        path,
        DEVICE_TYPES[device.type] | device.mode,
        makedev(device.major, device.minor),
      );
      if (made === EEXIST) continue;
      const { inode } = must(`device ${device.path}`, made);
      const { mount } = this.#root;
      check(
        `device ${device.path}`,
        vfs.chown(mount, inode!, device.uid, device.gid, this.#caller),
      );
    }
  }
}
