/**
 * epoll(7): EpollDescription holds what a process wants to hear of. Each
 * registration is a Waiter on its file's queue; an event puts it on the ready
 * list, and epoll_wait(2) asks only what is on that list for its readiness.
 *
 * A registration belongs to the pair (file, descriptor number) and ends with
 * the file's last reference. Level-triggered ones go back to the end of the
 * ready list while they stay ready, edge-triggered ones wait for the next
 * event, one-shot ones for EPOLL_CTL_MOD.
 * @module
 */
import {
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLRDNORM,
  EPOLLWAKEUP,
} from "../abi/epoll.ts";
import {
  EEXIST,
  EINVAL,
  ELOOP,
  ENOENT,
  EPERM,
  type Errno,
} from "../abi/errno.ts";
import { O_RDWR } from "../abi/fcntl.ts";
import { Waiter, WaitQueue } from "../sync/wait_queue.ts";
import { type CloseWatcher, FileDescription } from "./file_description.ts";
import type { VfsPath } from "./mount.ts";

/** Longest chain of epoll instances that watch each other. */
const MAX_NESTING = 5;
const ALWAYS = EPOLLERR | EPOLLHUP;
/** Bits of `events` that say how, not what. */
const MODE_BITS = EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP;
const EXCLUSIVE_ALLOWED = EPOLLIN | EPOLLOUT | ALWAYS | EPOLLET |
  EPOLLEXCLUSIVE | EPOLLWAKEUP;
const READABLE = EPOLLIN | EPOLLRDNORM;

/** struct epoll_event: `data` as two words that nobody but the guest reads. */
export interface EpollEvent {
  /** EPOLL* bits. */
  readonly events: number;
  readonly dataLow: number;
  readonly dataHigh: number;
}

/** Receives ready events; an error stops the collection before this one. */
export type EpollSink = (
  events: number,
  dataLow: number,
  dataHigh: number,
) => Errno | null;

/** A registration: one file under one descriptor number. */
export class EpollItem extends Waiter implements CloseWatcher {
  /** What is asked for; only mode bits after a one-shot fired. */
  events = 0;
  dataLow = 0;
  dataHigh = 0;
  // Place on the ready list.
  isReady = false;
  previousReady: EpollItem | null = null;
  nextReady: EpollItem | null = null;

  constructor(
    readonly epoll: EpollDescription,
    readonly file: FileDescription,
    readonly fd: number,
  ) {
    super();
  }

  override notify(events: number): boolean {
    if ((this.events & ~MODE_BITS & events) === 0) return false;
    return this.epoll.onReady(this);
  }

  /** The file's last reference is gone. */
  fileClosed(): void {
    this.epoll.forget(this);
  }
}

export class EpollDescription extends FileDescription {
  readonly #queue = new WaitQueue();
  readonly #items = new Map<FileDescription, EpollItem[]>();
  #readyHead: EpollItem | null = null;
  #readyTail: EpollItem | null = null;

  /** `path`: the place of "[eventpoll]" files. */
  constructor(path: VfsPath) {
    super(path, O_RDWR);
  }

