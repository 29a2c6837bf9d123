/**
 * MkDir, MkNod, Symlink, Link, Unlink, Rename: requests that change names.
 *
 * A file whose last known name goes away is opened first, since afterwards it
 * could not be found again (unlink(2): it lives on while it is open).
 * @module
 */
import { EPERM } from "../../kernel/abi/errno.ts";
import {
  AT_REMOVEDIR,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
} from "../../kernel/abi/fcntl.ts";
import {
  S_IALLUGO,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from "../../kernel/abi/stat.ts";
import type { Node } from "../node_table.ts";
import { MAX_TARGET } from "../protocol.ts";
import {
  BAD_REQUEST,
  type Handler,
  NO_ID,
  readComponent,
  readOwner,
  type Session,
} from "../session.ts";
import type { MessageWriter } from "../wire.ts";

/** Replies with the node that `fd` is, found at `name` in `parent`. */
function replyNode(
  session: Session,
  fd: number,
  parent: Node,
  name: string,
  reply: MessageWriter,
): number {
  if (fd < 0) return fd;
  const node = session.nodes.adopt(fd, parent.mount, parent, name);
  if (typeof node === "number") return node;
  reply.u32(node.id);
  reply.raw(session.files.stat);
  return 0;
}

export const mkdir: Handler = (session, request, reply) => {
  const parent = session.node(request);
  const owner = readOwner(request);
  const name = readComponent(request);
  if (
    parent === undefined || owner === null || name === "" ||
    !request.isComplete
  ) return BAD_REQUEST;
  const dirFd = session.writableFd(parent);
  if (dirFd < 0) return dirFd;
  const fd = session.files.mkdir(dirFd, name, owner);
  return replyNode(session, fd, parent, name, reply);
};

export const mknod: Handler = (session, request, reply) => {
  const parent = session.node(request);
  const owner = readOwner(request);
  const name = readComponent(request);
  if (
    parent === undefined || owner === null || name === "" ||
    !request.isComplete
  ) return BAD_REQUEST;
  const type = owner.mode & S_IFMT;
  // A device node of the guest's would be a device of the host's.
  if (type !== S_IFREG && type !== S_IFIFO && type !== S_IFSOCK) {
    return -EPERM.code;
  }
  const dirFd = session.writableFd(parent);
  if (dirFd < 0) return dirFd;
  const mode = owner.mode & (S_IFMT | S_IALLUGO);
  const fd = session.files.mknod(dirFd, name, { ...owner, mode });
  return replyNode(session, fd, parent, name, reply);
};

export const symlink: Handler = (session, request, reply) => {
  const parent = session.node(request);
  const uid = request.u32();
  const gid = request.u32();
  const name = readComponent(request);
  const target = request.text(MAX_TARGET);
  if (
    parent === undefined || uid === NO_ID || gid === NO_ID || name === "" ||
    target === "" || target.includes("\0") || !request.isComplete
  ) return BAD_REQUEST;
  const dirFd = session.writableFd(parent);
  if (dirFd < 0) return dirFd;
  const fd = session.files.symlink(dirFd, name, target, uid, gid);
  return replyNode(session, fd, parent, name, reply);
};

export const link: Handler = (session, request, reply) => {
  const node = session.node(request);
  const parent = session.node(request);
  const name = readComponent(request);
  if (
    node === undefined || parent === undefined || name === "" ||
    !request.isComplete
  ) return BAD_REQUEST;
  const dirFd = session.writableFd(parent);
  if (dirFd < 0) return dirFd;
  const nodeFd = session.writableFd(node);
  if (nodeFd < 0) return nodeFd;
  const error = session.files.link(nodeFd, dirFd, name);
  if (error < 0) return error;
  const stale = session.files.refresh(nodeFd);
  if (stale < 0) return stale;
  session.nodes.place(node, parent, name);
  reply.raw(session.files.stat);
  return 0;
};

export const unlink: Handler = (session, request) => {
  const parent = session.node(request);
  const flags = request.u32();
  const name = readComponent(request);
  if (
    parent === undefined || name === "" || (flags & ~AT_REMOVEDIR) !== 0 ||
    !request.isComplete
  ) return BAD_REQUEST;
  const dirFd = session.writableFd(parent);
  if (dirFd < 0) return dirFd;
  const victim = keepVictim(session, parent, dirFd, name);
  const error = session.files.unlink(dirFd, name, flags);
  if (error < 0 && victim !== null) session.nodes.unpin(victim);
  return error;
};

export const rename: Handler = (session, request) => {
  const from = session.node(request);
  const to = session.node(request);
  const flags = request.u32();
  const name = readComponent(request);
  const newName = readComponent(request);
  if (
    from === undefined || to === undefined || name === "" || newName === "" ||
    (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0 ||
    !request.isComplete
  ) return BAD_REQUEST;
  const fromFd = session.writableFd(from);
  if (fromFd < 0) return fromFd;
  const toFd = session.writableFd(to);
  if (toFd < 0) return toFd;

  const exchanges = (flags & RENAME_EXCHANGE) !== 0;
  const moved = known(session, from, fromFd, name);
  const other = known(session, to, toFd, newName);
  const victim = exchanges || other === moved
    ? null
    : keepVictim(session, to, toFd, newName);
  const error = session.files.rename(fromFd, name, toFd, newName, flags);
  if (error < 0) {
    if (victim !== null) session.nodes.unpin(victim);
    return error;
  }
  // Two names of one file: rename(2) does nothing then, and both stay.
  if (moved === other) return 0;
  if (moved !== null && moved.parent === from && moved.name === name) {
    session.nodes.place(moved, to, newName);
  }
  if (exchanges && other !== null && other.parent === to) {
    session.nodes.place(other, from, name);
  }
  return 0;
};

/** The known node that a name leads to now, or null. */
function known(
  session: Session,
  parent: Node,
  dirFd: number,
  name: string,
): Node | null {
  if (session.files.statAt(dirFd, name) < 0) return null;
  return session.nodes.findByStat(parent.mount);
}

/** Pins the node whose name is about to go, if it would be lost; it. */
function keepVictim(
  session: Session,
  parent: Node,
  dirFd: number,
  name: string,
): Node | null {
  const node = known(session, parent, dirFd, name);
  // With another name on record it can be found again.
  if (node === null || node.parent !== parent || node.name !== name) {
    return null;
  }
  if (node.isPinned) return null;
  return session.nodes.pin(node) ? node : null;
}
