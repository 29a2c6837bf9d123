/**
 * GoferClient over a connection: writes requests and reads replies in the
 * layouts of protocol.ts. Synchronous.
 * @module
 */
import type {
  DonatedFd,
  GoferClient,
  GoferContents,
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
  MAX_NAME,
  MAX_TARGET,
  MAX_WALK_NAMES,
  NO_OPEN,
  Rpc,
  SetAttrMask,
} from "./protocol.ts";
import type { GoferTransport } from "./transport.ts";
import { LOST, RpcCaller } from "./rpc_caller.ts";
import type { MessageReader, MessageWriter } from "./wire.ts";

/** forget() sends when it has collected this many nodes. */
const FORGET_BATCH = 256;

const NO_TIME: GoferTime = { sec: 0, nsec: 0 };

/** Entries of a directory, and before them how many. */
function readEntries(reply: MessageReader): GoferDirEntry[] {
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
  return entries;
}

export class RemoteGofer implements GoferClient {
  readonly #rpc: RpcCaller;
  readonly #forgets = new Map<GoferNodeId, number>();

  constructor(transport: GoferTransport) {
    this.#rpc = new RpcCaller(transport);
  }

  get onConnectionLost(): ((reason: string) => void) | null {
    return this.#rpc.onLost;
  }
  set onConnectionLost(callback: ((reason: string) => void) | null) {
    this.#rpc.onLost = callback;
  }

