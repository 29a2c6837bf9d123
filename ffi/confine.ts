/**
 * Taking authority away from this process and all its threads; binds
 * native/confine.c. Use in the order of the methods; seccomp.ts comes last.
 * Every method throws a HostError when the host refuses: a process that could
 * not be confined must not go on.
 * @module
 */

import { bind, type Binding, type Bound } from "./binding.ts";
import { cString, must, nativePath } from "./library.ts";

const SYMBOLS = {
  host_confine_task_dir: { parameters: [], result: "i32" },
  host_confine_root_begin: { parameters: [], result: "i32" },
  host_confine_root_copy: { parameters: ["buffer", "i32"], result: "i32" },
  host_confine_root_mount: { parameters: ["buffer"], result: "i32" },
  host_confine_root_attach: {
    parameters: ["buffer", "buffer", "i32"],
    result: "i32",
  },
  host_confine_root_enter: { parameters: ["buffer"], result: "i32" },
  host_confine_ids: { parameters: ["i32", "i32"], result: "i32" },
  host_confine_credentials: {
    parameters: ["i32", "u32", "u32"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** A host directory or file that stays visible after enterRoot(). */
export interface RootMount {
  /** Path on the host, followed through symbolic links; the operator's. */
  readonly source: string;
  /** Name in the new root: one component, so that nothing is ever mounted
   * below a mount whose content somebody else writes. */
  readonly name: string;
  readonly readOnly: boolean;
}

/** Irreversible steps of this process towards holding no authority. */
export class Confinement implements Disposable {
  readonly #library: Bound<typeof SYMBOLS>;
  readonly #calls: Bound<typeof SYMBOLS>["symbols"];
  /** Opened while there is a /proc. */
  #taskDir: number;

  constructor(binding: Binding = "lasting") {
    this.#library = bind(nativePath("libhost.so"), SYMBOLS, binding);
    this.#calls = this.#library.symbols;
    this.#taskDir = must(
      "threads of this process",
      this.#calls.host_confine_task_dir(),
    );
  }

  /**
   * Makes a fresh tmpfs with these mounts, or with nothing, the only file
   * system that this process sees; it is read-only at the top. `at` is any
   * existing directory. Preconditions: a mount namespace of our own, and
   * CAP_SYS_ADMIN in the user namespace it belongs to.
   */
  enterRoot(mounts: readonly RootMount[] = [], at = "/tmp"): void {
    const root = cString(at);
    must("private mounts", this.#calls.host_confine_root_begin());
    const copies = mounts.map(({ source, name, readOnly }) => ({
      name,
      tree: must(
        `copy the mount ${source}`,
        this.#calls.host_confine_root_copy(cString(source), readOnly ? 1 : 0),
      ),
    }));
    must(`new root at ${at}`, this.#calls.host_confine_root_mount(root));
    for (const { name, tree } of copies) {
      must(
        `mount ${name}`,
        this.#calls.host_confine_root_attach(root, cString(name), tree),
      );
    }
    must("enter the new root", this.#calls.host_confine_root_enter(root));
  }

  /** Changes all ids and drops all other groups, of every thread. */
  setIds(uid: number, gid: number): void {
    must("change ids", this.#calls.host_confine_ids(uid, gid));
  }

  /**
   * Every thread loses all capabilities but those in `keep`, from every set,
   * and can gain none any more. Once: the threads can't be found again.
   */
  dropCapabilities(keep: Iterable<number> = []): void {
    let low = 0;
    let high = 0;
    for (const capability of keep) {
      if (capability < 32) low |= 1 << capability;
      else high |= 1 << (capability - 32);
    }
    const taskDir = this.#taskDir;
    this.#taskDir = -1;
    must(
      "drop capabilities",
      this.#calls.host_confine_credentials(taskDir, low >>> 0, high >>> 0),
    );
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}
