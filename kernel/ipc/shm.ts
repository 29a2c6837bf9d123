/**
 * System V shared memory: segments that processes attach. A segment that was
 * removed lives on until its last detach. Source: shmop(2), shmctl(2).
 * @module
 */
import type { Errno } from "../abi/errno.ts";
import { SHM_DEST } from "../abi/ipc.ts";
import type { Mappable, Translation } from "../mm/mappable.ts";
import type { MemoryFile } from "../mm/memory_file.ts";
import { SharedMemory } from "../mm/shared_memory.ts";
import type { Clock } from "../time/clock.ts";
import type { Identity } from "../vfs/caller.ts";
import { IpcObject, type IpcTable } from "./ipc_table.ts";

const PAGE_SIZE = 4096;
/** Device number of segments in /proc/pid/maps. */
const SHMEM_DEVICE = 1;

/** Where segments live; IpcNamespace is one. */
export interface SegmentHome {
  readonly segments: IpcTable<Segment>;
  segmentPages: number;
}

export interface SegmentFields {
  readonly key: number;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly creator: Identity;
  readonly creatorPid: number;
}

export class Segment extends IpcObject {
  readonly sizeBytes: number;
  readonly creatorPid: number;
  /** Of the last attach or detach. */
  lastPid = 0;
  /** Seconds since the epoch; 0: never. */
  attachTime = 0;
  detachTime = 0;
  /** Areas of memory that map it. */
  attachCount = 0;
  readonly #memory: SharedMemory;
  readonly #namespace: SegmentHome;
  readonly #clock: Clock;
  readonly mappable: Mappable;

  constructor(
    fields: SegmentFields,
    file: MemoryFile,
    clock: Clock,
    namespace: SegmentHome,
  ) {
    super(fields.key, fields.mode, fields.creator, clock.realtime().sec);
    this.sizeBytes = fields.sizeBytes;
    this.creatorPid = fields.creatorPid;
    this.#namespace = namespace;
    this.#clock = clock;
    const key = (fields.key >>> 0).toString(16).padStart(8, "0");
    this.#memory = new SharedMemory(
      file,
      this.pages * PAGE_SIZE,
      `/SYSV${key} (deleted)`,
      SHMEM_DEVICE,
      file.nextObjectId(),
    );
    this.#memory.acquire();
    this.mappable = new AttachedSegment(this, this.#memory);
    namespace.segmentPages += this.pages;
  }

  get pages(): number {
    return Math.ceil(this.sizeBytes / PAGE_SIZE);
  }
  /** IPC_RMID was called; the last detach destroys it. */
  get isDoomed(): boolean {
    return (this.mode & SHM_DEST) !== 0;
  }

  onAttach(): void {
    this.attachCount++;
    this.attachTime = this.#clock.realtime().sec;
  }
  onDetach(): void {
    this.attachCount--;
    this.detachTime = this.#clock.realtime().sec;
    if (this.attachCount === 0 && this.isDoomed) this.destroy(this.#namespace);
  }

  /** IPC_RMID. */
  doom(): void {
    if (this.attachCount === 0) return this.destroy(this.#namespace);
    this.mode |= SHM_DEST;
    this.#namespace.segments.forgetKey(this);
  }

  destroy(namespace: SegmentHome): void {
    if (this.isRemoved) return;
    namespace.segments.remove(this);
    namespace.segmentPages -= this.pages;
    this.#memory.release();
  }
}

/** The segment as address spaces map it: its memory, plus the counting of
 * attachments. */
export class AttachedSegment implements Mappable {
  readonly isWriteTracked = false;
  readonly mapName: string;
  readonly mapDevice: number;
  readonly mapInode: number;

  constructor(readonly segment: Segment, readonly memory: SharedMemory) {
    this.mapName = memory.mapName;
    this.mapDevice = memory.mapDevice;
    this.mapInode = memory.mapInode;
  }

  translate(
    fileOffset: number,
    maxLength: number,
    write: boolean,
    into: Translation,
  ): Errno | null {
    return this.memory.translate(fileOffset, maxLength, write, into);
  }
  translateCached(
    fileOffset: number,
    maxLength: number,
    into: Translation,
  ): boolean {
    return this.memory.translateCached(fileOffset, maxLength, into);
  }
  punch(fileOffset: number, length: number): Errno | null {
    return this.memory.punch(fileOffset, length);
  }
  addMapping(): null {
    this.segment.onAttach();
    return null;
  }
  removeMapping(): void {
    this.segment.onDetach();
  }
  sync(): null {
    return null;
  }
  acquire(): void {
    this.memory.acquire();
  }
  release(): void {
    this.memory.release();
  }
}
