import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  EAGAIN,
  EIO,
  ENOENT,
  Errno,
  errnoFromCode,
  EWOULDBLOCK,
  isErrno,
} from "./errno.ts";

Deno.test("errnoFromCode() takes both signs", () => {
  assertStrictEquals(errnoFromCode(2), ENOENT);
  assertStrictEquals(errnoFromCode(-2), ENOENT);
});

Deno.test("errnoFromCode() turns what no Linux call returns into EIO", () => {
  for (const code of [0, 41, 134, 512, -516, 4095, NaN, 1.5, -Infinity]) {
    assertStrictEquals(errnoFromCode(code), EIO, String(code));
  }
});

Deno.test("isErrno() knows errors from other values", () => {
  assert(isErrno(ENOENT));
  for (const value of [2, "ENOENT", null, undefined, { code: 2 }]) {
    assert(!isErrno(value));
  }
});

Deno.test("Errno instances are frozen and aliases are the same object", () => {
  assert(Object.isFrozen(ENOENT) && ENOENT instanceof Errno);
  assertStrictEquals(EWOULDBLOCK, EAGAIN);
  assertEquals(`${ENOENT}`, "ENOENT");
});
