/**
 * File leases: who is asked before somebody opens or truncates a file. The
 * holder hears by a signal, and has the lease break time to give way; the
 * opener waits that long at most. Source: fcntl(2), "Leases".
 * @module
 */
import { CAP_LEASE } from "../abi/capability.ts";
import {
  EACCES,
  EAGAIN,
  EINVAL,
  type Errno,
  EWOULDBLOCK,
} from "../abi/errno.ts";
import {
  F_RDLCK,
  F_UNLCK,
  F_WRLCK,
  O_ACCMODE,
  O_NONBLOCK,
  O_RDONLY,
  O_TRUNC,
} from "../abi/fcntl.ts";
import { POLL_MSG } from "../abi/signal.ts";
import type { Clock } from "../time/clock.ts";
import type { Caller } from "./caller.ts";
import type { FileDescription } from "./file_description.ts";
import type { Inode } from "./inode.ts";

/** fs.lease-break-time, 45 seconds. */
const LEASE_BREAK_NS = 45e9;

/** One lease; an open file has one at most. */
export interface FileLease {
  readonly file: FileDescription;
  /** F_RDLCK or F_WRLCK. */
  type: number;
  /** What it must become, and until when; null: nobody wants it to. */
  breaking: { type: number; readonly deadlineNs: number } | null;
}

/** F_SETLEASE with F_RDLCK, F_WRLCK or F_UNLCK. EINVAL: not a regular file, or
 * another type; EACCES: a stranger's; EAGAIN: it is open otherwise. */
export function setLease(
  file: FileDescription,
  type: number,
  caller: Caller,
): Errno | null {
  const { inode } = file;
  if (type !== F_RDLCK && type !== F_WRLCK && type !== F_UNLCK) return EINVAL;
  const { identity } = caller;
  if (identity.fsuid !== inode.uid && !identity.has(CAP_LEASE)) return EACCES;
  if (!inode.isRegular) return EINVAL;
  const own = leaseOf(file);
  if (type === F_UNLCK) {
    if (own === null) return EAGAIN;
    dropLease(own);
    return null;
  }
  if (type === F_RDLCK && inode.writers > 0) return EAGAIN;
  if (type === F_WRLCK) {
    const openers = inode.writers + inode.readers;
    if (openers > 1) return EAGAIN;
  }
  for (const other of inode.leases ?? []) {
    if (other === own) continue;
    const isExclusive = type === F_WRLCK || other.type === F_WRLCK;
    if (isExclusive || other.breaking !== null) return EAGAIN;
  }
  if (own === null) {
    inode.leases ??= [];
    inode.leases.push({ file, type, breaking: null });
    return null;
  }
  // While it is being broken it can only become weaker.
  if (own.breaking !== null && own.breaking.type !== type) return EAGAIN;
  own.type = type;
  own.breaking = null;
  inode.queue.wake();
  return null;
}

/** F_GETLEASE: what the lease is, or will be once it is broken. */
export function leaseType(file: FileDescription): number {
  const lease = leaseOf(file);
  return lease === null ? F_UNLCK : lease.breaking?.type ?? lease.type;
}

function leaseOf(file: FileDescription): FileLease | null {
  return file.inode.leases?.find((lease) => lease.file === file) ?? null;
}

/** When the last lease that is being broken will end by itself. */
export function leaseDeadline(inode: Inode): number {
  let deadline = 0;
  for (const { breaking } of inode.leases ?? []) {
    deadline = Math.max(deadline, breaking?.deadlineNs ?? 0);
  }
  return deadline;
}

function dropLease(lease: FileLease): void {
  const { inode } = lease.file;
  const rest = (inode.leases ?? []).filter((other) => other !== lease);
  inode.leases = rest.length > 0 ? rest : null;
  inode.queue.wake();
}

/** The file closes. */
export function releaseLease(file: FileDescription): void {
  const lease = leaseOf(file);
  if (lease !== null) dropLease(lease);
}

/**
 * Somebody wants to open (`flags`: O_*) or truncate (O_WRONLY) the file. Null:
 * go on. EWOULDBLOCK with `waitNs` 0: O_NONBLOCK; otherwise wait on the
 * inode's queue until the instant `waitNs`, and ask again.
 */
export function breakLeases(
  inode: Inode,
  flags: number,
  clock: Clock,
): { readonly error: Errno; readonly waitNs: number } | null {
  const wantsWrite = (flags & O_ACCMODE) !== O_RDONLY ||
    (flags & O_TRUNC) !== 0;
  const now = clock.monotonicNs();
  let waitNs = 0;
  for (const lease of [...inode.leases ?? []]) {
    if (!wantsWrite && lease.type === F_RDLCK) continue;
    const target = wantsWrite ? F_UNLCK : F_RDLCK;
    if (lease.breaking === null) {
      lease.breaking = { type: target, deadlineNs: now + LEASE_BREAK_NS };
      lease.file.signalOwner?.send(POLL_MSG);
    } else if (target === F_UNLCK) lease.breaking.type = F_UNLCK;
    const { type, deadlineNs } = lease.breaking;
    if (now < deadlineNs) {
      waitNs = Math.max(waitNs, deadlineNs);
    } else if (type === F_UNLCK) dropLease(lease);
    else {
      lease.type = type;
      lease.breaking = null;
    }
  }
  if (waitNs === 0) return null;
  if ((flags & O_NONBLOCK) !== 0) return { error: EWOULDBLOCK, waitNs: 0 };
  return { error: EAGAIN, waitNs };
}
