/**
 * GoferClient over a connection: writes requests and reads replies in the
 * layouts of protocol.ts. Synchronous; one request is under way at a time.
 *
 * The server is more trusted than the guest, but its replies are checked all
 * the same: a malformed one is a lost connection.
 * @module
 */
import { EREMOTEIO } from "../kernel/abi/errno.ts";
import type {
  DonatedFd,
  GoferClient,
  GoferCreated,
  GoferDirChunk,
  GoferDirCookie,
  GoferDirEntry,
  GoferNode,
  GoferNodeId,
  GoferOwner,
  GoferRoot,
  GoferSetAttr,
  GoferStat,
  GoferStatfs,
  GoferTime,
  GoferWalk,
} from "./client.ts";
import {
  MAX_FORGETS,
  MAX_MESSAGE,
  MAX_NAME,
  MAX_TARGET,
  MAX_WALK_NAMES,
  NO_OPEN,
  REPLY_HEADER,
  REQUEST_HEADER,
  Rpc,
  SetAttrMask,
} from "./protocol.ts";
import type { GoferTransport } from "./transport.ts";
import { MessageReader, MessageWriter } from "./wire.ts";

/** forget() sends when it has collected this many nodes. */
const FORGET_BATCH = 256;

const LOST = -EREMOTEIO.code;
const NO_TIME: GoferTime = { sec: 0, nsec: 0 };

export class RemoteGofer implements GoferClient {
  onConnectionLost: ((reason: string) => void) | null = null;

  readonly #transport: GoferTransport;
  readonly #request = new MessageWriter(new Uint8Array(MAX_MESSAGE));
  readonly #replyBytes = new Uint8Array(MAX_MESSAGE);
  readonly #reply = new MessageReader(this.#replyBytes);
  readonly #fds: DonatedFd[] = [];
  readonly #forgets = new Map<GoferNodeId, number>();
  #tag = 0;
  #isLost = false;

  constructor(transport: GoferTransport) {
    this.#transport = transport;
  }

