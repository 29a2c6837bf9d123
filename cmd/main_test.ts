import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const MAIN = new URL("main.ts", import.meta.url).pathname;

async function runsc(...args: string[]) {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", MAIN, ...args],
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

Deno.test("main() reports a mistake on the command line in one line", async () => {
  const cases: [string[], string][] = [
    [["--nope"], "runsc: unknown flag --nope\n"],
    [["frobnicate"], "runsc: unknown verb frobnicate\n"],
    [[], "runsc: a verb is missing (runsc --help lists them)\n"],
    [["spec", "--nope"], "runsc: unknown flag --nope\n"],
    [
      ["--network", "host", "spec"],
      'runsc: flag --network takes none, not "host"\n',
    ],
  ];
  for (const [args, stderr] of cases) {
    assertEquals(await runsc(...args), { code: 64, stdout: "", stderr });
  }
});

Deno.test("main() prints version and help on standard output", async () => {
  assertStringIncludes((await runsc("--version")).stdout, "spec: 1.2.0");
  assertStringIncludes((await runsc("--help")).stdout, "global flags:");
  assertStringIncludes((await runsc("spec", "-h")).stdout, "--bundle DIR");
});

Deno.test("main() appends the error to --log in the format asked for", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const log = join(dir, "log.json");
    await runsc("--log", log, "--log-format", "json", "frobnicate");
    const line = JSON.parse(await Deno.readTextFile(log));
    assertEquals([line.level, line.msg], ["error", "unknown verb frobnicate"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("spec writes a config.json that parseSpec() takes, once", async () => {
  const { parseSpec } = await import("./oci/spec.ts");
  const dir = await Deno.makeTempDir();
  try {
    const written = await runsc("spec", "-b", dir, "--", "/bin/true", "-x");
    assertEquals(written, { code: 0, stdout: "", stderr: "" });
    const path = join(dir, "config.json");
    const spec = parseSpec(await Deno.readTextFile(path));
    assertEquals(spec.process?.args, ["/bin/true", "-x"]);
    const again = await runsc("spec", "-b", dir);
    assertEquals(again.code, 1);
    assertEquals(again.stderr, `runsc: ${path} exists already\n`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
