/**
 * The import table of the project, checked against the real module graph: who
 * may import whom, rooms of the kernel, no cycles, no ambient authority.
 * @module
 */

import { assertEquals } from "@std/assert";
import { basename, dirname } from "@std/path";
import { existsSync } from "node:fs";
import {
  findCycles,
  type Import,
  type Module,
  parseModule,
  readModules,
} from "./module_graph.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** What a folder may import besides itself: prefixes of paths. */
interface Layer {
  readonly folder: string;
  readonly mayImport: readonly string[];
  /** As types only. */
  readonly mayName: readonly string[];
}

const LAYERS: readonly Layer[] = [
  { folder: "kernel/abi/", mayImport: [], mayName: [] },
  { folder: "netstack/", mayImport: [], mayName: [] },
  {
    folder: "ffi/",
    mayImport: ["kernel/abi/"],
    // The interfaces that ffi implements.
    mayName: ["kernel/host.ts"],
  },
  { folder: "platforms/", mayImport: ["ffi/", "kernel/abi/"], mayName: [] },
  {
    folder: "gofer/",
    mayImport: ["ffi/", "kernel/abi/"],
    mayName: ["kernel/host.ts"],
  },
  {
    folder: "kernel/",
    mayImport: ["netstack/mod.ts"],
    mayName: ["platforms/platform.ts", "gofer/client.ts"],
  },
  {
    folder: "cmd/",
    mayImport: [
      "ffi/",
      "gofer/",
      "kernel/",
      "netstack/",
      "platforms/",
      "deno.json", // the version
    ],
    mayName: [],
  },
  // mod.ts, the embedding interface: what the verbs are built on, no more.
  { folder: "", mayImport: ["cmd/"], mayName: [] },
];

/** Rooms of the kernel, lowest first; those of a row are equals. */
const ROOMS: readonly (readonly string[])[] = [
  ["kernel/abi/", "kernel/host.ts"],
  ["kernel/arch/", "kernel/sync/"],
  ["kernel/time/"],
  ["kernel/mm/"],
  ["kernel/vfs/"],
  ["kernel/fs/", "kernel/socket/", "kernel/ipc/"],
  ["kernel/loader/"],
  ["kernel/task/"],
  // Shows tasks, so it sits above them.
  ["kernel/fs/proc/"],
  ["kernel/syscalls/"],
  ["kernel/"], // kernel.ts and what stands beside it
];

