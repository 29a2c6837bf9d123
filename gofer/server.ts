/**
 * The file server's loop: serves connections, one request at a time, until the
 * last one has ended. A connection ends when its client closes it or dies, or
 * breaks the protocol.
 *
 * Opens no path but the mounts' roots, once, at the start; see confine.ts for
 * what the process around it may do.
 * @module
 */
import { GoferChannels } from "../ffi/gofer_channel.ts";
import type { GoferFiles } from "../ffi/gofer_files.ts";
import { GOFER_STAT } from "../ffi/gofer_stat.ts";
import { must } from "../ffi/library.ts";
import { Connection, MessageBuffers } from "./connection.ts";
import type { MountRoot } from "./node_table.ts";

/** A directory tree, or a file, to serve. */
export interface GoferMount {
  /** What the client attaches to. */
  readonly name: string;
  /** Absolute path of the root, as this process sees it (after chroot). */
  readonly path: string;
  readonly isReadOnly: boolean;
}

/** One client. */
export interface GoferConnection {
  /** Our end of a SOCK_SEQPACKET pair; the server's from now on. */
  readonly channel: number;
  readonly mounts: readonly GoferMount[];
}

export interface GoferOptions {
  readonly connections: readonly GoferConnection[];
  /** How long to look for the next request before sleeping, in microseconds;
   * 0 on a single CPU. */
  readonly spinUs: number;
  /** Descriptors to keep open for known files, over all connections. */
  readonly maxFds?: number;
  /** Called when everything is open and nothing was served yet; the last
   * steps of confinement. */
  readonly onReady?: () => void;
}

const DEFAULT_MAX_FDS = 4096;
/** A client's kernel keeps far fewer inodes; a hostile one gets ENFILE. */
const MAX_NODES = 1 << 20;

/** Opens the root of a mount. Throws a HostError that names it. */
export function openMount(
  files: GoferFiles,
  { name, path, isReadOnly }: GoferMount,
): MountRoot {
  const fd = must(`open ${path}`, files.root(path));
  must(`look at ${path}`, files.refresh(fd));
  const dev = files.statView.getUint32(GOFER_STAT.dev, true);
  return { name, isReadOnly, fd, dev };
}

/** Serves until every connection has ended. Throws a HostError if a mount's
 * root can't be opened. Precondition: `files.prepare()` was called. */
export function serveGofer(files: GoferFiles, options: GoferOptions): void {
  using channels = new GoferChannels();
  const buffers = new MessageBuffers();
  const limits = {
    maxFds: Math.floor(
      (options.maxFds ?? DEFAULT_MAX_FDS) / options.connections.length,
    ),
    maxNodes: MAX_NODES,
  };
  const connections = options.connections.map(({ channel, mounts }) =>
    new Connection(
      channel,
      channels,
      files,
      buffers,
      mounts.map((mount) => openMount(files, mount)),
      limits,
    )
  );
  options.onReady?.();

  let next = 0;
  while (connections.length > 1) {
    const set = Int32Array.from(connections, ({ channel }) => channel);
    let isSame = true;
    while (isSame) {
      const index = must("poll", channels.wait(set, next, options.spinUs));
      next = index + 1;
      if (connections[index]!.serveNext(0)) continue;
      connections[index]!.dispose();
      connections.splice(index, 1);
      isSame = false;
    }
  }
  const [last] = connections;
  if (last === undefined) return;
  while (last.serveNext(options.spinUs));
  last.dispose();
}
