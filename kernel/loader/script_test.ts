import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ENOEXEC, isErrno } from "../abi/errno.ts";
import { isScript, parseScript, scriptArguments } from "./script.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** [interpreter, argument], or the error. */
function parse(text: string) {
  const line = parseScript(bytes(text));
  return isErrno(line) ? line : [line.interpreter, line.argument];
}

Deno.test("isScript() looks at two bytes", () => {
  assert(isScript(bytes("#!")));
  assert(!isScript(bytes("#")));
  assert(!isScript(bytes(" #!/bin/sh")));
});

Deno.test("parseScript() splits the line into interpreter and one argument", () => {
  assertEquals(parse("#!/bin/sh\n"), ["/bin/sh", null]);
  assertEquals(parse("#!/bin/sh -e\nexit"), ["/bin/sh", "-e"]);
  assertEquals(parse("#! \t/bin/sh \t -e  -u \t\n"), ["/bin/sh", "-e  -u"]);
  assertEquals(parse("#!sh\r\n"), ["sh\r", null]);
});

Deno.test("parseScript() needs no newline at the end of the file", () => {
  assertEquals(parse("#!/bin/sh"), ["/bin/sh", null]);
  assertEquals(parse("#!/bin/sh -e"), ["/bin/sh", "-e"]);
});

Deno.test("parseScript() makes an empty argument of an unterminated blank", () => {
  // The NUL behind the file's end begins the argument, as in Linux.
  assertEquals(parse("#!/bin/sh "), ["/bin/sh", ""]);
});

Deno.test("parseScript() refuses lines without an interpreter", () => {
  for (const text of ["#!\n", "#!   \t\n", `#!${" ".repeat(300)}`, "", "#"]) {
    assertStrictEquals(parse(text), ENOEXEC, JSON.stringify(text));
  }
});

Deno.test("parseScript() leaves an empty interpreter to path resolution", () => {
  assertEquals(parse("#!"), ["", null]);
  assertEquals(parse("#!\0/bin/sh\n"), ["", null]);
});

Deno.test("parseScript() cuts arguments at 255 bytes, but no paths", () => {
  const argument = "a".repeat(400);
  assertEquals(parse(`#!/bin/sh ${argument}\n`), [
    "/bin/sh",
    "a".repeat(255 - 10),
  ]);
  assertStrictEquals(parse(`#!/${argument}\n`), ENOEXEC);
  const longest = `/${"p".repeat(252)}`;
  assertEquals(parse(`#!${longest}\n`), [longest, null]);
  assertEquals(parse(`#!${longest} x\n`), [longest, null]);
  assertStrictEquals(parse(`#!${longest}p\n`), ENOEXEC);
});

Deno.test("scriptArguments() puts the script's path before the caller's arguments", () => {
  const script = { interpreter: "/bin/sh", argument: "-e" };
  assertEquals(scriptArguments(script, "./x", ["name", "1", "2"]), [
    "/bin/sh",
    "-e",
    "./x",
    "1",
    "2",
  ]);
  const plain = { interpreter: "/bin/sh", argument: null };
  assertEquals(scriptArguments(plain, "./x", []), ["/bin/sh", "./x"]);
});
