/**
 * ReadDir: the entries of a directory in chunks, with attributes if wanted.
 * ReadAhead: whole directories, and what is below them, in one reply.
 * @module
 */
import { ENOTDIR } from "../../kernel/abi/errno.ts";
import { DT_DIR, DT_UNKNOWN, LINUX_DIRENT64 } from "../../kernel/abi/dirent.ts";
import { S_IFDIR } from "../../kernel/abi/stat.ts";
import { GOFER_STAT_SIZE } from "../../ffi/gofer_stat.ts";
import { Node } from "../node_table.ts";
import { isComponent, MAX_NAME, MAX_READ_AHEAD } from "../protocol.ts";
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
      if (writeEntry(session, node, dirFd, at, reply) !== undefined) count++;
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

/** Whether a reply has attributes of this directory entry. */
type Wants = (type: number) => boolean;
const ALL: Wants = () => true;
const DIRECTORIES: Wants = (type) => type === DT_DIR || type === DT_UNKNOWN;

export const readAhead: Handler = (session, request, reply) => {
  const withAttributes = request.u32();
  const asked = request.u16();
  if (withAttributes > 1 || asked === 0 || asked > MAX_READ_AHEAD) {
    return BAD_REQUEST;
  }
  const queue: Node[] = [];
  for (let i = 0; i < asked; i++) {
    const node = session.node(request);
    if (node === undefined) return BAD_REQUEST;
    queue.push(node);
  }
  if (!request.isComplete) return BAD_REQUEST;

  const wants = withAttributes === 1 ? ALL : DIRECTORIES;
  const header = reply.length;
  reply.u16(0);
  let count = 0;
  // It grows meanwhile: directories found are read, too.
  for (const node of queue) {
    if (node.type !== S_IFDIR || session.isSealed(node)) continue;
    // Descriptors of the directories before this one need not stay open.
    session.nodes.endRequest();
    const start = reply.length;
    const found: Node[] = [];
    if (writeContents(session, node, wants, reply, found)) {
      count++;
      for (const child of found) if (child.type === S_IFDIR) queue.push(child);
    } else {
      reply.length = start;
      for (const child of found) session.forget(child.id, 1);
      break; // what comes later would be out of order, and hardly fit
    }
  }
  reply.view.setUint16(header, count, true);
  return 0;
};

/** Writes a whole directory; false if it does not fit or can't be read.
 * `found` collects the nodes that the client gets references on. */
function writeContents(
  session: Session,
  node: Node,
  wants: Wants,
  reply: MessageWriter,
  found: Node[],
): boolean {
  if (reply.room < MAX_ENTRY) return false;
  const dirFd = session.nodes.fdOf(node);
  if (dirFd < 0) return false;
  const fd = session.files.openDirectory(dirFd);
  if (fd < 0) return false;
  reply.u32(node.id);
  const header = reply.length;
  reply.u16(0);
  let count = 0;
  let low = 0;
  let high = 0;
  let length = 0;
  let isWhole = true;
  do {
    length = session.files.getdents(fd, low, high, records);
    for (let at = 0; at < length && isWhole;) {
      isWhole = reply.room >= MAX_ENTRY;
      if (!isWhole) break;
      const entry = writeEntry(session, node, dirFd, at, reply, wants);
      if (entry !== undefined) count++;
      if (entry instanceof Node) found.push(entry);
      low = recordsView.getUint32(at + LINUX_DIRENT64.d_off, true);
      high = recordsView.getUint32(at + LINUX_DIRENT64.d_off + 4, true);
      at += recordsView.getUint16(at + LINUX_DIRENT64.d_reclen, true);
    }
  } while (length > 0 && isWhole);
  session.files.close(fd);
  reply.view.setUint16(header, count, true);
  return isWhole && length === 0;
}

/** Writes the record at `at` as an entry; its node, null if it comes without,
 * undefined if it is no entry. */
function writeEntry(
  session: Session,
  parent: Node,
  dirFd: number,
  at: number,
  reply: MessageWriter,
  wants: Wants = ALL,
): Node | null | undefined {
  const nameStart = at + LINUX_DIRENT64.d_name;
  const name = byteString(
    records,
    nameStart,
    records.indexOf(0, nameStart) - nameStart,
  );
  if (!isComponent(name)) return undefined; // "." and ".."
  const type = recordsView.getUint8(at + LINUX_DIRENT64.d_type);
  reply.u8(type);
  reply.f64(foldInode(
    recordsView.getUint32(at + LINUX_DIRENT64.d_ino, true),
    recordsView.getUint32(at + LINUX_DIRENT64.d_ino + 4, true),
  ));
  reply.text(name);
  const node = dirFd >= 0 && wants(type) &&
      session.files.statAt(dirFd, name) === 0
    ? session.nodes.adoptName(parent, name)
    : -1;
  if (typeof node === "number") {
    reply.u8(0);
    return null;
  }
  reply.u8(1);
  reply.u32(node.id);
  reply.raw(session.files.stat);
  return node;
}
