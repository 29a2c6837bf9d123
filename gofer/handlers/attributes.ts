/**
 * GetAttr, SetAttr, ReadLink, StatFs, FSync.
 * @module
 */
import { EINVAL, EISDIR, EPERM } from "../../kernel/abi/errno.ts";
import { S_IALLUGO, S_IFDIR, S_IFLNK, S_IFREG } from "../../kernel/abi/stat.ts";
import { UTIME_NOW, UTIME_OMIT } from "../../kernel/abi/time.ts";
import { MAX_TARGET, SET_ATTR_ALL, SetAttrMask } from "../protocol.ts";
import { BAD_REQUEST, type Handler, NO_ID, type Session } from "../session.ts";
import { byteString, type MessageReader } from "../wire.ts";

const NANOSECONDS = 1_000_000_000;
/** Sizes and seconds beyond this are no longer exact. */
const MAX_NUMBER = Number.MAX_SAFE_INTEGER;

const targetBytes = new Uint8Array(MAX_TARGET + 1);
const status = new Float64Array(9);

export const getattr: Handler = (session, request, reply) => {
  const node = session.node(request);
  if (node === undefined || !request.isComplete) return BAD_REQUEST;
  const fd = session.nodes.fdOf(node);
  if (fd < 0) return fd;
  const error = session.files.refresh(fd);
  if (error < 0) return error;
  reply.raw(session.files.stat);
  return 0;
};

interface Change {
  readonly mask: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly atime: number;
  readonly atimeNsec: number;
  readonly mtime: number;
  readonly mtimeNsec: number;
}

function readChange(request: MessageReader): Change | null {
  const change = {
    mask: request.u32(),
    mode: request.u32(),
    uid: request.u32(),
    gid: request.u32(),
    size: request.f64(),
    atime: request.f64(),
    atimeNsec: request.u32(),
    mtime: request.f64(),
    mtimeNsec: request.u32(),
  };
  const { mask } = change;
  const has = (bit: number) => (mask & bit) !== 0;
  const isTime = (sec: number, nsec: number) =>
    Number.isInteger(sec) && Math.abs(sec) <= MAX_NUMBER && nsec < NANOSECONDS;
  const isSound = (mask & ~SET_ATTR_ALL) === 0 &&
    (!has(SetAttrMask.Mode) || (change.mode & ~S_IALLUGO) === 0) &&
    (!has(SetAttrMask.Uid) || change.uid !== NO_ID) &&
    (!has(SetAttrMask.Gid) || change.gid !== NO_ID) &&
    (!has(SetAttrMask.Size) || Number.isInteger(change.size) &&
        change.size >= 0 && change.size <= MAX_NUMBER) &&
    (!has(SetAttrMask.Atime) || isTime(change.atime, change.atimeNsec)) &&
    (!has(SetAttrMask.Mtime) || isTime(change.mtime, change.mtimeNsec));
  return isSound ? change : null;
}

export const setattr: Handler = (session, request, reply) => {
  const node = session.node(request);
  const change = readChange(request);
  if (node === undefined || change === null || !request.isComplete) {
    return BAD_REQUEST;
  }
  if ((change.mask & SetAttrMask.Size) !== 0 && node.type !== S_IFREG) {
    return node.type === S_IFDIR ? -EISDIR.code : -EINVAL.code;
  }
  if ((change.mask & SetAttrMask.Mode) !== 0 && node.type === S_IFLNK) {
    return -EPERM.code; // fchmodat would refuse, too, but after the chown
  }
  const fd = session.writableFd(node);
  if (fd < 0) return fd;
  const error = apply(session, fd, change);
  if (error < 0) return error;
  const stale = session.files.refresh(fd);
  if (stale < 0) return stale;
  reply.raw(session.files.stat);
  return 0;
};

/** Owner before mode, because chown(2) takes set-id bits away; times last,
 * because truncating stamps them. */
function apply(session: Session, fd: number, change: Change): number {
  const { mask } = change;
  const { files } = session;
  let error = 0;
  if ((mask & (SetAttrMask.Uid | SetAttrMask.Gid)) !== 0) {
    const uid = (mask & SetAttrMask.Uid) !== 0 ? change.uid : NO_ID;
    const gid = (mask & SetAttrMask.Gid) !== 0 ? change.gid : NO_ID;
    error = files.chown(fd, uid, gid);
  }
  if (error === 0 && (mask & SetAttrMask.Size) !== 0) {
    error = files.truncate(fd, change.size);
  }
  if (error === 0 && (mask & SetAttrMask.Mode) !== 0) {
    error = files.chmod(fd, change.mode);
  }
  const times = SetAttrMask.Atime | SetAttrMask.Mtime | SetAttrMask.AtimeNow |
    SetAttrMask.MtimeNow;
  if (error === 0 && (mask & times) !== 0) {
    const nsec = (value: number, set: number, now: number) =>
      (mask & set) !== 0 ? value : (mask & now) !== 0 ? UTIME_NOW : UTIME_OMIT;
    error = files.utimes(
      fd,
      change.atime,
      nsec(change.atimeNsec, SetAttrMask.Atime, SetAttrMask.AtimeNow),
      change.mtime,
      nsec(change.mtimeNsec, SetAttrMask.Mtime, SetAttrMask.MtimeNow),
    );
  }
  return error;
}

export const readlink: Handler = (session, request, reply) => {
  const node = session.node(request);
  if (node === undefined || !request.isComplete) return BAD_REQUEST;
  if (node.type !== S_IFLNK) return -EINVAL.code;
  const fd = session.nodes.fdOf(node);
  if (fd < 0) return fd;
  const length = session.files.readlink(fd, targetBytes);
  if (length < 0) return length;
  if (length > MAX_TARGET) return -EINVAL.code;
  reply.text(byteString(targetBytes, 0, length));
  return 0;
};

export const statfs: Handler = (session, request, reply) => {
  const node = session.node(request);
  if (node === undefined || !request.isComplete) return BAD_REQUEST;
  const fd = session.nodes.fdOf(node);
  if (fd < 0) return fd;
  const error = session.files.statfs(fd, status);
  if (error < 0) return error;
  for (const value of status) reply.f64(value);
  return 0;
};

export const fsync: Handler = (session, request) => {
  const node = session.node(request);
  const dataOnly = request.u32();
  if (node === undefined || !request.isComplete || dataOnly > 1) {
    return BAD_REQUEST;
  }
  if (node.type !== S_IFREG && node.type !== S_IFDIR) return -EINVAL.code;
  const fd = session.nodes.fdOf(node);
  if (fd < 0) return fd;
  return session.files.fsync(fd, dataOnly === 1);
};
