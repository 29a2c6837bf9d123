/**
 * `deno task build`: compiles the rows of native_targets.ts into build/ with
 * the system's `cc`, object by object, and only what changed: an object's stamp
 * is the hash of its command, its source and every header it may include.
 * Files appear under their names complete or not at all, so that several
 * builds, and programs that use the results, may run at the same time.
 *
 *   build_native.ts [--sanitize]
 * @module
 */

import { basename, join } from "@std/path";
import {
  COMPILE_FLAGS,
  KIND_FLAGS,
  NATIVE_TARGETS,
  type NativeTarget,
  SANITIZE_FLAGS,
} from "./native_targets.ts";
import { say } from "./say.ts";

/** A sentence for the user: what is wrong and what to do. */
class BuildError extends Error {}

interface Build {
  readonly cc: string;
  /** Identity of the compiler: another one rebuilds everything. */
  readonly ccIdentity: string;
  readonly root: string;
  readonly extraFlags: readonly string[];
}

/** Paths of the files of a folder that end in one of the suffixes, sorted. */
function filesIn(dir: string, ...suffixes: string[]): string[] {
  try {
    return [...Deno.readDirSync(dir)]
      .filter((e) => e.isFile && suffixes.some((s) => e.name.endsWith(s)))
      .map((e) => join(dir, e.name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function findCompiler(): string {
  for (const dir of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = join(dir, "cc");
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new BuildError("no C compiler: apt-get install gcc libc6-dev");
}

async function digest(
  words: readonly string[],
  files: readonly string[],
): Promise<string> {
  const text = [...words, ...files.map((f) => Deno.readTextFileSync(f))];
  const bytes = new TextEncoder().encode(JSON.stringify(text));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return hash.toHex();
}

function readOr(path: string, otherwise: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return otherwise;
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Runs `cc ...args -o output` unless the stamp beside the output says that it
 * was made from the same inputs. Returns the stamp.
 */
async function make(
  build: Build,
  output: string,
  args: readonly string[],
  inputs: readonly string[],
  keys: readonly string[],
): Promise<string> {
  const stamp = await digest([build.ccIdentity, ...args, ...keys], inputs);
  const stampPath = join(build.root, ".stamps", basename(output));
  if (readOr(stampPath, "") === stamp && exists(output)) return stamp;

  const partial = `${output}.${Deno.pid}.partial`;
  const command = new Deno.Command(build.cc, {
    args: [...args, "-o", partial],
    stdin: "null",
  });
  const { success, stderr } = await command.output();
  if (!success) {
    const text = new TextDecoder().decode(stderr).trimEnd();
    const isHeaderMissing = /fatal error: .*\.h: No such file/.test(text);
    const advice = isHeaderMissing
      ? "\nif it is a system header: apt-get install gcc libc6-dev"
      : "";
    throw new BuildError(`${text}\ncc failed for ${output}${advice}`);
  }
  Deno.renameSync(partial, output);
  const partialStamp = `${stampPath}.${Deno.pid}`;
  Deno.writeTextFileSync(partialStamp, stamp);
  Deno.renameSync(partialStamp, stampPath);
  return stamp;
}

/** A queue of compilations, one for each CPU at a time. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  constructor(count: number) {
    this.#free = count;
  }
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next !== undefined) next();
      else this.#free++;
    }
  }
}

async function buildTarget(
  build: Build,
  target: NativeTarget,
  slots: Slots,
): Promise<void> {
  const sources = filesIn(target.dir, ".c", ".S");
  if (sources.length === 0) {
    throw new BuildError(`no sources in ${target.dir} for ${target.output}`);
  }
  const dirs = [target.dir, ...target.headerDirs];
  const headers = dirs.flatMap((dir) => filesIn(dir, ".h"));
  const flags = KIND_FLAGS[target.kind];
  const name = target.output.replace(/\W/g, "_");
  const objects = await Promise.all(sources.map(async (source) => {
    const object = join(build.root, `${name}.${basename(source)}.o`);
    const args = [
      ...COMPILE_FLAGS,
      ...flags.compile,
      ...build.extraFlags,
      "-c",
      source,
    ];
    const stamp = await slots.run(() =>
      make(build, object, args, [source, ...headers], [])
    );
    return { object, stamp };
  }));
  const own = readOr(join(target.dir, "build.flags"), "")
    .replace(/#.*$/gm, "").replaceAll("{dir}", target.dir)
    .split(/\s+/).filter((word) => word !== "");
  const args = [
    ...flags.link,
    ...build.extraFlags,
    ...objects.map(({ object }) => object),
    ...own,
  ];
  const scripts = filesIn(target.dir, ".lds");
  const stamps = objects.map(({ stamp }) => stamp);
  await slots.run(() =>
    make(build, join(build.root, target.output), args, scripts, stamps)
  );
}

/**
 * Builds every target. Throws an Error whose message is for the user when the
 * compiler is missing or a compilation fails.
 */
export async function buildNative(
  options: { readonly sanitize: boolean },
): Promise<void> {
  const cc = findCompiler();
  const identity = Deno.statSync(cc);
  const root = options.sanitize ? "build/sanitize" : "build";
  const build: Build = {
    cc,
    ccIdentity: `${cc} ${identity.size} ${identity.mtime?.getTime()}`,
    root,
    extraFlags: options.sanitize ? SANITIZE_FLAGS : [],
  };
  Deno.mkdirSync(join(root, ".stamps"), { recursive: true });
  const targets = NATIVE_TARGETS.filter((target) =>
    !options.sanitize || target.kind === "library"
  );
  const slots = new Slots(navigator.hardwareConcurrency);
  const results = await Promise.allSettled(
    targets.map((target) => buildTarget(build, target, slots)),
  );
  const failures = results.filter((result) => result.status === "rejected");
  for (const { reason } of failures) {
    if (!(reason instanceof BuildError)) throw reason;
  }
  if (failures.length > 0) {
    throw new BuildError(failures.map((f) => f.reason.message).join("\n"));
  }
}

if (import.meta.main) {
  try {
    await buildNative({ sanitize: Deno.args.includes("--sanitize") });
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    say(error.message);
    Deno.exit(1);
  }
}
