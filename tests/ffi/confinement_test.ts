/**
 * A Deno process that took its own authority away: it still works, it sees
 * nothing, it may do nothing, and all of its threads are in the same state.
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DescriptorMaker } from "../../ffi/files.ts";
import { type Ending, Spawner, type SpawnOptions } from "../../ffi/spawn.ts";
import type { Orders } from "./confined_program.ts";

const POLLIN = 1;
const CAP_DAC_OVERRIDE = 1;
const SIGSYS = 31;
const PROGRAM = new URL("confined_program.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const isRoot = Deno.uid() === 0;

/** An unprivileged user can do all of this too, in a user namespace. */
const USER_NAMESPACE: Partial<SpawnOptions> = {
  namespaces: ["user", "mount", "pid", "network", "ipc", "uts"],
  uidMap: [{ inside: 0, outside: Deno.uid() ?? 0, count: 1 }],
  gidMap: [{ inside: 0, outside: Deno.gid() ?? 0, count: 1 }],
  denySetgroups: true,
};

interface Confined {
  /** /proc/<pid>/task/<tid>/status of every thread when it was ready. */
  readonly threads: readonly string[];
  readonly seen: Record<string, unknown>;
  readonly ending: Ending | null;
}

function runConfined(
  orders: Partial<Orders>,
  options: Partial<SpawnOptions> = USER_NAMESPACE,
): Confined {
  using spawner = new Spawner();
  using maker = new DescriptorMaker();
  const [stdin, toChild] = maker.pipe();
  const [fromChild, stdout] = maker.pipe();
  const full: Orders = {
    task: "work",
    mounts: [],
    keepCapabilities: [],
    otherwise: "kill",
    ...orders,
  };
  const child = spawner.spawn({
    path: Deno.execPath(),
    args: [
      "deno",
      "run",
      "-q",
      "-A",
      "--no-prompt",
      "--no-check",
      // Else the runtime looks into its cache file when it is to compile one
      // of its own parts, which under a filter is the end, or a wait.
      "--no-code-cache",
      `--config=${CONFIG}`,
      PROGRAM,
      JSON.stringify(full),
    ],
    env: Deno.env.toObject(),
    fds: [stdin, stdout, 2],
    deathSignal: 9,
    ...options,
  });
  maker.close(stdin);
  maker.close(stdout);
  let text = "";
  const chunk = new Uint8Array(65536);
  const readUntil = (isDone: () => boolean) => {
    while (!isDone()) {
      maker.poll(fromChild, POLLIN, -1);
      const n = maker.read(fromChild, chunk);
      if (n <= 0) break;
      text += new TextDecoder().decode(chunk.subarray(0, n));
    }
  };
  readUntil(() => text.includes("ready\n"));
  const threads: string[] = [];
  if (text.includes("ready\n")) {
    const tasks = `/proc/${child.pid}/task`;
    for (const { name } of Deno.readDirSync(tasks)) {
      threads.push(Deno.readTextFileSync(`${tasks}/${name}/status`));
    }
    maker.write(toChild, new Uint8Array([42]));
  }
  readUntil(() => false);
  const ending = spawner.wait(child.pidfd, -1);
  for (const fd of [toChild, fromChild, child.pidfd]) maker.close(fd);
  const line = text.split("\n")[1];
  return {
    threads,
    seen: line === undefined || line === "" ? {} : JSON.parse(line),
    ending,
  };
}

function field(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
}

Deno.test("a confined process goes on compiling, collecting and waiting", () => {
  const { seen, ending } = runConfined({});
  assertEquals(ending, { exitCode: 0 });
  assert(Number(seen["sum"]) > 0);
  assertEquals(seen["revents"], POLLIN);
  assertEquals(seen["byte"], 42);
  assertEquals(seen["stat"], "object");
});

Deno.test("every thread lost its capabilities and is under the filter", () => {
  const { threads } = runConfined({ task: "look" });
  assert(threads.length > 2, `only ${threads.length} threads`);
  for (const status of threads) {
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
      assertEquals(field(status, set), "0000000000000000", set);
    }
    assertEquals(field(status, "NoNewPrivs"), "1");
    assertEquals(field(status, "Seccomp"), "2");
    assertEquals(field(status, "Seccomp_filters"), "1");
  }
});

Deno.test("enterRoot() leaves an empty directory that cannot be written", () => {
  const { seen } = runConfined({ task: "look" });
  assertEquals(seen["root"], []);
  assertEquals(seen["parent"], []);
  assertStringIncludes(String(seen["mkdir"]), "Read-only file system");
});

Deno.test("enterRoot() shows the given mounts with their rights", () => {
  const source = Deno.makeTempDirSync();
  Deno.mkdirSync(`${source}/inner`);
  Deno.writeTextFileSync(`${source}/inner/file`, "content");
  Deno.chmodSync(source, 0o755);
  const { seen, threads } = runConfined({
    task: "look",
    mounts: [
      { source, name: "rw", readOnly: false },
      { source, name: "ro", readOnly: true },
      { source: `${source}/inner/file`, name: "file", readOnly: true },
    ],
    keepCapabilities: [CAP_DAC_OVERRIDE],
  });
  assertEquals(seen["root"], ["file", "ro", "rw"]);
  assertEquals(seen["rw"], "ok content");
  assertEquals(seen["ro"], "ok content");
  assertEquals(seen["rw/write"], "ok undefined");
  assertStringIncludes(String(seen["ro/write"]), "Read-only file system");
  assert(threads.length > 0);
  for (const status of threads) {
    assertEquals(field(status, "CapEff"), "0000000000000002");
    assertEquals(field(status, "CapBnd"), "0000000000000002");
  }
  Deno.removeSync(source, { recursive: true });
});

Deno.test("a confined process is refused everything it has no business with", () => {
  const { seen, ending } = runConfined({
    task: "forbidden",
    otherwise: { errno: 1 },
  });
  assertEquals(ending, { exitCode: 0 });
  const expected = {
    open: "ENOENT",
    pipe: "EPERM",
    dlopen: "PermissionDenied",
    deno: "NotCapable",
    pointer: "NotCapable",
    run: "PermissionDenied",
    root: "EPERM",
    ids: "EPERM",
    filter: "EPERM",
  };
  for (const [name, reason] of Object.entries(expected)) {
    assertStringIncludes(String(seen[name]), reason, name);
  }
});

Deno.test("a call outside the filter kills the process", () => {
  const { seen, ending } = runConfined({ task: "forbidden" });
  assertEquals(seen, {});
  assertEquals(ending, { signal: SIGSYS });
});

Deno.test({
  name: "setIds() changes the ids of every thread",
  ignore: !isRoot,
  fn() {
    const { threads, ending } = runConfined(
      { task: "look", ids: [65534, 65534] },
      { namespaces: ["mount", "pid"] },
    );
    assertEquals(ending, { exitCode: 0 });
    assert(threads.length > 2);
    for (const status of threads) {
      assertEquals(
        /^Uid:\s*(.*)$/m.exec(status)?.[1],
        "65534\t65534\t65534\t65534",
      );
      assertEquals(/^Groups:[^\S\n]*(.*)$/m.exec(status)?.[1]?.trim(), "");
      assertEquals(field(status, "CapPrm"), "0000000000000000");
    }
  },
});
