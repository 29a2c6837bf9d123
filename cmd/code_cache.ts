/**
 * Makes the code cache of the bundles: a directory like Deno's own cache, where
 * its evalContext finds what V8 has compiled of a script. Deno itself stores
 * only what was compiled before the script first ran. So a sandbox is started
 * once, in a rehearsal (rehearsal.ts), and what its processes had compiled by
 * their end takes that place. A start that finds it spares itself the parsing
 * and most compiling.
 *
 * V8 refuses what another version, other flags or another text made, and then
 * simply compiles. Where no sandbox can run, as in some build environments, the
 * cache is what Deno stored.
 * @module
 */
import { join } from "@std/path";
import { DatabaseSync } from "node:sqlite";
import {
  codeName,
  programStub,
  rehearsalStub,
  scriptName,
} from "./program_stub.ts";
import { CODE_CACHE, v8Flags } from "./sandbox/own_programs.ts";

/** The bundle that runs the rehearsal. */
export const REHEARSAL = "rehearsal";

/** The programs of a sandbox. */
const CACHED = ["boot", "gofer"] as const;

/** Deno 2.9's databases. The first holds compiled code; without the others it
 * would look for places to make them. */
const COMPILED = "v8_code_cache_v2";
const DATABASES = [COMPILED, "dep_analysis_cache_v2", "node_analysis_cache_v2"];
/** SQLite wants them to be there where it cannot make them. */
const SIDE_FILES = ["-wal", "-shm"];

/** Has the script compiled and stored, but not run. */
function storingProgram(program: string): string {
  return `const code = Deno.readTextFileSync(
  new URL("${codeName(program)}", import.meta.url),
);
const { evalContext } = Deno[Deno.internal].core;
const [, failure] = evalContext(code, "${scriptName(program)}");
if (failure !== null) throw failure.thrown;
`;
}

async function runDeno(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--no-config", ...args],
    env: { ...env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trimEnd());
}

/** A directory where all files of build/ seem to be. The bundles are copies: a
 * cache that was stored for one text and filled from another would be fatal. */
function linkFiles(build: string, scratch: string): void {
  for (const { name, isFile } of Deno.readDirSync(build)) {
    const [from, to] = [join(build, name), join(scratch, name)];
    if (name.endsWith(".bundle.js")) Deno.copyFileSync(from, to);
    else if (isFile) Deno.symlinkSync(from, to);
  }
}

function replace(path: string, text: string): void {
  Deno.removeSync(path);
  Deno.writeTextFileSync(path, text);
}

/** Puts what was compiled in the rehearsal in the place of what Deno stored. */
function improve(denoDir: string, scratch: string): void {
  using database = new DatabaseSync(join(denoDir, COMPILED));
  const update = database.prepare(
    "UPDATE codecache SET data = ? WHERE specifier = ?",
  );
  for (const program of CACHED) {
    const data = Deno.readFileSync(join(scratch, `${program}.cache`));
    const { changes } = update.run(data, scriptName(program));
    if (changes !== 1) throw new Error("Deno keeps compiled code elsewhere");
  }
}

/** Leaves nothing for SQLite to write: all content is in the one file, and so
 * are the statistics that Deno would have it bring up to date. */
function settle(path: string): void {
  using database = new DatabaseSync(path);
  database.exec(
    "VACUUM; ANALYZE; PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)",
  );
}

/** File by file: starts may be reading the old ones. */
function install(denoDir: string, target: string): void {
  Deno.mkdirSync(target, { recursive: true });
  for (const name of DATABASES) {
    settle(join(denoDir, name));
    for (const suffix of SIDE_FILES) {
      Deno.writeTextFileSync(join(target, name + suffix), "");
    }
    Deno.renameSync(join(denoDir, name), join(target, name));
  }
}

/**
 * Makes the cache for the bundles in `build`. Precondition: bundles and native
 * files are there. Returns why there was no rehearsal, null if there was one;
 * throws an Error if not even Deno's own cache can be made.
 */
export async function makeCodeCache(build: string): Promise<string | null> {
  const scratch = Deno.makeTempDirSync({ dir: build, prefix: ".caching." });
  try {
    const denoDir = join(scratch, CODE_CACHE);
    linkFiles(build, scratch);
    await Promise.all(CACHED.map(async (program) => {
      const path = join(scratch, `${program}.store.js`);
      Deno.writeTextFileSync(path, storingProgram(program));
      await runDeno([...v8Flags(program), path], { DENO_DIR: denoDir });
    }));
    for (const program of CACHED) {
      replace(join(scratch, `${program}.js`), rehearsalStub(program));
    }
    Deno.writeTextFileSync(
      join(scratch, `${REHEARSAL}.js`),
      programStub(REHEARSAL),
    );
    let problem: string | null = null;
    try {
      await runDeno([join(scratch, `${REHEARSAL}.js`)], {});
      improve(denoDir, scratch);
    } catch (thrown) {
      problem = thrown instanceof Error ? thrown.message : String(thrown);
    }
    install(denoDir, join(build, CODE_CACHE));
    return problem;
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
}
