/**
 * dnotify: signals about what happens in a directory. Source: fcntl(2),
 * F_NOTIFY.
 * @module
 */
import {
  DN_ACCESS,
  DN_ATTRIB,
  DN_CREATE,
  DN_DELETE,
  DN_MODIFY,
  DN_MULTISHOT,
  DN_RENAME,
} from "../abi/fcntl.ts";
import {
  IN_ACCESS,
  IN_ATTRIB,
  IN_CREATE,
  IN_DELETE,
  IN_MODIFY,
  IN_MOVED_FROM,
  IN_MOVED_TO,
} from "../abi/inotify.ts";
import { POLL_MSG } from "../abi/signal.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { CloseWatcher, FileDescription } from "./file_description.ts";
import { type Watch, watchesOf } from "./watches.ts";

/** What each event is to those who asked for DN_*. */
const MEANING: readonly (readonly [event: number, asked: number])[] = [
  [IN_ACCESS, DN_ACCESS],
  [IN_MODIFY, DN_MODIFY],
  [IN_CREATE | IN_MOVED_TO, DN_CREATE],
  [IN_DELETE | IN_MOVED_FROM, DN_DELETE],
  [IN_ATTRIB, DN_ATTRIB],
];

class DirectoryNotice implements Watch, CloseWatcher {
  /** DN_*: what is asked for. */
  asked = 0;
  readonly #file: FileDescription;
  /** Cookie of the move that took the last entry away; 0: none. */
  #lastMove = 0;

  constructor(file: FileDescription) {
    this.#file = file;
    watchesOf(file.inode).add(this);
    file.closeWatchers ??= new Set();
    file.closeWatchers.add(this);
  }

  hear(
    mask: number,
    _name: ByteString | null,
    options: { readonly cookie: number },
  ): void {
    const { cookie } = options;
    let happened = 0;
    for (const [event, asked] of MEANING) {
      if ((mask & event) !== 0) happened |= asked;
    }
    // A rename within the directory is both halves of one move.
    if ((mask & IN_MOVED_TO) !== 0 && cookie === this.#lastMove) {
      happened |= DN_RENAME;
    }
    this.#lastMove = (mask & IN_MOVED_FROM) !== 0 ? cookie : 0;
    if ((this.asked & happened) === 0) return;
    this.#file.signalOwner?.send(POLL_MSG);
    if ((this.asked & DN_MULTISHOT) === 0) this.end();
  }

  hearDeleted(): void {
    this.end();
  }
  fileClosed(): void {
    this.end();
  }
  end(): void {
    this.#file.closeWatchers?.delete(this);
    watchesOf(this.#file.inode).remove(this);
  }
}

function noticeOf(file: FileDescription): DirectoryNotice | null {
  for (const watcher of file.closeWatchers ?? []) {
    if (watcher instanceof DirectoryNotice) return watcher;
  }
  return null;
}

/** Asks for signals about a directory beside what was asked for before; DN_*,
 * none: ends it. They go to the file's signalOwner. */
export function notifyDirectory(file: FileDescription, mask: number): void {
  const known = noticeOf(file);
  if ((mask & ~DN_MULTISHOT) === 0) {
    known?.end();
    return;
  }
  const notice = known ?? new DirectoryNotice(file);
  notice.asked |= mask;
}
