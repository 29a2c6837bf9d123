/**
 * mmap(2), munmap(2), mprotect(2), mremap(2), madvise(2), brk(2), msync(2),
 * mincore(2). What they do to memory is told in ../mm; here are the checks of
 * arguments and descriptors.
 * @module
 */
import { CAP_IPC_LOCK } from "../abi/capability.ts";
import {
  EACCES,
  EFAULT,
  EINVAL,
  ENOMEM,
  ENOSPC,
  EOPNOTSUPP,
  EOVERFLOW,
  EPERM,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import { MAX_LFS_FILESIZE } from "../abi/limits.ts";
import * as mman from "../abi/mman.ts";
import { PAGE_SIZE, PROT_EXEC, PROT_WRITE } from "../abi/mman.ts";
import { MS_NOEXEC } from "../abi/mount.ts";
import type { Mappable } from "../mm/mappable.ts";
import { PROT_ALL } from "../mm/mmap.ts";
import type { Task } from "../task/task.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import { openFileOf } from "./file_arguments.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

/** Flags that MAP_SHARED_VALIDATE knows: LEGACY_MAP_MASK. */
const KNOWN_FLAGS = mman.MAP_SHARED | mman.MAP_PRIVATE | mman.MAP_FIXED |
  mman.MAP_ANONYMOUS | mman.MAP_DENYWRITE | mman.MAP_EXECUTABLE |
  mman.MAP_UNINITIALIZED | mman.MAP_GROWSDOWN | mman.MAP_LOCKED |
  mman.MAP_NORESERVE | mman.MAP_POPULATE | mman.MAP_NONBLOCK |
  mman.MAP_STACK | mman.MAP_HUGETLB | mman.MAP_32BIT | mman.MAP_ABOVE4G |
  (mman.MAP_HUGE_MASK << mman.MAP_HUGE_SHIFT);

/** Most pages that mincore(2) answers for at a time. */
const MINCORE_PAGES = 4096;

interface MapArguments {
  readonly addr: number;
  readonly length: number;
  readonly prot: number;
  readonly flags: number;
  readonly fd: number;
  readonly offset: number;
}

/** A file's part in a mapping, or why there can be none. */
interface FilePart {
  readonly mappable: Mappable | null;
  readonly maxProt: number;
  readonly refusal: Errno | null;
}

function refuse(refusal: Errno): FilePart {
  return { mappable: null, maxProt: PROT_ALL, refusal };
}

export const mmap = defineSyscall({
  name: "mmap",
  support: { partial: "no huge pages (ENOMEM), no MAP_SYNC (EOPNOTSUPP)" },
  args: {
    addr: "addr",
    length: "size",
    prot: "flags",
    flags: "flags",
    fd: "fd",
    offset: "off",
  },
  run: (task, { addr, length, prot, flags, fd, offset }) =>
    map(task, { addr, length, prot, flags, fd, offset }),
});

function map(task: Task, args: MapArguments): SysResult {
  const { addr, length, prot, flags, offset } = args;
  if (offset % PAGE_SIZE !== 0) return EINVAL;
  let file: FileDescription | null = null;
  if ((flags & mman.MAP_ANONYMOUS) === 0) {
    const found = openFileOf(task, args.fd);
    if (isErrno(found)) return found;
    file = found;
    // No file here is on hugetlbfs.
    if ((flags & mman.MAP_HUGETLB) !== 0) return EINVAL;
  } else if ((flags & mman.MAP_HUGETLB) !== 0) {
    unimplemented(task, "mmap: MAP_HUGETLB");
    return hugePageError(flags);
  }
  const part = file === null ? anonymousPart(flags) : filePart(file, args);
  return task.memory.map({
    addr,
    length,
    prot: prot & PROT_ALL,
    flags,
    mappable: part.mappable,
    offset: file === null ? 0 : offset,
    maxProt: part.maxProt,
    refusal: part.refusal,
    isPrivileged: task.credentials.has(CAP_IPC_LOCK),
  });
}

/** As with huge pages configured but none reserved. */
function hugePageError(flags: number): Errno {
  const log2 = (flags >>> mman.MAP_HUGE_SHIFT) & mman.MAP_HUGE_MASK;
  return log2 === 0 || log2 === 21 || log2 === 30 ? ENOMEM : EINVAL;
}

function anonymousPart(flags: number): FilePart {
  const type = flags & mman.MAP_TYPE;
  const isShared = type === mman.MAP_SHARED;
  if (!isShared && type !== mman.MAP_PRIVATE) return refuse(EINVAL);
  if (isShared && (flags & mman.MAP_GROWSDOWN) !== 0) return refuse(EINVAL);
  return { mappable: null, maxProt: PROT_ALL, refusal: null };
}

/** Linux's do_mmap() for files: EOPNOTSUPP, EACCES, EPERM, ENODEV, EINVAL. */
function filePart(
  file: FileDescription,
  { prot, flags, offset, length }: MapArguments,
): FilePart {
  // A negative offset is a huge one: off_t is unsigned here.
  if (offset < 0 || offset + length > MAX_LFS_FILESIZE) {
    return refuse(EOVERFLOW);
  }
  const type = flags & mman.MAP_TYPE;
  const isShared = type === mman.MAP_SHARED ||
    type === mman.MAP_SHARED_VALIDATE;
  let maxProt = PROT_ALL;
  if (isShared) {
    if (type === mman.MAP_SHARED_VALIDATE && (flags & ~KNOWN_FLAGS) !== 0) {
      return refuse(EOPNOTSUPP);
    }
    if ((prot & PROT_WRITE) !== 0 && !file.isWritable) return refuse(EACCES);
    if (!file.isWritable) maxProt &= ~PROT_WRITE;
  } else if (type !== mman.MAP_PRIVATE) return refuse(EINVAL);
  if (!file.isReadable) return refuse(EACCES);
  if ((file.path.mount.flags & MS_NOEXEC) !== 0) {
    if ((prot & PROT_EXEC) !== 0) return refuse(EPERM);
    maxProt &= ~PROT_EXEC;
  }
  const mappable = file.mappable();
  if (isErrno(mappable)) return refuse(mappable);
  if ((flags & mman.MAP_GROWSDOWN) !== 0) return refuse(EINVAL);
  return { mappable, maxProt, refusal: null };
}

export const munmap = defineSyscall({
  name: "munmap",
  support: "full",
  args: { addr: "addr", length: "size" },
  run: (task, { addr, length }) => {
    const { memory } = task;
    const { maxAddress } = memory.layout;
    if (addr % PAGE_SIZE !== 0) return EINVAL;
    if (addr > maxAddress || length > maxAddress - addr) return EINVAL;
    if (length === 0) return EINVAL;
    return memory.unmap(addr, length) ?? 0;
  },
});

export const mprotect = defineSyscall({
  name: "mprotect",
  support: "full",
  args: { addr: "addr", length: "size", prot: "flags" },
  run: (task, { addr, length, prot }) =>
    task.memory.protect(addr, length, prot) ?? 0,
});

/** No CPU that we show has protection keys: only the default one, -1. */
export const pkey_mprotect = defineSyscall({
  name: "pkey_mprotect",
  support: { partial: "no keys: EINVAL unless pkey is -1" },
  args: { addr: "addr", length: "size", prot: "flags", pkey: "int" },
  run: (task, { addr, length, prot, pkey }) =>
    pkey === -1 ? task.memory.protect(addr, length, prot) ?? 0 : EINVAL,
});

export const pkey_alloc = defineSyscall({
  name: "pkey_alloc",
  support: { partial: "no keys: ENOSPC" },
  args: { flags: "ulong", rights: "ulong" },
  run: (_task, { flags, rights }) => {
    if (flags !== 0 || rights > mman.PKEY_ACCESS_MASK) return EINVAL;
    return ENOSPC;
  },
});

export const pkey_free = defineSyscall({
  name: "pkey_free",
  support: "full",
  args: { pkey: "int" },
  run: () => EINVAL,
});

export const brk = defineSyscall({
  name: "brk",
  support: "full",
  args: { addr: "addr" },
  run: (task, { addr }) => task.memory.setBreak(addr),
});

export const mremap = defineSyscall({
  name: "mremap",
  support: "full",
  args: {
    addr: "addr",
    oldLength: "size",
    newLength: "size",
    flags: "flags",
    newAddr: "addr",
  },
  run: (task, { addr, oldLength, newLength, flags, newAddr }) =>
    task.memory.remap({
      addr,
      oldLength,
      newLength,
      flags,
      newAddr,
      isPrivileged: task.credentials.has(CAP_IPC_LOCK),
    }),
});

export const madvise = defineSyscall({
  name: "madvise",
  support: { partial: "no huge pages, no page poisoning, no guard regions" },
  args: { addr: "addr", length: "size", advice: "int" },
  run: (task, { addr, length, advice }) => {
    if (
      advice === mman.MADV_GUARD_INSTALL || advice === mman.MADV_GUARD_REMOVE
    ) unimplemented(task, "madvise: guard regions");
    return task.memory.advise(addr, length, advice) ?? 0;
  },
});

export const msync = defineSyscall({
  name: "msync",
  support: "full",
  args: { addr: "addr", length: "size", flags: "flags" },
  run: (task, { addr, length, flags }) =>
    task.memory.sync(addr, length, flags) ?? 0,
});

export const mincore = defineSyscall({
  name: "mincore",
  support: "full",
  args: { addr: "addr", length: "size", vec: "buf" },
  run: (task, { addr, length, vec }) => {
    const { memory } = task;
    if (addr % PAGE_SIZE !== 0) return EINVAL;
    const { maxAddress } = memory.layout;
    if (addr > maxAddress || length > maxAddress - addr) return ENOMEM;
    const pages = Math.ceil(length / PAGE_SIZE);
    if (vec > maxAddress || pages > maxAddress - vec) return EFAULT;
    for (let done = 0; done < pages; done += MINCORE_PAGES) {
      const chunk = new Uint8Array(Math.min(MINCORE_PAGES, pages - done));
      const failure = memory.residency(addr + done * PAGE_SIZE, chunk) ??
        memory.writeBytes(vec + done, chunk);
      if (failure !== null) return failure;
    }
    return 0;
  },
});
