/**
 * semget(2), semop(2), semtimedop(2), semctl(2). Semaphores are in
 * ../ipc/sem.ts.
 * @module
 */
import {
  E2BIG,
  EAGAIN,
  EFBIG,
  EIDRM,
  EINTR,
  EINVAL,
  ENOSPC,
  ERANGE,
  type Errno,
  ETIMEDOUT,
  isErrno,
} from "../abi/errno.ts";
import * as ipc from "../abi/ipc.ts";
import { IPC_READ, IPC_WRITE } from "../ipc/ipc_table.ts";
import {
  type SemaphoreOperation,
  SemaphoreSet,
  SemaphoreWait,
  UndoList,
} from "../ipc/sem.ts";
import type { Task } from "../task/task.ts";
import {
  changeOwner,
  readPermissions,
  setLong,
  statTarget,
  writePermissions,
} from "./ipc_permissions.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";
import { readTimespec } from "./timespec.ts";

export const semget = defineSyscall({
  name: "semget",
  support: "full",
  args: { key: "int", nsems: "int", semflg: "flags" },
  run: (task, { key, nsems, semflg }) => {
    if (nsems < 0 || nsems > ipc.SEMMSL) return EINVAL;
    const { credentials, ipc: namespace } = task;
    return namespace.semaphores.open(
      key,
      semflg,
      credentials,
      (set) => nsems > set.values.length ? EINVAL : null,
      () => {
        if (nsems === 0) return EINVAL;
        if (namespace.semaphoreCount + nsems > ipc.SEMMNS) return ENOSPC;
        namespace.semaphoreCount += nsems;
        const now = task.clock.realtime().sec;
        return new SemaphoreSet(key, semflg, nsems, credentials, now);
      },
    );
  },
});

function readOperations(
  task: Task,
  addr: number,
  count: number,
): SemaphoreOperation[] | Errno {
  const bytes = new Uint8Array(count * ipc.SEMBUF_SIZE);
  const fault = task.memory.readBytes(addr, bytes);
  if (fault !== null) return fault;
  const view = new DataView(bytes.buffer);
  const operations: SemaphoreOperation[] = [];
  for (let at = 0; at < bytes.length; at += ipc.SEMBUF_SIZE) {
    operations.push({
      index: view.getUint16(at + ipc.SEMBUF.sem_num, true),
      change: view.getInt16(at + ipc.SEMBUF.sem_op, true),
      flags: view.getInt16(at + ipc.SEMBUF.sem_flg, true),
    });
  }
  return operations;
}

function operate(
  task: Task,
  id: number,
  sops: number,
  count: number,
  timeout: number,
): SysResult {
  let limitNs = Infinity;
  if (timeout !== 0) {
    const ns = readTimespec(task, timeout);
    if (isErrno(ns)) return ns;
    limitNs = ns;
  }
  if (count < 1 || id < 0) return EINVAL;
  if (count > ipc.SEMOPM) return E2BIG;
  const operations = readOperations(task, sops, count);
  if (isErrno(operations)) return operations;
  const earlier = task.restart.data;
  if (earlier instanceof SemaphoreWait && earlier.set.isRemoved) return EIDRM;
  const set = task.ipc.semaphores.get(id);
  if (isErrno(set)) return set;
  const { length } = set.values;
  if (operations.some(({ index }) => index >= length)) return EFBIG;
  const isChange = operations.some(({ change }) => change !== 0);
  const denied = set.checkAccess(
    task.credentials,
    isChange ? IPC_WRITE : IPC_READ,
  );
  if (denied !== null) return denied;
  const wait = earlier instanceof SemaphoreWait
    ? earlier
    : new SemaphoreWait(set);
  if (operations.some(({ flags }) => (flags & ipc.SEM_UNDO) !== 0)) {
    task.semaphoreUndo ??= new UndoList();
  }
  const result = set.perform(
    operations,
    task.semaphoreUndo,
    task.processId,
    task.clock.realtime().sec,
    wait,
  );
  if (result !== "wait") {
    wait.abandon();
    return result === "done" ? 0 : result;
  }
  set.waits.add(wait);
  task.restart.data = wait;
  const blocked = task.block(
    set.queue,
    undefined,
    task.deadlineAfter(limitNs),
  );
  if (!isErrno(blocked)) return blocked;
  wait.abandon();
  task.restart.data = null;
  // semop(2): never restarted after a signal, whatever SA_RESTART says.
  return blocked === ETIMEDOUT ? EAGAIN : EINTR;
}

export const semop = defineSyscall({
  name: "semop",
  support: "full",
  args: { semid: "int", sops: "addr", nsops: "size" },
  run: (task, { semid, sops, nsops }) => operate(task, semid, sops, nsops, 0),
});

export const semtimedop = defineSyscall({
  name: "semtimedop",
  support: "full",
  args: { semid: "int", sops: "addr", nsops: "size", timeout: "addr" },
  run: (task, { semid, sops, nsops, timeout }) =>
    operate(task, semid, sops, nsops, timeout),
});

