/**
 * MemoryManager: the memory of a process (struct mm_struct), shared by the
 * tasks of CLONE_VM. This is the face that tasks, the loader and system calls
 * see; the work is told in the files beside it, one per chapter.
 * @module
 */
import type { Errno } from "../abi/errno.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import {
  BUS_ADRERR,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SIGBUS,
  SIGSEGV,
} from "../abi/signal.ts";
import type { AddressSpace } from "../../platforms/platform.ts";
import type { AddressLayout } from "./address_layout.ts";
import { setBreak } from "./brk.ts";
import {
  ACCESS_EXEC,
  ACCESS_GUEST,
  ACCESS_READ,
  ACCESS_WRITE,
  fault,
  FaultCode,
} from "./fault.ts";
import { forkInto } from "./fork.ts";
import type { HotPages } from "./hot_pages.ts";
import type { MemoryFile } from "./memory_file.ts";
import type { MemoryLimits } from "./memory_state.ts";
import { advise } from "./madvise.ts";
import {
  type MappingOptions,
  type MappingRow,
  mappingRows,
  type MemoryTotals,
  memoryTotals,
} from "./mappings.ts";
import {
  lockAll,
  type LockOptions,
  lockRange,
  unlockAll,
  unlockRange,
} from "./mlock.ts";
import { residency } from "./mincore.ts";
import { syncRange } from "./msync.ts";
import { mapRegion, type MapRequest, pageAlign, unmapRange } from "./mmap.ts";
import { protectRange } from "./mprotect.ts";
import { remapRegion, type RemapRequest } from "./mremap.ts";
import { UserAccess } from "./user_access.ts";

export type { MapRequest } from "./mmap.ts";

/** The signal that a page fault ends in; the address is the fault's. */
export interface FaultSignal {
  readonly signo: number;
  readonly code: number;
}

const MAPERR: FaultSignal = { signo: SIGSEGV, code: SEGV_MAPERR };
const ACCERR: FaultSignal = { signo: SIGSEGV, code: SEGV_ACCERR };
const ADRERR: FaultSignal = { signo: SIGBUS, code: BUS_ADRERR };

// Bits of the x86 page fault error code.
const PF_WRITE = 2;
const PF_INSTRUCTION = 16;

/** Rights that an access needs, by ACCESS_*. */
const PROT_OF_ACCESS = [PROT_READ, PROT_WRITE, PROT_EXEC];

/** Where the parts of a program lie: PR_SET_MM of prctl(2), /proc/pid/stat. */
export interface ProgramLayout {
  readonly startCode: number;
  readonly endCode: number;
  readonly startData: number;
  readonly endData: number;
  readonly startStack: number;
  readonly argStart: number;
  readonly argEnd: number;
  readonly envStart: number;
  readonly envEnd: number;
  /** The auxiliary vector's bytes. */
  readonly auxv: Uint8Array;
}

export interface MemoryManagerFields {
  readonly file: MemoryFile;
  /** Empty; the MemoryManager owns it from now on. */
  readonly addressSpace: AddressSpace;
  readonly layout: AddressLayout;
  /** Limits of the process: thread group's Limits. */
  readonly limits: MemoryLimits;
  /** A fork's: its parent's list. */
  readonly hot?: HotPages;
}

export class MemoryManager extends UserAccess {
  /** One more user: CLONE_VM, or someone who looks for a while. */
  acquire(): this {
    this.users++;
    return this;
  }

  /** Drops a user. The last one unmaps everything. Precondition then: no
   * context runs in the address space. */
  release(): void {
    if (--this.users > 0) return;
    this.addressSpace.release();
    this.#clear();
  }