  attach(mount: string): GoferRoot | number {
    const request = this.#begin(Rpc.Attach);
    request.text(mount);
    const result = this.#call();
    if (result < 0) return result;
    const node = this.#reply.u32() as GoferNodeId;
    const isReadOnly = this.#reply.u32() !== 0;
    const stat = this.#reply.stat();
    if (stat === null || !this.#isSound(0)) return LOST;
    return { node, stat, isReadOnly };
  }

  walk(
    from: GoferNodeId,
    names: readonly string[],
    options?: { readonly open?: number },
  ): GoferWalk | number {
    const request = this.#begin(Rpc.Walk);
    request.u32(from);
    request.u32(options?.open ?? NO_OPEN);
    request.u16(names.length);
    for (const name of names) request.text(name);
    const result = this.#call();
    if (result < 0) return result;
    const reply = this.#reply;
    const error = reply.i32();
    const openResult = reply.i32();
    const target = reply.text(MAX_TARGET);
    const count = reply.u16();
    if (count > MAX_WALK_NAMES) return this.#lose("too many nodes");
    const nodes: GoferNode[] = [];
    for (let i = 0; i < count; i++) {
      const node = reply.u32() as GoferNodeId;
      const stat = reply.stat();
      if (stat !== null) nodes.push({ node, stat });
    }
    if (!this.#isSound(openResult === 0 ? 1 : 0)) return LOST;
    const opened = openResult === 0 ? this.#fds[0]! : Math.min(openResult, -1);
    return { nodes, error: Math.min(error, 0), target, opened };
  }

  getattr(node: GoferNodeId): GoferStat | number {
    this.#begin(Rpc.GetAttr).u32(node);
    return this.#callForStat();
  }

  setattr(node: GoferNodeId, change: GoferSetAttr): GoferStat | number {
    const request = this.#begin(Rpc.SetAttr);
    let mask = 0;
    if (change.mode !== undefined) mask |= SetAttrMask.Mode;
    if (change.uid !== undefined) mask |= SetAttrMask.Uid;
    if (change.gid !== undefined) mask |= SetAttrMask.Gid;
    if (change.size !== undefined) mask |= SetAttrMask.Size;
    let atime = NO_TIME;
    if (change.atime === "now") mask |= SetAttrMask.AtimeNow;
    else if (change.atime !== undefined) {
      mask |= SetAttrMask.Atime;
      atime = change.atime;
    }
    let mtime = NO_TIME;
    if (change.mtime === "now") mask |= SetAttrMask.MtimeNow;
    else if (change.mtime !== undefined) {
      mask |= SetAttrMask.Mtime;
      mtime = change.mtime;
    }
    request.u32(node);
    request.u32(mask);
    request.u32(change.mode ?? 0);
    request.u32(change.uid ?? 0);
    request.u32(change.gid ?? 0);
    request.f64(change.size ?? 0);
    request.f64(atime.sec);
    request.u32(atime.nsec);
    request.f64(mtime.sec);
    request.u32(mtime.nsec);
    return this.#callForStat();
  }

  open(node: GoferNodeId, flags: number): DonatedFd | number {
    const request = this.#begin(Rpc.Open);
    request.u32(node);
    request.u32(flags);
    const result = this.#call();
    if (result < 0) return result;
    return this.#isSound(1) ? this.#fds[0]! : LOST;
  }

  create(
    parent: GoferNodeId,
    name: string,
    flags: number,
    owner: GoferOwner,
  ): GoferCreated | number {
    const request = this.#begin(Rpc.Create);
    request.u32(parent);
    request.u32(flags);
    this.#writeOwner(owner);
    request.text(name);
    return this.#callForCreated();
  }

  createTemporary(
    parent: GoferNodeId,
    flags: number,
    owner: GoferOwner,
  ): GoferCreated | number {
    const request = this.#begin(Rpc.CreateTemporary);
    request.u32(parent);
    request.u32(flags);
    this.#writeOwner(owner);
    return this.#callForCreated();
  }

  mkdir(
    parent: GoferNodeId,
    name: string,
    owner: GoferOwner,
  ): GoferNode | number {
    const request = this.#begin(Rpc.MkDir);
    request.u32(parent);
    this.#writeOwner(owner);
    request.text(name);
    return this.#callForNode();
  }

  mknod(
    parent: GoferNodeId,
    name: string,
    owner: GoferOwner,
  ): GoferNode | number {
    const request = this.#begin(Rpc.MkNod);
    request.u32(parent);
    this.#writeOwner(owner);
    request.text(name);
    return this.#callForNode();
  }

  symlink(
    parent: GoferNodeId,
    name: string,
    target: string,
    owner: { readonly uid: number; readonly gid: number },
  ): GoferNode | number {
    const request = this.#begin(Rpc.Symlink);
    request.u32(parent);
    request.u32(owner.uid);
    request.u32(owner.gid);
    request.text(name);
    request.text(target);
    return this.#callForNode();
  }

  link(
    node: GoferNodeId,
    parent: GoferNodeId,
    name: string,
  ): GoferStat | number {
    const request = this.#begin(Rpc.Link);
    request.u32(node);
    request.u32(parent);
    request.text(name);
    return this.#callForStat();
  }

  unlink(parent: GoferNodeId, name: string, flags: number): number {
    const request = this.#begin(Rpc.Unlink);
    request.u32(parent);
    request.u32(flags);
    request.text(name);
    return this.#callForNothing();
  }

  rename(
    fromParent: GoferNodeId,
    fromName: string,
    toParent: GoferNodeId,
    toName: string,
    flags: number,
  ): number {
    const request = this.#begin(Rpc.Rename);
    request.u32(fromParent);
    request.u32(toParent);
    request.u32(flags);
    request.text(fromName);
    request.text(toName);
    return this.#callForNothing();
  }

  readlink(node: GoferNodeId): string | number {
    this.#begin(Rpc.ReadLink).u32(node);
    const result = this.#call();
    if (result < 0) return result;
    const target = this.#reply.text(MAX_TARGET);
    return this.#isSound(0) ? target : LOST;
  }

  readdir(
    node: GoferNodeId,
    cookie: GoferDirCookie | null,
    options: { readonly attributes: boolean },
  ): GoferDirChunk | number {
    const request = this.#begin(Rpc.ReadDir);
    request.u32(node);
    request.u32(options.attributes ? 1 : 0);
    request.u32(cookie?.low ?? 0);
    request.u32(cookie?.high ?? 0);
    const result = this.#call();
    if (result < 0) return result;
    const reply = this.#reply;
    const isEnd = reply.u32() !== 0;
    const next = { low: reply.u32(), high: reply.u32() };
    const count = reply.u16();
    const entries: GoferDirEntry[] = [];
    for (let i = 0; i < count && reply.isGood; i++) {
      const type = reply.u8();
      const ino = reply.f64();
      const name = reply.text(MAX_NAME);
      let node: GoferNode | null = null;
      if (reply.u8() !== 0) {
        const id = reply.u32() as GoferNodeId;
        const stat = reply.stat();
        if (stat !== null) node = { node: id, stat };
      }
      entries.push({ name, node, ino, type });
    }
    if (!this.#isSound(0)) return LOST;
    return { entries, cookie: isEnd ? null : next };
  }

  statfs(node: GoferNodeId): GoferStatfs | number {
    this.#begin(Rpc.StatFs).u32(node);
    const result = this.#call();
    if (result < 0) return result;
    const reply = this.#reply;
    const status: GoferStatfs = {
      type: reply.f64(),
      bsize: reply.f64(),
      blocks: reply.f64(),
      bfree: reply.f64(),
      bavail: reply.f64(),
      files: reply.f64(),
      ffree: reply.f64(),
      namelen: reply.f64(),
      frsize: reply.f64(),
    };
    return this.#isSound(0) ? status : LOST;
  }

  fsync(node: GoferNodeId, options: { readonly dataOnly: boolean }): number {
    const request = this.#begin(Rpc.FSync);
    request.u32(node);
    request.u32(options.dataOnly ? 1 : 0);
    return this.#callForNothing();
  }

  getxattr(
    node: GoferNodeId,
    name: string,
    maxLength: number,
  ): Uint8Array | number {
    const request = this.#begin(Rpc.GetXattr);
    request.u32(node);
    request.u32(maxLength);
    request.text(name);
    const length = this.#call();
    if (length < 0) return length;
    const value = this.#reply.raw(length);
    return this.#isSound(0) ? value : LOST;
  }

  setxattr(
    node: GoferNodeId,
    name: string,
    value: Uint8Array,
    flags: number,
  ): number {
    const request = this.#begin(Rpc.SetXattr);
    request.u32(node);
    request.u32(flags);
    request.text(name);
    request.raw(value);
    return this.#callForNothing();
  }

  listxattr(node: GoferNodeId): readonly string[] | number {
    this.#begin(Rpc.ListXattr).u32(node);
    const length = this.#call();
    if (length < 0) return length;
    const bytes = this.#reply.raw(length);
    if (!this.#isSound(0)) return LOST;
    const names: string[] = [];
    let name = "";
    for (const byte of bytes) {
      if (byte !== 0) name += String.fromCharCode(byte);
      else {
        names.push(name);
        name = "";
      }
    }
    return names;
  }

  removexattr(node: GoferNodeId, name: string): number {
    const request = this.#begin(Rpc.RemoveXattr);
    request.u32(node);
    request.text(name);
    return this.#callForNothing();
  }

  forget(node: GoferNodeId, count: number): void {
    this.#forgets.set(node, (this.#forgets.get(node) ?? 0) + count);
    if (this.#forgets.size >= FORGET_BATCH) this.flush();
  }

  flush(): void {
    if (this.#isLost) this.#forgets.clear();
    while (this.#forgets.size > 0) {
      const request = this.#begin(Rpc.Forget);
      const count = Math.min(this.#forgets.size, MAX_FORGETS);
      request.u16(count);
      let left = count;
      for (const [node, references] of this.#forgets) {
        if (left-- === 0) break;
        request.u32(node);
        request.u32(references);
        this.#forgets.delete(node);
      }
      this.#finish();
      if (this.#transport.post(request.bytes, request.length) < 0) {
        this.#lose("send failed");
        this.#forgets.clear();
      }
    }
  }

  #begin(type: Rpc): MessageWriter {
    const request = this.#request;
    this.#tag = (this.#tag + 1) & 0xffff;
    request.view.setUint16(4, type, true);
    request.view.setUint16(6, this.#tag, true);
    request.length = REQUEST_HEADER;
    return request;
  }

  #finish(): void {
    this.#request.view.setUint32(0, this.#request.length, true);
  }

  #writeOwner(owner: GoferOwner): void {
    this.#request.u32(owner.mode);
    this.#request.u32(owner.uid);
    this.#request.u32(owner.gid);
  }

  /** Sends the request and positions #reply at the payload; the result. */
  #call(): number {
    if (this.#isLost) return LOST;
    this.#finish();
    const length = this.#transport.call(
      this.#request.bytes,
      this.#request.length,
      this.#replyBytes,
      this.#fds,
    );
    if (length <= 0) {
      return this.#lose(length === 0 ? "closed" : `errno ${-length}`);
    }
    const reply = this.#reply;
    reply.reset(0, length);
    const claimed = reply.u32();
    const tag = reply.u16();
    const fdCount = reply.u16();
    const result = reply.i32();
    if (
      length < REPLY_HEADER || claimed !== length || tag !== this.#tag ||
      fdCount !== this.#fds.length
    ) return this.#lose("malformed reply");
    if (result < 0 && !this.#isSound(0)) return LOST;
    return result;
  }

  /** Whether the reply was read whole and brought `fdCount` descriptors; if
   * not, the connection is lost. */
  #isSound(fdCount: number): boolean {
    if (this.#reply.isComplete && this.#fds.length === fdCount) return true;
    this.#lose("malformed reply");
    return false;
  }

  #callForStat(): GoferStat | number {
    const result = this.#call();
    if (result < 0) return result;
    const stat = this.#reply.stat();
    return stat !== null && this.#isSound(0) ? stat : LOST;
  }

  #callForNode(): GoferNode | number {
    const result = this.#call();
    if (result < 0) return result;
    const node = this.#reply.u32() as GoferNodeId;
    const stat = this.#reply.stat();
    return stat !== null && this.#isSound(0) ? { node, stat } : LOST;
  }

  #callForCreated(): GoferCreated | number {
    const result = this.#call();
    if (result < 0) return result;
    const node = this.#reply.u32() as GoferNodeId;
    const stat = this.#reply.stat();
    if (stat === null || !this.#isSound(1)) return LOST;
    return { node, stat, opened: this.#fds[0]! };
  }

  #callForNothing(): number {
    const result = this.#call();
    if (result < 0) return result;
    return this.#isSound(0) ? 0 : LOST;
  }

  #lose(reason: string): number {
    for (const fd of this.#fds) this.#transport.discard(fd);
    this.#fds.length = 0;
    if (!this.#isLost) {
      this.#isLost = true;
      this.onConnectionLost?.(reason);
    }
    return LOST;
  }
}
