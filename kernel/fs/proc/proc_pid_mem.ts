/**
 * /proc/PID/mem: the memory of a process as a file, the offset being the
 * address. Reads and writes go past the rights of mappings, as a debugger's
 * do. Source: proc_pid_mem(5).
 * @module
 */
import { EINVAL, EIO, type Errno, isErrno } from "../../abi/errno.ts";
import { SEEK_CUR, SEEK_SET } from "../../abi/fcntl.ts";
import { PAGE_SIZE } from "../../abi/mman.ts";
import type { IoBuffer } from "../../mm/io_buffer.ts";
import type { MemoryManager } from "../../mm/memory_manager.ts";
import type { Caller } from "../../vfs/caller.ts";
import { FileDescription } from "../../vfs/file_description.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { KernfsInode } from "../kernfs/kernfs_inode.ts";
import { refuseMemory } from "./proc_pid_maps.ts";
import type { ProcessRef } from "./process_ref.ts";

/** On their way between two memories; used within one call only. */
const chunk = new Uint8Array(PAGE_SIZE);

export class MemFile extends KernfsInode<ProcessRef> {
  override open(
    path: VfsPath,
    flags: number,
    caller: Caller,
  ): FileDescription | Errno {
    return refuseMemory(this.subject, flags, caller) ??
      new MemDescription(path, flags, this.subject);
  }
}

/** Moves one chunk at an address; what is there cannot be moved: EIO. */
type MoveChunk = (
  memory: MemoryManager,
  addr: number,
  bytes: Uint8Array,
) => Errno | null;

class MemDescription extends FileDescription {
  readonly #ref: ProcessRef;
  /** The memory at open time: an execve(2) since then leaves it empty. */
  readonly #memory: MemoryManager | null;

  constructor(path: VfsPath, flags: number, ref: ProcessRef) {
    super(path, flags);
    this.#ref = ref;
    this.#memory = ref.memory;
  }

  /** Null once the process has other memory, or none. */
  #current(): MemoryManager | null {
    return this.#ref.memory === this.#memory ? this.#memory : null;
  }

  override read(io: IoBuffer): number | Errno {
    return this.#advance(this.readAt(io, this.offset));
  }
  override write(io: IoBuffer): number | Errno {
    return this.#advance(this.writeAt(io, this.offset));
  }
  #advance(count: number | Errno): number | Errno {
    if (!isErrno(count)) this.offset += count;
    return count;
  }

  override readAt(io: IoBuffer, offset: number): number | Errno {
    const move: MoveChunk = (memory, addr, bytes) => {
      const failed = memory.readForced(addr, bytes);
      if (failed !== null) return EIO;
      const put = io.put(bytes, 0, bytes.length);
      return isErrno(put) ? put : null;
    };
    return this.#transfer(io, offset, move);
  }
  override writeAt(io: IoBuffer, offset: number): number | Errno {
    const move: MoveChunk = (memory, addr, bytes) => {
      const taken = io.take(bytes, 0, bytes.length);
      if (isErrno(taken)) return taken;
      const failed = memory.writeForced(addr, bytes.subarray(0, taken));
      return failed === null ? null : EIO;
    };
    return this.#transfer(io, offset, move);
  }

  /** Page by page; what was moved counts even if the rest fails. */
  #transfer(io: IoBuffer, offset: number, move: MoveChunk): number | Errno {
    const memory = this.#current();
    if (memory === null) return 0;
    const start = io.done;
    memory.beginForeign();
    let failed: Errno | null = null;
    while (failed === null && io.remaining > 0) {
      const addr = offset + (io.done - start);
      const left = PAGE_SIZE - addr % PAGE_SIZE;
      const bytes = chunk.subarray(0, Math.min(left, io.remaining));
      failed = move(memory, addr, bytes);
    }
    memory.endForeign();
    const moved = io.done - start;
    return moved > 0 || failed === null ? moved : failed;
  }

  override seek(offset: number, whence: number): number | Errno {
    if (whence !== SEEK_SET && whence !== SEEK_CUR) return EINVAL;
    const target = whence === SEEK_CUR ? this.offset + offset : offset;
    if (target < 0) return EINVAL;
    this.offset = target;
    return target;
  }
}
