/** Commands that are killed at any moment: delete --force cleans up. */
import { assertEquals } from "@std/assert";
import { descendants } from "../cmd/sandboxes.ts";
import { RUNSC } from "../cmd/command.ts";
import { Process } from "../../ffi/process.ts";
import { TestContainer } from "./bundle.ts";

const ROUNDS = 6;
/** A creation takes about as long. */
const LONGEST_DELAY_MS = 240;

/** True while a process below us, beside those of `others`, runs. */
function isSandboxLeft(others: ReadonlySet<number>): boolean {
  return descendants().some((pid) => {
    if (others.has(pid)) return false;
    try {
      const [state = ""] = Deno.readTextFileSync(`/proc/${pid}/stat`)
        .split(") ").slice(1);
      return !state.startsWith("Z");
    } catch (thrown) {
      if (thrown instanceof Deno.errors.NotFound) return false;
      throw thrown;
    }
  });
}

Deno.test("delete --force cleans up after a create that was killed", async () => {
  using self = new Process();
  // Tests before this one may have left a hook's child to end by itself.
  const others = new Set(descendants());
  self.becomeSubreaper();
  for (let round = 0; round < ROUNDS; round++) {
    await using box = new TestContainer(["sleep", "1000"]);
    const child = new Deno.Command(RUNSC[0]!, {
      args: [
        ...RUNSC.slice(1),
        "--root",
        box.root,
        "create",
        "-b",
        box.directory,
        box.id,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await new Promise((done) =>
      setTimeout(done, round * LONGEST_DELAY_MS / ROUNDS)
    );
    try {
      child.kill("SIGKILL");
    } catch (thrown) {
      // It was faster.
      if (!(thrown instanceof TypeError)) throw thrown;
    }
    await child.status;
    assertEquals((await box.runsc("delete", "--force", box.id)).code, 0);
    assertEquals(await box.status(), "absent");
    // What no state file knows of ends by itself.
    while (isSandboxLeft(others)) {
      await new Promise((done) => setTimeout(done, 10));
    }
  }
});
