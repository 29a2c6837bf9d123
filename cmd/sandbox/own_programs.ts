/**
 * How to start our own hidden programs, `boot` and `gofer`: the Deno executable
 * with the flags that leave nothing to chance (no configuration, no network, no
 * prompts), and the bundle, or in a working copy the source.
 * @module
 */
import { fromFileUrl } from "@std/path";

export type OwnProgram = "boot" | "gofer";

export interface ProgramStart {
  readonly path: string;
  /** argv, its name included. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where its compiled code comes from. Whoever could write there would run
   * in the sandboxes that start later, before they are locked down. */
  readonly protectedDirectory?: string;
}

const OFFLINE = ["--no-prompt", "--no-lock"];

/** Deno's cache directory for bundles, beside them; see code_cache.ts. */
export const CODE_CACHE = "code_cache";

/**
 * V8's threads help a kernel that compiles and collects while guests run; the
 * file server is small and mostly asleep. With incremental marking the view of
 * the memory file would start a collection at the moment that it is made, 10 ms
 * and more, though it is uncounted right away. runsc itself takes no flags.
 */
const V8_FLAGS: Readonly<Record<string, readonly string[]>> = {
  boot: ["--v8-flags=--no-incremental-marking"],
  gofer: ["--v8-flags=--single-threaded,--max-heap-size=512"],
};

/** Options of Deno that set V8's flags for a program of ours. */
export function v8Flags(program: string): readonly string[] {
  return V8_FLAGS[program] ?? [];
}

const SOURCES: Readonly<Record<OwnProgram, string>> = {
  boot: "../boot/boot.ts",
  gofer: "../gofer.ts",
};

/** The code cache beside `file`, null if none was made. */
function codeCache(file: URL): string | null {
  const path = fromFileUrl(new URL(CODE_CACHE, file));
  try {
    Deno.statSync(path);
    return path;
  } catch {
    // Bundles run without, only slower.
    return null;
  }
}

/** The command that starts `program`. `isProtected`: in a mount namespace of
 * its own, as everything that comes near a guest. */
export function ownProgram(
  program: OwnProgram,
  isProtected = true,
): ProgramStart {
  const here = import.meta.url;
  const isSource = here.endsWith("/cmd/sandbox/own_programs.ts");
  const file = new URL(isSource ? SOURCES[program] : `${program}.js`, here);
  const cache = isSource || !isProtected ? null : codeCache(file);
  return {
    path: Deno.execPath(),
    args: [
      `runsc-${program}`,
      "run",
      "--quiet",
      "--allow-all",
      ...OFFLINE,
      ...(cache === null ? ["--no-code-cache"] : []),
      ...(isSource ? [] : ["--no-config", "--no-remote", "--no-npm"]),
      ...v8Flags(program),
      fromFileUrl(file),
    ],
    env: {
      // Other caches have nothing to offer to a bundle, and a directory that
      // cannot exist is not searched for them.
      ...(isSource ? sourceCache() : { DENO_DIR: cache ?? "/dev/null/none" }),
      DENO_NO_UPDATE_CHECK: "1",
      NO_COLOR: "1",
      PATH: "/usr/bin:/bin",
    },
    ...(cache === null ? {} : { protectedDirectory: cache }),
  };
}

/** Sources are compiled, so they need the caches of whoever runs us. */
function sourceCache(): Record<string, string> {
  const { HOME, DENO_DIR } = Deno.env.toObject();
  return {
    ...(HOME === undefined ? {} : { HOME }),
    ...(DENO_DIR === undefined ? {} : { DENO_DIR }),
  };
}
