/**
 * The files that a client knows of, by id, and by (device, inode) so that hard
 * links are one node. A node holds an O_PATH descriptor while there is room;
 * after that it is found again through its parent and name, and checked.
 *
 * Who holds what: the client's references (`references`) and nodes whose
 * `parent` this is (`children`) keep a node alive. A node without descriptor
 * is ESTALE once the host moved or replaced it behind our back; one that was
 * unlinked through us keeps its descriptor for life.
 * @module
 */
import { EMFILE, ENFILE, ESTALE } from "../kernel/abi/errno.ts";
import { S_IFDIR, S_IFMT } from "../kernel/abi/stat.ts";
import type { GoferFiles } from "../ffi/gofer_files.ts";
import { GOFER_STAT } from "../ffi/gofer_stat.ts";
import { FdCache, FdHolder } from "./fd_cache.ts";
import { foldInode } from "./wire.ts";

/** One directory tree that a client may attach to. */
export interface MountRoot {
  readonly name: string;
  readonly isReadOnly: boolean;
  /** O_PATH descriptor of the root, owned by the server. */
  readonly fd: number;
  /** The root's device. */
  readonly dev: number;
}

/** A file known to the client. */
export class Node extends FdHolder {
  references = 0;
  children = 0;
  /** Next node with the same hash of identity. */
  sameHash: Node | null = null;

  constructor(
    readonly id: number,
    readonly mount: MountRoot,
    readonly hash: number,
    readonly dev: number,
    readonly inoLow: number,
    readonly inoHigh: number,
    readonly type: number,
    readonly btime: number,
    readonly btimeNsec: number,
    public parent: Node | null,
    public name: string,
  ) {
    super();
  }
}

export class NodeTable {
  readonly #files: GoferFiles;
  readonly #fds: FdCache;
  readonly #maxNodes: number;
  readonly #byId: (Node | undefined)[] = [undefined]; // no node has id 0
  readonly #freeIds: number[] = [];
  readonly #byIdentity = new Map<MountRoot, Map<number, Node>>();
  #count = 0;

  constructor(
    files: GoferFiles,
    limits: { readonly maxFds: number; readonly maxNodes: number },
  ) {
    this.#files = files;
    this.#fds = new FdCache(files, limits.maxFds);
    this.#maxNodes = limits.maxNodes;
  }

  get(id: number): Node | undefined {
    return this.#byId[id];
  }
  /** Nodes alive, for tests and logs. */
  get size(): number {
    return this.#count;
  }
  /** Descriptors held, for tests and logs. */
  get openFds(): number {
    return this.#fds.size;
  }

  /** The root of a mount, whose attributes are in files.stat, with one more
   * client reference. -ENFILE. */
  attach(mount: MountRoot): Node | number {
    const node = this.#find(mount) ?? this.#add(mount, null, "");
    if (typeof node === "number") return node;
    if (node.fd < 0) {
      node.isBorrowed = true;
      this.#fds.open(node, mount.fd);
      this.#fds.pin(node);
    }
    node.references++;
    return node;
  }

  /**
   * The node that `fd` leads to, whose attributes are in files.stat, with one
   * more client reference. Takes over the descriptor, also on failure.
   * `parent` and `name` say where it was found (null: nowhere, it is nameless).
   * -ENFILE.
   */
  adopt(
    fd: number,
    mount: MountRoot,
    parent: Node | null,
    name: string,
  ): Node | number {
    const node = this.#reference(mount, parent, name);
    if (typeof node === "number") {
      this.#files.close(fd);
      return node;
    }
    if (node.fd >= 0) this.#files.close(fd);
    else this.#fds.open(node, fd);
    this.#fds.use(node);
    if (parent === null) this.#fds.pin(node);
    return node;
  }

  /** The same for a name whose attributes are in files.stat and that has no
   * descriptor yet. */
  adoptName(parent: Node, name: string): Node | number {
    return this.#reference(parent.mount, parent, name);
  }

