/**
 * Looking through a stack of lower directories: the uppermost layer that has a
 * name decides, directories merge, whiteouts and opaque directories hide what
 * lies below. Source: Documentation/filesystems/overlayfs.rst, "whiteouts and
 * opaque directories".
 * @module
 */
import { type Errno, isErrno } from "../../abi/errno.ts";
import { S_ISCHR } from "../../abi/stat.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Inode } from "../../vfs/inode.ts";

/** An inode of a lower layer; layer 0 is the uppermost of them. */
export interface LayerInode {
  readonly inode: Inode;
  readonly layer: number;
}

const OPAQUE_XATTR = "trusted.overlay.opaque";
const LETTER_Y = 0x79;

/** A character device 0:0 says that the name does not exist. */
export function isWhiteout(inode: Inode): boolean {
  return S_ISCHR(inode.mode) && inode.rdev === 0;
}

function isOpaque(directory: Inode): boolean {
  const value = directory.getXattr(OPAQUE_XATTR);
  return !isErrno(value) && value.length === 1 && value[0] === LETTER_Y;
}

/**
 * What `directories` (uppermost first) have under `name`: nothing, one inode,
 * or several directories to merge.
 */
export function lookupInLayers(
  directories: readonly LayerInode[],
  name: ByteString,
): readonly LayerInode[] | Errno {
  const found: LayerInode[] = [];
  for (const [position, { inode: directory, layer }] of directories.entries()) {
    const inode = directory.lookup(name);
    if (isErrno(inode)) return inode;
    if (inode === null) continue;
    if (isWhiteout(inode)) break;
    if (!inode.isDirectory) {
      // Below a directory anything else is hidden.
      if (found.length === 0) found.push({ inode, layer });
      break;
    }
    found.push({ inode, layer });
    const isLast = position === directories.length - 1;
    if (!isLast && isOpaque(inode)) break;
  }
  return found;
}
