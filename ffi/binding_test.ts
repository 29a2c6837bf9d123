/**
 * Functions bound for long and for a while.
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { bind } from "./binding.ts";
import { nativePath } from "./library.ts";

const LIBRARY = nativePath("libhost.so");
const FUNCTIONS = {
  host_clock_monotonic: { parameters: [], result: "f64" },
  host_file_pipe: { parameters: ["buffer"], result: "i32" },
  host_file_close: { parameters: ["i32"], result: "i32" },
} as const;

for (const binding of ["lasting", "brief"] as const) {
  Deno.test(`bind() calls functions, ${binding}`, () => {
    const library = bind(LIBRARY, FUNCTIONS, binding);
    const { symbols } = library;
    const ends = new Int32Array(2).fill(-1);
    assertEquals(symbols.host_file_pipe(ends), 0);
    const before: number = symbols.host_clock_monotonic();
    assertEquals(symbols.host_clock_monotonic() >= before, true);
    for (const end of ends) assertEquals(symbols.host_file_close(end), 0);
    assertEquals(symbols.host_file_close(ends[0]!), -9);
    library.close();
  });

  Deno.test(`bind() refuses what is missing, ${binding}`, () => {
    assertThrows(() => bind("/nowhere/lib.so", FUNCTIONS, binding));
    const missing = {
      host_nothing: { parameters: [], result: "i32" },
    } as const;
    assertThrows(() => bind(LIBRARY, missing, binding));
  });
}

/** Runs a program with scoped permission for the library; its output. */
async function scoped(program: string): Promise<string> {
  const module = new URL("./binding.ts", import.meta.url).href;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      `--allow-ffi=${LIBRARY}`,
      `data:text/javascript,${
        encodeURIComponent(`import { bind } from "${module}"; ${program}`)
      }`,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

Deno.test("bind() needs no more than permission for the library", async () => {
  const functions = JSON.stringify(FUNCTIONS);
  assertEquals(
    await scoped(`
      const bound = bind("${LIBRARY}", ${functions}, "brief");
      console.log(bound.symbols.host_file_close(-1));
    `),
    "-9\n",
  );
});
