/** Whoever dies first, the rest follows, and the user learns why. */
import { assertEquals, assertRejects } from "@std/assert";
import { RuntimeError } from "../../cmd/runtime_error.ts";
import { descendants, startSandbox } from "./sandboxes.ts";

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
