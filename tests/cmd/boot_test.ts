/** The boot sequence: every step can fail, and then nothing is left. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { RuntimeError } from "../../cmd/runtime_error.ts";
import { descendants, startSandbox } from "./sandboxes.ts";

const STEPS = [
  "memory file",
  "platform",
  "reactor",
  "host",
  "streams",
  "compile filter",
  "empty root",
  "ids",
  "capabilities",
  "process",
  "permissions",
  "filter",
  "ambient names",
  "kernel",
  "mounts",
];

Deno.test("boot reports its steps in order", async () => {
  await using sandbox = startSandbox(["/bin/true"]);
  const timeline = await sandbox.ready;
  const steps = timeline.map(({ step }) => step);
  // An ordinary user has no other ids to take.
  const isRoot = Deno.uid() === 0;
  assertEquals(steps, [
    "host library",
    "spec",
    ...STEPS.filter((step) => isRoot || step !== "ids"),
  ]);
});

for (const step of STEPS) {
  Deno.test({
    name: `boot names the step "${step}" if it fails, and ends`,
    ignore: step === "ids" && Deno.uid() !== 0,
    fn: async () => {
      const before = descendants();
      await using sandbox = startSandbox(["/bin/true"], {
        test: { failAt: step, allowsProbe: false },
      });
      const error = await assertRejects(() => sandbox.wait(), RuntimeError);
      assertStringIncludes(error.message, `step "${step}"`);
      await sandbox.close();
      assertEquals(descendants(), before);
    },
  });
}

Deno.test("boot tells a program that is missing from one that cannot run", async () => {
  const cases: [string, number, string][] = [
    ["/nowhere/program", 127, "/nowhere/program: executable file not found"],
    ["no-such-program", 127, "no-such-program: executable file not found"],
    ["/etc/passwd", 126, "/etc/passwd: permission denied"],
    ["/etc", 126, "/etc: permission denied"],
  ];
  for (const [program, status, message] of cases) {
    await using sandbox = startSandbox([program], { waitsForStart: false });
    const error = await assertRejects(() => sandbox.wait(), RuntimeError);
    assertEquals((error as RuntimeError).status, status);
    assertStringIncludes(error.message, message);
  }
});
