/** Whoever dies first, the rest follows, and the user learns why. */
import { assertEquals, assertRejects } from "@std/assert";
import { DescriptorMaker } from "../../ffi/files.ts";
import { Spawner } from "../../ffi/spawn.ts";
import { POLLIN } from "../../kernel/abi/poll.ts";
import { RuntimeError } from "../../cmd/runtime_error.ts";
import { RUNSC } from "./command.ts";
import { descendants, startSandbox } from "./sandboxes.ts";

/** Longest wait for something that must come. */
const PATIENCE_MS = 20_000;

Deno.test("a killed Sentry ends the sandbox with a reason", async () => {
  const before = descendants();
  await using sandbox = startSandbox(["/bin/true"]);
  await sandbox.ready;
  Deno.kill(sandbox.sentryPid, "SIGKILL");
  const error = await assertRejects(() => sandbox.wait(), RuntimeError);
  assertEquals(error.message, "the sandbox was killed (SIGKILL)");
  assertEquals(error.status, 70);
  await sandbox.close();
  assertEquals(descendants(), before);
});

Deno.test("a killed file server ends the sandbox with a reason", async () => {
  const before = descendants();
  await using sandbox = startSandbox(["/bin/true"]);
  await sandbox.ready;
  Deno.kill(sandbox.goferPid, "SIGKILL");
  const error = await assertRejects(() => sandbox.wait(), RuntimeError);
  assertEquals(error.message, "the file server (gofer) was killed (SIGKILL)");
  assertEquals(error.status, 74);
  await sandbox.close();
  assertEquals(descendants(), before);
});

Deno.test("a Sentry that is killed before it is ready is reported, too", async () => {
  await using sandbox = startSandbox(["/bin/true"]);
  Deno.kill(sandbox.sentryPid, "SIGKILL");
  const error = await assertRejects(() => sandbox.ready, RuntimeError);
  assertEquals(error.message, "the sandbox was killed (SIGKILL)");
});

Deno.test("close() leaves nothing, whatever the sandbox does", async () => {
  const before = descendants();
  const fds = [...Deno.readDirSync("/proc/self/fd")].length;
  {
    await using early = startSandbox(["/bin/true"]);
    await early.close();
    await using late = startSandbox(["/bin/true"]);
    await late.ready;
  }
  assertEquals(descendants(), before);
  assertEquals([...Deno.readDirSync("/proc/self/fd")].length, fds);
});

Deno.test("a killed runsc takes the whole sandbox with it", async () => {
  const child = new Deno.Command(RUNSC[0]!, {
    args: [...RUNSC.slice(1), "do", "sh", "-c", "echo up; exec sleep 1000"],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read(); // "up": everything runs
  using spawner = new Spawner();
  using descriptors = new DescriptorMaker();
  const pidfds = descendants(child.pid).map((pid) => spawner.openPidfd(pid));
  // The Sentry, the file server, the stub template and the program's stub.
  assertEquals(pidfds.length >= 4, true);
  child.kill("SIGKILL");
  await child.status;
  for (const pidfd of pidfds) {
    const events = descriptors.poll(pidfd, POLLIN, PATIENCE_MS);
    assertEquals(events & POLLIN, POLLIN);
    spawner.close(pidfd);
  }
  assertEquals((await reader.read()).done, true);
});

Deno.test("runsc passes signals on and reports how the program ended", async () => {
  for (const [signal, status] of [["SIGTERM", 143], ["SIGINT", 42]] as const) {
    const child = new Deno.Command(RUNSC[0]!, {
      args: [
        ...RUNSC.slice(1),
        "do",
        "sh",
        "-c",
        "trap 'exit 42' INT; echo up; while :; do sleep 0.01; done",
      ],
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill(signal);
    assertEquals((await child.status).code, status);
    await reader.cancel();
  }
});
