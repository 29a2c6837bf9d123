/**
 * SIGKILL at any moment, to any process of a sandbox: the sandbox ends, runsc
 * says why in one line, and nothing is left. RUNSC_ROUNDS repeats it more often,
 * RUNSC_SEED repeats a run.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { RUNSC } from "./command.ts";
import { descendants } from "./sandboxes.ts";

const ROUNDS = Number(Deno.env.get("RUNSC_ROUNDS") ?? "8");
const SEED = Number(Deno.env.get("RUNSC_SEED") ?? Date.now() % 1_000_000);
/** A start takes about as long: the kill falls before, within or after it. */
const LONGEST_DELAY_MS = 400;
/** A death that matters is noticed within it. */
const NOTICE_MS = 500;
const BUSY = "while :; do /bin/true | cat; done";

/** Numbers below 1 from a seed (a linear congruential generator). */
function generator(seed: number): () => number {
  let state = seed % 2147483647 || 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Kills one descendant of runsc; false if there was none to kill. */
function killOne(runsc: number, random: () => number): boolean {
  const all = descendants(runsc);
  const victim = all[Math.floor(random() * all.length)];
  if (victim === undefined) return false;
  try {
    Deno.kill(victim, "SIGKILL");
    return true;
  } catch (thrown) {
    // It ended by itself between the look and the kill.
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}

Deno.test(`a process killed at any moment ends the sandbox cleanly (seed ${SEED})`, async () => {
  const before = descendants();
  const random = generator(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const child = new Deno.Command(RUNSC[0]!, {
      args: [...RUNSC.slice(1), "do", "sh", "-c", BUSY],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    await pause(random() * LONGEST_DELAY_MS);
    const output = child.output();
    let hasEnded = false;
    const ended = output.then(() => hasEnded = true);
    // The process of a program that just exited is on its way out already, and
    // nobody misses it: then it is another's turn.
    while (!hasEnded) {
      const isKilled = killOne(child.pid, random);
      await Promise.race([ended, pause(isKilled ? NOTICE_MS : 5)]);
    }
    const { code, stderr } = await output;
    const said = new TextDecoder().decode(stderr).trimEnd();
    assert(code !== 0, `round ${round}: status 0, ${said}`);
    assertEquals(said.split("\n").length, 1, `round ${round}: ${said}`);
    assert(
      said.startsWith("runsc: "),
      `round ${round}: status ${code}, ${said}`,
    );
  }
  assertEquals(descendants(), before);
});
