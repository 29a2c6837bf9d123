/**
 * Guest programs: each is compiled, proved on the host, and then run in a
 * sandbox on every platform. RUNSC_PLATFORM names one platform to run alone.
 * @module
 */
import { assertEquals } from "@std/assert";
import { basename, join } from "@std/path";

const ROOT = new URL("../..", import.meta.url).pathname;
const PROGRAMS = join(ROOT, "tests/syscalls/programs");
const BUILD = join(ROOT, "build/guest");
const PLATFORMS = [Deno.env.get("RUNSC_PLATFORM") ?? "ptrace"];
const COMPILE = ["-O1", "-Wall", "-Wextra", "-Werror", "-static", "-pthread"];

/** No program takes a tenth of it; one that hangs must not stop the gate. */
const TIME_LIMIT_MS = 120_000;

interface Outcome {
  readonly code: number;
  /** Lines that report a failed case, and everything on stderr. */
  readonly complaints: readonly string[];
  readonly passed: number;
}

async function run(
  command: string,
  args: readonly string[],
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: "/",
    stdin: "null",
    signal: AbortSignal.timeout(TIME_LIMIT_MS),
  }).output();
  const lines = new TextDecoder().decode(stdout).split("\n").filter(Boolean);
  const errors = new TextDecoder().decode(stderr).split("\n").filter(Boolean);
  const passed = lines.filter((line) => line.startsWith("ok ")).length;
  const complaints = lines.filter((line) => !line.startsWith("ok "));
  return { code, complaints: [...complaints, ...errors], passed };
}

async function compile(source: string): Promise<string> {
  Deno.mkdirSync(BUILD, { recursive: true });
  const program = join(BUILD, basename(source, ".c"));
  const { complaints, code } = await run("cc", [
    ...COMPILE,
    "-o",
    program,
    join(PROGRAMS, source),
  ]);
  assertEquals({ code, complaints }, { code: 0, complaints: [] });
  return program;
}

function inSandbox(platform: string, program: string): Promise<Outcome> {
  return run(Deno.execPath(), [
    "run",
    "-q",
    "-A",
    join(ROOT, "cmd/from_source.ts"),
    `--platform=${platform}`,
    "do",
    "--",
    program,
  ]);
}

const sources = [...Deno.readDirSync(PROGRAMS)]
  .map(({ name }) => name)
  .filter((name) => name.endsWith(".c"))
  .sort();

for (const source of sources) {
  Deno.test(`guest program ${source}`, async (t) => {
    let program = "";
    let onHost: Outcome | null = null;
    await t.step("passes on the host", async () => {
      program = await compile(source);
      onHost = await run(program, []);
      assertEquals(onHost.complaints, []);
      assertEquals(onHost.code, 0);
    });
    for (const platform of PLATFORMS) {
      await t.step(`passes on ${platform}`, async () => {
        const outcome = await inSandbox(platform, program);
        assertEquals(outcome.complaints, []);
        assertEquals(outcome, onHost);
      });
    }
  });
}
