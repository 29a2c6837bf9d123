/**
 * The root directory of container state: a directory per container with its
 * state.json, replaced by rename and changed only under a lock, the socket
 * where its sandbox listens, and the status that its proxy leaves.
 * @module
 */
import { join } from "@std/path";
import { ExitStatus } from "../exit_status.ts";
import type { GlobalFlags } from "../global_flags.ts";
import { messageOf, RuntimeError } from "../runtime_error.ts";
import { hostUser } from "../sandbox/host_user.ts";
import { type ContainerState, parseState } from "./container_state.ts";

const STATE = "state.json";
const LOCK = "lock";
const SOCKET = "control.sock";
const EXIT = "exit_status";

/** What runc takes for the name of a container. */
const ID_PATTERN = /^[A-Za-z0-9_+.-]{1,1024}$/;

/** Throws a UsageError-like RuntimeError for what no container may be called. */
export function checkId(id: string): string {
  if (ID_PATTERN.test(id) && id !== "." && id !== "..") return id;
  throw new RuntimeError(ExitStatus.Usage, `not a container ID: "${id}"`);
}

/** The directory that --root names. */
export function stateRoot(globals: GlobalFlags): string {
  if (globals.root !== undefined) return globals.root;
  if (!hostUser(globals.rootless).isRootless) return "/run/runsc";
  const runtimeDir = Deno.env.get("XDG_RUNTIME_DIR");
  return runtimeDir === undefined
    ? `/tmp/runsc-${Deno.uid()}`
    : join(runtimeDir, "runsc");
}

/** A container's directory, locked as long as this object lives. */
export class LockedContainer implements Disposable {
  readonly #lock: Deno.FsFile;

  constructor(readonly id: string, readonly directory: string) {
    this.#lock = Deno.openSync(join(directory, LOCK), {
      read: true,
      write: true,
      create: true,
      mode: 0o600,
    });
    this.#lock.lockSync(true);
  }

  get socketPath(): string {
    return join(this.directory, SOCKET);
  }
  get exitPath(): string {
    return join(this.directory, EXIT);
  }

  /** Null: `create` has not come so far. */
  read(): ContainerState | null {
    return readState(this.directory);
  }

  write(state: ContainerState): void {
    const path = join(this.directory, STATE);
    const partial = `${path}.${Deno.pid}`;
    Deno.writeTextFileSync(partial, `${JSON.stringify(state)}\n`, {
      mode: 0o600,
    });
    Deno.renameSync(partial, path);
  }

  /** Forgets the container. */
  remove(): void {
    Deno.removeSync(this.directory, { recursive: true });
  }

  [Symbol.dispose](): void {
    this.#lock.close();
  }
}

function readState(directory: string): ContainerState | null {
  const path = join(directory, STATE);
  try {
    return parseState(Deno.readTextFileSync(path), path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return null;
    throw thrown;
  }
}

export class ContainerStore {
  constructor(readonly root: string) {}

  static of(globals: GlobalFlags): ContainerStore {
    return new ContainerStore(stateRoot(globals));
  }

  /** Takes a name for a new container. */
  reserve(id: string): LockedContainer {
    const directory = join(this.root, checkId(id));
    try {
      Deno.mkdirSync(this.root, { recursive: true, mode: 0o711 });
      Deno.mkdirSync(directory, { mode: 0o711 });
    } catch (thrown) {
      if (thrown instanceof Deno.errors.AlreadyExists) {
        throw new RuntimeError(
          ExitStatus.Failure,
          `container with given ID already exists: ${id}`,
        );
      }
      throw new RuntimeError(
        ExitStatus.HostRefused,
        `state directory ${directory}: ${messageOf(thrown)}`,
      );
    }
    return new LockedContainer(id, directory);
  }

  /** Null: there is no such container. */
  find(id: string): LockedContainer | null {
    const directory = join(this.root, checkId(id));
    try {
      Deno.statSync(directory);
      const container = new LockedContainer(id, directory);
      // Whoever had the lock may have removed it.
      Deno.statSync(directory);
      return container;
    } catch (thrown) {
      if (thrown instanceof Deno.errors.NotFound) return null;
      throw new RuntimeError(ExitStatus.NoPermission, messageOf(thrown));
    }
  }

  /** Throws a RuntimeError where find() returns null. */
  open(id: string): LockedContainer {
    return this.find(id) ?? absent(id);
  }

  /** The state of a container, which may be out of date at once. */
  state(id: string): ContainerState {
    return readState(join(this.root, checkId(id))) ?? absent(id);
  }

  /** Where the sandbox of a container listens. */
  socketPath(id: string): string {
    return join(this.root, id, SOCKET);
  }

  /** The wait status that a container's proxy left; null: none. */
  exitStatus(id: string): number | null {
    const bytes = Deno.readFileSync(join(this.root, checkId(id), EXIT));
    if (bytes.length < 4) return null;
    return new DataView(bytes.buffer).getInt32(0, true);
  }

  /** Every container whose state can be read, by name. */
  list(): ContainerState[] {
    let names: string[];
    try {
      names = [...Deno.readDirSync(this.root)].filter((e) => e.isDirectory)
        .map(({ name }) => name).filter((name) => ID_PATTERN.test(name));
    } catch (thrown) {
      if (thrown instanceof Deno.errors.NotFound) return [];
      throw new RuntimeError(ExitStatus.NoPermission, messageOf(thrown));
    }
    return names.sort().flatMap((name) =>
      readState(join(this.root, name)) ?? []
    );
  }
}

function absent(id: string): never {
  throw new RuntimeError(ExitStatus.Failure, `container does not exist: ${id}`);
}
