/**
 * What a process sets for itself. Steps that cannot be undone run in a child.
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Process } from "./process.ts";

const RLIMIT_NOFILE = 7;
const SIGUSR2 = 12;

function status(field: string): string {
  const text = Deno.readTextFileSync("/proc/self/status");
  return new RegExp(`^${field}:\\s*(\\S*)`, "m").exec(text)?.[1] ?? "";
}

Deno.test("setName() shows in ps, cut to 15 bytes", () => {
  using process = new Process();
  process.setName("a-name-longer-than-that");
  // The runner gives every test file a thread; a name is a thread's.
  const comm = Deno.readTextFileSync("/proc/thread-self/comm");
  assertEquals(comm, "a-name-longer-t\n");
});

Deno.test("limit() and setLimit() read and lower a limit", () => {
  using process = new Process();
  const before = process.limit(RLIMIT_NOFILE);
  assert(before.soft > 100);
  const lower = { soft: before.soft - 1, hard: before.hard };
  process.setLimit(RLIMIT_NOFILE, lower);
  assertEquals(process.limit(RLIMIT_NOFILE), lower);
  process.setLimit(RLIMIT_NOFILE, before);
});

Deno.test("ignoreSignal() and defaultSignal() change the action", () => {
  using process = new Process();
  const bit = 1n << BigInt(SIGUSR2 - 1);
  const isIgnored = () => (BigInt(`0x${status("SigIgn")}`) & bit) !== 0n;
  process.ignoreSignal(SIGUSR2);
  assertEquals(isIgnored(), true);
  process.defaultSignal(SIGUSR2);
  assertEquals(isIgnored(), false);
});

/** Runs `script` in a Deno of its own, with `Process` imported. */
function inChild(script: string): string {
  const module = new URL("process.ts", import.meta.url).href;
  const config = new URL("../deno.json", import.meta.url).pathname;
  const { stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--quiet",
      `--config=${config}`,
      "--ext=ts",
      `import { Process } from "${module}"; const self = new Process(); ${script}`,
    ],
  }).outputSync();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

Deno.test("closeOthers() leaves the descriptors that it is given", () => {
  const text = inChild(`
    const fds = () => [...Deno.readDirSync("/proc/self/fd")].map((e) => e.name);
    self.closeOthers([2, 0, 1, 2]);
    const left = fds();
    self.ignoreHarmfulSignals();
    Deno.kill(Deno.pid, "SIGUSR1");
    console.log(left.join());
    Deno.exit();
  `);
  // The fourth is the directory's own.
  assertEquals(text, "0,1,2,3\n");
});

Deno.test("forbidDumps() and becomeSubreaper() are accepted by the host", () => {
  const text = inChild(`
    self.becomeSubreaper();
    self.setDeathSignal(9);
    self.forbidDumps();
    console.log("done");
  `);
  assertStringIncludes(text, "done");
});
