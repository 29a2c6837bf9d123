/**
 * What the handlers of one connection work with: its mounts, its nodes, and
 * the descriptors that the reply at hand will donate.
 * @module
 */
import type { GoferFiles } from "../ffi/gofer_files.ts";
import { EACCES, EROFS } from "../kernel/abi/errno.ts";
import { type MountRoot, type Node, NodeTable } from "./node_table.ts";
import { isComponent, MAX_NAME } from "./protocol.ts";
import { isPseudoFileSystem } from "./pseudo_file_systems.ts";
import type { MessageReader, MessageWriter } from "./wire.ts";

/** A handler's result for a request that breaks the protocol. */
export const BAD_REQUEST = -0x10000;

/**
 * Serves one request type: reads the whole payload, acts, writes the reply's
 * payload. Returns the result (>= 0), a negative errno (then what it wrote is
 * not sent), or BAD_REQUEST before anything was done.
 */
export type Handler = (
  session: Session,
  request: MessageReader,
  reply: MessageWriter,
) => number;

/** Bounds of one connection. */
export interface SessionLimits {
  readonly maxFds: number;
  readonly maxNodes: number;
}

/** A directory that is being read. */
interface DirectoryStream {
  readonly node: Node;
  readonly fd: number;
}

export class Session {
  readonly nodes: NodeTable;
  readonly mounts: ReadonlyMap<string, MountRoot>;
  /** Descriptors for the reply; closed here once they were sent. */
  readonly donated: number[] = [];
  #stream: DirectoryStream | null = null;
  readonly #sealedDevices = new Map<number, boolean>();
  readonly #status = new Float64Array(9);

  constructor(
    readonly files: GoferFiles,
    mounts: readonly MountRoot[],
    limits: SessionLimits,
  ) {
    this.nodes = new NodeTable(files, limits);
    this.mounts = new Map(mounts.map((mount) => [mount.name, mount]));
  }

  /** The node that the request names next; undefined is a BAD_REQUEST. */
  node(request: MessageReader): Node | undefined {
    return this.nodes.get(request.u32());
  }

  /** The descriptor of a file that is to be changed. -EROFS, -EACCES,
   * -ESTALE. */
  writableFd(node: Node): number {
    if (node.mount.isReadOnly) return -EROFS.code;
    return this.isSealed(node) ? -EACCES.code : this.nodes.fdOf(node);
  }

  /** Whether the file is on a pseudo file system of the host that lies below
   * the mount's root: /proc and its kind show, and change, the host itself. Its
   * root looks like an empty directory. */
  isSealed(node: Node): boolean {
    if (node.dev === node.mount.dev) return false;
    const known = this.#sealedDevices.get(node.dev);
    if (known !== undefined) return known;
    const fd = this.nodes.fdOf(node);
    if (fd < 0 || this.files.statfs(fd, this.#status) < 0) return true;
    const isSealed = isPseudoFileSystem(this.#status[0]!);
    this.#sealedDevices.set(node.dev, isSealed);
    return isSealed;
  }

  /** A descriptor for reading the entries of a directory, kept for the next
   * chunk; the session's, not the caller's. */
  directoryFd(node: Node): number {
    if (this.#stream?.node === node) return this.#stream.fd;
    const nodeFd = this.nodes.fdOf(node);
    if (nodeFd < 0) return nodeFd;
    const fd = this.files.openDirectory(nodeFd);
    if (fd < 0) return fd;
    this.closeDirectory();
    this.#stream = { node, fd };
    return fd;
  }

  /** Ends directoryFd()'s descriptor. */
  closeDirectory(): void {
    if (this.#stream !== null) this.files.close(this.#stream.fd);
    this.#stream = null;
  }

  /** Takes client references back; false if there were not as many. */
  forget(id: number, count: number): boolean {
    if (this.#stream?.node.id === id) this.closeDirectory();
    return this.nodes.forget(id, count);
  }

  /** Closes what was donated: the message has descriptors of its own now. */
  closeDonated(): void {
    for (const fd of this.donated) this.files.close(fd);
    this.donated.length = 0;
  }

  dispose(): void {
    this.closeDonated();
    this.closeDirectory();
    this.nodes.dispose();
  }
}

/** A name that the request holds next; "" if it is not one component. */
export function readComponent(request: MessageReader): string {
  const name = request.text(MAX_NAME);
  return isComponent(name) ? name : "";
}

/** chown(2) understands this id as "leave it". */
export const NO_ID = 0xffffffff;

/** Owner and mode of a file to be made. */
export interface Owner {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The owner that the request holds next; null if an id is none. */
export function readOwner(request: MessageReader): Owner | null {
  const mode = request.u32();
  const uid = request.u32();
  const gid = request.u32();
  return uid === NO_ID || gid === NO_ID ? null : { mode, uid, gid };
}
