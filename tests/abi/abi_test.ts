/**
 * Compares every constant, offset and size of kernel/abi, and the system call
 * numbers, with what the C compiler makes of the system headers. One C file
 * per module, since the kernel's headers contradict each other; one program.
 * @module
 */

import { assertEquals } from "@std/assert";
import { Errno } from "../../kernel/abi/errno.ts";
import { SYSCALL_NUMBERS } from "../../kernel/arch/x64/syscall_table.ts";
import { type HeaderMap, HEADERS } from "./headers.ts";

const ABI = new URL("../../kernel/abi/", import.meta.url);

/** A C expression to evaluate, and what we say it is. */
interface Claim {
  readonly label: string;
  readonly expression: string;
  readonly ours: number;
  /** The macro without which the expression can't be compiled. */
  readonly macro?: string;
}

/** What is claimed by the exports of one module. */
function claimsOf(exports: Record<string, unknown>, map: HeaderMap): Claim[] {
  const claims: Claim[] = [];
  const constant = (name: string, expression: string, ours: number) =>
    claims.push({
      label: name,
      expression,
      ours,
      ...(map.absent?.[name] === undefined ? {} : { macro: name }),
    });
  for (const [name, value] of Object.entries(exports)) {
    if (map.different?.[name] !== undefined) continue;
    if (value instanceof Errno) constant(name, name, value.code);
    else if (typeof value === "number") {
      const layout = name.replace(/_SIZE$/, "");
      const isSize = layout !== name && typeof exports[layout] === "object";
      constant(
        name,
        isSize ? `sizeof(${typeOf(layout, map)})` : name,
        value,
      );
    } else if (isLayout(value)) {
      for (const [field, offset] of Object.entries(value)) {
        const member = map.members?.[`${name}.${field}`] ?? field;
        claims.push({
          label: `${name}.${field}`,
          expression: `__builtin_offsetof(${typeOf(name, map)}, ${member})`,
          ours: offset,
        });
      }
    }
  }
  return claims;
}

function typeOf(layout: string, map: HeaderMap): string {
  return map.types?.[layout] ?? `struct ${layout.toLowerCase()}`;
}

function isLayout(value: unknown): value is Record<string, number> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A C function that prints `label width value` for each claim. */
function source(id: string, map: HeaderMap, claims: readonly Claim[]): string {
  const lines = claims.map(({ label, expression, macro }) => {
    const print = `  printf("${id} ${label} %d %llu\\n", ` +
      `(int)sizeof(${expression}), (unsigned long long)(${expression}));`;
    return macro === undefined ? print : `#ifdef ${macro}\n${print}\n#endif`;
  });
  return [
    "#define _GNU_SOURCE",
    ...map.headers.map((header) => `#include <${header}>`),
    map.prelude ?? "",
    "extern int printf(const char *, ...);",
    `void print_${id}(void);`,
    `void print_${id}(void)\n{`,
    ...lines,
    "}\n",
  ].join("\n");
}

/** Compiles and runs the program; C's value by `module label`. */
async function evaluate(
  sources: ReadonlyMap<string, string>,
): Promise<Map<string, { readonly width: number; readonly value: bigint }>> {
  const dir = await Deno.makeTempDir();
  try {
    const ids = [...sources.keys()];
    const main = ids.map((id) => `void print_${id}(void);`).join("\n") +
      `\nint main(void)\n{\n${ids.map((id) => `print_${id}();`).join("\n")}\n` +
      "return 0;\n}\n";
    await Deno.writeTextFile(`${dir}/main.c`, main);
    for (const [id, text] of sources) {
      await Deno.writeTextFile(`${dir}/print_${id}.c`, text);
    }
    const files = ["main.c", ...ids.map((id) => `print_${id}.c`)];
    await run("cc", ["-w", "-o", "abi", ...files], dir);
    const values = new Map<string, { width: number; value: bigint }>();
    for (const line of (await run(`${dir}/abi`, [], dir)).trim().split("\n")) {
      const [id, label, width, value] = line.split(" ");
      if (value === undefined) throw new Error(`Unexpected line: ${line}`);
      values.set(`${id} ${label}`, {
        width: Number(width),
        value: BigInt(value),
      });
    }
    return values;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** The claims that C contradicts or doesn't know. */
function contradictions(
  id: string,
  claims: readonly Claim[],
  values: ReadonlyMap<string, { readonly width: number; value: bigint }>,
): string[] {
  return claims.flatMap(({ label, ours, macro }) => {
    const theirs = values.get(`${id} ${label}`);
    if (theirs === undefined) {
      return macro === undefined ? [`${label}: not printed`] : [];
    }
    // An int with its top bit set is a mask: C's sign says nothing about it.
    const bits = theirs.width <= 4 ? 32 : 64;
    const isSame = BigInt.asUintN(bits, BigInt(ours)) ===
      BigInt.asUintN(bits, theirs.value);
    return isSame ? [] : [`${label}: ${ours}, in C ${theirs.value}`];
  });
}

Deno.test("kernel/abi has the values of the system headers", async (t) => {
  const files = [...Deno.readDirSync(ABI)].map(({ name }) => name)
    .filter((name) => name.endsWith(".ts") && !name.endsWith("_test.ts"))
    .map((name) => name.slice(0, -3)).sort();
  assertEquals(Object.keys(HEADERS).sort(), files, "headers.ts lists each");

  const claims = new Map<string, Claim[]>();
  const sources = new Map<string, string>();
  for (const [id, map] of Object.entries(HEADERS)) {
    const exports = await import(new URL(`${id}.ts`, ABI).href);
    const stale = Object.keys(map.absent ?? {}).filter((n) => !(n in exports));
    assertEquals(stale, [], `${id}: listed as absent, but not exported`);
    const own = claimsOf(exports, map);
    claims.set(id, own);
    sources.set(id, source(id, map, own));
  }
  const values = await evaluate(sources);
  for (const [id, own] of claims) {
    await t.step(id, () => assertEquals(contradictions(id, own, values), []));
  }
});

Deno.test("SYSCALL_NUMBERS agrees with asm/unistd_64.h", async () => {
  const claims = Object.entries(SYSCALL_NUMBERS).map(([name, ours]) => ({
    label: name,
    expression: `__NR_${name}`,
    ours,
    // Headers of another age know fewer calls.
    macro: `__NR_${name}`,
  }));
  const map = { headers: ["asm/unistd_64.h"] };
  const id = "syscalls";
  const values = await evaluate(new Map([[id, source(id, map, claims)]]));
  assertEquals(contradictions(id, claims, values), []);
  const named = claims.filter(({ label }) => values.has(`${id} ${label}`));
  const args = ["-E", "-dM", "-include", "asm/unistd_64.h", "-xc", "/dev/null"];
  const macros = await run("cc", args, "/");
  assertEquals(named.length, macros.match(/^#define __NR_/gm)?.length);
});
