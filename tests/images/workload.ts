/**
 * Workloads: a script of ordinary Debian programs runs on the host and in a
 * sandbox, and must say and return the same. Nobody writes down what it should
 * say: Linux is the reference.
 * @module
 */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../..", import.meta.url).pathname;

/** No workload takes a tenth of it on an idle machine. */
const TIME_LIMIT_MS = 120_000;

export interface Workload {
  /** What it proves, as a sentence led by the program. */
  readonly name: string;
  /** Programs of the PATH without which the test is skipped. */
  readonly needs: readonly string[];
  /** Run by `bash -eu -o pipefail`, in an empty directory that is also HOME. */
  readonly script: string;
  /** Arguments of the script. */
  readonly args?: readonly string[];
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const SANDBOX: readonly string[] = [
  Deno.execPath(),
  "run",
  "-q",
  "-A",
  `${ROOT}cmd/from_source.ts`,
  `--platform=${Deno.env.get("RUNSC_PLATFORM") ?? "auto"}`,
  "do",
  "--",
];

/** Debian's own programs come first. */
const PATH = `/usr/sbin:/usr/bin:/sbin:/bin:${Deno.env.get("PATH") ?? ""}`;

function isInstalled(program: string): boolean {
  for (const dir of PATH.split(":")) {
    try {
      const { isFile, mode } = Deno.statSync(`${dir}/${program}`);
      if (isFile && ((mode ?? 0) & 0o111) !== 0) return true;
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
    }
  }
  return false;
}

async function run(argv: readonly string[], dir: string): Promise<Outcome> {
  const signal = AbortSignal.timeout(TIME_LIMIT_MS);
  const { code, stdout, stderr } = await new Deno.Command(argv[0]!, {
    args: argv.slice(1),
    cwd: dir,
    stdin: "null",
    signal,
  }).output();
  if (signal.aborted) throw new Error(`Still running: ${argv.join(" ")}`);
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Registers the comparison as a test; skipped where a program is missing,
 * which the test's name then says. */
export function sameAsOnHost(workload: Workload): void {
  const missing = workload.needs.filter((program) => !isInstalled(program));
  const reason = missing.length === 0 ? "" : ` (needs ${missing.join(", ")})`;
  Deno.test({
    name: workload.name + reason,
    ignore: missing.length > 0,
    fn: async () => {
      const dir = await Deno.realPath(await Deno.makeTempDir());
      const script = [
        "env",
        "-i",
        `PATH=${PATH}`,
        `HOME=${dir}`,
        "LANG=C.UTF-8",
        "TZ=UTC",
        "bash",
        "-eu",
        "-o",
        "pipefail",
        "-c",
        // Whatever started the tests has a mask of its own.
        `umask 022; ${workload.script}`,
        "workload",
        ...workload.args ?? [],
      ];
      try {
        // First in the sandbox, whose changes stay there.
        const inside = await run([...SANDBOX, ...script], dir);
        assertEquals([...Deno.readDirSync(dir)], []);
        const onHost = await run(script, dir);
        assertEquals(inside, onHost);
        assert(onHost.stdout !== "", "the workload shows nothing");
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    },
  });
}
