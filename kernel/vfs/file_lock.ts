/**
 * Advisory locks: POSIX record locks (owned by a process), open file
 * description locks and flock(2) locks (owned by an open file). Source:
 * fcntl(2), "Advisory record locking"; flock(2).
 *
 * Locks hang on the inode. Nothing blocks here: a conflict is EAGAIN, and who
 * wants to wait does so on `queue` and tries again. Waits of POSIX locks form a
 * graph over the owners (LockOwner.waitsFor), which is searched for a cycle
 * before anyone joins it.
 * @module
 */
import { EAGAIN, EDEADLK, ENOLCK, type Errno } from "../abi/errno.ts";
import { F_RDLCK, F_UNLCK, F_WRLCK } from "../abi/fcntl.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import type { LockOwner } from "./caller.ts";
import type { Inode } from "./inode.ts";

/** A locked range of bytes. */
export interface RecordLock {
  /** LockOwner of a POSIX lock, the open file of an OFD lock. */
  readonly owner: object;
  /** F_RDLCK or F_WRLCK (F_UNLCK in requests). */
  readonly type: number;
  /** First and last byte; `end` is Infinity for "to the end of the file". */
  readonly start: number;
  readonly end: number;
  /** For F_GETLK: process ID of the owner, -1 for an OFD lock. */
  readonly pid: number;
}

interface WholeLock {
  readonly owner: object;
  readonly type: number;
}

/** Record locks that one inode may have: each change looks at all of them. */
const MAX_RECORDS = 8192;

/** The locks of one inode. */
export class FileLocks {
  /** Woken when a lock goes or becomes weaker. */
  readonly queue = new WaitQueue();
  /** Record locks, by start; those of one owner never overlap. */
  records: RecordLock[] = [];
  /** flock(2) locks: at most one per open file. */
  readonly wholes: WholeLock[] = [];

  get isEmpty(): boolean {
    return this.records.length === 0 && this.wholes.length === 0;
  }
}

/** The locks of an inode, made on first use. */
export function locksOf(inode: Inode): FileLocks {
  if (inode.locks instanceof FileLocks) return inode.locks;
  const locks = new FileLocks();
  inode.locks = locks;
  return locks;
}

/** The first lock of another owner that stands in the way; null if none. */
export function findConflict(
  inode: Inode,
  request: RecordLock,
): RecordLock | null {
  if (!(inode.locks instanceof FileLocks)) return null;
  for (const lock of inode.locks.records) {
    if (lock.owner === request.owner) continue;
    if (lock.start > request.end || lock.end < request.start) continue;
    if (lock.type === F_WRLCK || request.type === F_WRLCK) return lock;
  }
  return null;
}

/** Sets or (F_UNLCK) clears a range for the request's owner, who may lock
 * over what it locked before. EAGAIN, ENOLCK. */
export function setRecordLock(
  inode: Inode,
  request: RecordLock,
): Errno | null {
  if (request.type !== F_UNLCK && findConflict(inode, request) !== null) {
    return EAGAIN;
  }
  const locks = locksOf(inode);
  const kept: RecordLock[] = [];
  let { start, end } = request;
  let isWeakened = false;
  for (const lock of locks.records) {
    if (lock.owner !== request.owner) {
      kept.push(lock);
      continue;
    }
    const isTouching = lock.start <= end + 1 && lock.end + 1 >= start;
    if (lock.type === request.type && isTouching) {
      // Neighbours of one kind become one lock.
      start = Math.min(start, lock.start);
      end = Math.max(end, lock.end);
      continue;
    }
    if (lock.start > end || lock.end < start) {
      kept.push(lock);
      continue;
    }
    isWeakened ||= request.type === F_UNLCK || request.type === F_RDLCK;
    if (lock.start < start) kept.push({ ...lock, end: start - 1 });
    if (lock.end > end) kept.push({ ...lock, start: end + 1 });
  }
  if (request.type !== F_UNLCK) kept.push({ ...request, start, end });
  if (kept.length > MAX_RECORDS) return ENOLCK;
  kept.sort((a, b) => a.start - b.start);
  locks.records = kept;
  settle(inode, locks, isWeakened);
  return null;
}

/** Wakes who waits, and lets go of an empty set of locks. */
function settle(inode: Inode, locks: FileLocks, isWeakened: boolean): void {
  if (isWeakened) locks.queue.wake();
  if (locks.isEmpty && locks.queue.isEmpty) inode.locks = null;
}

/**
 * Notes that `owner` is about to wait for `conflict`. EDEADLK: its owner waits,
 * maybe through others, for this one. The wait ends with stopWaiting().
 */
export function startWaiting(
  owner: LockOwner,
  conflict: RecordLock,
): Errno | null {
  const first = conflict.owner;
  // An open file waits for nobody: OFD locks take no part in the search.
  if (!isLockOwner(first)) return null;
  for (let at: LockOwner | null = first; at !== null; at = at.waitsFor) {
    if (at === owner) return EDEADLK;
  }
  owner.waitsFor = first;
  return null;
}

function isLockOwner(owner: object): owner is LockOwner {
  return "waitsFor" in owner;
}

export function stopWaiting(owner: LockOwner): void {
  owner.waitsFor = null;
}

/** flock(2) for an open file: F_RDLCK, F_WRLCK or F_UNLCK. Changing a lock's
 * kind gives it up first, as Linux does. EAGAIN. */
export function setWholeLock(
  inode: Inode,
  file: object,
  type: number,
): Errno | null {
  const locks = locksOf(inode);
  const own = locks.wholes.findIndex((lock) => lock.owner === file);
  if (own >= 0) {
    if (locks.wholes[own]!.type === type) return null;
    locks.wholes.splice(own, 1);
    locks.queue.wake();
  }
  if (type === F_UNLCK) {
    settle(inode, locks, false);
    return null;
  }
  const isConflicting = locks.wholes.some((lock) =>
    lock.type === F_WRLCK || type === F_WRLCK
  );
  if (isConflicting) return EAGAIN;
  locks.wholes.push({ owner: file, type });
  return null;
}

/** close(2) of any descriptor drops all of the process's record locks on the
 * file: POSIX demands this surprise. */
export function releasePosixLocks(inode: Inode, owner: LockOwner): void {
  stopWaiting(owner);
  const locks = inode.locks;
  if (!(locks instanceof FileLocks)) return;
  const before = locks.records.length;
  locks.records = locks.records.filter((lock) => lock.owner !== owner);
  settle(inode, locks, locks.records.length < before);
}

/** The last reference on an open file goes, and with it its own locks. */
export function releaseFileLocks(inode: Inode, file: object): void {
  const locks = inode.locks;
  if (!(locks instanceof FileLocks)) return;
  const before = locks.records.length + locks.wholes.length;
  locks.records = locks.records.filter((lock) => lock.owner !== file);
  const own = locks.wholes.findIndex((lock) => lock.owner === file);
  if (own >= 0) locks.wholes.splice(own, 1);
  const after = locks.records.length + locks.wholes.length;
  settle(inode, locks, after < before);
}
