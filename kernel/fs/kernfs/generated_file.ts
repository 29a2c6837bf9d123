/**
 * Files whose content the kernel makes up when it is read. As with Linux's
 * seq_file, the content is made by the read at offset 0 and kept by the open
 * file, so that reading in pieces gives one coherent text. Each write(2) is
 * taken as a whole.
 * @module
 */
import { EINVAL, type Errno, ESPIPE, isErrno } from "../../abi/errno.ts";
import { SEEK_CUR, SEEK_SET } from "../../abi/fcntl.ts";
import { PAGE_SIZE } from "../../abi/mman.ts";
import type { IoBuffer } from "../../mm/io_buffer.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import { FileDescription } from "../../vfs/file_description.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import type { ContentCache, ContentOwner } from "./content_cache.ts";
import { type KernfsHome, KernfsInode, type Subject } from "./kernfs_inode.ts";

/** Text as a byte string, or bytes. */
export type Content = ByteString | Uint8Array;

/** A write(2) brings no more than this; the rest is ignored. */
const MAX_WRITE = PAGE_SIZE;

/** How a generated file is read, written and guarded. */
export interface FileRules<S extends Subject> {
  /** The whole content, as of now. */
  read(subject: S, caller: Caller): Content | Errno;
  /** Takes what one write(2) brought. */
  write?(subject: S, text: ByteString, caller: Caller): Errno | null;
  /** Checks of open(2) beyond the mode bits; `flags`: O_*. */
  refuseOpen?(subject: S, flags: number, caller: Caller): Errno | null;
  /** What write(2) says where there is no `write`; EINVAL by default. */
  readonly unwritable?: Errno;
}

/** A file that makes its content on demand. */
export abstract class GeneratedFile<S extends Subject = Subject>
  extends KernfsInode<S> {
  readonly #cache: ContentCache;

  constructor(home: KernfsHome, subject: S, ino: number, mode: number) {
    super(home, subject, ino, mode);
    this.#cache = home.contents;
  }

  /** The whole content, as of now. */
  abstract generate(caller: Caller): Content | Errno;
  /** Takes what one write(2) brought. */
  store(_text: ByteString, _caller: Caller): Errno | null {
    return EINVAL;
  }
  /** Checks of open(2) beyond the mode bits. */
  protected refuseOpen(_flags: number, _caller: Caller): Errno | null {
    return null;
  }

  override open(
    path: VfsPath,
    flags: number,
    caller: Caller,
  ): FileDescription | Errno {
    return this.refuseOpen(flags, caller) ??
      new GeneratedDescription(path, flags, this, this.#cache);
  }
}

/** A file that a row of an EntryTable describes. */
export class TableFile<S extends Subject> extends GeneratedFile<S> {
  readonly #rules: FileRules<S>;

  constructor(
    home: KernfsHome,
    subject: S,
    ino: number,
    mode: number,
    rules: FileRules<S>,
  ) {
    super(home, subject, ino, mode);
    this.#rules = rules;
  }

  override generate(caller: Caller): Content | Errno {
    return this.#rules.read(this.subject, caller);
  }
  override store(text: ByteString, caller: Caller): Errno | null {
    const { write, unwritable } = this.#rules;
    if (write === undefined) return unwritable ?? EINVAL;
    return write(this.subject, text, caller);
  }
  protected override refuseOpen(flags: number, caller: Caller): Errno | null {
    return this.#rules.refuseOpen?.(this.subject, flags, caller) ?? null;
  }
}

export class GeneratedDescription extends FileDescription
  implements ContentOwner {
  readonly #file: GeneratedFile;
  readonly #cache: ContentCache;
  /** Made by the read at offset 0; null again after the end was read. */
  #content: Uint8Array | null = null;

  constructor(
    path: VfsPath,
    flags: number,
    file: GeneratedFile,
    cache: ContentCache,
  ) {
    super(path, flags);
    this.#file = file;
    this.#cache = cache;
  }

  dropContent(): void {
    this.#content = null;
  }
  #forget(): void {
    this.#content = null;
    this.#cache.forget(this);
  }
  protected override onClose(): void {
    this.#forget();
  }

  override read(io: IoBuffer, caller: Caller): number | Errno {
    const count = this.readAt(io, this.offset, caller);
    if (!isErrno(count)) this.offset += count;
    return count;
  }

  override readAt(
    io: IoBuffer,
    offset: number,
    caller: Caller,
  ): number | Errno {
    let content = this.#content;
    if (content === null || offset === 0) {
      const made = this.#file.generate(caller);
      if (isErrno(made)) return made;
      content = typeof made === "string" ? bytesOf(made) : made;
      this.#content = content;
      this.#cache.keep(this, content.length);
    }
    const length = Math.min(io.remaining, content.length - offset);
    if (length > 0) return io.put(content, offset, length);
    if (offset >= content.length) this.#forget();
    return 0;
  }

  override write(io: IoBuffer, caller: Caller): number | Errno {
    const count = this.writeAt(io, this.offset, caller);
    if (!isErrno(count)) this.offset += count;
    return count;
  }

  override writeAt(
    io: IoBuffer,
    _offset: number,
    caller: Caller,
  ): number | Errno {
    const total = io.remaining;
    const bytes = new Uint8Array(Math.min(total, MAX_WRITE));
    const taken = bytes.length === 0 ? 0 : io.take(bytes, 0, bytes.length);
    if (isErrno(taken)) return taken;
    const text = String.fromCharCode(...bytes.subarray(0, taken));
    const refused = this.#file.store(text, caller);
    if (refused !== null) return refused;
    this.#forget();
    return total;
  }

  /** From the start or from here: the end is not known. */
  override seek(offset: number, whence: number): number | Errno {
    if (!this.isSeekable) return ESPIPE;
    if (whence !== SEEK_SET && whence !== SEEK_CUR) return EINVAL;
    const target = whence === SEEK_CUR ? this.offset + offset : offset;
    if (target < 0) return EINVAL;
    this.offset = target;
    return target;
  }
}

/** The bytes of a byte string. */
function bytesOf(text: ByteString): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
