/**
 * Open, Create, CreateTemporary: the requests that donate a descriptor. Only
 * regular files are ever opened: a device, FIFO or socket of the host would act
 * on the host, and a directory would let its holder walk.
 * @module
 */
import { EACCES, EISDIR, ELOOP, ENXIO, EROFS } from "../../kernel/abi/errno.ts";
import {
  O_ACCMODE,
  O_APPEND,
  O_DSYNC,
  O_NOATIME,
  O_RDONLY,
  O_SYNC,
  O_TRUNC,
} from "../../kernel/abi/fcntl.ts";
import {
  S_IALLUGO,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFREG,
} from "../../kernel/abi/stat.ts";
import type { Node } from "../node_table.ts";
import {
  BAD_REQUEST,
  type Handler,
  readComponent,
  readOwner,
  type Session,
} from "../session.ts";
import type { MessageReader } from "../wire.ts";

/** What a client may ask for; O_SYNC includes O_DSYNC. */
const OPEN_FLAGS = O_ACCMODE | O_TRUNC | O_APPEND | O_NOATIME | O_SYNC |
  O_DSYNC;

/** Opens a node and puts the descriptor on the reply; 0 or a negative errno. */
export function openNode(session: Session, node: Node, flags: number): number {
  switch (node.type) {
    case S_IFREG:
      break;
    case S_IFDIR:
      return -EISDIR.code;
    case S_IFLNK:
      return -ELOOP.code;
    case S_IFCHR:
    case S_IFBLK:
      return -EACCES.code;
    default:
      return -ENXIO.code;
  }
  const changes = (flags & O_ACCMODE) !== O_RDONLY || (flags & O_TRUNC) !== 0;
  if (changes && node.mount.isReadOnly) return -EROFS.code;
  if (session.isSealed(node)) return -EACCES.code;
  const nodeFd = session.nodes.fdOf(node);
  if (nodeFd < 0) return nodeFd;
  const fd = session.files.reopen(nodeFd, flags & OPEN_FLAGS);
  if (fd < 0) return fd;
  session.donated.push(fd);
  return 0;
}

export const open: Handler = (session, request) => {
  const node = session.node(request);
  const flags = request.u32();
  if (node === undefined || !request.isComplete) return BAD_REQUEST;
  return openNode(session, node, flags);
};

export const create: Handler = (session, request, reply) => {
  const fields = readParent(session, request);
  const name = readComponent(request);
  if (fields === null || name === "" || !request.isComplete) return BAD_REQUEST;
  return makeFile(session, fields, name, reply);
};

export const createTemporary: Handler = (session, request, reply) => {
  const fields = readParent(session, request);
  if (fields === null || !request.isComplete) return BAD_REQUEST;
  return makeFile(session, fields, "", reply);
};

interface NewFile {
  readonly parent: Node;
  readonly flags: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

function readParent(
  session: Session,
  request: MessageReader,
): NewFile | null {
  const parent = session.node(request);
  const flags = request.u32();
  const owner = readOwner(request);
  if (parent === undefined || owner === null) return null;
  return { parent, flags, ...owner, mode: owner.mode & S_IALLUGO };
}

function makeFile(
  session: Session,
  file: NewFile,
  name: string,
  reply: Parameters<Handler>[2],
): number {
  const dirFd = session.writableFd(file.parent);
  if (dirFd < 0) return dirFd;
  const fd = session.files.create(
    dirFd,
    name,
    file.flags & OPEN_FLAGS,
    file,
  );
  if (fd < 0) return fd;
  const node = session.nodes.adopt(
    session.files.createdNode,
    file.parent.mount,
    name === "" ? null : file.parent,
    name,
  );
  if (typeof node === "number") {
    session.files.close(fd);
    return node;
  }
  session.donated.push(fd);
  reply.u32(node.id);
  reply.raw(session.files.stat);
  return 0;
}