  #reference(
    mount: MountRoot,
    parent: Node | null,
    name: string,
  ): Node | number {
    let node = this.#find(mount);
    if (node === null) {
      const added = this.#add(mount, parent, name);
      if (typeof added === "number") return added;
      node = added;
    } else if (parent !== null) {
      this.place(node, parent, name);
    }
    node.references++;
    return node;
  }

  /** The known node with the identity in files.stat, or null. */
  findByStat(mount: MountRoot): Node | null {
    return this.#find(mount);
  }

  /** A descriptor of the node, good until endRequest(). -ESTALE. */
  fdOf(node: Node): number {
    if (node.fd < 0) {
      const error = this.#reopen(node);
      if (error < 0) return error;
    }
    this.#fds.use(node);
    return node.fd;
  }

  /** Descriptors that fdOf() returned may be closed from now on. */
  endRequest(): void {
    this.#fds.endRequest();
  }

  /** Opens a node again, from its nearest ancestor with a descriptor down. */
  #reopen(node: Node): number {
    const path: Node[] = [];
    let at: Node | null = node;
    while (at !== null && at.fd < 0) {
      path.push(at);
      at = at.parent;
    }
    if (at === null) return -ESTALE.code;
    let parentFd = at.fd;
    for (let i = path.length - 1; i >= 0; i--) {
      const next = path[i]!;
      const fd = this.#files.lookup(parentFd, next.name);
      if (fd < 0) return fd === -EMFILE.code ? fd : -ESTALE.code;
      if (!this.#matches(next)) {
        this.#files.close(fd);
        return -ESTALE.code;
      }
      this.#fds.open(next, fd); // may close what is above, but not this one
      parentFd = fd;
    }
    return 0;
  }

  /** Makes sure that the node keeps its file although its name goes away.
   * False if the file can't be had any more. */
  pin(node: Node): boolean {
    if (this.fdOf(node) < 0) return false;
    this.#fds.pin(node);
    return true;
  }
  /** Takes pin() back: the name did not go away. */
  unpin(node: Node): void {
    this.#fds.unpin(node);
  }

  /** Records that the node is found at `name` in `parent` now. */
  place(node: Node, parent: Node, name: string): void {
    if (node.parent === parent) {
      node.name = name;
      return;
    }
    // A mount's root stays one. Two moves on the host may also make a
    // directory appear below itself; then it keeps the place that we knew.
    if (node.isBorrowed) return;
    if (node.type === S_IFDIR) {
      for (let at: Node | null = parent; at !== null; at = at.parent) {
        if (at === node) return;
      }
    }
    const old = node.parent;
    node.parent = parent;
    node.name = name;
    parent.children++;
    if (old !== null) {
      old.children--;
      this.#dropIfUnused(old);
    }
  }

  /** Takes back client references; false if there were not as many. */
  forget(id: number, count: number): boolean {
    const node = this.#byId[id];
    if (node === undefined || count === 0 || count > node.references) {
      return false;
    }
    node.references -= count;
    this.#dropIfUnused(node);
    return true;
  }

  /** Closes every descriptor. The table can't be used afterwards. */
  dispose(): void {
    for (const node of this.#byId) {
      if (node !== undefined) this.#fds.close(node);
    }
    this.#byId.length = 0;
    this.#byIdentity.clear();
  }

  #dropIfUnused(start: Node): void {
    let node: Node | null = start;
    while (node !== null && node.references === 0 && node.children === 0) {
      this.#fds.close(node);
      this.#removeIdentity(node);
      this.#byId[node.id] = undefined;
      this.#freeIds.push(node.id);
      this.#count--;
      const parent: Node | null = node.parent;
      node.parent = null;
      if (parent !== null) parent.children--;
      node = parent;
    }
  }

  #add(mount: MountRoot, parent: Node | null, name: string): Node | number {
    if (this.#count >= this.#maxNodes) return -ENFILE.code;
    const stat = this.#files.statView;
    const u32 = (offset: number) => stat.getUint32(offset, true);
    const node = new Node(
      this.#freeIds.pop() ?? this.#byId.length,
      mount,
      this.#hash(),
      u32(GOFER_STAT.dev),
      u32(GOFER_STAT.ino_low),
      u32(GOFER_STAT.ino_high),
      u32(GOFER_STAT.mode) & S_IFMT,
      stat.getFloat64(GOFER_STAT.btime, true),
      u32(GOFER_STAT.btime_nsec),
      parent,
      name,
    );
    if (parent !== null) parent.children++;
    this.#byId[node.id] = node;
    this.#count++;
    let nodes = this.#byIdentity.get(mount);
    if (nodes === undefined) {
      nodes = new Map();
      this.#byIdentity.set(mount, nodes);
    }
    node.sameHash = nodes.get(node.hash) ?? null;
    nodes.set(node.hash, node);
    return node;
  }

  #hash(): number {
    const stat = this.#files.statView;
    return foldInode(
      stat.getUint32(GOFER_STAT.ino_low, true),
      stat.getUint32(GOFER_STAT.ino_high, true),
    );
  }

  #matches(node: Node): boolean {
    const stat = this.#files.statView;
    const u32 = (offset: number) => stat.getUint32(offset, true);
    return u32(GOFER_STAT.ino_low) === node.inoLow &&
      u32(GOFER_STAT.dev) === node.dev &&
      u32(GOFER_STAT.ino_high) === node.inoHigh &&
      // A later file may have got the number of a dead one.
      (u32(GOFER_STAT.mode) & S_IFMT) === node.type &&
      u32(GOFER_STAT.btime_nsec) === node.btimeNsec &&
      stat.getFloat64(GOFER_STAT.btime, true) === node.btime;
  }

  #find(mount: MountRoot): Node | null {
    const nodes = this.#byIdentity.get(mount);
    let node = nodes?.get(this.#hash()) ?? null;
    while (node !== null && !this.#matches(node)) node = node.sameHash;
    return node;
  }

  #removeIdentity(node: Node): void {
    const nodes = this.#byIdentity.get(node.mount)!;
    let at: Node | null = nodes.get(node.hash) ?? null;
    if (at === node) {
      if (node.sameHash === null) nodes.delete(node.hash);
      else nodes.set(node.hash, node.sameHash);
      return;
    }
    while (at !== null && at.sameHash !== node) at = at.sameHash;
    if (at !== null) at.sameHash = node.sameHash;
  }
}
