/**
 * Random calls on a small tree of names: few enough names that calls meet, many
 * enough that every error occurs.
 * @module
 */
import {
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
} from "../../kernel/abi/fcntl.ts";
import {
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFREG,
  S_IFSOCK,
} from "../../kernel/abi/stat.ts";
import { XATTR_CREATE, XATTR_REPLACE } from "../../kernel/abi/xattr.ts";

/** An integer in [0, below). */
export type Random = (below: number) => number;

/** A call, and the user that makes it. */
export type Call =
  & { readonly as: 0 | 1000; readonly path: string }
  & (
    | {
      readonly kind: "open";
      readonly flags: number;
      readonly mode: number;
      /** To write into it. */
      readonly text: string | null;
    }
    | {
      readonly kind:
        | "read"
        | "rmdir"
        | "unlink"
        | "readlink"
        | "list"
        | "chdir"
        | "getcwd";
    }
    | { readonly kind: "mkdir" | "chmod" | "access"; readonly mode: number }
    | {
      readonly kind: "rename";
      readonly other: string;
      readonly flags: number;
    }
    | {
      readonly kind: "link";
      readonly other: string;
      readonly follow: boolean;
    }
    | { readonly kind: "symlink"; readonly other: string }
    | { readonly kind: "stat"; readonly follow: boolean }
    | {
      readonly kind: "chown";
      readonly uid: number;
      readonly gid: number;
      readonly follow: boolean;
    }
    | { readonly kind: "truncate"; readonly length: number }
    | {
      readonly kind: "mknod";
      readonly mode: number;
      readonly device: number;
    }
    | {
      readonly kind: "setxattr";
      readonly name: string;
      readonly flags: number;
    }
    | { readonly kind: "getxattr"; readonly name: string }
    | {
      readonly kind: "utimens";
      /** Seconds; null: now. */
      readonly atime: number | null;
      readonly mtime: number | null;
    }
  );

const NAMES = ["a", "b", "c", "d", "e"];
const KINDS: readonly Call["kind"][] = [
  "open",
  "open",
  "open",
  "read",
  "mkdir",
  "mkdir",
  "rmdir",
  "unlink",
  "rename",
  "rename",
  "rename",
  "link",
  "symlink",
  "readlink",
  "stat",
  "stat",
  "stat",
  "chmod",
  "chown",
  "truncate",
  "access",
  "list",
  "list",
  "mknod",
  "chdir",
  "getcwd",
  "setxattr",
  "getxattr",
  "utimens",
];
const FILE_MODES = [0o644, 0o600, 0o666, 0o777, 0o4755, 0o2755, 0o000];
const DIRECTORY_MODES = [0o755, 0o777, 0o700, 0o1777, 0o2775];
const ALL_MODES = [0o644, 0o600, 0o777, 0o755, 0, 0o4755, 0o6755, 0o1777];
const NODES = [S_IFIFO, S_IFREG, S_IFSOCK, S_IFDIR, 0, S_IFCHR];
const XATTRS = ["user.a", "user.b", "trusted.a", "foo", "user.", "system.y"];

export class CallMaker {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#random(values.length)]!;
  }
  #chance(percent: number): boolean {
    return this.#random(100) < percent;
  }

  #path(): string {
    const parts: string[] = [];
    for (let i = this.#random(3); i >= 0; i--) {
      parts.push(this.#pick(this.#chance(6) ? [".", ".."] : NAMES));
    }
    let path = parts.join(this.#chance(5) ? "//" : "/");
    if (this.#chance(15)) path = `/${path}`;
    if (this.#chance(8)) path += "/";
    if (this.#chance(1)) path = this.#pick(["", "/", "x".repeat(256)]);
    return path;
  }

  #openFlags(): number {
    if (this.#chance(3)) return O_TMPFILE | O_RDWR;
    let flags = O_NONBLOCK | this.#pick([O_RDONLY, O_WRONLY, O_RDWR]);
    if (this.#chance(75)) flags |= O_CREAT;
    for (const flag of [O_EXCL, O_TRUNC, O_APPEND]) {
      if (this.#chance(35)) flags |= flag;
    }
    for (const flag of [O_NOFOLLOW, O_NOATIME]) {
      if (this.#chance(7)) flags |= flag;
    }
    // Together with O_CREAT the answer depends on the age of the kernel.
    if ((flags & O_CREAT) === 0 && this.#chance(20)) flags |= O_DIRECTORY;
    return flags;
  }

  next(): Call {
    const kind = this.#pick(KINDS);
    const path = this.#path();
    const as = this.#chance(30) ? 1000 : 0;
    const base = { path, as } as const;
    switch (kind) {
      case "open": {
        const flags = this.#openFlags();
        const isWriting = (flags & (O_WRONLY | O_RDWR)) !== 0;
        const text = isWriting ? this.#pick([null, "hello", "xy"]) : null;
        return { ...base, kind, flags, mode: this.#pick(FILE_MODES), text };
      }
      case "mkdir":
        return { ...base, kind, mode: this.#pick(DIRECTORY_MODES) };
      case "chmod":
        return { ...base, kind, mode: this.#pick(ALL_MODES) };
      case "access":
        return { ...base, kind, mode: this.#random(8) };
      case "rename": {
        const flags = this.#pick([
          0,
          0,
          0,
          RENAME_NOREPLACE,
          RENAME_EXCHANGE,
          RENAME_EXCHANGE | RENAME_NOREPLACE,
          RENAME_WHITEOUT,
        ]);
        return { ...base, kind, other: this.#path(), flags };
      }
      case "link":
        // For others the host's fs.protected_hardlinks has its say.
        return {
          ...base,
          as: 0,
          kind,
          other: this.#path(),
          follow: this.#chance(30),
        };
      case "symlink":
        return { ...base, kind, other: this.#path() };
      case "stat":
        return { ...base, kind, follow: this.#chance(40) };
      case "chown": {
        const ids = [-1, 0, 1000];
        const uid = this.#pick(ids);
        const gid = this.#pick(ids);
        return { ...base, kind, uid, gid, follow: this.#chance(60) };
      }
      case "truncate":
        return { ...base, kind, length: this.#pick([0, 3, 5000]) };
      case "mknod": {
        const type = this.#pick(NODES);
        const mode = type | this.#pick([0o644, 0o666, 0o600]);
        // Nobody opens it: both sides lack a driver for 60:1.
        return { ...base, kind, mode, device: type === S_IFCHR ? 0x3c01 : 0 };
      }
      case "setxattr": {
        const flags = this.#pick([0, 0, XATTR_CREATE, XATTR_REPLACE]);
        return { ...base, kind, name: this.#pick(XATTRS), flags };
      }
      case "getxattr":
        return { ...base, kind, name: this.#pick(XATTRS) };
      case "utimens":
        return this.#chance(50)
          ? { ...base, kind, atime: null, mtime: null }
          : { ...base, kind, atime: 5, mtime: 6 };
      default:
        return { ...base, kind };
    }
  }
}