/** Words by which code reaches for authority or time that it was not given. */
const AMBIENT =
  /\b(?:Deno|Date|performance|crypto|console|globalThis|setTimeout|setInterval|queueMicrotask|setImmediate|fetch|navigator)\b(?=\s*[.(\[])|\bnew Date\b|\bMath\.random\b/;
/** Words by which code leaves the one thread that runs to completion. */
const ASYNC = /\b(?:async|await|Promise|Worker)\b/;

const modules = readModules(ROOT);

/** Who imports a private file (`_x.ts`). */
const importersOfPrivate = new Map<string, string[]>();
for (const { path, imports } of modules.values()) {
  for (const { target } of imports) {
    if (!basename(target).startsWith("_")) continue;
    importersOfPrivate.getOrInsertComputed(target, () => []).push(path);
  }
}

/** True if the module is there to test others: it may import anything. */
function isTest(path: string): boolean {
  if (path.startsWith("tests/") || path.endsWith("_test.ts")) return true;
  // A fixture: private, and imported by tests alone.
  return importersOfPrivate.get(path)?.every((importer) => isTest(importer)) ??
    false;
}

const sources = [...modules.values()].filter(({ path }) => !isTest(path));

function layerOf(path: string): Layer {
  const layer = LAYERS.find(({ folder }) => path.startsWith(folder));
  if (layer === undefined) throw new Error(`No layer for ${path}`);
  return layer;
}

function isPackage(target: string): boolean {
  return /^(?:@std\/|npm:|node:|jsr:|zod)/.test(target);
}

/** What is wrong with the import, or null. */
function checkLayer(from: Module, { target, isTypeOnly }: Import) {
  const layer = layerOf(from.path);
  const where = `${from.path} imports ${target}`;
  const isApart = ["kernel/", "netstack/"].some((f) => from.path.startsWith(f));
  if (isPackage(target)) return isApart ? `${where}: a package` : null;
  if (isTest(target)) return `${where}: a test`;
  if (!existsSync(`${ROOT}/${target}`)) return `${where}: no such file`;
  if (layer.folder !== "" && target.startsWith(layer.folder)) return null;
  if (layer.mayImport.some((prefix) => target.startsWith(prefix))) return null;
  if (layer.mayName.includes(target)) {
    return isTypeOnly ? null : `${where}: types only`;
  }
  return `${where}: not in the table of ${layer.folder}`;
}

function roomOf(path: string): number {
  let best = 0;
  let length = 0;
  ROOMS.forEach((row, index) => {
    for (const room of row) {
      if (!path.startsWith(room) || room.length < length) continue;
      best = index;
      length = room.length;
    }
  });
  return best;
}

Deno.test("every import is in the table of its layer", () => {
  const wrong = sources.flatMap((module) =>
    module.imports.map((i) => checkLayer(module, i)).filter((m) => m !== null)
  );
  assertEquals(wrong, []);
});

Deno.test("no room of the kernel imports a higher one, types included", () => {
  const kernel = sources.filter(({ path }) => path.startsWith("kernel/"));
  const wrong: string[] = [];
  for (const { path, imports } of kernel) {
    const own = roomOf(path);
    for (const { target } of imports) {
      if (target.startsWith("kernel/") && roomOf(target) > own) {
        wrong.push(`${path} imports ${target}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("no modules import each other's values in a circle", () => {
  const values = new Map<string, Module>();
  for (const [path, module] of modules) {
    const imports = module.imports.filter(({ isTypeOnly }) => !isTypeOnly);
    values.set(path, { ...module, imports });
  }
  assertEquals(findCycles(values), []);
});

// Task and ThreadGroup, Dentry and Mount name each other because the objects
// do; files of one folder may. Between folders a circle of types would be a
// circle of rooms.
Deno.test("circles of types stay within one folder", () => {
  const crossing = findCycles(modules).filter((cycle) =>
    new Set(cycle.map(dirname)).size > 1
  );
  assertEquals(crossing, []);
});

Deno.test("kernel and netstack reach for no ambient authority or time", () => {
  const wrong: string[] = [];
  for (const { path, code } of sources) {
    if (!/^(?:kernel|netstack)\//.test(path)) continue;
    code.split("\n").forEach((line, index) => {
      const word = (AMBIENT.exec(line) ?? ASYNC.exec(line))?.[0];
      // A member of that name (`task.process(`) is somebody else's.
      if (word === undefined || line.includes(`.${word}`)) return;
      wrong.push(`${path}:${index + 1} says ${word}`);
    });
  }
  assertEquals(wrong, []);
});

Deno.test("a file that begins with _ is imported in its own folder only", () => {
  const wrong: string[] = [];
  for (const [target, importers] of importersOfPrivate) {
    for (const path of importers) {
      const isOwn = dirname(path) === dirname(target);
      if (!isOwn && !isTest(path)) wrong.push(`${path} imports ${target}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("parseModule() sees imports and nothing but imports", () => {
  const { imports, code } = parseModule(
    "kernel/mm/x.ts",
    [
      'import type { A } from "./a.ts";',
      "import {",
      "  b,",
      '} from "../b.ts"; // import { no } from "./no.ts";',
      'export * from "../../netstack/mod.ts";',
      'export type { C } from "./c.ts";',
      'import "./d.ts";',
      'const e = import("./e.ts");',
      'const text = `import(${f("Deno.x")}) Deno.y`;',
      '/* Deno.z */ const r = /["`/]Deno.w/.test(g);',
      "const last = 1 / 2; Deno.exit();",
    ].join("\n"),
  );
  assertEquals(imports, [
    { target: "kernel/mm/a.ts", isTypeOnly: true },
    { target: "kernel/b.ts", isTypeOnly: false },
    { target: "netstack/mod.ts", isTypeOnly: false },
    { target: "kernel/mm/c.ts", isTypeOnly: true },
    { target: "kernel/mm/d.ts", isTypeOnly: false },
    { target: "kernel/mm/e.ts", isTypeOnly: false },
  ]);
  assertEquals(code.match(/Deno\.\w+/g), ["Deno.exit"]);
});

Deno.test("findCycles() finds circles through types", () => {
  const graph = new Map<string, Module>();
  const add = (path: string, text: string) =>
    graph.set(path, parseModule(path, text));
  add("a.ts", 'import type { B } from "./b.ts";');
  add("b.ts", 'import { c } from "./c.ts";');
  add("c.ts", 'import "./a.ts";');
  add("d.ts", 'import "./a.ts";');
  assertEquals(findCycles(graph), [["a.ts", "b.ts", "c.ts"]]);
});
