/**
 * The C of libhost under the address and undefined-behaviour sanitizers, and
 * under the thread sanitizer, driven by a C program of its own.
 * @module
 */

import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { COMPILE_FLAGS } from "../../ffi/native_targets.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

async function run(command: string, args: string[], env = {}) {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    env,
    cwd: ROOT,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { success, text: text(stdout) + text(stderr) };
}

/** Compiles library and driver with the flags, runs it; what it said. */
async function drive(flags: readonly string[]): Promise<string> {
  const dir = Deno.makeTempDirSync();
  try {
    const sources = [...Deno.readDirSync(join(ROOT, "ffi/native"))]
      .filter(({ name }) => name.endsWith(".c"))
      .map(({ name }) => join("ffi/native", name));
    const program = join(dir, "driver");
    const compiled = await run("cc", [
      ...COMPILE_FLAGS,
      "-O1",
      "-pthread",
      "-fno-omit-frame-pointer",
      ...flags,
      "tests/ffi/native/host_library.c",
      ...sources,
      "-o",
      program,
    ]);
    if (!compiled.success) return compiled.text;
    return (await run(program, [])).text;
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

Deno.test("libhost is clean under the address sanitizer", async () => {
  const flags = [
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
  ];
  assertEquals(await drive(flags), "ok\n");
});

Deno.test("libhost is clean under the thread sanitizer", async () => {
  assertEquals(await drive(["-fsanitize=thread"]), "ok\n");
});
