/**
 * struct ipc64_perm of semctl(2), shmctl(2) and msgctl(2): shown by the STAT
 * commands, taken by IPC_SET.
 * @module
 */
import { EINVAL, type Errno } from "../abi/errno.ts";
import { IPC64_PERM } from "../abi/ipc.ts";
import type { IpcObject, IpcTable } from "../ipc/ipc_table.ts";

/** Owner and mode that IPC_SET gives. */
export interface OwnerChange {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Writes struct ipc64_perm at the start of `view`. */
export function writePermissions(view: DataView, object: IpcObject): void {
  view.setInt32(IPC64_PERM.key, object.key, true);
  view.setUint32(IPC64_PERM.uid, object.uid, true);
  view.setUint32(IPC64_PERM.gid, object.gid, true);
  view.setUint32(IPC64_PERM.cuid, object.cuid, true);
  view.setUint32(IPC64_PERM.cgid, object.cgid, true);
  view.setUint32(IPC64_PERM.mode, object.mode, true);
  view.setUint16(IPC64_PERM.seq, object.sequence, true);
}

/** What IPC_SET takes from struct ipc64_perm. */
export function readPermissions(view: DataView): OwnerChange {
  return {
    uid: view.getUint32(IPC64_PERM.uid, true),
    gid: view.getUint32(IPC64_PERM.gid, true),
    mode: view.getUint32(IPC64_PERM.mode, true),
  };
}

/** IPC_SET's common part. EINVAL: an id that no user has. */
export function changeOwner(
  object: IpcObject,
  { uid, gid, mode }: OwnerChange,
  nowSec: number,
): Errno | null {
  if (uid === 0xffffffff || gid === 0xffffffff) return EINVAL;
  object.uid = uid;
  object.gid = gid;
  object.mode = (object.mode & ~0o777) | (mode & 0o777);
  object.changeTime = nowSec;
  return null;
}

/** Stores an unsigned 64-bit field. */
export function setLong(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 4294967296, true);
  view.setUint32(at + 4, Math.floor(value / 4294967296), true);
}

/** The object that a STAT command means: by slot for SEM_STAT and its kin. */
export function statTarget<T extends IpcObject>(
  table: IpcTable<T>,
  id: number,
  bySlot: boolean,
): T | Errno {
  return bySlot ? table.at(id) : table.get(id);
}
