/**
 * What a sandbox is to be, before any process exists: the part for the Sentry
 * and the part for the file server. Made from the flags of `do`, from
 * config.json, or by an embedding program.
 * @module
 */
import type { BootDevice, BootMount, ProcessSpec } from "../boot/boot_spec.ts";

/** A tree of the host that the file server shows. */
export interface GoferTree {
  /** The `name` of a GoferBootMount. */
  readonly name: string;
  /** Absolute path on the host, a directory or a file. */
  readonly source: string;
  readonly isReadOnly: boolean;
}

export interface SandboxPlan {
  readonly id: string;
  readonly hostname: string;
  readonly domainname: string;
  readonly mounts: readonly BootMount[];
  readonly devices: readonly BootDevice[];
  readonly trees: readonly GoferTree[];
  readonly process: ProcessSpec;
  /** As in BootSpec. */
  readonly isInitProtected: boolean;
}
