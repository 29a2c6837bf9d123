/**
 * The ptrace platform in a process that has locked itself down, and how far
 * its stubs are locked down themselves.
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { SPIN } from "./assembler.ts";
import { Machine } from "./machine.ts";
import { ptrace } from "./ptrace_plugin.ts";

async function runLocked(how: string): Promise<void> {
  const script = new URL("./locked_guest.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", "--no-check", fromFileUrl(script), how],
    stdout: "null",
    stderr: "piped",
  });
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
