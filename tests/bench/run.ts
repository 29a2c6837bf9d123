/**
 * `deno task bench`: our numbers and, side by side in the same run, those of
 * another runtime: start-up of /bin/true, each case of sysbench.c, memory at
 * idle; then what system calls cost in our kernel alone.
 *
 *   RUNTIME='/path/to/runsc --network=none' PASSES=5 SCALE=0.1 deno task bench
 *
 * RUNTIME is the other runtime's command line; it needs the verb `do`. PASSES
 * (3) alternate between the runtimes, so that a busy machine disturbs all alike.
 * SCALE (0.05) is sysbench's -s. CASES names some of its cases. BENCH_DIR holds
 * sysbench.c (../shared/bench beside the repository).
 * @module
 */
import { join } from "@std/path";
import { print, say } from "../../ffi/say.ts";
import { descendants } from "../cmd/sandboxes.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const BENCH_DIR = Deno.env.get("BENCH_DIR") ?? join(ROOT, "../shared/bench");
const PASSES = Number(Deno.env.get("PASSES") ?? "3");
const SCALE = Deno.env.get("SCALE") ?? "0.05";
const CASES = (Deno.env.get("CASES") ?? "").split(" ").filter(Boolean);
const STARTS_PER_PASS = 5;
const TIME_LIMIT_MS = 600_000;

interface Runtime {
  readonly label: string;
  readonly command: readonly string[];
  /** Samples by case. */
  readonly samples: Map<string, number[]>;
}

function runtime(label: string, command: readonly string[]): Runtime {
  return { label, command, samples: new Map() };
}

function note({ samples }: Runtime, name: string, value: number): void {
  const list = samples.get(name);
  if (list === undefined) samples.set(name, [value]);
  else list.push(value);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** Standard output of a command; throws with its words if it failed. */
async function output(command: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command[0]!, {
    args: command.slice(1),
    stdin: "null",
    signal: AbortSignal.timeout(TIME_LIMIT_MS),
  }).output();
  if (code !== 0) {
    const words = new TextDecoder().decode(stderr).trimEnd();
    throw new Error(`${command.join(" ")}: status ${code}: ${words}`);
  }
  return new TextDecoder().decode(stdout);
}

async function measureStarts(subject: Runtime): Promise<void> {
  for (let i = 0; i < STARTS_PER_PASS; i++) {
    const start = performance.now();
    await output([...subject.command, "do", "/bin/true"]);
    note(subject, "start of /bin/true, ms", performance.now() - start);
  }
}

async function measureCalls(subject: Runtime, program: string): Promise<void> {
  const args = ["do", program, "-s", SCALE, "-d", "/tmp", ...CASES];
  const lines = await output([...subject.command, ...args]);
  for (const line of lines.split("\n").filter(Boolean)) {
    const { case: name, ns_per_op: ns } = JSON.parse(line);
    note(subject, `${name}, ns`, ns);
  }
}

/** Proportional set size of a process, KiB; 0 if it is gone. */
function proportionalSize(pid: number): number {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
    return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function measureMemory(subject: Runtime): Promise<void> {
  const [program, ...rest] = subject.command;
  const child = new Deno.Command(program!, {
    args: [...rest, "do", "/bin/sleep", "1000"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await new Promise((done) => setTimeout(done, 3000));
  const pids = [child.pid, ...descendants(child.pid)];
  const kib = pids.map(proportionalSize).reduce((sum, size) => sum + size, 0);
  note(subject, "memory of a sleeping sandbox, MiB (PSS)", kib / 1024);
  child.kill("SIGTERM");
  await child.status;
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

function table(ours: Runtime, other: Runtime | null): string {
  const rows = other === null ? [`| case | ${ours.label} |`, "|---|---|"] : [
    `| case | ${ours.label} | ${other.label} | ratio |`,
    "|---|---|---|---|",
  ];
  for (const [name, values] of ours.samples) {
    const mine = median(values);
    const theirs = other?.samples.get(name);
    if (other === null) rows.push(`| ${name} | ${format(mine)} |`);
    else if (theirs === undefined) {
      rows.push(`| ${name} | ${format(mine)} | - | - |`);
    } else {
      const peer = median(theirs);
      const ratio = (mine / peer).toFixed(2);
      rows.push(`| ${name} | ${format(mine)} | ${format(peer)} | ${ratio} |`);
    }
  }
  return rows.join("\n");
}

async function main(): Promise<void> {
  const source = join(BENCH_DIR, "sysbench.c");
  try {
    Deno.statSync(source);
  } catch {
    say(`bench: ${source} is not there: set BENCH_DIR to its folder`);
    Deno.exit(1);
  }
  // Builds what is out of date, build/runsc with it.
  await output([Deno.execPath(), "task", "-q", "runsc", "--version"]);
  const scratch = await Deno.makeTempDir({ prefix: "bench-" });
  try {
    const program = join(scratch, "sysbench");
    await output(["cc", "-O2", "-static", "-pthread", "-o", program, source]);
    const platform = Deno.env.get("PLATFORM");
    const ours = runtime(
      platform === undefined ? "ours" : `ours, ${platform}`,
      [
        join(ROOT, "build/runsc"),
        ...(platform === undefined ? [] : [`--platform=${platform}`]),
      ],
    );
    const named = Deno.env.get("RUNTIME")?.split(" ").filter(Boolean) ?? [];
    const other = named.length === 0 ? null : runtime(named[0]!, named);
    for (let pass = 1; pass <= PASSES; pass++) {
      for (const subject of other === null ? [ours] : [ours, other]) {
        await measureStarts(subject);
        await measureCalls(subject, program);
        await measureMemory(subject);
      }
      const load = Deno.readTextFileSync("/proc/loadavg").split(" ")[0];
      say(`pass ${pass} of ${PASSES}, load ${load}`);
    }
    print(table(ours, other));
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
  print("\nIn the kernel alone, without the platform's switch:");
  const kernel = join(ROOT, "tests/bench/kernel_bench.ts");
  print((await output([Deno.execPath(), "run", "-q", "-A", kernel])).trimEnd());
}

await main();
