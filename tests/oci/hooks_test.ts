/** Hooks: their points, what they are told, and what their failure means. */
import { assertEquals, assertMatch } from "@std/assert";
import { TestContainer } from "./bundle.ts";

function logging(point: string) {
  return {
    path: "/bin/sh",
    args: ["sh", "-c", `cat >>"$OUT"; echo " ${point}" >>"$OUT"`],
  };
}

Deno.test("hooks run at their points with the state on standard input", async () => {
  const out = Deno.makeTempFileSync();
  const points = [
    "prestart",
    "createRuntime",
    "createContainer",
    "poststart",
    "poststop",
  ];
  const hooks = Object.fromEntries(
    points.map((point) => [
      point,
      [{ ...logging(point), env: [`OUT=${out}`, "PATH=/bin"] }],
    ]),
  );
  await using box = new TestContainer(["true"], { hooks });
  await box.create("--pid-file", box.path("pid"));
  await box.runsc("start", box.id);
  await box.runsc("wait", box.id);
  await box.runsc("delete", box.id);
  const lines = Deno.readTextFileSync(out).trimEnd().split("\n");
  Deno.removeSync(out);
  const told = lines.map((line) => {
    const brace = line.lastIndexOf("}") + 1;
    const { id, status, pid } = JSON.parse(line.slice(0, brace));
    assertEquals(id, "box");
    assertEquals(pid, status === "stopped" ? 0 : Number(box.read("pid")));
    return `${line.slice(brace + 1)} ${status}`;
  });
  assertEquals(told, [
    "prestart creating",
    "createRuntime creating",
    "createContainer creating",
    "poststart running",
    "poststop stopped",
  ]);
});

Deno.test("a hook that fails or takes too long ends create", async () => {
  const cases: [string, Record<string, unknown>, RegExp][] = [
    ["echo no network >&2; exit 4", {}, /exited with status 4: no network$/],
    ["sleep 1000", { timeout: 1 }, /took longer than 1 s$/],
  ];
  for (const [script, limits, message] of cases) {
    const hook = { path: "/bin/sh", args: ["sh", "-c", script], ...limits };
    await using box = new TestContainer(["true"], {
      hooks: { prestart: [{ ...hook, env: ["PATH=/bin"] }] },
    });
    const { code, stderr } = await box.create();
    assertEquals(code, 1);
    assertMatch(stderr.trimEnd(), message);
    assertEquals(await box.status(), "absent");
  }
});
