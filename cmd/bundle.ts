/**
 * `deno task bundle`: one file of JavaScript per kind of process under build/,
 * beside the native files. Modules cost 0.25 ms each at every start, so the
 * product never runs from its sources; and each process loads only its own.
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { say } from "../ffi/say.ts";
import { v8Flags } from "./sandbox/own_programs.ts";

/** Entry point by program; each exports `main(args)`. */
const BUNDLES: Readonly<Record<string, string>> = {
  runsc: "cmd/main.ts",
  boot: "cmd/boot/boot.ts",
  gofer: "cmd/gofer.ts",
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

/** Bundles one entry point into the text of a CommonJS module. */
async function bundle(entry: string, scratch: string): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--platform=deno",
      "--format=cjs",
      "-o",
      scratch,
      entry,
    ],
    cwd: PROJECT,
    stdin: "null",
  });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trimEnd());
  const text = Deno.readTextFileSync(scratch);
  Deno.removeSync(scratch);
  return text;
}

/**
 * The bundle as a function, and the program that runs it. Deno analyses every
 * module that it loads, in 20 ms and more for one of this size; a script that
 * comes with its code cache (code_cache.ts) is spared that and the parsing.
 */
function wrap(name: string, text: string): { code: string; stub: string } {
  // CommonJS has no import.meta; the program tells where it lies.
  const located = text.replace(
    /^(\s*(?:var )?import_meta\d*) = \{\};$/gm,
    "$1 = { url: programUrl };",
  );
  const code = `(function (module, exports, programUrl) {\n${located}\n})\n`;
  const stub = `import { Script } from "node:vm";
const beside = (name) => new URL(name, import.meta.url);
let cachedData;
try {
  cachedData = Deno.readFileSync(beside("${cacheName(name)}"));
} catch {
  // It starts without, only slower.
}
const script = new Script(
  Deno.readTextFileSync(beside("${codeName(name)}")),
  { filename: "runsc/${name}", cachedData },
);
const module = { exports: {} };
script.runInThisContext()(module, module.exports, import.meta.url);
const { exit } = Deno;
exit(await module.exports.main(Deno.args));
`;
  return { code, stub };
}

/** Runs code_cache.ts with the V8 flags of the program. */
async function makeCodeCache(name: string): Promise<void> {
  const build = join(PROJECT, "build");
  const cache = join(build, cacheName(name));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--allow-all",
      "--no-code-cache",
      ...v8Flags(name),
      fromFileUrl(new URL("code_cache.ts", import.meta.url)),
      join(build, codeName(name)),
      `${cache}.${Deno.pid}.partial`,
    ],
    stdin: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trimEnd());
  Deno.renameSync(`${cache}.${Deno.pid}.partial`, cache);
}

function cacheName(name: string): string {
  return `${name}.code_cache`;
}

function codeName(name: string): string {
  return `${name}.bundle.js`;
}

function write(path: string, text: string): void {
  const partial = `${path}.${Deno.pid}.partial`;
  Deno.writeTextFileSync(partial, text);
  Deno.renameSync(partial, path);
}

/** Makes all bundles. Throws an Error with the bundler's words. */
export async function bundleAll(): Promise<void> {
  const build = join(PROJECT, "build");
  Deno.mkdirSync(build, { recursive: true });
  await Promise.all(
    Object.entries(BUNDLES).map(async ([name, entry]) => {
      const scratch = join(build, `.${name}.${Deno.pid}.js`);
      const { code, stub } = wrap(name, await bundle(entry, scratch));
      write(join(build, codeName(name)), code);
      write(join(build, `${name}.js`), stub);
      await makeCodeCache(name);
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
