/** The embedding API, as a program would use it. */
import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { RuntimeError, Sandbox } from "../../mod.ts";
import { descendants } from "./sandboxes.ts";

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

Deno.test("Sandbox.create() runs a program and gathers what it writes", async () => {
  const before = descendants();
  {
    await using sandbox = await Sandbox.create({
      args: ["sh", "-c", "echo $((6 * 7)) | tee /etc/answer; echo e >&2"],
    });
    const { code, stdout, stderr } = await sandbox.first.output();
    assertEquals([code, text(stdout), text(stderr)], [0, "42\n", "e\n"]);
  }
  assertEquals(descendants(), before);
});

Deno.test("Sandbox.create() reports a status or a signal", async () => {
  await using failing = await Sandbox.create({ args: ["sh", "-c", "exit 3"] });
  assertEquals(await failing.first.status, {
    success: false,
    code: 3,
    signal: null,
  });
  await using killed = await Sandbox.create({
    args: ["sh", "-c", "kill -9 $$"],
  });
  assertEquals(await killed.first.status, {
    success: false,
    code: 137,
    signal: "SIGKILL",
  });
});

Deno.test("Sandbox.create() rejects for a program that is not there", async () => {
  const before = descendants();
  const fds = [...Deno.readDirSync("/proc/self/fd")].length;
  const error = await assertRejects(
    () => Sandbox.create({ args: ["/nowhere"], stdin: "piped" }),
    RuntimeError,
  );
  assertEquals(error.status, 127);
  assertEquals(descendants(), before);
  assertEquals([...Deno.readDirSync("/proc/self/fd")].length, fds);
});

Deno.test("Sandbox streams what it is given", async () => {
  await using sandbox = await Sandbox.create({
    args: ["cat"],
    stdin: "piped",
  });
  const writer = sandbox.first.stdin.getWriter();
  await writer.write(new TextEncoder().encode("a line\n"));
  await writer.close();
  const { stdout } = await sandbox.first.output();
  assertEquals(text(stdout), "a line\n");
});

Deno.test("Sandbox.exec() adds processes that share the files", async () => {
  await using sandbox = await Sandbox.create({
    args: ["sh", "-c", "echo one > /tmp/f; read end"],
    stdin: "piped",
  });
  const wait = "until test -s /tmp/f; do sleep 0.01; done; cat /tmp/f; exit 4";
  const second = await sandbox.exec({ args: ["sh", "-c", wait] });
  const { code, stdout } = await second.output();
  assertEquals([code, text(stdout)], [4, "one\n"]);
  await assertRejects(
    () => sandbox.exec({ args: ["/nowhere"] }),
    RuntimeError,
    "/nowhere: executable file not found",
  );
  await sandbox.first.stdin.close();
  await sandbox.first.status;
});

Deno.test("SandboxProcess.kill() ends a process", async () => {
  await using sandbox = await Sandbox.create({ args: ["sleep", "1000"] });
  await sandbox.first.kill("SIGTERM");
  assertEquals((await sandbox.first.status).signal, "SIGTERM");
});

Deno.test("Sandbox shares the paths that it is told to, and no others", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(dir, "shared"));
    await using sandbox = await Sandbox.create({
      args: ["sh", "-c", `echo in > /mnt/x; echo out > ${dir}/y; cat ${dir}/y`],
      shares: [
        { source: join(dir, "shared"), target: "/mnt", isReadOnly: false },
      ],
    });
    const { code, stdout } = await sandbox.first.output();
    assertEquals([code, text(stdout)], [0, "out\n"]);
    assertEquals(await Deno.readTextFile(join(dir, "shared", "x")), "in\n");
    assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), [
      "shared",
    ]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
