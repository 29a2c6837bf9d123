/**
 * `deno task bench`: our runtime beside others in one run, pass by pass, so
 * that whatever else the machine does disturbs all of them alike; then what
 * the kernel costs in process. Prints Markdown to standard output.
 *
 *   RUNTIME='/path/to/runsc --network=none --ignore-cgroups' deno task bench
 *
 * RUNTIME    command lines of other OCI runtimes, one a line
 * BENCH_DIR  folder of startup.sh, syscalls.sh and sysbench.c (../shared/bench
 *            beside the repository)
 * ROOTFS     a root filesystem with /bin/true and /bin/sleep; default: one of
 *            busybox, made here
 * PLATFORM   the platform that ours is to use (auto)
 * WRAP       a command that runs all of them, such as "chrt -f 20" where the
 *            machine is shared
 * PASSES     passes of start-up (10) and a third as many of system calls
 * SCALE      factor on the iterations of each system call (0.1)
 * CASES      the system calls to measure (all)
 * @module
 */
import { join, resolve } from "@std/path";
import { PROJECT } from "../../cmd/bundle.ts";
import { print, say } from "../../ffi/say.ts";
import { formatTable, parseResults, type Result } from "./results.ts";

/** A sentence for the user: what is missing. */
class Unable extends Error {}

interface Runtime {
  readonly label: string;
  readonly command: string;
}

/** What every script is given. */
interface Bench {
  readonly dir: string;
  readonly work: string;
  readonly rootfs: string;
  readonly sysbench: string;
}

const MINUTE_MS = 60_000;
const SCRIPTS = ["startup.sh", "syscalls.sh", "sysbench.c", "lib.sh"];

