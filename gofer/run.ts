/**
 * The file server as a process: confines itself, then serves until its clients
 * are gone. `runsc gofer` calls this and nothing else.
 * @module
 */
import { GoferFiles } from "../ffi/gofer_files.ts";
import { GoferConfinement } from "./confine.ts";
import { serveGofer } from "./server.ts";

/** A tree or file of the host to serve. */
export interface GoferTree {
  /** What the client attaches to. */
  readonly name: string;
  /** Path on the host, the operator's; symlinks in it are followed. */
  readonly source: string;
  readonly isReadOnly: boolean;
}

/** One client. */
export interface GoferClientPlan {
  /** Our end of a SOCK_SEQPACKET pair. */
  readonly channel: number;
  readonly trees: readonly GoferTree[];
}

export interface GoferPlan {
  readonly clients: readonly GoferClientPlan[];
  /** As in GoferOptions. */
  readonly spinUs: number;
  /** Called once everything is locked and before the first request: what it
   * does must be allowed by confine.ts. */
  readonly onReady?: () => void;
}

/** Descriptors for known files, unless the limit is lower. */
const MAX_KNOWN_FDS = 8192;

/**
 * Returns when every client is gone. Throws a HostError, naming the step, if
 * the process can't be confined or a tree is not there. Preconditions: a mount
 * namespace of our own, CAP_SYS_ADMIN in its user namespace, all permissions.
 */
export function runGofer(plan: GoferPlan): void {
  using confinement = new GoferConfinement();
  confinement.begin();
  const maxFds = Math.min(
    MAX_KNOWN_FDS,
    Math.floor(confinement.raiseDescriptorLimit() / 2),
  );
  using files = new GoferFiles();
  files.prepare();

  // Names of clients' mounts may be anything; these are ours.
  const rootName = (client: number, tree: number) => `${client}.${tree}`;
  confinement.enterRoot(
    plan.clients.flatMap(({ trees }, client) =>
      trees.map(({ source, isReadOnly }, tree) => ({
        name: rootName(client, tree),
        source,
        isReadOnly,
      }))
    ),
  );
  serveGofer(files, {
    connections: plan.clients.map(({ channel, trees }, client) => ({
      channel,
      mounts: trees.map(({ name, isReadOnly }, tree) => ({
        name,
        path: `/${rootName(client, tree)}`,
        isReadOnly,
      })),
    })),
    spinUs: plan.spinUs,
    maxFds,
    onReady: () => {
      confinement.dropCapabilities();
      confinement.seal(files.procFd);
      plan.onReady?.();
    },
  });
}
