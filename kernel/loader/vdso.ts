/**
 * The vDSO as the kernel has it: the image built from vdso/vdso.c and the page
 * of time parameters below it, once in the memory file, mapped into every
 * program. Keeps the parameters current.
 * @module
 */
import { type Errno, isErrno } from "../abi/errno.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  PAGE_SIZE,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
} from "../abi/mman.ts";
import type { Mappable, Translation } from "../mm/mappable.ts";
import type { MemoryFile } from "../mm/memory_file.ts";
import { VM_SPECIAL } from "../mm/vma.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { Timekeeper } from "../time/timekeeper.ts";
import { Timer, type TimerQueue } from "../time/timer_queue.ts";
import { writeVdsoPage } from "../time/vdso_page.ts";
import type { ProgramMemory } from "./program_memory.ts";

/** Pages of the memory file that stay what they are, for ever. */
class FixedPages implements Mappable {
  readonly mapDevice = 0;
  readonly mapInode = 0;
  constructor(
    readonly mapName: ByteString,
    readonly memoryOffset: number,
    readonly lengthBytes: number,
  ) {}

  translate(
    fileOffset: number,
    maxLength: number,
    _write: boolean,
    into: Translation,
  ): null {
    into.offset = this.memoryOffset + fileOffset;
    into.length = Math.min(maxLength, this.lengthBytes - fileOffset);
    return null;
  }
  /** They always are in memory, so programs never fault on them. */
  translateCached(
    fileOffset: number,
    maxLength: number,
    into: Translation,
  ): boolean {
    return this.translate(fileOffset, maxLength, false, into) === null;
  }
  addMapping(): null {
    return null;
  }
  removeMapping(): void {}
  sync(): null {
    return null;
  }
  acquire(): void {}
  release(): void {}
}

export class Vdso extends Timer {
  readonly #file: MemoryFile;
  readonly #timekeeper: Timekeeper;
  readonly #timers: TimerQueue;
  readonly #params: FixedPages;
  readonly #image: FixedPages;
  readonly #isRead: () => boolean;
  #isAsleep = false;

  private constructor(
    file: MemoryFile,
    timers: TimerQueue,
    timekeeper: Timekeeper,
    isRead: () => boolean,
    offset: number,
    imageBytes: number,
  ) {
    super();
    this.#isRead = isRead;
    this.#file = file;
    this.#timers = timers;
    this.#timekeeper = timekeeper;
    this.#params = new FixedPages("[vvar]", offset, PAGE_SIZE);
    this.#image = new FixedPages("[vdso]", offset + PAGE_SIZE, imageBytes);
  }

  /** Puts `image`, an ELF shared object, into the memory file and starts to
   * update its clocks. `isRead`: does a program run that could read them?
   * ENOMEM. */
  static create(
    file: MemoryFile,
    timers: TimerQueue,
    timekeeper: Timekeeper,
    image: Uint8Array,
    isRead: () => boolean = () => true,
  ): Vdso | Errno {
    const imageBytes = Math.ceil(image.length / PAGE_SIZE) * PAGE_SIZE;
    const offset = file.allocate(PAGE_SIZE + imageBytes);
    if (isErrno(offset)) return offset;
    file.memory.write(offset + PAGE_SIZE, image);
    const vdso = new Vdso(
      file,
      timers,
      timekeeper,
      isRead,
      offset,
      imageBytes,
    );
    vdso.#publish();
    return vdso;
  }

  /** Maps page and image where there is room; the address of the image's ELF
   * header. ENOMEM. Private mappings: what a debugger writes stays its own. */
  map(memory: ProgramMemory): number | Errno {
    const imageBytes = this.#image.lengthBytes;
    const start = memory.map({
      addr: 0,
      length: PAGE_SIZE + imageBytes,
      prot: PROT_NONE,
      flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
      mappable: null,
      offset: 0,
    });
    if (isErrno(start)) return start;
    const page = memory.map({
      addr: start,
      length: PAGE_SIZE,
      prot: PROT_READ,
      flags: MAP_PRIVATE | MAP_FIXED,
      maxProt: PROT_READ,
      mappable: this.#params,
      offset: 0,
      name: this.#params.mapName,
      vmFlags: VM_SPECIAL,
    });
    if (isErrno(page)) return page;
    return memory.map({
      addr: start + PAGE_SIZE,
      length: imageBytes,
      prot: PROT_READ | PROT_EXEC,
      flags: MAP_PRIVATE | MAP_FIXED,
      mappable: this.#image,
      offset: 0,
      name: this.#image.mapName,
      vmFlags: VM_SPECIAL,
    });
  }

  /** Brings the clocks in step with the host's, now and then regularly. */
  update(): void {
    this.#timekeeper.update();
    this.#publish();
  }

  /** A sandbox where nothing runs sleeps undisturbed. */
  override expire(_nowNs: number): void {
    if (this.#isRead()) this.update();
    else this.#isAsleep = true;
  }

  /** A program is about to run, perhaps the first one for a while. */
  wake(): void {
    if (!this.#isAsleep) return;
    this.#isAsleep = false;
    this.update();
  }

  #publish(): void {
    writeVdsoPage(
      this.#file.memory.view,
      this.#params.memoryOffset,
      this.#timekeeper.params,
    );
    const next = this.#timekeeper.nextUpdateNs;
    if (next !== Infinity) this.#timers.arm(this, next);
  }
}
