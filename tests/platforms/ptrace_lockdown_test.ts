/**
 * The ptrace platform in a process that has locked itself down, and how far
 * its stubs are locked down themselves.
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { SPIN } from "./assembler.ts";
import { Machine } from "./machine.ts";
import { ptrace } from "./ptrace_plugin.ts";

function lockedGuest(how: string): Deno.Command {
  const script = new URL("./locked_guest.ts", import.meta.url);
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", "--no-check", fromFileUrl(script), how],
    stdout: "piped",
    stderr: "piped",
  });
}

async function runLocked(how: string): Promise<void> {
  const child = lockedGuest(how);
  const { code, signal, stderr } = await child.output();
  const said = new TextDecoder().decode(stderr);
  assertEquals({ code, signal, said }, { code: 0, signal: null, said: "" });
}

Deno.test("libptrace needs no host call that host_calls.ts does not list", () =>
  runLocked("filter"));

Deno.test({
  name: "libptrace goes on and ends its stubs after a change of user id",
  ignore: Deno.uid() !== 0, // needs a user who may change it
  fn: () => runLocked("ids"),
});

/** State letter of a process; "X" if there is none. */
function stateOf(pid: string): string {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2).charAt(0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "X";
    throw error;
  }
}

Deno.test("no stub survives a tracer that is killed", async () => {
  await using child = lockedGuest("orphan").spawn();
  const pids: string[] = [];
  let text = "";
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    if (!text.endsWith("\n")) continue;
    pids.push(...text.trim().split(" "));
    break;
  }
  assert(pids.length >= 2, text);
  child.kill("SIGKILL");
  await child.stderr.cancel();
  await child.status;
  // Their end was ordered with that of their tracer; it may take a moment.
  const isAlive = (pid: string) => !["X", "Z"].includes(stateOf(pid));
  for (let i = 0; i < 100_000 && pids.some(isAlive); i++);
  assertEquals(pids.filter(isAlive), []);
});

Deno.test("stubs have a filter, no capabilities and no way to get any", () => {
  using machine = new Machine(ptrace);
  const guest = machine.newGuest(SPIN);
  guest.resume();
  const stubs = ptrace.guestProcesses() ?? [];
  assertEquals(stubs.length, 2);
  for (const pid of stubs) {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    assertMatch(status, /^NoNewPrivs:\s1$/m);
    assertMatch(status, /^Seccomp:\s2$/m);
    for (const set of ["Eff", "Prm", "Inh", "Amb"]) {
      assertMatch(status, new RegExp(`^Cap${set}:\\s0+$`, "m"));
    }
  }
});

Deno.test("a stub maps nothing but what stub_layout.h and the guest say", () => {
  using machine = new Machine(ptrace);
  const guest = machine.newGuest(SPIN);
  guest.resume();
  const pid = Math.max(...ptrace.guestProcesses() ?? []);
  const maps = Deno.readTextFileSync(`/proc/${pid}/maps`).trim().split("\n");
  const seen = maps.map((line) => line.split(/\s+/).slice(0, 2).join(" "));
  assertEquals(seen, [
    "00400000-00401000 r-xs",
    "700010000000-700010001000 rw-s",
    "7fffffff0000-7fffffff8000 rw-p",
    "7fffffff8000-7fffffffc000 r--s",
    "7fffffffc000-7fffffffd000 r-xp",
    ...seen.filter((range) => range.startsWith("ffffffffff600000-")),
  ]);
});
