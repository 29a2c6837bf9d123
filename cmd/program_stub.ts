/**
 * The small program that starts a bundle. Deno analyses every module that it
 * loads, in 20 ms and more for one of this size, so a bundle is no module but a
 * script: one expression, a function. Deno's evalContext compiles it as eval
 * would, and asks Deno's code cache first, where there is one (code_cache.ts).
 * `node:vm` does as much, but the first import of a `node:` module costs a
 * process 20 ms.
 * @module
 */

export function codeName(program: string): string {
  return `${program}.bundle.js`;
}

/** By this name code caches and stack traces know a bundle; the same wherever
 * the files lie. */
export function scriptName(program: string): string {
  return `file:///runsc/${program}`;
}

/** CommonJS as the function that the stubs below call. */
export function wrapBundle(text: string): string {
  // CommonJS has no import.meta; the stub tells where it lies.
  const located = text.replace(
    /^(\s*(?:var )?import_meta\d*) = \{\};$/gm,
    "$1 = { url: programUrl };",
  );
  const code = `(function (module, exports, programUrl) {\n${located}\n})\n`;
  // One byte a character is half the text to read and to keep.
  return code.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Starts the bundle beside it. */
export function programStub(program: string): string {
  return `const code = Deno.readTextFileSync(
  new URL("${codeName(program)}", import.meta.url),
);
const { evalContext } = Deno[Deno.internal].core;
const [run, failure] = evalContext(code, "${scriptName(program)}");
if (failure !== null) throw failure.thrown;
const module = { exports: {} };
run(module, module.exports, import.meta.url);
const { exit } = Deno;
exit(await module.exports.main(Deno.args));
`;
}

/**
 * Does the same, and at the end writes what V8 has compiled to
 * `PROGRAM.cache` beside it. The process may be locked down by then: only a
 * descriptor that is open already can be written, and only from C.
 */
export function rehearsalStub(program: string): string {
  return `import { Script } from "node:vm";
const beside = (name) => new URL(name, import.meta.url);
const { symbols: libc } = Deno.dlopen("libc.so.6", {
  creat: { parameters: ["buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
});
const path = beside("${program}.cache").pathname;
const fd = libc.creat(new TextEncoder().encode(path + "\\0"), 0o644);
const script = new Script(
  Deno.readTextFileSync(beside("${codeName(program)}")),
  { filename: "${scriptName(program)}" },
);
const module = { exports: {} };
script.runInThisContext()(module, module.exports, import.meta.url);
const { exit } = Deno;
const status = await module.exports.main(Deno.args);
let rest = script.createCachedData();
while (rest.length > 0) {
  const count = libc.write(fd, rest, rest.length);
  if (count <= 0) exit(1);
  rest = rest.subarray(count);
}
exit(status);
`;
}
