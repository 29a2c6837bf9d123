/**
 * The uncounted view of the memory file. It lives as long as its process, so
 * each test has one.
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";

/** What a program with a memory file writes to standard output. */
async function output(
  isForever: boolean,
  program: string,
  v8Flags = "--no-incremental-marking",
): Promise<string> {
  const file = (path: string) => new URL(path, import.meta.url);
  const source = `
    import { DEFAULT_WINDOW, MemoryFile } from "${file("./memory_file.ts")}";
    const memory = new MemoryFile(DEFAULT_WINDOW, ${isForever});
    ${program}
    Deno.exit(0);
  `;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--allow-all",
      `--config=${file("../deno.json").pathname}`,
      `--v8-flags=${v8Flags}`,
      `data:text/javascript,${encodeURIComponent(source)}`,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

Deno.test("lastingView() shows the memory that C sees", async () => {
  const far = 2 ** 40 - 4096;
  assertEquals(
    await output(
      true,
      `
      memory.view.setUint32(${far}, 0x12345678, true);
      const bytes = new Uint8Array(4);
      memory.read(${far}, bytes);
      memory.zero(${far}, 2);
      const word = memory.view.getUint32(${far}, true);
      console.log(bytes.toHex(), word.toString(16), memory.bytes.length);
    `,
    ),
    `78563412 12340000 ${2 ** 40}\n`,
  );
});

Deno.test("lastingView() makes V8 collect nothing", async () => {
  // Fresh code takes room in the old part of the heap.
  const work = 'for (let i = 0; i < 300; i++) new Function("return " + i)();';
  const flags = "--no-incremental-marking,--trace-gc";
  const counted = await output(false, work, flags);
  assertMatch(counted, /Mark-Compact/);
  const uncounted = await output(true, work, flags);
  assertEquals(/Mark-Compact/.exec(uncounted), null, uncounted);
});
