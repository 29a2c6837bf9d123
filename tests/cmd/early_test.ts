/**
 * build/runsc and the Sentry that it starts before the command line.
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { PROJECT } from "../../cmd/bundle.ts";
import { EarlySentry } from "../../cmd/sandbox/early_sentry.ts";
import { UsageError } from "../../cmd/runtime_error.ts";
import { descendants } from "./sandboxes.ts";

const isRoot = Deno.uid() === 0;
const LAUNCHER = join(PROJECT, "build", "runsc");

async function build(): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", join(PROJECT, "cmd/from_source.ts"), "--version"],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(LAUNCHER, {
    args: [...args],
    env,
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return ""; // it is gone
  }
}

/** Does a Sentry below `pid` have a pipe where its spec is? */
function isEarly(pid: number): boolean {
  return descendants(pid).some((child) => {
    if (read(`/proc/${child}/comm`) !== "runsc-sentry\n") return false;
    return Deno.readLinkSync(`/proc/${child}/fd/3`).startsWith("pipe:");
  });
}

Deno.test("EarlySentry takes the launcher's flag and no other", () => {
  const { control, gofer, spec, child } = new EarlySentry("7,8,9,1234,10");
  assertEquals([control, gofer, spec], [7, 8, 9]);
  assertEquals(child, { pid: 1234, pidfd: 10 });
  for (const wrong of ["", "1,2,3,4", "1,2,3,4,x", "1,2,3,4,5,6"]) {
    assertThrows(() => new EarlySentry(wrong), UsageError);
  }
});

Deno.test("EarlySentry suits root with the launcher's own streams", () => {
  const early = new EarlySentry("7,8,9,1234,10");
  const root = { uid: 0, gid: 0, isRootless: false };
  const wanted = { user: root, logFd: 2, stdio: [0, 1, 2] };
  assertEquals(early.suits(wanted), true);
  assertEquals(early.suits({ ...wanted, logFd: 5 }), false);
  assertEquals(early.suits({ ...wanted, stdio: [0, 4, 2] }), false);
  const rootless = { ...root, isRootless: true };
  assertEquals(early.suits({ ...wanted, user: rootless }), false);
});

Deno.test({
  name: "build/runsc do uses the Sentry that was started early",
  ignore: !isRoot,
  async fn() {
    await build();
    const child = new Deno.Command(LAUNCHER, {
      args: ["do", "--", "sh", "-c", "echo up; read line; exit 3"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), "up\n");
    assertEquals(isEarly(child.pid), true);
    await child.stdin.close();
    assertEquals((await child.status).code, 3);
    await reader.cancel();
  },
});

Deno.test("build/runsc do runs programs", async (t) => {
  await build();
  await t.step("with a spec that no pipe holds", async () => {
    const large = "x".repeat(100_000);
    const env = { ONE: large, TWO: large };
    const script = 'echo ${#ONE} ${#TWO}; [ -z "${LAST+x}" ]';
    assertEquals(await run(["do", "--", "sh", "-c", script], env), {
      code: 0,
      stdout: "100000 100000\n",
      stderr: "",
    });
  });
  await t.step("also if the early Sentry does not suit", async () => {
    const log = Deno.makeTempFileSync();
    const args = [`--debug-log=${log}`, "--debug", "do", "echo", "hello"];
    const { code, stdout } = await run(args);
    assertEquals([code, stdout], [0, "hello\n"]);
    assertEquals(read(log).includes("system calls"), true);
    Deno.removeSync(log);
    const rootless = await run(["--rootless=true", "do", "echo", "hello"]);
    assertEquals([rootless.code, rootless.stdout], [0, "hello\n"]);
  });
  await t.step("and ends what it started in vain", async () => {
    const { code, stderr } = await run(["do"]);
    assertEquals(code, 64);
    assertEquals(stderr, "runsc: do needs a program to run\n");
    assertEquals((await run(["do", "--help"])).code, 0);
    assertEquals((await run(["do", "/no/such/program"])).code, 127);
  });
});