  attach(mount: string): GoferRoot | number {
    const request = this.#rpc.begin(Rpc.Attach);
    request.text(mount);
    const result = this.#rpc.call();
    if (result < 0) return result;
    const node = this.#rpc.reply.u32() as GoferNodeId;
    const isReadOnly = this.#rpc.reply.u32() !== 0;
    const stat = this.#rpc.reply.stat();
    if (stat === null || !this.#rpc.isSound(0)) return LOST;
    return { node, stat, isReadOnly };
  }

  walk(
    from: GoferNodeId,
    names: readonly string[],
    options?: { readonly open?: number },
  ): GoferWalk | number {
    const request = this.#rpc.begin(Rpc.Walk);
    request.u32(from);
    request.u32(options?.open ?? NO_OPEN);
    request.u16(names.length);
    for (const name of names) request.text(name);
    const result = this.#rpc.call();
    if (result < 0) return result;
    const reply = this.#rpc.reply;
    const error = reply.i32();
    const openResult = reply.i32();
    const target = reply.text(MAX_TARGET);
    const count = reply.u16();
    if (count > MAX_WALK_NAMES) return this.#rpc.lose("too many nodes");
    const nodes: GoferNode[] = [];
    for (let i = 0; i < count; i++) {
      const node = reply.u32() as GoferNodeId;
      const stat = reply.stat();
      if (stat !== null) nodes.push({ node, stat });
    }
    if (!this.#rpc.isSound(openResult === 0 ? 1 : 0)) return LOST;
    const opened = openResult === 0
      ? this.#rpc.takeFd()
      : Math.min(openResult, -1);
    return { nodes, error: Math.min(error, 0), target, opened };
  }

  getattr(node: GoferNodeId): GoferStat | number {
    this.#rpc.begin(Rpc.GetAttr).u32(node);
    return this.#rpc.callForStat();
  }

  setattr(node: GoferNodeId, change: GoferSetAttr): GoferStat | number {
    const request = this.#rpc.begin(Rpc.SetAttr);
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
    return this.#rpc.callForStat();
  }

  open(node: GoferNodeId, flags: number): DonatedFd | number {
    const request = this.#rpc.begin(Rpc.Open);
    request.u32(node);
    request.u32(flags);
    const result = this.#rpc.call();
    if (result < 0) return result;
    return this.#rpc.isSound(1) ? this.#rpc.takeFd() : LOST;
  }

  create(
    parent: GoferNodeId,
    name: string,
    flags: number,
    owner: GoferOwner,
  ): GoferCreated | number {
    const request = this.#rpc.begin(Rpc.Create);
    request.u32(parent);
    request.u32(flags);
    this.#writeOwner(request, owner);
    request.text(name);
    return this.#callForCreated();
  }

  createTemporary(
    parent: GoferNodeId,
    flags: number,
    owner: GoferOwner,
  ): GoferCreated | number {
    const request = this.#rpc.begin(Rpc.CreateTemporary);
    request.u32(parent);
    request.u32(flags);
    this.#writeOwner(request, owner);
    return this.#callForCreated();
  }

  mkdir(
    parent: GoferNodeId,
    name: string,
    owner: GoferOwner,
  ): GoferNode | number {
    const request = this.#rpc.begin(Rpc.MkDir);
    request.u32(parent);
    this.#writeOwner(request, owner);
    request.text(name);
    return this.#rpc.callForNode(0);
  }

  mknod(
    parent: GoferNodeId,
    name: string,
    owner: GoferOwner,
  ): GoferNode | number {
    const request = this.#rpc.begin(Rpc.MkNod);
    request.u32(parent);
    this.#writeOwner(request, owner);
    request.text(name);
    return this.#rpc.callForNode(0);
  }

  symlink(
    parent: GoferNodeId,
    name: string,
    target: string,
    owner: { readonly uid: number; readonly gid: number },
  ): GoferNode | number {
    const request = this.#rpc.begin(Rpc.Symlink);
    request.u32(parent);
    request.u32(owner.uid);
    request.u32(owner.gid);
    request.text(name);
    request.text(target);
    return this.#rpc.callForNode(0);
  }

  link(
    node: GoferNodeId,
    parent: GoferNodeId,
    name: string,
  ): GoferStat | number {
    const request = this.#rpc.begin(Rpc.Link);
    request.u32(node);
    request.u32(parent);
    request.text(name);
    return this.#rpc.callForStat();
  }

  unlink(parent: GoferNodeId, name: string, flags: number): number {
    const request = this.#rpc.begin(Rpc.Unlink);
    request.u32(parent);
    request.u32(flags);
    request.text(name);
    return this.#rpc.callForNothing();
  }

  rename(
    fromParent: GoferNodeId,
    fromName: string,
    toParent: GoferNodeId,
    toName: string,
    flags: number,
  ): number {
    const request = this.#rpc.begin(Rpc.Rename);
    request.u32(fromParent);
    request.u32(toParent);
    request.u32(flags);
    request.text(fromName);
    request.text(toName);
    return this.#rpc.callForNothing();
  }

  readlink(node: GoferNodeId): string | number {
    this.#rpc.begin(Rpc.ReadLink).u32(node);
    const result = this.#rpc.call();
    if (result < 0) return result;
    const target = this.#rpc.reply.text(MAX_TARGET);
    return this.#rpc.isSound(0) ? target : LOST;
  }

  readdir(
    node: GoferNodeId,
    cookie: GoferDirCookie | null,
    options: { readonly attributes: boolean },
  ): GoferDirChunk | number {
    const request = this.#rpc.begin(Rpc.ReadDir);
    request.u32(node);
    request.u32(options.attributes ? 1 : 0);
    request.u32(cookie?.low ?? 0);
    request.u32(cookie?.high ?? 0);
    const result = this.#rpc.call();
    if (result < 0) return result;
    const reply = this.#rpc.reply;
    const isEnd = reply.u32() !== 0;
    const next = { low: reply.u32(), high: reply.u32() };
    const entries = readEntries(reply);
    if (!this.#rpc.isSound(0)) return LOST;
    return { entries, cookie: isEnd ? null : next };
  }

  readAhead(
    nodes: readonly GoferNodeId[],
    options: { readonly attributes: "all" | "directories" },
  ): readonly GoferContents[] | number {
    const request = this.#rpc.begin(Rpc.ReadAhead);
    request.u32(options.attributes === "all" ? 1 : 0);
    request.u16(nodes.length);
    for (const node of nodes) request.u32(node);
    const result = this.#rpc.call();
    if (result < 0) return result;
    const reply = this.#rpc.reply;
    const count = reply.u16();
    const contents: GoferContents[] = [];
    for (let i = 0; i < count && reply.isGood; i++) {
      const node = reply.u32() as GoferNodeId;
      contents.push({ node, entries: readEntries(reply) });
    }
    return this.#rpc.isSound(0) ? contents : LOST;
  }

  statfs(node: GoferNodeId): GoferStatfs | number {
    this.#rpc.begin(Rpc.StatFs).u32(node);
    const result = this.#rpc.call();
    if (result < 0) return result;
    const reply = this.#rpc.reply;
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
    return this.#rpc.isSound(0) ? status : LOST;
  }

  fsync(node: GoferNodeId, options: { readonly dataOnly: boolean }): number {
    const request = this.#rpc.begin(Rpc.FSync);
    request.u32(node);
    request.u32(options.dataOnly ? 1 : 0);
    return this.#rpc.callForNothing();
  }

  getxattr(
    node: GoferNodeId,
    name: string,
    maxLength: number,
  ): Uint8Array | number {
    const request = this.#rpc.begin(Rpc.GetXattr);
    request.u32(node);
    request.u32(maxLength);
    request.text(name);
    const length = this.#rpc.call();
    if (length < 0) return length;
    const value = this.#rpc.reply.raw(length);
    return this.#rpc.isSound(0) ? value : LOST;
  }

  setxattr(
    node: GoferNodeId,
    name: string,
    value: Uint8Array,
    flags: number,
  ): number {
    const request = this.#rpc.begin(Rpc.SetXattr);
    request.u32(node);
    request.u32(flags);
    request.text(name);
    request.raw(value);
    return this.#rpc.callForNothing();
  }

  listxattr(node: GoferNodeId): readonly string[] | number {
    this.#rpc.begin(Rpc.ListXattr).u32(node);
    const length = this.#rpc.call();
    if (length < 0) return length;
    const bytes = this.#rpc.reply.raw(length);
    if (!this.#rpc.isSound(0)) return LOST;
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
    const request = this.#rpc.begin(Rpc.RemoveXattr);
    request.u32(node);
    request.text(name);
    return this.#rpc.callForNothing();
  }

  forget(node: GoferNodeId, count: number): void {
    this.#forgets.set(node, (this.#forgets.get(node) ?? 0) + count);
    if (this.#forgets.size >= FORGET_BATCH) this.flush();
  }

  flush(): void {
    if (this.#rpc.isLost) this.#forgets.clear();
    while (this.#forgets.size > 0) {
      const request = this.#rpc.begin(Rpc.Forget);
      const count = Math.min(this.#forgets.size, MAX_FORGETS);
      request.u16(count);
      let left = count;
      for (const [node, references] of this.#forgets) {
        if (left-- === 0) break;
        request.u32(node);
        request.u32(references);
        this.#forgets.delete(node);
      }
      this.#rpc.post();
    }
  }

  #callForCreated(): GoferCreated | number {
    const made = this.#rpc.callForNode(1);
    if (typeof made === "number") return made;
    const opened = this.#rpc.takeFd();
    if (opened < 0) {
      this.forget(made.node, 1);
      return opened;
    }
    return { ...made, opened: opened as DonatedFd };
  }

  #writeOwner(request: MessageWriter, owner: GoferOwner): void {
    request.u32(owner.mode);
    request.u32(owner.uid);
    request.u32(owner.gid);
  }
}
