/**
 * Attach, Walk and Forget: how nodes come and go.
 * @module
 */
import { ENOENT, ENOTDIR } from "../../kernel/abi/errno.ts";
import { S_IFDIR, S_IFLNK } from "../../kernel/abi/stat.ts";
import type { Node } from "../node_table.ts";
import {
  MAX_FORGETS,
  MAX_NAME,
  MAX_TARGET,
  MAX_WALK_NAMES,
  NO_OPEN,
} from "../protocol.ts";
import { BAD_REQUEST, type Handler, readComponent } from "../session.ts";
import { byteString } from "../wire.ts";
import { openNode } from "./open.ts";

const EBADF_CODE = 9;

const targetBytes = new Uint8Array(MAX_TARGET + 1);

export const attach: Handler = (session, request, reply) => {
  const name = request.text(MAX_NAME);
  if (!request.isComplete) return BAD_REQUEST;

  const mount = session.mounts.get(name);
  if (mount === undefined) return -ENOENT.code;
  const error = session.files.refresh(mount.fd);
  if (error < 0) return error;
  const node = session.nodes.attach(mount);
  if (typeof node === "number") return node;
  reply.u32(node.id);
  reply.u32(mount.isReadOnly ? 1 : 0);
  reply.raw(session.files.stat);
  return 0;
};

export const walk: Handler = (session, request, reply) => {
  const from = session.node(request);
  const openFlags = request.u32();
  const count = request.u16();
  if (from === undefined || count === 0 || count > MAX_WALK_NAMES) {
    return BAD_REQUEST;
  }
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    const name = readComponent(request);
    if (name === "") return BAD_REQUEST;
    names.push(name);
  }
  if (!request.isComplete) return BAD_REQUEST;
  if (from.type !== S_IFDIR) return -ENOTDIR.code;

  // The fields before the nodes are known only after the walk.
  const found: Node[] = [];
  const stats: Uint8Array[] = [];
  let error = 0;
  let at = from;
  for (const name of names) {
    if (session.isSealed(at)) {
      error = -ENOENT.code;
      break;
    }
    const dirFd = session.nodes.fdOf(at);
    const fd = dirFd < 0 ? dirFd : session.files.lookup(dirFd, name);
    if (fd < 0) {
      error = fd;
      break;
    }
    const node = session.nodes.adopt(fd, at.mount, at, name);
    if (typeof node === "number") {
      error = node;
      break;
    }
    found.push(node);
    stats.push(session.files.stat.slice());
    if (node.type !== S_IFDIR) break;
    at = node;
  }

  const last = found.at(-1);
  let target = "";
  if (last?.type === S_IFLNK) {
    const length = session.files.readlink(
      session.nodes.fdOf(last),
      targetBytes,
    );
    // Too long or gone: the client asks again, and gets the reason.
    if (length > 0 && length <= MAX_TARGET) {
      target = byteString(targetBytes, 0, length);
    }
  }
  let opened = -EBADF_CODE;
  if (
    openFlags !== NO_OPEN && last !== undefined && found.length === count
  ) opened = openNode(session, last, openFlags);

  reply.i32(error);
  reply.i32(opened);
  reply.text(target);
  reply.u16(found.length);
  for (let i = 0; i < found.length; i++) {
    reply.u32(found[i]!.id);
    reply.raw(stats[i]!);
  }
  return 0;
};

export const forget: Handler = (session, request) => {
  const count = request.u16();
  if (count > MAX_FORGETS) return BAD_REQUEST;
  for (let i = 0; i < count; i++) {
    const id = request.u32();
    const references = request.u32();
    if (!request.isGood || !session.forget(id, references)) return BAD_REQUEST;
  }
  return request.isComplete ? 0 : BAD_REQUEST;
};
