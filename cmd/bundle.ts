/**
 * `deno task bundle`: one file of JavaScript per kind of process under build/,
 * beside the native files. Modules cost 0.25 ms each at every start, so the
 * product never runs from its sources; and each process loads only its own.
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { say } from "../ffi/say.ts";

/** Bundle by its entry point. */
const BUNDLES: Readonly<Record<string, string>> = {
  "runsc.js": "cmd/main.ts",
  "boot.js": "cmd/boot/boot.ts",
  "gofer.js": "cmd/gofer.ts",
};

/** Folders whose files end up in a bundle or in a native file. */
const SOURCE_DIRS = ["cmd", "ffi", "gofer", "kernel", "netstack", "platforms"];
const SOURCE_FILES = ["deno.json", "deno.lock"];

/** The top of the project. */
export const PROJECT = fromFileUrl(new URL("..", import.meta.url));

/** Adds what identifies the state of every source below `dir`. */
function collect(dir: string, states: string[]): void {
  for (const entry of Deno.readDirSync(dir)) {
    const path = join(dir, entry.name);
    if (entry.isDirectory) collect(path, states);
    else if (entry.isFile && !entry.name.endsWith("_test.ts")) {
      const { mtime, size } = Deno.statSync(path);
      states.push(`${path} ${mtime?.getTime()} ${size}`);
    }
  }
}

/** A text that changes when any source does. */
export function sourceState(): string {
  const states: string[] = [];
  for (const name of SOURCE_DIRS) {
    try {
      collect(join(PROJECT, name), states);
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
    }
  }
  for (const name of SOURCE_FILES) {
    const { mtime, size } = Deno.statSync(join(PROJECT, name));
    states.push(`${name} ${mtime?.getTime()} ${size}`);
  }
  return states.sort().join("\n");
}

/** Makes all bundles. Throws an Error with the bundler's words. */
export async function bundleAll(): Promise<void> {
  const build = join(PROJECT, "build");
  Deno.mkdirSync(build, { recursive: true });
  await Promise.all(
    Object.entries(BUNDLES).map(async ([output, entry]) => {
      const partial = join(build, `.${output}.${Deno.pid}.js`);
      const command = new Deno.Command(Deno.execPath(), {
        args: [
          "bundle",
          "--quiet",
          "--platform=deno",
          "-o",
          partial,
          entry,
        ],
        cwd: PROJECT,
        stdin: "null",
      });
      const { success, stderr } = await command.output();
      if (!success) {
        throw new Error(new TextDecoder().decode(stderr).trimEnd());
      }
      Deno.renameSync(partial, join(build, output));
    }),
  );
}

if (import.meta.main) {
  try {
    await bundleAll();
  } catch (thrown) {
    say(`bundle: ${thrown instanceof Error ? thrown.message : thrown}`);
    Deno.exit(1);
  }
}
