/**
 * A tree of the file server as a file system of our kernel, with an overlay in
 * memory above it where the spec says so.
 * @module
 */
import { ENOENT, type Errno, isErrno } from "../../kernel/abi/errno.ts";
import { GoferFileSystem } from "../../kernel/fs/gofer/gofer_file_system.ts";
import { OverlayFileSystem } from "../../kernel/fs/overlay/overlay.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { FileSystem } from "../../kernel/vfs/file_system.ts";
import type { GoferBootMount } from "./boot_spec.ts";

/** Attaches to the tree. ENOENT: the file server has none of that name. */
export function goferFileSystem(
  kernel: Kernel,
  mount: GoferBootMount,
): FileSystem | Errno {
  const { host, clock, memoryFile, vfs } = kernel;
  const client = host.gofers.get(mount.name);
  if (client === undefined) return ENOENT;
  const lower = GoferFileSystem.attach({
    client,
    mount: mount.name,
    mode: mount.isShared ? "shared" : "exclusive",
    device: vfs.newDevice(),
    clock,
    files: host.files,
    memoryFile,
  });
  if (isErrno(lower) || !mount.hasOverlay) return lower;
  return new OverlayFileSystem({
    lowers: [lower],
    memoryFile,
    clock,
    device: vfs.newDevice(),
  });
}
