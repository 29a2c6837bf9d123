/**
 * DirectoryIndex: the entries of a directory held in memory, by name and in an
 * order that readdir can resume from. Each entry gets a cookie once and keeps
 * it, so that a listing in progress neither repeats nor skips a name that was
 * there all the time (readdir(3), telldir(3)).
 * @module
 */
import type { ByteString } from "../mm/user_memory.ts";

/** Cookies up to this one mean the start, "." and "..". */
export const FIRST_COOKIE = 3;

interface Entry<T> {
  readonly name: ByteString;
  readonly cookie: number;
  value: T;
  isRemoved: boolean;
}

export class DirectoryIndex<T> {
  readonly #byName = new Map<ByteString, Entry<T>>();
  /** Ascending by cookie; removed entries stay until they are many. */
  #order: Entry<T>[] = [];
  #nextCookie = FIRST_COOKIE;

  get size(): number {
    return this.#byName.size;
  }
  get(name: ByteString): T | undefined {
    return this.#byName.get(name)?.value;
  }
  has(name: ByteString): boolean {
    return this.#byName.has(name);
  }

  /** Adds an entry, or gives an existing one another value in its place. */
  set(name: ByteString, value: T): void {
    const old = this.#byName.get(name);
    if (old !== undefined) {
      old.value = value;
      return;
    }
    const cookie = this.#nextCookie++;
    const entry = { name, cookie, value, isRemoved: false };
    this.#byName.set(name, entry);
    this.#order.push(entry);
  }

  delete(name: ByteString): boolean {
    const entry = this.#byName.get(name);
    if (entry === undefined) return false;
    this.#byName.delete(name);
    entry.isRemoved = true;
    // Amortised: a sweep is paid for by as many removals.
    if (this.#order.length > 2 * this.#byName.size + 16) {
      this.#order = this.#order.filter((kept) => !kept.isRemoved);
    }
    return true;
  }

  /** Names in order of their making. */
  *names(): Generator<ByteString> {
    for (const entry of this.#order) if (!entry.isRemoved) yield entry.name;
  }
  *values(): Generator<T> {
    for (const entry of this.#order) if (!entry.isRemoved) yield entry.value;
  }

  /** Calls `emit` for entries from `cookie` on until it returns false; the last
   * argument is the cookie to continue after the entry. */
  list(
    cookie: number,
    emit: (name: ByteString, value: T, next: number) => boolean,
  ): void {
    const order = this.#order;
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order[middle]!.cookie < cookie) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < order.length; i++) {
      const entry = order[i]!;
      if (entry.isRemoved) continue;
      if (!emit(entry.name, entry.value, entry.cookie + 1)) return;
    }
  }
}