function number(name: string, otherwise: number): number {
  const text = Deno.env.get(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (value > 0) return value;
  throw new Unable(`${name} takes a number above 0, not "${text}"`);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function runtimes(): Runtime[] {
  const others = (Deno.env.get("RUNTIME") ?? "").split("\n")
    .map((line) => line.trim()).filter((line) => line !== "");
  const wrap = Deno.env.get("WRAP") ?? "";
  const platform = Deno.env.get("PLATFORM") ?? "auto";
  const ours = `${join(PROJECT, "build", "runsc")} --platform=${platform}`;
  return [
    { label: "ours", command: `${wrap} ${ours}`.trim() },
    ...others.map((command) => ({
      label: command.split(/\s+/)[0]!,
      command: `${wrap} ${command}`.trim(),
    })),
  ];
}

function find(program: string): string {
  for (const dir of (Deno.env.get("PATH") ?? "").split(":")) {
    if (exists(join(dir, program))) return join(dir, program);
  }
  throw new Unable(`${program} is missing: apt-get install busybox gcc`);
}

/** A root filesystem of one program with many names. */
function makeRootfs(root: string): void {
  for (const name of ["bin", "dev", "etc", "proc", "root", "sys", "tmp"]) {
    Deno.mkdirSync(join(root, name), { recursive: true });
  }
  Deno.copyFileSync(find("busybox"), join(root, "bin", "busybox"));
  for (const name of ["sh", "true", "sleep", "cat", "ls", "echo"]) {
    Deno.symlinkSync("busybox", join(root, "bin", name));
  }
  const passwd = "root:x:0:0:root:/root:/bin/sh\n";
  Deno.writeTextFileSync(join(root, "etc", "passwd"), passwd);
  Deno.writeTextFileSync(join(root, "etc", "group"), "root:x:0:\n");
}

function compile(source: string, output: string): void {
  const flags = ["-O2", "-static", "-pthread", "-o", output, source];
  const { success, stderr } = new Deno.Command(find("cc"), { args: flags })
    .outputSync();
  if (!success) throw new Unable(new TextDecoder().decode(stderr).trimEnd());
}

function prepare(work: string): Bench {
  const dir = resolve(
    Deno.env.get("BENCH_DIR") ?? join(PROJECT, "..", "shared", "bench"),
  );
  for (const name of SCRIPTS) {
    if (exists(join(dir, name))) continue;
    throw new Unable(`${join(dir, name)} is missing; BENCH_DIR says where`);
  }
  const given = Deno.env.get("ROOTFS");
  const rootfs = given === undefined ? join(work, "rootfs") : resolve(given);
  if (given === undefined) makeRootfs(rootfs);
  const sysbench = join(work, "sysbench");
  compile(join(dir, "sysbench.c"), sysbench);
  return { dir, work, rootfs, sysbench };
}

/** One pass of a script for one runtime. What fails is said, and missing. */
async function pass(
  bench: Bench,
  runtime: Runtime,
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Result[]> {
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: [join(bench.dir, script), ...args],
    env: {
      LABEL: runtime.label,
      RUNTIME: runtime.command,
      ROOTFS: bench.rootfs,
      SYSBENCH: bench.sysbench,
      RUNS: "1",
      ...env,
    },
    stdin: "null",
    signal: AbortSignal.timeout(15 * MINUTE_MS),
  }).output();
  const decoder = new TextDecoder();
  for (const line of decoder.decode(stderr).split("\n")) {
    if (line.trim() !== "") say(`  ${line}`);
  }
  return parseResults(decoder.decode(stdout));
}

async function compare(
  bench: Bench,
  all: readonly Runtime[],
  passes: number,
): Promise<Result[]> {
  const results: Result[] = [];
  const cases = (Deno.env.get("CASES") ?? "").split(/\s+/).filter(Boolean);
  const scale = String(number("SCALE", 0.1));
  const load = () => Deno.readTextFileSync("/proc/loadavg").slice(0, 14);
  for (let i = 1; i <= passes; i++) {
    say(`start-up, pass ${i} of ${passes} (load ${load()})`);
    // Memory at rest takes a second and hardly varies.
    const env = { DO: "1", MEMRUNS: i <= 3 ? "1" : "0" };
    for (const runtime of all) {
      results.push(...await pass(bench, runtime, "startup.sh", [], env));
    }
  }
  const syscallPasses = Math.ceil(passes / 3);
  for (let i = 1; i <= syscallPasses; i++) {
    say(`system calls, pass ${i} of ${syscallPasses} (load ${load()})`);
    // Each in a container of its own, lest one that fails takes all with it.
    const env = { SCALE: scale, PERCASE: "1" };
    for (const runtime of all) {
      results.push(...await pass(bench, runtime, "syscalls.sh", cases, env));
    }
  }
  return results;
}

/** Our kernel alone, without switches between processes. */
async function inProcess(): Promise<Result[]> {
  say("the kernel in process");
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", join(PROJECT, "tests/bench/kernel_bench.ts")],
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").map((line) => {
    const { case: metric, ns_per_op } = JSON.parse(line);
    return {
      runtime: "ours",
      bench: "",
      metric,
      unit: "ns",
      median: ns_per_op,
    };
  });
}

function machine(): string {
  const model = /model name\s*: (.*)/.exec(
    Deno.readTextFileSync("/proc/cpuinfo"),
  )?.[1] ?? "unknown CPU";
  return `${navigator.hardwareConcurrency} × ${model}, Linux ` +
    `${Deno.osRelease()}, Deno ${Deno.version.deno}`;
}

/** Builds what is out of date, the launcher with it. */
async function build(): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", join(PROJECT, "cmd/from_source.ts"), "--version"],
    stdout: "null",
  }).output();
  if (!success) throw new Unable("it cannot be built");
}

async function main(): Promise<void> {
  const work = Deno.makeTempDirSync({ prefix: "runsc-bench-" });
  try {
    const all = runtimes();
    const passes = number("PASSES", 10);
    print(machine());
    try {
      await build();
      const results = await compare(prepare(work), all, passes);
      const labels = all.map(({ label }) => label);
      print(`\n${formatTable(results, labels)}`);
    } catch (thrown) {
      if (!(thrown instanceof Unable)) throw thrown;
      say(`bench: ${thrown.message}`);
    }
    print(`\n${formatTable(await inProcess(), ["ours"])}`);
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
}

if (import.meta.main) await main();
