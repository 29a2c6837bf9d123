/**
 * The shims behave as `@std` does where we rely on it.
 * @module
 */

import {
  assertEquals,
  AssertionError,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { join, relative, resolve } from "@std/path";

Deno.test("assertEquals() compares deeply and strictly", () => {
  assertEquals({ a: [1, new Uint8Array([2])] }, {
    a: [1, new Uint8Array([2])],
  });
  assertThrows(() => assertEquals<unknown>(1, "1"), AssertionError);
  assertThrows(() => assertNotEquals([1], [1]), AssertionError);
});

Deno.test("assertThrows() throws when the function does not", () => {
  assertThrows(() => assertThrows(() => 0), AssertionError, "to throw");
  assertThrows(
    () =>
      assertThrows(() => {
        throw new RangeError("far");
      }, TypeError),
    AssertionError,
  );
});

Deno.test("assertRejects() resolves to the reason", async () => {
  const reason = await assertRejects(
    () => Promise.reject(new TypeError("odd")),
    TypeError,
    "od",
  );
  assertEquals(reason.message, "odd");
});

Deno.test("parseArgs() stops at the first positional argument", () => {
  const parsed = parseArgs(
    ["--debug", "--root=/x", "do", "-x", "--", "bash", "-c", "echo"],
    { boolean: ["debug"], string: ["root"], stopEarly: true },
  );
  assertEquals(parsed["debug"], true);
  assertEquals(parsed["root"], "/x");
  assertEquals(parsed._, ["do", "-x", "bash", "-c", "echo"]);
});

Deno.test("parseArgs() collects, negates, aliases and defaults", () => {
  const parsed = parseArgs(
    ["-e", "A=1", "--env=B=2", "--no-color", "-n3", "--", "-x"],
    {
      collect: ["env"],
      string: ["env"],
      negatable: ["color"],
      alias: { e: "env" },
      default: { user: "root" },
      "--": true,
    },
  );
  assertEquals(parsed["env"], ["A=1", "B=2"]);
  assertEquals(parsed["color"], false);
  assertEquals(parsed["n"], 3);
  assertEquals(parsed["user"], "root");
  assertEquals(parsed["--"], ["-x"]);
});

Deno.test("join(), resolve() and relative() speak POSIX", () => {
  assertEquals(join("/a", "../b", "c"), "/b/c");
  assertEquals(resolve("/a", "b"), "/a/b");
  assertEquals(relative("/a/b", "/a/c/d"), "../c/d");
});
