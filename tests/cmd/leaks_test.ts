/** Sandboxes in a row leave nothing: no process, descriptor, mount or file. */
import { assertEquals } from "@std/assert";
import { Sandbox } from "../../mod.ts";
import { descendants } from "./sandboxes.ts";

/** RUNSC_ROUNDS=200 is what a release is held to. */
const ROUNDS = Number(Deno.env.get("RUNSC_ROUNDS") ?? "6");

function names(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
}

/** What could be left, except for what others make meanwhile. */
function state() {
  return {
    processes: descendants(),
    descriptors: names("/proc/self/fd").length,
    mounts: Deno.readTextFileSync("/proc/self/mountinfo").split("\n")
      .filter((mount) => mount.includes("runsc")),
    files: ["/tmp", "/run", "/dev/shm"].flatMap(names)
      .filter((name) => name.includes("runsc")),
  };
}

Deno.test("sandboxes in a row leave nothing behind", async () => {
  const before = state();
  for (let round = 0; round < ROUNDS; round++) {
    await using sandbox = await Sandbox.create({
      args: ["sh", "-c", "echo x > /tmp/runsc-leak; sleep 1000 & exit 0"],
    });
    assertEquals((await sandbox.first.output()).code, 0);
  }
  assertEquals(state(), before);
});

Deno.test("sandboxes that are closed while they work leave nothing", async () => {
  const before = state();
  for (let round = 0; round < ROUNDS; round++) {
    const sandbox = await Sandbox.create({
      args: ["sh", "-c", "while :; do /bin/true; done"],
      stdout: "null",
      stderr: "null",
    });
    await sandbox[Symbol.asyncDispose]();
  }
  assertEquals(state(), before);
});
