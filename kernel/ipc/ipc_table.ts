/**
 * System V IPC objects in general: keys, identifiers, ownership and access,
 * the same for semaphores, shared memory and message queues. Source:
 * sysvipc(7), semget(2), semctl(2).
 * @module
 */
import { CAP_IPC_OWNER, CAP_SYS_ADMIN } from "../abi/capability.ts";
import {
  EACCES,
  EEXIST,
  EINVAL,
  ENOENT,
  ENOSPC,
  EPERM,
  type Errno,
} from "../abi/errno.ts";
import { IPC_CREAT, IPC_EXCL, IPC_PRIVATE } from "../abi/ipc.ts";
import type { Identity } from "../vfs/caller.ts";

/** Identifiers are sequence * IPCMNI + slot, so that old ones grow stale. */
const IPCMNI = 32768;
const SEQUENCES = 65536;

/** Access that is asked for, in one octal digit's bits. */
export const IPC_READ = 0o444;
export const IPC_WRITE = 0o222;

/** struct kern_ipc_perm. */
export abstract class IpcObject {
  id = -1;
  uid: number;
  gid: number;
  readonly cuid: number;
  readonly cgid: number;
  /** Permission bits; shared memory adds SHM_DEST and SHM_LOCKED. */
  mode: number;
  isRemoved = false;
  /** Seconds since the epoch of the last IPC_SET, or of creation. */
  changeTime: number;

  constructor(
    public key: number,
    mode: number,
    creator: Identity,
    nowSec: number,
  ) {
    this.mode = mode & 0o777;
    this.uid = this.cuid = creator.euid;
    this.gid = this.cgid = creator.egid;
    this.changeTime = nowSec;
  }

  get slot(): number {
    return this.id % IPCMNI;
  }
  get sequence(): number {
    return Math.floor(this.id / IPCMNI);
  }

  /** Whether `who` may access it as the bits of `wanted` say (any digit of a
   * mode). EACCES. */
  checkAccess(who: Identity, wanted: number): Errno | null {
    const requested = ((wanted >> 6) | (wanted >> 3) | wanted) & 7;
    let granted = this.mode;
    if (who.euid === this.cuid || who.euid === this.uid) granted >>= 6;
    else if (isMember(who, this.cgid) || isMember(who, this.gid)) granted >>= 3;
    if ((requested & ~granted) === 0 || who.has(CAP_IPC_OWNER)) return null;
    return EACCES;
  }

  /** IPC_SET and IPC_RMID are the owner's and the creator's. EPERM. */
  checkOwner(who: Identity): Errno | null {
    const isOwner = who.euid === this.cuid || who.euid === this.uid;
    return isOwner || who.has(CAP_SYS_ADMIN) ? null : EPERM;
  }
}

function isMember(who: Identity, gid: number): boolean {
  return who.egid === gid || who.groups.includes(gid);
}

/** The objects of one kind in one namespace. */
export class IpcTable<T extends IpcObject> {
  readonly #bySlot = new Map<number, T>();
  readonly #byKey = new Map<number, T>();
  #next = 0;
  #sequence = 0;

  constructor(readonly limit: number) {}

  get count(): number {
    return this.#bySlot.size;
  }
  values(): IterableIterator<T> {
    return this.#bySlot.values();
  }
  /** Highest slot in use; 0 if there is none, as the INFO commands answer. */
  get maxSlot(): number {
    let max = 0;
    for (const slot of this.#bySlot.keys()) max = Math.max(max, slot);
    return max;
  }

  /** By identifier. EINVAL. */
  get(id: number): T | Errno {
    const object = this.#bySlot.get(id % IPCMNI);
    return id >= 0 && object?.id === id ? object : EINVAL;
  }
  /** By slot, as the STAT commands address. EINVAL. */
  at(slot: number): T | Errno {
    return this.#bySlot.get(slot % IPCMNI) ?? EINVAL;
  }

  /**
   * semget(2) and its kin: the identifier of the object of `key`, made by
   * `create` if need be. ENOENT, EEXIST, EACCES, ENOSPC, and what `check` and
   * `create` say.
   */
  open(
    key: number,
    flags: number,
    who: Identity,
    check: (object: T) => Errno | null,
    create: () => T | Errno,
  ): number | Errno {
    const found = key === IPC_PRIVATE ? undefined : this.#byKey.get(key);
    if (found === undefined) {
      if (key !== IPC_PRIVATE && (flags & IPC_CREAT) === 0) return ENOENT;
      if (this.count >= this.limit) return ENOSPC;
      const made = create();
      return made instanceof IpcObject ? this.#add(made) : made;
    }
    const exclusive = IPC_CREAT | IPC_EXCL;
    if ((flags & exclusive) === exclusive) return EEXIST;
    return check(found) ?? found.checkAccess(who, flags & 0o777) ?? found.id;
  }

  #add(object: T): number {
    // Slots are taken round robin; a new round begins a new sequence.
    while (this.#bySlot.has(this.#next)) this.#advance();
    object.id = this.#sequence * IPCMNI + this.#next;
    this.#bySlot.set(this.#next, object);
    this.#advance();
    if (object.key !== IPC_PRIVATE) this.#byKey.set(object.key, object);
    return object.id;
  }
  #advance(): void {
    if (++this.#next < this.limit) return;
    this.#next = 0;
    this.#sequence = (this.#sequence + 1) % SEQUENCES;
  }

  /** No more by its key: an attached segment that IPC_RMID marked. */
  forgetKey(object: T): void {
    if (this.#byKey.get(object.key) === object) this.#byKey.delete(object.key);
    object.key = IPC_PRIVATE;
  }
  remove(object: T): void {
    if (this.#byKey.get(object.key) === object) this.#byKey.delete(object.key);
    this.#bySlot.delete(object.slot);
    object.isRemoved = true;
  }
}
