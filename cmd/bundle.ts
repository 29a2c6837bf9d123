/**
 * `deno task bundle`: one file of JavaScript per kind of process under build/,
 * beside the native files. Modules cost 0.25 ms each at every start, so the
 * product never runs from its sources; and each process loads only its own.
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { say } from "../ffi/say.ts";
import { makeCodeCache, REHEARSAL } from "./code_cache.ts";
import { codeName, programStub, wrapBundle } from "./program_stub.ts";

/** Entry point by program; each exports `main(args)`. */
const BUNDLES: Readonly<Record<string, string>> = {
  runsc: "cmd/main.ts",
  boot: "cmd/boot/boot.ts",
  gofer: "cmd/gofer.ts",
  [REHEARSAL]: "cmd/rehearsal.ts",
};

/** Folders whose files end up in a bundle or in a native file. */
const SOURCE_DIRS = ["cmd", "ffi", "gofer", "kernel", "netstack", "platforms"];
const SOURCE_FILES = ["deno.json", "deno.lock"];

/** The top of the project. */
export const PROJECT = fromFileUrl(new URL("..", import.meta.url));

const BUILD = join(PROJECT, "build");

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

function write(path: string, text: string): void {
  const partial = `${path}.${Deno.pid}.partial`;
  Deno.writeTextFileSync(partial, text);
  Deno.renameSync(partial, path);
}

/** Makes all bundles. Throws an Error with the bundler's words. */
export async function bundleAll(): Promise<void> {
  Deno.mkdirSync(BUILD, { recursive: true });
  // For the launcher: other versions could not use what is made here.
  write(join(BUILD, "deno_path"), Deno.execPath());
  await Promise.all(
    Object.entries(BUNDLES).map(async ([name, entry]) => {
      const scratch = join(BUILD, `.${name}.${Deno.pid}.js`);
      const text = await bundle(entry, scratch);
      write(join(BUILD, codeName(name)), wrapBundle(text));
      if (name !== REHEARSAL) {
        write(join(BUILD, `${name}.js`), programStub(name));
      }
    }),
  );
}

/** What makes starts fast. Precondition: bundles and native files are there. */
export async function makeFast(): Promise<void> {
  const problem = await makeCodeCache(BUILD);
  if (problem !== null) {
    say(`bundle: starts will be slower, since no sandbox ran: ${problem}`);
  }
}

if (import.meta.main) {
  try {
    await bundleAll();
    await makeFast();
  } catch (thrown) {
    say(`bundle: ${thrown instanceof Error ? thrown.message : thrown}`);
    Deno.exit(1);
  }
}