  #clear(): void {
    this.flushError = 0;
    this.dropVmas(0, this.vmas.count);
    this.dropPages(0, Infinity);
    this.settle();
    this.spares.clear();
  }

  /** A copy for a new process, which owns `addressSpace` then; on an error it
   * stays the caller's, to release. ENOMEM. */
  fork(addressSpace: AddressSpace): MemoryManager | Errno {
    const child = new MemoryManager({
      file: this.file,
      addressSpace,
      layout: this.layout,
      limits: this.limits,
      hot: this.hot,
    });
    const failure = forkInto(this, child);
    child.program = this.program;
    if (failure === null) return child;
    child.#clear();
    return failure;
  }

  /**
   * Resolves a page fault of the guest: null if it may go on, else the signal
   * that it gets. `error`: the x86 error code.
   */
  handleFault(addr: number, error: number, _rsp?: number): FaultSignal | null {
    if (!(addr < this.layout.maxAddress)) return MAPERR;
    let access = ACCESS_GUEST;
    if ((error & PF_WRITE) !== 0) access |= ACCESS_WRITE;
    else if ((error & PF_INSTRUCTION) !== 0) access |= ACCESS_EXEC;
    else access |= ACCESS_READ;
    if (this.resolveDeferred(addr, PROT_OF_ACCESS[access & 3]!)) return null;
    switch (fault(this, addr, access)) {
      case FaultCode.Ok:
        return null;
      case FaultCode.Unmapped:
        return MAPERR;
      case FaultCode.Forbidden:
        return ACCERR;
      case FaultCode.Bus:
        return ADRERR;
    }
  }

  /** mmap(2), see mmap.ts: the address. */
  map(request: MapRequest): number | Errno {
    return mapRegion(this, request);
  }

  /** munmap(2) of [addr, addr + length), whole pages. ENOMEM. */
  unmap(addr: number, length: number): Errno | null {
    return unmapRange(this, addr, addr + pageAlign(length));
  }

  /** mprotect(2), see mprotect.ts. EINVAL, EACCES, ENOMEM. */
  protect(addr: number, length: number, prot: number): Errno | null {
    return protectRange(this, addr, length, prot);
  }

  /** MEMBARRIER_CMD_REGISTER_* that were given; gone with execve. */
  barrierRegistrations = 0;

  /** Where the parts of the loaded program lie; null before execve. */
  program: ProgramLayout | null = null;

  /** mremap(2), see mremap.ts: the address. */
  remap(request: RemapRequest): number | Errno {
    return remapRegion(this, request);
  }

  /** madvise(2), see madvise.ts. */
  advise(addr: number, length: number, advice: number): Errno | null {
    return advise(this, addr, length, advice);
  }

  /** mlock(2), mlock2(2), see mlock.ts. EPERM, ENOMEM, EAGAIN. */
  lock(addr: number, length: number, options: LockOptions): Errno | null {
    return lockRange(this, addr, length, options);
  }
  /** munlock(2). ENOMEM. */
  unlock(addr: number, length: number): Errno | null {
    return unlockRange(this, addr, length);
  }
  /** mlockall(2). EPERM, ENOMEM. */
  lockAll(
    which: { readonly current: boolean; readonly future: boolean },
    options: LockOptions,
  ): Errno | null {
    return lockAll(this, which, options);
  }
  unlockAll(): void {
    unlockAll(this);
  }

  /** msync(2). EINVAL, ENOMEM, EBUSY, EIO. */
  sync(addr: number, length: number, flags: number): Errno | null {
    return syncRange(this, addr, length, flags);
  }

  /** mincore(2): a byte per page into `into`. ENOMEM. */
  residency(addr: number, into: Uint8Array): Errno | null {
    return residency(this, addr, into);
  }

  /** Rows of /proc/pid/maps and smaps. */
  mappings(options: MappingOptions): readonly MappingRow[] {
    return mappingRows(this, options);
  }
  /** Sizes for /proc/pid/statm and status. */
  totals(): MemoryTotals {
    return memoryTotals(this);
  }

  /** The loader's word on where the heap begins: page-aligned, empty. */
  startHeap(addr: number): void {
    this.brkStart = pageAlign(addr);
    this.brk = this.brkStart;
  }

  /** brk(2): the break in force afterwards. */
  setBreak(wanted: number): number {
    return setBreak(this, wanted);
  }

  /** Accesses until endForeign() come from another process: this memory's own
   * threads may be running meanwhile. */
  beginForeign(): void {
    this.foreignDepth++;
  }
  endForeign(): void {
    this.settle();
    this.foreignDepth--;
  }
}
