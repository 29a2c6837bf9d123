/**
 * One client's connection: takes a message, checks its frame, lets a handler
 * answer, sends the reply. Whatever a client sends, the worst that happens is
 * that its own connection ends.
 * @module
 */
import type { GoferChannels } from "../ffi/gofer_channel.ts";
import type { GoferFiles } from "../ffi/gofer_files.ts";
import {
  fsync,
  getattr,
  readlink,
  setattr,
  statfs,
} from "./handlers/attributes.ts";
import { readAhead, readdir } from "./handlers/directory.ts";
import {
  link,
  mkdir,
  mknod,
  rename,
  symlink,
  unlink,
} from "./handlers/names.ts";
import { create, createTemporary, open } from "./handlers/open.ts";
import { attach, forget, walk } from "./handlers/walk.ts";
import {
  getxattr,
  listxattr,
  removexattr,
  setxattr,
} from "./handlers/xattr.ts";
import type { MountRoot } from "./node_table.ts";
import { MAX_MESSAGE, REPLY_HEADER, REQUEST_HEADER, Rpc } from "./protocol.ts";
import {
  BAD_REQUEST,
  type Handler,
  Session,
  type SessionLimits,
} from "./session.ts";
import { MessageReader, MessageWriter } from "./wire.ts";

const HANDLERS: ReadonlyMap<number, Handler> = new Map<Rpc, Handler>([
  [Rpc.Attach, attach],
  [Rpc.Walk, walk],
  [Rpc.GetAttr, getattr],
  [Rpc.SetAttr, setattr],
  [Rpc.Open, open],
  [Rpc.Create, create],
  [Rpc.CreateTemporary, createTemporary],
  [Rpc.MkDir, mkdir],
  [Rpc.MkNod, mknod],
  [Rpc.Symlink, symlink],
  [Rpc.Link, link],
  [Rpc.Unlink, unlink],
  [Rpc.Rename, rename],
  [Rpc.ReadLink, readlink],
  [Rpc.ReadDir, readdir],
  [Rpc.ReadAhead, readAhead],
  [Rpc.StatFs, statfs],
  [Rpc.FSync, fsync],
  [Rpc.GetXattr, getxattr],
  [Rpc.SetXattr, setxattr],
  [Rpc.ListXattr, listxattr],
  [Rpc.RemoveXattr, removexattr],
  [Rpc.Forget, forget],
]);

/** Buffers for the message at hand; connections take turns. */
export class MessageBuffers {
  readonly request = new Uint8Array(MAX_MESSAGE);
  readonly reader = new MessageReader(this.request);
  readonly reply = new MessageWriter(new Uint8Array(MAX_MESSAGE));
  readonly receivedFds: number[] = [];
}

export class Connection {
  readonly session: Session;

  /** `channel` is ours from now on. */
  constructor(
    readonly channel: number,
    readonly channels: GoferChannels,
    readonly files: GoferFiles,
    readonly buffers: MessageBuffers,
    mounts: readonly MountRoot[],
    limits: SessionLimits,
  ) {
    this.session = new Session(files, mounts, limits);
  }

  /** Receives and serves one request, blocking (after spinning for `spinUs`);
   * false when the connection is over: closed, lost, or misused. */
  serveNext(spinUs: number): boolean {
    const { buffers, channels } = this;
    const length = channels.receive(
      this.channel,
      buffers.request,
      buffers.receivedFds,
      { spinUs },
    );
    for (const fd of buffers.receivedFds) this.files.close(fd);
    if (length <= 0 || buffers.receivedFds.length > 0) return false;
    return this.#serve(length);
  }

  #serve(length: number): boolean {
    const { reader, reply } = this.buffers;
    reader.reset(0, length);
    const claimed = reader.u32();
    const handler = HANDLERS.get(reader.u16());
    const tag = reader.u16();
    if (length < REQUEST_HEADER || claimed !== length || !handler) return false;

    reply.length = REPLY_HEADER;
    const result = handler(this.session, reader, reply);
    if (result === BAD_REQUEST) return false;
    this.session.nodes.endRequest();
    if (handler === forget) return true;

    if (result < 0) reply.length = REPLY_HEADER;
    reply.view.setUint32(0, reply.length, true);
    reply.view.setUint16(4, tag, true);
    reply.view.setUint16(6, this.session.donated.length, true);
    reply.view.setInt32(8, result, true);
    const error = this.channels.send(
      this.channel,
      reply.bytes,
      reply.length,
      this.session.donated,
    );
    this.session.closeDonated();
    return error === 0;
  }

  /** Closes the channel and everything that the client held. */
  dispose(): void {
    this.session.dispose();
    this.files.close(this.channel);
  }
}
