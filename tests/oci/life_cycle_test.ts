/** The state machine of a container, as engines drive it. */
import { assertEquals, assertMatch } from "@std/assert";
import { Process } from "../../ffi/process.ts";
import { Spawner } from "../../ffi/spawn.ts";
import { TestContainer } from "./bundle.ts";

const WAITS = [
  "sh",
  "-c",
  "trap 'echo term; exit 3' TERM; echo up; while :; do sleep 0.05; done",
];

Deno.test("create makes a container whose program has not run; start runs it", async () => {
  await using box = new TestContainer(["sh", "-c", "echo ran; exit 3"]);
  assertEquals((await box.create("--pid-file", box.path("pid"))).code, 0);
  assertEquals(await box.status(), "created");
  assertEquals(box.read("out"), "");
  const { stdout } = await box.runsc("state", box.id);
  const state = JSON.parse(stdout);
  assertEquals(state.pid, Number(box.read("pid")));
  assertEquals(state.bundle, box.directory);

  assertEquals((await box.runsc("start", box.id)).code, 0);
  const ended = await box.runsc("wait", box.id);
  assertEquals(JSON.parse(ended.stdout), { id: "box", exitStatus: 3 });
  assertEquals(box.read("out"), "ran\n");
  assertEquals(await box.status(), "stopped");
  const again = await box.runsc("start", box.id);
  assertEquals(again.code, 1);
  assertEquals((await box.runsc("delete", box.id)).code, 0);
  assertEquals(await box.status(), "absent");
});

Deno.test("the process of the pid file ends as the container does", async () => {
  // As an engine's shim, which the orphaned process comes to.
  using self = new Process();
  self.becomeSubreaper();
  using spawner = new Spawner();
  const cases: [string, { exitCode: number } | { signal: number }][] = [
    ["exit 7", { exitCode: 7 }],
    ["sleep 1000", { signal: 9 }],
  ];
  for (const [script, ending] of cases) {
    await using box = new TestContainer(["sh", "-c", script]);
    await box.create("--pid-file", box.path("pid"));
    const pidfd = spawner.openPidfd(Number(box.read("pid")));
    await box.runsc("start", box.id);
    if ("signal" in ending) await box.runsc("kill", box.id, "KILL");
    assertEquals(spawner.wait(pidfd, -1), ending);
    spawner.close(pidfd);
  }
});

Deno.test("kill passes a signal on; delete refuses what runs", async () => {
  await using box = new TestContainer(WAITS);
  const started = await box.toFiles("run", "-d", "-b", box.directory, box.id);
  assertEquals(started.code, 0);
  const refused = await box.runsc("delete", box.id);
  assertEquals(refused.code, 1);
  assertEquals(
    refused.stderr,
    "runsc: cannot delete container box that is not stopped: running\n",
  );
  while (!box.read("out").includes("up")) await box.status();
  assertEquals((await box.runsc("kill", box.id, "15")).code, 0);
  const { stdout } = await box.runsc("wait", box.id);
  assertEquals(JSON.parse(stdout).exitStatus, 3);
  assertEquals(box.read("out"), "up\nterm\n");
  const late = await box.runsc("kill", box.id, "KILL");
  assertEquals([late.code, late.stderr], [
    1,
    "runsc: container not running\n",
  ]);
  assertEquals((await box.runsc("kill", "--all", box.id, "KILL")).code, 0);
});

Deno.test("a created container can be killed and deleted", async () => {
  await using box = new TestContainer(WAITS);
  await box.create();
  await box.runsc("kill", box.id, "TERM");
  const { stdout } = await box.runsc("wait", box.id);
  assertEquals(JSON.parse(stdout).exitStatus, 143);
  await box.runsc("delete", box.id);
  await box.create();
  assertEquals((await box.runsc("delete", box.id)).code, 0);
  assertEquals(box.read("out"), "");
});

Deno.test("pause freezes, resume lets go on", async () => {
  await using box = new TestContainer(WAITS);
  await box.toFiles("run", "-d", "-b", box.directory, box.id);
  assertEquals((await box.runsc("pause", box.id)).code, 0);
  assertEquals(await box.status(), "paused");
  assertEquals((await box.runsc("pause", box.id)).code, 1);
  const refused = await box.runsc("exec", box.id, "true");
  assertEquals(refused.code, 1);
  assertEquals((await box.runsc("resume", box.id)).code, 0);
  assertEquals((await box.runsc("exec", box.id, "true")).code, 0);
});

Deno.test("create says what is wrong, and leaves nothing", async () => {
  const cases: [string, number, RegExp][] = [
    ["/nowhere", 127, /: executable file not found: no such file/],
    ["/etc/passwd", 126, /: permission denied$/],
  ];
  for (const [program, status, message] of cases) {
    await using box = new TestContainer([program]);
    const { code, stderr } = await box.create(
      "--pid-file",
      box.path("pid"),
    );
    assertEquals(code, status);
    assertMatch(stderr.trimEnd(), message);
    assertEquals(await box.status(), "absent");
  }
});

Deno.test("a name is taken once", async () => {
  await using box = new TestContainer(WAITS);
  await box.create();
  const { code, stderr } = await box.create();
  assertEquals(code, 1);
  assertEquals(stderr, "runsc: container with given ID already exists: box\n");
});

Deno.test("--log gets errors as engines read them", async () => {
  await using box = new TestContainer(["true"]);
  const log = box.path("log.json");
  await box.runsc("--log", log, "--log-format", "json", "start", "box");
  const { level, msg } = JSON.parse(box.read("log.json"));
  assertEquals([level, msg], ["error", "container does not exist: box"]);
});

Deno.test("list shows containers as table, as JSON and by name", async () => {
  await using box = new TestContainer(WAITS);
  assertEquals((await box.runsc("list", "-q")).stdout, "");
  await box.create();
  assertEquals((await box.runsc("list", "-q")).stdout, "box\n");
  const { stdout } = await box.runsc("list", "--format", "json");
  assertEquals(JSON.parse(stdout)[0].status, "created");
  assertMatch((await box.runsc("list")).stdout, /^ID +PID +STATUS.*\nbox +/);
});

Deno.test("run --keep leaves a stopped container", async () => {
  await using box = new TestContainer(["true"]);
  await box.runsc("run", "--keep", "-b", box.directory, box.id);
  assertEquals(await box.status(), "stopped");
  await box.runsc("delete", box.id);
  await box.runsc("run", "-b", box.directory, box.id);
  assertEquals(await box.status(), "absent");
});
