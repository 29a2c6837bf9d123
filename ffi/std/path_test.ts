import { assertEquals, assertThrows } from "@std/assert";
import { posix } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as ours from "./path.ts";

const PATHS = [
  "",
  "/",
  "//",
  ".",
  "..",
  "a",
  "a/",
  "/a",
  "/a/",
  "a/b",
  "a//b/",
  "/a/./b/../c",
  "../a/../../b",
  "/../..",
  "a/..",
  "a/../",
  "./",
  ".hidden",
  "x.tar.gz",
  "/d.x/file",
  "...",
  "a.",
  "/a b/c%d/#e",
];

Deno.test("@std/path agrees with node:path on one path", () => {
  for (const path of PATHS) {
    assertEquals(ours.normalize(path), posix.normalize(path), path);
    // node leaves one of several slashes behind, @std/path none.
    if (!path.includes("//")) {
      assertEquals(ours.dirname(path), posix.dirname(path), path);
    }
    assertEquals(ours.basename(path), posix.basename(path), path);
    assertEquals(ours.basename(path, ".gz"), posix.basename(path, ".gz"), path);
    assertEquals(ours.extname(path), posix.extname(path), path);
    assertEquals(ours.isAbsolute(path), posix.isAbsolute(path), path);
    assertEquals(ours.resolve(path), posix.resolve(path), path);
  }
});

Deno.test("@std/path agrees with node:path on two paths", () => {
  for (const a of PATHS) {
    for (const b of PATHS) {
      assertEquals(ours.join(a, b), posix.join(a, b), `${a} ${b}`);
      assertEquals(ours.resolve(a, b), posix.resolve(a, b), `${a} ${b}`);
      assertEquals(ours.relative(a, b), posix.relative(a, b), `${a} ${b}`);
    }
  }
});

Deno.test("fromFileUrl() and toFileUrl() agree with node:url", () => {
  for (const path of ["/", "/a b/c%d/#e", "/ä?x"]) {
    assertEquals(ours.toFileUrl(path).href, pathToFileURL(path).href);
    assertEquals(ours.fromFileUrl(ours.toFileUrl(path)), path);
    assertEquals(fileURLToPath(ours.toFileUrl(path)), path);
  }
  assertEquals(ours.dirname("/a//b/"), "/a");
  assertThrows(() => ours.fromFileUrl("https://a/b"), TypeError);
});
