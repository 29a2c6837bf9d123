/**
 * What code could do that got into the locked Sentry: nothing by a name in
 * JavaScript, nothing with Deno's own functions, and no system call beyond the
 * list even through what the host library still binds.
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { RunningSandbox } from "../../cmd/sandbox/running_sandbox.ts";
import { RuntimeError } from "../../cmd/runtime_error.ts";
import { startSandbox } from "./sandboxes.ts";

async function withSandbox(test: (sandbox: RunningSandbox) => Promise<void>) {
  await using sandbox = startSandbox(["/bin/true"], {
    test: { failAt: "", allowsProbe: true },
  });
  await sandbox.ready;
  await test(sandbox);
}

/** Forbidden to JavaScript: an exception says so, the process lives on. */
const REFUSED: Readonly<Record<string, [string, RegExp]>> = {
  "the name Deno": ["return typeof Deno", /^undefined$/],
  "the name process": ["return typeof globalThis.process", /^undefined$/],
  "the name Worker": ["return typeof Worker", /^undefined$/],
  "the name WebAssembly": ["return typeof WebAssembly", /^undefined$/],
  "the name fetch": ["return typeof fetch", /^undefined$/],
  "reading a file": ["deno.readFileSync('/etc/passwd')", /NotCapable/],
  "writing a file": ["deno.writeTextFileSync('/x', '')", /NotCapable/],
  "listing a directory": ["[...deno.readDirSync('/')]", /NotCapable/],
  "listening": ["deno.listen({ port: 1 })", /NotCapable/],
  "the environment": ["deno.env.get('PATH')", /NotCapable/],
  "making a pointer": ["deno.UnsafePointer.create(4096n)", /NotCapable/],
  "killing a process": ["deno.kill(2, 'SIGKILL')", /NotCapable/],
  "asking for permissions": [
    "return deno.permissions.requestSync({ name: 'ffi' }).state",
    /^(denied|prompt)$/,
  ],
  "opening a file through the host library": [
    "descriptors.open('/etc/passwd', 0)",
    /ENOENT/,
  ],
};

Deno.test("the locked Sentry refuses JavaScript every power", async () => {
  await withSandbox(async (sandbox) => {
    for (const [what, [source, expected]] of Object.entries(REFUSED)) {
      const answer = String(await sandbox.probe(source));
      assertMatch(answer, expected, `${what}: ${answer}`);
    }
  });
});

/** What JavaScript can still begin, and no system call can finish. */
const KILLED: Readonly<Record<string, string>> = {
  "a new process":
    `spawner.spawn({ path: '/x', args: ['x'], env: {}, fds: [] })`,
  "a pidfd": "spawner.openPidfd(1)",
  "a socket pair": "channels.pair()",
  "a pipe": "descriptors.pipe()",
  "a memory file": "descriptors.sealed(new Uint8Array(1))",
  "a mount": "confinement.enterRoot()",
  "other ids": "confinement.setIds(0, 0)",
  "prctl": "process.setName('other')",
  "a resource limit": "process.setLimit(7, { soft: 1, hard: 1 })",
  "another descriptor": "descriptors.duplicate(0)",
};

for (const [what, source] of Object.entries(KILLED)) {
  Deno.test(`the locked Sentry is killed for ${what}`, async () => {
    await withSandbox(async (sandbox) => {
      const error = await assertRejects(
        () => sandbox.probe(source),
        RuntimeError,
      );
      assertEquals(error.message, "the sandbox was killed (SIGSYS)");
    });
  });
}

Deno.test("the locked Sentry has nothing in /proc that it had before", async () => {
  await withSandbox(async (sandbox) => {
    const status = await Deno.readTextFile(`/proc/${sandbox.sentryPid}/status`);
    const field = (name: string) =>
      new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1];
    assertEquals(field("CapEff"), "0000000000000000");
    assertEquals(field("CapPrm"), "0000000000000000");
    // The bounding set matters to execve(2) only, which the filter forbids.
    assertEquals(field("NoNewPrivs"), "1");
    assertEquals(field("Seccomp"), "2");
    if (Deno.uid() === 0) {
      assertEquals(field("Uid"), "65534\t65534\t65534\t65534");
      const root = [...Deno.readDirSync(`/proc/${sandbox.sentryPid}/root`)];
      assertEquals(root, []);
    }
    for (const name of ["net", "mnt", "pid", "ipc", "uts", "user"]) {
      const link = (pid: number | "self") =>
        Deno.readLinkSync(`/proc/${pid}/ns/${name}`);
      assertEquals(link(sandbox.sentryPid) === link("self"), false, name);
    }
  });
});

Deno.test("the Sentry takes no probe without a test's spec", async () => {
  await using sandbox = startSandbox(["/bin/true"]);
  await sandbox.ready;
  const error = await assertRejects(
    () => sandbox.probe("return 1"),
    RuntimeError,
  );
  assertEquals(error.message, "the sandbox has no such call");
});
