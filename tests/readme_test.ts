/**
 * The README keeps its promises: its example is run as it stands, its two
 * set-up commands name tasks that exist and the version that CI uses.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";

const ROOT = new URL("..", import.meta.url).pathname;
const readme = Deno.readTextFileSync(join(ROOT, "README.md"));

Deno.test("the README's example runs", async () => {
  const example = /```ts\n([^]*?)```/.exec(readme)?.[1];
  assert(example !== undefined, "README.md has no example");
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const module = new URL("../mod.ts", import.meta.url).href;
    await Deno.writeTextFile(file, example.replace("./mod.ts", module));
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", `--config=${join(ROOT, "deno.json")}`, file],
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertEquals(text(stderr), "");
    assertEquals(text(stdout), "0 hello world\n\n");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("the README's commands are tasks, run by the Deno that CI uses", () => {
  const config = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json")));
  const ci = Deno.readTextFileSync(join(ROOT, ".ci/run"));
  const version = /DENO_VERSION=(\S+)/.exec(ci)?.[1];
  const commands = [...readme.matchAll(/^npx -y deno@(\S+) task (\S+)/gm)];
  assertEquals(commands.map(([, , task]) => task), ["runsc", "ok"]);
  for (const [, deno, task] of commands) {
    assertEquals(deno, version);
    assert(task !== undefined && task in config.tasks);
  }
});
