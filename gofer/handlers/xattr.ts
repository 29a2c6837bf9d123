/**
 * GetXattr, SetXattr, ListXattr, RemoveXattr. Guests share only the `user.`
 * name space with the host, and may read a file's capabilities: what the host
 * itself acts upon (security., trusted., system.) is not theirs to set.
 * @module
 */
import {
  EINVAL,
  ENODATA,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
} from "../../kernel/abi/errno.ts";
import { S_IFDIR, S_IFREG } from "../../kernel/abi/stat.ts";
import {
  XATTR_CREATE,
  XATTR_LIST_MAX,
  XATTR_NAME_CAPS,
  XATTR_NAME_MAX,
  XATTR_REPLACE,
  XATTR_SIZE_MAX,
  XATTR_USER_PREFIX,
} from "../../kernel/abi/xattr.ts";
import type { Node } from "../node_table.ts";
import { BAD_REQUEST, type Handler } from "../session.ts";
import { byteString } from "../wire.ts";

const value = new Uint8Array(XATTR_SIZE_MAX);
const list = new Uint8Array(XATTR_LIST_MAX);

function hasXattrs(node: Node): boolean {
  return node.type === S_IFREG || node.type === S_IFDIR;
}

function isUserName(name: string): boolean {
  return name.startsWith(XATTR_USER_PREFIX) &&
    name.length > XATTR_USER_PREFIX.length;
}

function isName(name: string): boolean {
  return name.length > 0 && !name.includes("\0");
}

export const getxattr: Handler = (session, request, reply) => {
  const node = session.node(request);
  const maxLength = request.u32();
  const name = request.text(XATTR_NAME_MAX);
  if (
    node === undefined || maxLength > XATTR_SIZE_MAX || !isName(name) ||
    !request.isComplete
  ) return BAD_REQUEST;
  if (!isUserName(name) && name !== XATTR_NAME_CAPS) return -EOPNOTSUPP.code;
  if (!hasXattrs(node)) return -ENODATA.code;
  const fd = session.nodes.fdOf(node);
  if (fd < 0) return fd;
  const length = session.files.getxattr(fd, name, value);
  if (length < 0) return length;
  if (length > maxLength) return -ERANGE.code;
  reply.raw(value.subarray(0, length));
  return length;
};

export const setxattr: Handler = (session, request) => {
  const node = session.node(request);
  const flags = request.u32();
  const name = request.text(XATTR_NAME_MAX);
  const bytes = request.raw(request.remaining);
  if (
    node === undefined || (flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0 ||
    !isName(name) || bytes.length > XATTR_SIZE_MAX || !request.isComplete
  ) return BAD_REQUEST;
  if (!isUserName(name)) return -EOPNOTSUPP.code;
  if (!hasXattrs(node)) return -EPERM.code;
  const fd = session.writableFd(node);
  if (fd < 0) return fd;
  return session.files.setxattr(fd, name, bytes, flags);
};

export const listxattr: Handler = (session, request, reply) => {
  const node = session.node(request);
  if (node === undefined || !request.isComplete) return BAD_REQUEST;
  if (!hasXattrs(node)) return 0;
  const fd = session.nodes.fdOf(node);
  if (fd < 0) return fd;
  const length = session.files.listxattr(fd, list);
  if (length < 0) return length;
  const start = reply.length;
  for (let at = 0; at < length;) {
    const end = list.indexOf(0, at);
    if (end < 0) return -EINVAL.code; // not a list
    const name = byteString(list, at, end - at);
    if (isUserName(name) || name === XATTR_NAME_CAPS) {
      reply.raw(list.subarray(at, end + 1));
    }
    at = end + 1;
  }
  return reply.length - start;
};

export const removexattr: Handler = (session, request) => {
  const node = session.node(request);
  const name = request.text(XATTR_NAME_MAX);
  if (node === undefined || !isName(name) || !request.isComplete) {
    return BAD_REQUEST;
  }
  if (!isUserName(name)) return -EOPNOTSUPP.code;
  if (!hasXattrs(node)) return -EPERM.code;
  const fd = session.writableFd(node);
  if (fd < 0) return fd;
  return session.files.removexattr(fd, name);
};
