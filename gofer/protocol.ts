/**
 * The file server's protocol: one SOCK_SEQPACKET message per request and per
 * reply, little endian, no padding. The client speaks first, and waits for each
 * reply before its next request.
 *
 *   request  u32 length of the whole message, u16 type, u16 tag, payload
 *   reply    u32 length of the whole message, u16 tag, u16 number of attached
 *            descriptors, i32 result (>= 0, or a negative errno and then no
 *            payload), payload
 *
 * In the layouts below, `node` is the u32 id of a file; `text` is a u16 length
 * and as many bytes; `stat` is the struct of ffi/gofer_stat.ts; `owner` is u32
 * mode, u32 uid, u32 gid. Each `node` in a reply is a reference that the client
 * owes back by FORGET.
 *
 * A request that breaks these rules (length, type, unknown node, a name that is
 * not one component, descriptors attached) ends the connection. Nothing else
 * does, and nothing that one connection sends affects another.
 * @module
 */

/** Longest message in bytes: XATTR_SIZE_MAX, a name, and the fields. */
export const MAX_MESSAGE = 72 * 1024;
export const REQUEST_HEADER = 8;
export const REPLY_HEADER = 12;

/** Longest name (NAME_MAX), symlink target (PATH_MAX - 1) in bytes. */
export const MAX_NAME = 255;
export const MAX_TARGET = 4095;
export { MAX_WALK_NAMES } from "./client.ts";

/** The most directories that one ReadAhead names. */
export const MAX_READ_AHEAD = 64;

/** The most FORGET pairs in a message. */
export const MAX_FORGETS = 1024;

/** Request types. */
export const Rpc = {
  /** text mount → node, u32 (1: read-only), stat. ENOENT: not one of this
   * connection's mounts. */
  Attach: 1,
  /** node directory, u32 open flags (NO_OPEN: none), u16 count 1..64, count ×
   * text → i32 error, i32 open result, text target, u16 found, found × (node,
   * stat); at most one descriptor, if the open result is 0. */
  Walk: 2,
  /** node → stat */
  GetAttr: 3,
  /** node, u32 SetAttrMask, u32 mode, u32 uid, u32 gid, f64 size, f64 atime,
   * u32 atime ns, f64 mtime, u32 mtime ns → stat */
  SetAttr: 4,
  /** node, u32 flags → one descriptor */
  Open: 5,
  /** node parent, u32 flags, owner, text name → node, stat, one descriptor */
  Create: 6,
  /** node parent, u32 flags, owner → node, stat, one descriptor; no name. */
  CreateTemporary: 7,
  /** node parent, owner, text name → node, stat */
  MkDir: 8,
  /** node parent, owner (mode with type), text name → node, stat */
  MkNod: 9,
  /** node parent, u32 uid, u32 gid, text name, text target → node, stat */
  Symlink: 10,
  /** node, node parent, text name → stat */
  Link: 11,
  /** node parent, u32 flags, text name → nothing */
  Unlink: 12,
  /** node from, node to, u32 flags, text name, text new name → nothing */
  Rename: 13,
  /** node → text target */
  ReadLink: 14,
  /** node, u32 with attributes (0, 1), u32 cookie low, u32 cookie high →
   * u32 end (0, 1), u32 cookie low, u32 cookie high, u16 count, count × (u8
   * type, f64 ino, text name, u8 has node, [node, stat]) */
  ReadDir: 15,
  /** node → 9 × f64: type, bsize, blocks, bfree, bavail, files, ffree,
   * namelen, frsize */
  StatFs: 16,
  /** node, u32 data only (0, 1) → nothing */
  FSync: 17,
  /** node, u32 longest value, text name → the bytes; result: their number */
  GetXattr: 18,
  /** node, u32 flags, text name, the bytes → nothing */
  SetXattr: 19,
  /** node → NUL-terminated names; result: their length in bytes */
  ListXattr: 20,
  /** node, text name → nothing */
  RemoveXattr: 21,
  /** u16 count, count × (node, u32 references) → no reply at all */
  Forget: 22,
  /** u32 with attributes (1: of all entries, 0: of directories), u16 count
   * 1..64, count × node directory → u16 count, count × (node, u16 entries,
   * entries as in ReadDir). Whole directories only: those asked for, in order,
   * then those found in them, as long as they fit; `node` here is no
   * reference. */
  ReadAhead: 23,
} as const;
export type Rpc = typeof Rpc[keyof typeof Rpc];

/** Walk: open nothing. */
export const NO_OPEN = 0xffffffff;

/** Which fields of a SetAttr count. *Now: stamp with the host's time. */
export const SetAttrMask = {
  Mode: 1,
  Uid: 2,
  Gid: 4,
  Size: 8,
  Atime: 16,
  Mtime: 32,
  AtimeNow: 64,
  MtimeNow: 128,
} as const;

/** Every bit of SetAttrMask. */
export const SET_ATTR_ALL = 255;

/** Whether a byte string can name an entry of a directory. */
export function isComponent(name: string): boolean {
  const length = name.length;
  if (length === 0 || length > MAX_NAME || name === "." || name === "..") {
    return false;
  }
  for (let i = 0; i < length; i++) {
    const byte = name.charCodeAt(i);
    if (byte === 0 || byte === 0x2f || byte > 0xff) return false;
  }
  return true;
}
