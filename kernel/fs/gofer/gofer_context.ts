/**
 * What the inodes of one gofer file system share; GoferFileSystem implements
 * it.
 * @module
 */
import { EIO, EREMOTEIO, type Errno, errnoFromCode } from "../../abi/errno.ts";
import type {
  GoferClient,
  GoferNode,
  GoferNodeId,
} from "../../../gofer/client.ts";
import type { HostFiles } from "../../host.ts";
import type { MemoryFile } from "../../mm/memory_file.ts";
import type { Clock } from "../../time/clock.ts";
import type { Inode } from "../../vfs/inode.ts";
import type { IdleHandles } from "./host_handles.ts";
import type { Prefetched, ReadAhead } from "./read_ahead.ts";
import type { WalkAhead } from "./walk_ahead.ts";

export interface GoferContext {
  readonly client: GoferClient;
  readonly files: HostFiles;
  readonly memoryFile: MemoryFile;
  readonly clock: Clock;
  readonly idleHandles: IdleHandles;
  readonly walkAhead: WalkAhead;
  readonly readAhead: ReadAhead;
  /** Others change the files, too: ask each time, and believe no cache. */
  readonly isShared: boolean;
  /** The inode of a node that the server sent, whose reference this takes over;
   * `target`: what it leads to if it is a symlink, "" if unknown. */
  adopt(node: GoferNode, target: string): Inode;
  /** The same for a node that a listing held, with what is known of it. */
  adoptAhead(holder: Prefetched): Inode;
  /** Whether an inode stands for the node. */
  isKnown(node: GoferNodeId): boolean;
  /** An inode was evicted: gives its reference back. */
  drop(inode: Inode): void;
}

/** The error that a client call returned. */
export function goferErrno(result: number): Errno {
  const errno = errnoFromCode(result);
  // The connection is gone; to the guest the disk is.
  return errno === EREMOTEIO ? EIO : errno;
}