export const semctl = defineSyscall({
  name: "semctl",
  support: "full",
  args: { semid: "int", semnum: "int", op: "int", arg: "ulong" },
  run: (task, { semid, semnum, op, arg }) => {
    if (semid < 0) return EINVAL;
    const command = op & ~ipc.IPC_64;
    switch (command) {
      case ipc.IPC_INFO:
      case ipc.SEM_INFO:
        return info(task, command, arg);
      case ipc.IPC_STAT:
      case ipc.SEM_STAT:
      case ipc.SEM_STAT_ANY:
        return status(task, semid, command, arg);
      case ipc.GETALL:
      case ipc.SETALL:
        return accessAll(task, semid, command, arg);
      case ipc.GETVAL:
      case ipc.GETPID:
      case ipc.GETNCNT:
      case ipc.GETZCNT:
      case ipc.SETVAL:
        return accessOne(task, semid, semnum, command, arg);
      case ipc.IPC_SET:
      case ipc.IPC_RMID:
        return control(task, semid, command, arg);
      default:
        return EINVAL;
    }
  },
});

/** SEMUSZ: sizeof(struct sem_undo) of old. */
const SEMUSZ = 20;

/** struct seminfo. Returns the highest slot in use. */
function info(task: Task, command: number, addr: number): SysResult {
  const { semaphores, semaphoreCount } = task.ipc;
  const isUse = command === ipc.SEM_INFO;
  const words = [
    ipc.SEMMNS, // semmap
    ipc.SEMMNI,
    ipc.SEMMNS,
    ipc.SEMMNS, // semmnu
    ipc.SEMMSL,
    ipc.SEMOPM,
    ipc.SEMOPM, // semume
    isUse ? semaphores.count : SEMUSZ,
    ipc.SEMVMX,
    isUse ? semaphoreCount : ipc.SEMAEM,
  ];
  return task.memory.writeI32s(addr, words) ?? semaphores.maxSlot;
}

function status(
  task: Task,
  id: number,
  command: number,
  addr: number,
): SysResult {
  const bySlot = command !== ipc.IPC_STAT;
  const set = statTarget(task.ipc.semaphores, id, bySlot);
  if (isErrno(set)) return set;
  if (command !== ipc.SEM_STAT_ANY) {
    const denied = set.checkAccess(task.credentials, IPC_READ);
    if (denied !== null) return denied;
  }
  const bytes = new Uint8Array(ipc.SEMID64_DS_SIZE);
  const view = new DataView(bytes.buffer);
  writePermissions(view, set);
  setLong(view, ipc.SEMID64_DS.sem_otime, set.operationTime);
  setLong(view, ipc.SEMID64_DS.sem_ctime, set.changeTime);
  setLong(view, ipc.SEMID64_DS.sem_nsems, set.values.length);
  return task.memory.writeBytes(addr, bytes) ?? (bySlot ? set.id : 0);
}

function accessAll(
  task: Task,
  id: number,
  command: number,
  addr: number,
): SysResult {
  const set = task.ipc.semaphores.get(id);
  if (isErrno(set)) return set;
  const isSet = command === ipc.SETALL;
  const denied = set.checkAccess(
    task.credentials,
    isSet ? IPC_WRITE : IPC_READ,
  );
  if (denied !== null) return denied;
  const words = new Uint16Array(set.values.length);
  const bytes = new Uint8Array(words.buffer);
  if (!isSet) {
    words.set(set.values);
    return task.memory.writeBytes(addr, bytes) ?? 0;
  }
  const fault = task.memory.readBytes(addr, bytes);
  if (fault !== null) return fault;
  if (words.some((value) => value > ipc.SEMVMX)) return ERANGE;
  for (const [i, value] of words.entries()) set.set(i, value, task.processId);
  return changed(task, set);
}

function changed(task: Task, set: SemaphoreSet): 0 {
  set.changeTime = task.clock.realtime().sec;
  set.queue.wake();
  return 0;
}

function accessOne(
  task: Task,
  id: number,
  index: number,
  command: number,
  arg: number,
): SysResult {
  const value = (arg % 4294967296) | 0;
  const isSet = command === ipc.SETVAL;
  if (isSet && (value < 0 || value > ipc.SEMVMX)) return ERANGE;
  const set = task.ipc.semaphores.get(id);
  if (isErrno(set)) return set;
  // SETVAL looks at the number first, the others at the rights.
  const isInside = index >= 0 && index < set.values.length;
  if (isSet && !isInside) return EINVAL;
  const denied = set.checkAccess(
    task.credentials,
    isSet ? IPC_WRITE : IPC_READ,
  );
  if (denied !== null) return denied;
  if (!isInside) return EINVAL;
  switch (command) {
    case ipc.GETVAL:
      return set.values[index]!;
    case ipc.GETPID:
      return set.pids[index]!;
    case ipc.GETNCNT:
      return set.waiting(index, "growth");
    case ipc.GETZCNT:
      return set.waiting(index, "zero");
    default:
      set.set(index, value, task.processId);
      return changed(task, set);
  }
}

function control(
  task: Task,
  id: number,
  command: number,
  addr: number,
): SysResult {
  const bytes = new Uint8Array(ipc.SEMID64_DS_SIZE);
  if (command === ipc.IPC_SET) {
    const fault = task.memory.readBytes(addr, bytes);
    if (fault !== null) return fault;
  }
  const set = task.ipc.semaphores.get(id);
  if (isErrno(set)) return set;
  const denied = set.checkOwner(task.credentials);
  if (denied !== null) return denied;
  if (command === ipc.IPC_RMID) {
    set.remove(task.ipc);
    return 0;
  }
  const change = readPermissions(new DataView(bytes.buffer));
  return changeOwner(set, change, task.clock.realtime().sec) ?? 0;
}
