/**
 * inotify instances: a set of watches and a queue of events. Source:
 * inotify(7).
 * @module
 */
import {
  EAGAIN,
  EEXIST,
  EINVAL,
  ENOSPC,
  ENOTTY,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import { O_RDONLY } from "../abi/fcntl.ts";
import {
  IN_ALL_EVENTS,
  IN_DELETE_SELF,
  IN_EXCL_UNLINK,
  IN_IGNORED,
  IN_ISDIR,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_ONESHOT,
  IN_Q_OVERFLOW,
  INOTIFY_EVENT,
  INOTIFY_EVENT_SIZE,
} from "../abi/inotify.ts";
import { FIONREAD } from "../abi/ioctl.ts";
import { POLLIN } from "../abi/poll.ts";
import type { IoBuffer } from "../mm/io_buffer.ts";
import type { ByteString } from "../mm/user_memory.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import type { Caller } from "../vfs/caller.ts";
import { FileDescription } from "../vfs/file_description.ts";
import type { Inode } from "../vfs/inode.ts";
import { type Watch, watchesOf } from "../vfs/watches.ts";
import type { AnonInodes } from "./anon_inode.ts";

/** Linux's defaults: fs.inotify.max_queued_events, max_user_watches. */
export const MAX_EVENTS = 16_384;
export const MAX_WATCHES = 8192;

/** What a watch may ask for and be told, beside how it behaves. */
const KEPT = IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT;

interface Event {
  readonly wd: number;
  readonly mask: number;
  readonly cookie: number;
  /** Null: the watched inode itself. */
  readonly name: ByteString | null;
}

function sizeOf(event: Event): number {
  if (event.name === null) return INOTIFY_EVENT_SIZE;
  // The name's NUL and padding count, so that records stay aligned.
  const padded = Math.ceil((event.name.length + 1) / INOTIFY_EVENT_SIZE);
  return INOTIFY_EVENT_SIZE * (1 + padded);
}

class InotifyWatch implements Watch {
  readonly #instance: InotifyDescription;
  readonly inode: Inode;
  readonly wd: number;
  mask: number;

  constructor(
    instance: InotifyDescription,
    inode: Inode,
    wd: number,
    mask: number,
  ) {
    this.#instance = instance;
    this.inode = inode;
    this.wd = wd;
    this.mask = mask;
  }

  hear(
    mask: number,
    name: ByteString | null,
    options: { readonly cookie: number; readonly isUnlinked: boolean },
  ): void {
    if ((this.mask & mask & IN_ALL_EVENTS) === 0) return;
    if (options.isUnlinked && (this.mask & IN_EXCL_UNLINK) !== 0) return;
    const { cookie } = options;
    this.#instance.queueEvent({ wd: this.wd, mask, cookie, name });
    if ((this.mask & IN_ONESHOT) !== 0) this.#instance.drop(this);
  }

  hearDeleted(): void {
    if ((this.mask & IN_DELETE_SELF) !== 0) {
      const mask = this.inode.isDirectory
        ? IN_DELETE_SELF | IN_ISDIR
        : IN_DELETE_SELF;
      this.#instance.queueEvent({ wd: this.wd, mask, cookie: 0, name: null });
    }
    this.#instance.drop(this);
  }
}

export class InotifyDescription extends FileDescription {
  readonly #queue = new WaitQueue();
  readonly #watches = new Map<number, InotifyWatch>();
  readonly #byInode = new Map<Inode, InotifyWatch>();
  #events: Event[] = [];
  #lastWd = 0;

  /** `flags`: O_NONBLOCK. */
  constructor(anonInodes: AnonInodes, flags: number) {
    super(anonInodes.placeOf("inotify"), flags | O_RDONLY);
  }

  override get canSignal(): boolean {
    return true;
  }

  override get queue(): WaitQueue {
    return this.#queue;
  }
  override get isSeekable(): boolean {
    return false;
  }
  override get isPollable(): boolean {
    return true;
  }
  /** A line per watch. */
  override showInfo(): string {
    let text = "";
    for (const { wd, inode, mask } of this.#watches.values()) {
      const [number, ino, device, asked] = [
        wd,
        inode.ino,
        inode.fs.device,
        mask >>> 0,
      ].map((value) => value.toString(16));
      text += `inotify wd:${number} ino:${ino} sdev:${device} ` +
        `mask:${asked} ignored_mask:0 \n`;
    }
    return text;
  }
  override readiness(): number {
    return this.#events.length > 0 ? POLLIN : 0;
  }
  protected override onClose(): void {
    for (const watch of this.#watches.values()) {
      watchesOf(watch.inode).remove(watch);
    }
  }

  /** inotify_add_watch(2): the watch descriptor. `mask` was checked. EEXIST,
   * ENOSPC. */
  addWatch(inode: Inode, mask: number): number | Errno {
    const known = this.#byInode.get(inode);
    if (known !== undefined) {
      if ((mask & IN_MASK_CREATE) !== 0) return EEXIST;
      const isAdding = (mask & IN_MASK_ADD) !== 0;
      known.mask = (mask & KEPT) | (isAdding ? known.mask : 0);
      return known.wd;
    }
    if (this.#watches.size >= MAX_WATCHES) return ENOSPC;
    const watch = new InotifyWatch(this, inode, ++this.#lastWd, mask & KEPT);
    this.#watches.set(watch.wd, watch);
    this.#byInode.set(inode, watch);
    watchesOf(inode).add(watch);
    return watch.wd;
  }

  /** inotify_rm_watch(2). EINVAL. */
  removeWatch(wd: number): Errno | null {
    const watch = this.#watches.get(wd);
    if (watch === undefined) return EINVAL;
    this.drop(watch);
    return null;
  }

  /** Ends a watch; its last event says so. */
  drop(watch: InotifyWatch): void {
    if (!this.#watches.delete(watch.wd)) return;
    this.#byInode.delete(watch.inode);
    this.queueEvent({ wd: watch.wd, mask: IN_IGNORED, cookie: 0, name: null });
    watchesOf(watch.inode).remove(watch);
  }

  queueEvent(event: Event): void {
    const last = this.#events.at(-1);
    // What just happened and happens again is one event.
    if (
      last !== undefined && last.wd === event.wd && last.mask === event.mask &&
      last.cookie === event.cookie && last.name === event.name
    ) return;
    if (this.#events.length > MAX_EVENTS) return;
    this.#events.push(
      this.#events.length === MAX_EVENTS
        ? { wd: -1, mask: IN_Q_OVERFLOW, cookie: 0, name: null }
        : event,
    );
    this.#queue.wake(POLLIN);
  }

  /** As many events as fit. EINVAL: not even the first one does. */
  override read(io: IoBuffer, _caller: Caller): number | Errno {
    const [first] = this.#events;
    if (first === undefined) return EAGAIN;
    if (sizeOf(first) > io.remaining) return EINVAL;
    let done = 0;
    let count = 0;
    for (const event of this.#events) {
      const size = sizeOf(event);
      if (size > io.remaining) break;
      const moved = io.put(encode(event, size), 0, size);
      if (isErrno(moved) || moved < size) {
        if (done > 0) break;
        return isErrno(moved) ? moved : EINVAL;
      }
      done += size;
      count++;
    }
    this.#events = this.#events.slice(count);
    return done;
  }

  override ioctl(
    request: number,
    argument: number,
    caller: Caller,
  ): number | Errno {
    if (request !== FIONREAD) return ENOTTY;
    let bytes = 0;
    for (const event of this.#events) bytes += sizeOf(event);
    return caller.memory.writeU32(argument, bytes) ?? 0;
  }
}

/** struct inotify_event. */
function encode(event: Event, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setInt32(INOTIFY_EVENT.wd, event.wd, true);
  view.setUint32(INOTIFY_EVENT.mask, event.mask, true);
  view.setUint32(INOTIFY_EVENT.cookie, event.cookie, true);
  view.setUint32(INOTIFY_EVENT.len, size - INOTIFY_EVENT_SIZE, true);
  const name = event.name ?? "";
  for (let i = 0; i < name.length; i++) {
    bytes[INOTIFY_EVENT.name + i] = name.charCodeAt(i);
  }
  return bytes;
}
