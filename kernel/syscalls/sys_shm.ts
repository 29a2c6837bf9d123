/**
 * shmget(2), shmat(2), shmdt(2), shmctl(2). Segments are in ../ipc/shm.ts.
 * @module
 */
import { CAP_IPC_LOCK } from "../abi/capability.ts";
import {
  EINVAL,
  ENOMEM,
  ENOSPC,
  EPERM,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import * as ipc from "../abi/ipc.ts";
import {
  MAP_FIXED,
  MAP_SHARED,
  PAGE_SIZE,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from "../abi/mman.ts";
import { RLIMIT_MEMLOCK } from "../abi/resource.ts";
import { IPC_READ, IPC_WRITE } from "../ipc/ipc_table.ts";
import { AttachedSegment, Segment } from "../ipc/shm.ts";
import { PROT_ALL } from "../mm/mmap.ts";
import type { Task } from "../task/task.ts";
import {
  changeOwner,
  readPermissions,
  setLong,
  statTarget,
  writePermissions,
} from "./ipc_permissions.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

/** kernel.shmmax and shmall: ULONG_MAX - 2^24, in bytes and in pages. */
const SHMMAX_HIGH = 0xffffffff;
const SHMMAX_LOW = 0xfeffffff;
const IPC_EXECUTE = 0o111;

export const shmget = defineSyscall({
  name: "shmget",
  support: { partial: "SHM_HUGETLB fails with ENOMEM" },
  args: { key: "int", size: "size", shmflg: "flags" },
  run: (task, { key, size, shmflg }) => {
    const { credentials, kernel, ipc: namespace } = task;
    return namespace.segments.open(
      key,
      shmflg,
      credentials,
      (segment) => segment.sizeBytes < size ? EINVAL : null,
      () => {
        if (size < ipc.SHMMIN) return EINVAL;
        if ((shmflg & ipc.SHM_HUGETLB) !== 0) {
          unimplemented(task, "shmget: SHM_HUGETLB");
          return ENOMEM;
        }
        if (size > kernel.memoryFile.memory.size) return ENOSPC;
        return new Segment(
          {
            key,
            mode: shmflg,
            sizeBytes: size,
            creator: credentials,
            creatorPid: task.processId,
          },
          kernel.memoryFile,
          task.clock,
          namespace,
        );
      },
    );
  },
});

export const shmat = defineSyscall({
  name: "shmat",
  support: "full",
  args: { shmid: "int", shmaddr: "addr", shmflg: "flags" },
  run: (task, { shmid, shmaddr, shmflg }) => {
    if (shmid < 0) return EINVAL;
    const addr = placeOf(shmaddr, shmflg);
    if (isErrno(addr)) return addr;
    const isReadOnly = (shmflg & ipc.SHM_RDONLY) !== 0;
    const isExecutable = (shmflg & ipc.SHM_EXEC) !== 0;
    const segment = task.ipc.segments.get(shmid);
    if (isErrno(segment)) return segment;
    const wanted = IPC_READ | (isReadOnly ? 0 : IPC_WRITE) |
      (isExecutable ? IPC_EXECUTE : 0);
    const denied = segment.checkAccess(task.credentials, wanted);
    if (denied !== null) return denied;
    const length = segment.pages * PAGE_SIZE;
    if (addr !== 0 && (shmflg & ipc.SHM_REMAP) === 0) {
      if (overlapsMapping(task, addr, addr + length)) return EINVAL;
    }
    const at = task.memory.map({
      addr,
      length,
      prot: PROT_READ | (isReadOnly ? 0 : PROT_WRITE) |
        (isExecutable ? PROT_EXEC : 0),
      flags: MAP_SHARED | (addr === 0 ? 0 : MAP_FIXED),
      mappable: segment.mappable,
      offset: 0,
      maxProt: isReadOnly ? PROT_ALL & ~PROT_WRITE : PROT_ALL,
      isPrivileged: task.credentials.has(CAP_IPC_LOCK),
    });
    if (!isErrno(at)) segment.lastPid = task.processId;
    return at;
  },
});

/** Where shmaddr and SHM_RND put it; 0: anywhere. EINVAL. */
function placeOf(addr: number, flags: number): number | Errno {
  const isRemap = (flags & ipc.SHM_REMAP) !== 0;
  if (addr === 0) return isRemap ? EINVAL : 0;
  const rest = addr % PAGE_SIZE;
  if (rest !== 0 && (flags & ipc.SHM_RND) === 0) return EINVAL;
  const rounded = addr - rest;
  return rounded === 0 && isRemap ? EINVAL : rounded;
}

function overlapsMapping(task: Task, start: number, end: number): boolean {
  const { vmas } = task.memory;
  const next = vmas.items[vmas.indexAfter(start)];
  return next !== undefined && next.start < end;
}

export const shmdt = defineSyscall({
  name: "shmdt",
  support: "full",
  args: { shmaddr: "addr" },
  run: (task, { shmaddr }) => {
    if (shmaddr % PAGE_SIZE !== 0) return EINVAL;
    const { vmas } = task.memory;
    // mprotect and munmap may have cut the attachment; its first piece tells
    // where the others would lie.
    let segment: Segment | null = null;
    const pieces: { readonly start: number; readonly length: number }[] = [];
    for (let i = vmas.indexAfter(shmaddr); i < vmas.items.length; i++) {
      const vma = vmas.items[i]!;
      const { mappable } = vma;
      if (!(mappable instanceof AttachedSegment)) continue;
      if (vma.start - vma.fileOffset !== shmaddr) continue;
      if (segment !== null && mappable.segment !== segment) continue;
      segment = mappable.segment;
      pieces.push({ start: vma.start, length: vma.length });
      if (vma.end >= shmaddr + segment.sizeBytes) break;
    }
    if (segment === null) return EINVAL;
    segment.lastPid = task.processId;
    for (const { start, length } of pieces) {
      const failed = task.memory.unmap(start, length);
      if (failed !== null) return failed;
    }
    return 0;
  },
});

export const shmctl = defineSyscall({
  name: "shmctl",
  support: "full",
  args: { shmid: "int", op: "int", buf: "addr" },
  run: (task, { shmid, op, buf }) => {
    const command = op & ~ipc.IPC_64;
    if (op < 0 || shmid < 0) return EINVAL;
    switch (command) {
      case ipc.IPC_INFO:
        return limits(task, buf);
      case ipc.SHM_INFO:
        return usage(task, buf);
      case ipc.IPC_STAT:
      case ipc.SHM_STAT:
      case ipc.SHM_STAT_ANY:
        return status(task, shmid, command, buf);
      case ipc.IPC_SET:
      case ipc.IPC_RMID:
        return control(task, shmid, command, buf);
      case ipc.SHM_LOCK:
      case ipc.SHM_UNLOCK:
        return lock(task, shmid, command === ipc.SHM_LOCK);
      default:
        return EINVAL;
    }
  },
});

/** struct shminfo64: five words, four to come. */
function limits(task: Task, addr: number): SysResult {
  const bytes = new Uint8Array(72);
  const view = new DataView(bytes.buffer);
  for (const at of [0, 32]) {
    view.setUint32(at, SHMMAX_LOW, true);
    view.setUint32(at + 4, SHMMAX_HIGH, true);
  }
  setLong(view, 8, ipc.SHMMIN);
  setLong(view, 16, ipc.SHMMNI);
  setLong(view, 24, ipc.SHMSEG);
  return task.memory.writeBytes(addr, bytes) ?? task.ipc.segments.maxSlot;
}

/** struct shm_info. */
function usage(task: Task, addr: number): SysResult {
  const { segments, segmentPages } = task.ipc;
  const bytes = new Uint8Array(48);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, segments.count, true);
  setLong(view, 8, segmentPages);
  setLong(view, 16, segmentPages);
  return task.memory.writeBytes(addr, bytes) ?? segments.maxSlot;
}

function status(
  task: Task,
  id: number,
  command: number,
  addr: number,
): SysResult {
  const bySlot = command !== ipc.IPC_STAT;
  const segment = statTarget(task.ipc.segments, id, bySlot);
  if (isErrno(segment)) return segment;
  if (command !== ipc.SHM_STAT_ANY) {
    const denied = segment.checkAccess(task.credentials, IPC_READ);
    if (denied !== null) return denied;
  }
  const bytes = new Uint8Array(ipc.SHMID64_DS_SIZE);
  const view = new DataView(bytes.buffer);
  const at = ipc.SHMID64_DS;
  writePermissions(view, segment);
  setLong(view, at.shm_segsz, segment.sizeBytes);
  setLong(view, at.shm_atime, segment.attachTime);
  setLong(view, at.shm_dtime, segment.detachTime);
  setLong(view, at.shm_ctime, segment.changeTime);
  view.setInt32(at.shm_cpid, segment.creatorPid, true);
  view.setInt32(at.shm_lpid, segment.lastPid, true);
  setLong(view, at.shm_nattch, segment.attachCount);
  return task.memory.writeBytes(addr, bytes) ?? (bySlot ? segment.id : 0);
}

function control(
  task: Task,
  id: number,
  command: number,
  addr: number,
): SysResult {
  const bytes = new Uint8Array(ipc.SHMID64_DS_SIZE);
  if (command === ipc.IPC_SET) {
    const fault = task.memory.readBytes(addr, bytes);
    if (fault !== null) return fault;
  }
  const segment = task.ipc.segments.get(id);
  if (isErrno(segment)) return segment;
  const denied = segment.checkOwner(task.credentials);
  if (denied !== null) return denied;
  if (command === ipc.IPC_RMID) {
    segment.doom();
    return 0;
  }
  const change = readPermissions(new DataView(bytes.buffer));
  return changeOwner(segment, change, task.clock.realtime().sec) ?? 0;
}

/** Pages are never swapped: only the mark is kept. */
function lock(task: Task, id: number, isLock: boolean): SysResult {
  const segment = task.ipc.segments.get(id);
  if (isErrno(segment)) return segment;
  const who = task.credentials;
  if (!who.has(CAP_IPC_LOCK)) {
    if (who.euid !== segment.cuid && who.euid !== segment.uid) return EPERM;
    if (isLock && task.limit(RLIMIT_MEMLOCK) === 0) return EPERM;
  }
  if (isLock) segment.mode |= ipc.SHM_LOCKED;
  else segment.mode &= ~ipc.SHM_LOCKED;
  return 0;
}
