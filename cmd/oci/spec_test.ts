import { assertEquals, assertThrows } from "@std/assert";
import { RuntimeError } from "../runtime_error.ts";
import { parseSpec } from "./spec.ts";

const MINIMAL = {
  ociVersion: "1.2.0",
  root: { path: "rootfs" },
  process: { cwd: "/", args: ["sh"] },
};

function parse(change: Record<string, unknown>) {
  return parseSpec(JSON.stringify({ ...MINIMAL, ...change }));
}

Deno.test("parseSpec() keeps what it was given", () => {
  const spec = parse({ hostname: "box", annotations: { a: "b" } });
  assertEquals(spec.process?.args, ["sh"]);
  assertEquals(spec.hostname, "box");
  assertEquals(spec.annotations, { a: "b" });
});

Deno.test("parseSpec() takes null for an absent field and ignores unknown ones", () => {
  const spec = parse({ hooks: null, linux: { devices: null }, vm: { x: 1 } });
  assertEquals(spec.hooks, undefined);
  assertEquals(spec.linux?.devices, undefined);
});

Deno.test("parseSpec() takes RLIM_INFINITY as an unsigned 64-bit number", () => {
  const rlimits =
    '[{"type":"RLIMIT_CORE","hard":18446744073709551615,"soft":0}]';
  const spec = parseSpec(
    `{"ociVersion":"1.0.2","process":{"cwd":"/","rlimits":${rlimits}}}`,
  );
  assertEquals(spec.process?.rlimits?.[0]?.hard, 2 ** 64);
});

Deno.test("parseSpec() names the bad field and what was expected", () => {
  const process = { cwd: "/", args: ["sh"] };
  const cases: [Record<string, unknown>, string][] = [
    [
      { process: { ...process, args: ["sh", 1] } },
      "config.json: process.args[1]: expected a string, not 1",
    ],
    [
      { process: { args: ["sh"] } },
      "process.cwd: expected a string, it is missing",
    ],
    [
      { process: { ...process, cwd: "tmp" } },
      "process.cwd: expected a string that matches",
    ],
    [
      { process: { ...process, user: { uid: -1 } } },
      "process.user.uid: expected 0 or more, not -1",
    ],
    [
      { process: { ...process, args: [] } },
      "process.args: expected 1 or more items, not []",
    ],
    [
      { mounts: [{ destination: "/a" }, {}] },
      "mounts[1].destination: expected a string, it is missing",
    ],
    [
      { linux: { namespaces: [{ type: "net" }] } },
      'linux.namespaces[0].type: expected one of "pid", "network"',
    ],
    [
      { linux: { resources: { pids: { limit: "many" } } } },
      'linux.resources.pids.limit: expected a number, not "many"',
    ],
    [{ ociVersion: "2.0.0" }, "ociVersion: expected a string that matches"],
    [{ root: "rootfs" }, 'root: expected an object, not "rootfs"'],
  ];
  for (const [change, message] of cases) {
    assertThrows(() => parse(change), RuntimeError, message);
  }
});

Deno.test("parseSpec() says that a text is not JSON", () => {
  assertThrows(() => parseSpec("{"), RuntimeError, "config.json: not JSON: ");
  assertThrows(
    () => parseSpec("[]"),
    RuntimeError,
    "the document: expected an object, not []",
  );
});
