/**
 * ReadDir: the entries of a directory in chunks, with attributes if wanted.
 * @module
 */
import { ENOTDIR } from "../../kernel/abi/errno.ts";
import { LINUX_DIRENT64 } from "../../kernel/abi/dirent.ts";
import { S_IFDIR } from "../../kernel/abi/stat.ts";
import { GOFER_STAT_SIZE } from "../../ffi/gofer_stat.ts";
import type { Node } from "../node_table.ts";
import { isComponent, MAX_NAME } from "../protocol.ts";
import { BAD_REQUEST, type Handler, type Session } from "../session.ts";
import { byteString, foldInode, type MessageWriter } from "../wire.ts";

/** Records asked from the host at a time; as entries of a reply, even with
 * attributes, they fit into one message. */
const RECORDS_BYTES = 8 * 1024;
const records = new Uint8Array(RECORDS_BYTES);
const recordsView = new DataView(records.buffer);

/** The longest entry of a reply. */
const MAX_ENTRY = 1 + 8 + 2 + MAX_NAME + 1 + 4 + GOFER_STAT_SIZE;

export const readdir: Handler = (session, request, reply) => {
  const node = session.node(request);
  const withAttributes = request.u32();
  let low = request.u32();
  let high = request.u32();
  if (node === undefined || withAttributes > 1 || !request.isComplete) {
    return BAD_REQUEST;
  }
  if (node.type !== S_IFDIR) return -ENOTDIR.code;
  if (session.isSealed(node)) {
    reply.u32(1);
    reply.u32(0);
    reply.u32(0);
    reply.u16(0);
    return 0;
  }
  // A directory read from its beginning shows what is there now.
  if (low === 0 && high === 0) session.closeDirectory();
  const fd = session.directoryFd(node);
  if (fd < 0) return fd;
  const dirFd = withAttributes === 1 ? session.nodes.fdOf(node) : -1;

  const header = reply.length;
  reply.u32(0);
  reply.u32(0);
  reply.u32(0);
  reply.u16(0);
  let count = 0;
  let isEnd = 0;
  while (reply.room >= MAX_ENTRY && isEnd === 0) {
    const length = session.files.getdents(fd, low, high, records);
    if (length < 0) {
      if (count === 0) return length;
      break; // the next request meets it again
    }
    if (length === 0) isEnd = 1;
    for (let at = 0; at < length;) {
      if (reply.room < MAX_ENTRY) break;
      if (writeEntry(session, node, dirFd, at, reply)) count++;
      low = recordsView.getUint32(at + LINUX_DIRENT64.d_off, true);
      high = recordsView.getUint32(at + LINUX_DIRENT64.d_off + 4, true);
      at += recordsView.getUint16(at + LINUX_DIRENT64.d_reclen, true);
    }
  }
  if (isEnd === 1) session.closeDirectory();
  reply.view.setUint32(header, isEnd, true);
  reply.view.setUint32(header + 4, low, true);
  reply.view.setUint32(header + 8, high, true);
  reply.view.setUint16(header + 12, count, true);
  return 0;
};

/** Writes the record at `at` as an entry, or says that it is none. */
function writeEntry(
  session: Session,
  parent: Node,
  dirFd: number,
  at: number,
  reply: MessageWriter,
): boolean {
  const nameStart = at + LINUX_DIRENT64.d_name;
  const name = byteString(
    records,
    nameStart,
    records.indexOf(0, nameStart) - nameStart,
  );
  if (!isComponent(name)) return false; // "." and ".."
  reply.u8(recordsView.getUint8(at + LINUX_DIRENT64.d_type));
  reply.f64(foldInode(
    recordsView.getUint32(at + LINUX_DIRENT64.d_ino, true),
    recordsView.getUint32(at + LINUX_DIRENT64.d_ino + 4, true),
  ));
  reply.text(name);
  const node = dirFd >= 0 && session.files.statAt(dirFd, name) === 0
    ? session.nodes.adoptName(parent, name)
    : -1;
  if (typeof node === "number") {
    reply.u8(0);
  } else {
    reply.u8(1);
    reply.u32(node.id);
    reply.raw(session.files.stat);
  }
  return true;
}
