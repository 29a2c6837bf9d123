/** Further processes, their flags, pids and ends. */
import { assertEquals, assertMatch } from "@std/assert";
import { Process } from "../../ffi/process.ts";
import { Spawner } from "../../ffi/spawn.ts";
import { TestContainer } from "./bundle.ts";

async function running(): Promise<TestContainer> {
  const box = new TestContainer(["sleep", "1000"]);
  await box.toFiles("run", "-d", "-b", box.directory, box.id);
  return box;
}

Deno.test("exec runs a program as flags say, and ends as it does", async () => {
  await using box = await running();
  const { code, stdout } = await box.runsc(
    "exec",
    "--env=A=b",
    "--cwd=/usr",
    "--user=7:8",
    box.id,
    "sh",
    "-c",
    "echo $A $PWD $(id -u) $(id -g); exit 9",
  );
  assertEquals([code, stdout], [9, "b /usr 7 8\n"]);
  assertEquals((await box.runsc("exec", box.id, "/nowhere")).code, 127);
  const killed = await box.runsc("exec", box.id, "sh", "-c", "kill -9 $$");
  assertEquals(killed.code, 137);
});

Deno.test("exec --process takes a process.json", async () => {
  await using box = await running();
  const path = box.path("process.json");
  Deno.writeTextFileSync(
    path,
    JSON.stringify({
      cwd: "/",
      args: ["/bin/sh", "-c", "echo $X"],
      env: ["X=y"],
    }),
  );
  const { stdout } = await box.runsc("exec", "--process", path, box.id);
  assertEquals(stdout, "y\n");
  Deno.writeTextFileSync(path, JSON.stringify({ cwd: "/", args: 1 }));
  const { stderr } = await box.runsc("exec", "--process", path, box.id);
  assertMatch(stderr, /process.json: args: expected an array, not 1$/m);
});

Deno.test("exec --detach leaves a process of the host that stands for it", async () => {
  using self = new Process();
  self.becomeSubreaper();
  using spawner = new Spawner();
  await using box = await running();
  const start = async (...script: string[]) => {
    const { code } = await box.toFiles(
      "exec",
      "--detach",
      "--pid-file",
      box.path("pid"),
      box.id,
      ...script,
    );
    assertEquals(code, 0);
    return spawner.openPidfd(Number(box.read("pid")));
  };

  const ends = await start("sh", "-c", "exit 6");
  assertEquals(spawner.wait(ends, -1), { exitCode: 6 });
  const killed = await start("sleep", "1000");
  const { stdout } = await box.runsc("ps", "--format", "json", box.id);
  assertEquals(JSON.parse(stdout).includes(Number(box.read("pid"))), true);
  spawner.kill(killed, 15);
  assertEquals(spawner.wait(killed, -1), { signal: 15 });
  const orphan = await start("sleep", "1000");
  await box.runsc("kill", box.id, "KILL");
  assertEquals(spawner.wait(orphan, -1), { signal: 9 });
  for (const pidfd of [ends, killed, orphan]) spawner.close(pidfd);
});