  override get isSeekable(): boolean {
    return false;
  }
  override get queue(): WaitQueue {
    return this.#queue;
  }
  /** Readable while something is ready; forgets what no longer is. */
  override readiness(): number {
    for (let item = this.#readyHead; item !== null;) {
      const next: EpollItem | null = item.nextReady;
      if (this.#eventsOf(item) !== 0) return READABLE;
      this.#unlink(item);
      item = next;
    }
    return 0;
  }

  /** A line per registration. */
  override showInfo(): string {
    const hex = (value: number) => (value >>> 0).toString(16);
    let text = "";
    for (const { fd, file, events, dataHigh, dataLow } of this.items()) {
      const data = dataHigh === 0
        ? hex(dataLow)
        : hex(dataHigh) + hex(dataLow).padStart(8, "0");
      const { inode, offset } = file;
      text +=
        `tfd: ${`${fd}`.padStart(8)} events: ${hex(events).padStart(8)} ` +
        `data: ${data.padStart(16)}  pos:${offset} ` +
        `ino:${inode.ino.toString(16)} sdev:${hex(inode.fs.device)}\n`;
    }
    return text;
  }
  /** Every registration. */
  *items(): Generator<EpollItem> {
    for (const items of this.#items.values()) yield* items;
  }

  /** EPOLL_CTL_ADD. EPERM: the file cannot be polled; EINVAL; ELOOP: a cycle or
   * a chain of more than five; EEXIST. */
  add(file: FileDescription, fd: number, event: EpollEvent): Errno | null {
    if (!file.isPollable) return EPERM;
    if (file === this) return EINVAL;
    const isExclusive = (event.events & EPOLLEXCLUSIVE) !== 0;
    if (file instanceof EpollDescription) {
      if (isExclusive) return EINVAL;
      const below = file.#depthBelow(this);
      if (below + this.#depthAbove() > MAX_NESTING) return ELOOP;
    }
    if (isExclusive && (event.events & ~EXCLUSIVE_ALLOWED) !== 0) return EINVAL;
    if (this.#find(file, fd) !== undefined) return EEXIST;

    const item = new EpollItem(this, file, fd);
    item.isExclusive = isExclusive;
    const items = this.#items.get(file);
    if (items === undefined) this.#items.set(file, [item]);
    else items.push(item);
    (file.closeWatchers ??= new Set()).add(item);
    file.queue.add(item, 0);
    this.#ask(item, event);
    return null;
  }

  /** EPOLL_CTL_MOD. EPERM, EINVAL, ENOENT. */
  modify(file: FileDescription, fd: number, event: EpollEvent): Errno | null {
    if (!file.isPollable) return EPERM;
    if (file === this) return EINVAL;
    if ((event.events & EPOLLEXCLUSIVE) !== 0) return EINVAL;
    const item = this.#find(file, fd);
    if (item === undefined) return ENOENT;
    if (item.isExclusive) return EINVAL;
    this.#ask(item, event);
    return null;
  }

  /** EPOLL_CTL_DEL. EPERM, EINVAL, ENOENT. */
  remove(file: FileDescription, fd: number): Errno | null {
    if (!file.isPollable) return EPERM;
    if (file === this) return EINVAL;
    const item = this.#find(file, fd);
    if (item === undefined) return ENOENT;
    this.forget(item);
    return null;
  }

  /** Hands up to `maximum` ready events to `sink`; returns how many it took,
   * or its error if it was the first. */
  collect(maximum: number, sink: EpollSink): number | Errno {
    let count = 0;
    // What is put back below must not be looked at twice.
    const last = this.#readyTail;
    for (let item = this.#readyHead; item !== null && count < maximum;) {
      const next: EpollItem | null = item === last ? null : item.nextReady;
      const events = this.#eventsOf(item);
      if (events === 0) this.#unlink(item);
      else {
        const failed = sink(events, item.dataLow, item.dataHigh);
        if (failed !== null) return count > 0 ? count : failed;
        count++;
        this.#unlink(item);
        if ((item.events & EPOLLONESHOT) !== 0) item.events &= MODE_BITS;
        else if ((item.events & EPOLLET) === 0) this.#link(item);
      }
      item = next;
    }
    return count;
  }

  /** An event for a registration; false if nobody waits for it. */
  onReady(item: EpollItem): boolean {
    if (!item.isReady) this.#link(item);
    const isAwaited = !this.#queue.isEmpty;
    if (isAwaited) this.#queue.wake(READABLE);
    return isAwaited;
  }

  /** Ends a registration. */
  forget(item: EpollItem): void {
    if (item.isReady) this.#unlink(item);
    item.queue?.remove(item);
    item.file.closeWatchers?.delete(item);
    const items = this.#items.get(item.file);
    if (items === undefined) return;
    if (items.length === 1) this.#items.delete(item.file);
    else items.splice(items.indexOf(item), 1);
  }

  protected override onClose(): void {
    for (const item of [...this.items()]) this.forget(item);
  }

  #find(file: FileDescription, fd: number): EpollItem | undefined {
    return this.#items.get(file)?.find((item) => item.fd === fd);
  }

  #ask(item: EpollItem, event: EpollEvent): void {
    item.events = event.events | ALWAYS;
    item.dataLow = event.dataLow;
    item.dataHigh = event.dataHigh;
    item.mask = item.events & ~MODE_BITS;
    if (this.#eventsOf(item) !== 0) this.onReady(item);
  }

  #eventsOf(item: EpollItem): number {
    const wanted = item.events & ~MODE_BITS;
    return wanted === 0 ? 0 : item.file.readiness() & wanted;
  }

  #link(item: EpollItem): void {
    item.isReady = true;
    item.previousReady = this.#readyTail;
    item.nextReady = null;
    if (this.#readyTail !== null) this.#readyTail.nextReady = item;
    else this.#readyHead = item;
    this.#readyTail = item;
  }

  #unlink(item: EpollItem): void {
    const { previousReady, nextReady } = item;
    if (previousReady !== null) previousReady.nextReady = nextReady;
    else this.#readyHead = nextReady;
    if (nextReady !== null) nextReady.previousReady = previousReady;
    else this.#readyTail = previousReady;
    item.isReady = false;
    item.previousReady = null;
    item.nextReady = null;
  }

  /** Length of the longest chain of epoll instances that starts here; Infinity
   * if `target` is on one. Chains are short: add() keeps them so. */
  #depthBelow(target: EpollDescription): number {
    if (this === target) return Infinity;
    let depth = 0;
    for (const file of this.#items.keys()) {
      if (file instanceof EpollDescription) {
        depth = Math.max(depth, file.#depthBelow(target));
      }
    }
    return depth + 1;
  }

  /** Length of the longest chain that ends here. */
  #depthAbove(): number {
    let depth = 0;
    for (const item of this.closeWatchers ?? []) {
      if (item instanceof EpollItem) {
        depth = Math.max(depth, item.epoll.#depthAbove());
      }
    }
    return depth + 1;
  }
}
