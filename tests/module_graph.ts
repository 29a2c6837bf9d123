/**
 * The project's modules and who imports whom, read from the sources: what
 * layers_test.ts checks. Comments and strings are told apart from code well
 * enough for formatted sources; it is no parser.
 * @module
 */

import { dirname, join, normalize } from "@std/path";

/** One import or re-export. */
export interface Import {
  /** Path of the imported module from the project's root, or the specifier
   * itself (`@std/assert`, `npm:...`, `node:...`). */
  readonly target: string;
  /** `import type` or `export type`: gone at run time. */
  readonly isTypeOnly: boolean;
}

/** A source file. */
export interface Module {
  /** From the project's root: `kernel/mm/vma.ts`. */
  readonly path: string;
  readonly imports: readonly Import[];
  /** The source with comments and the content of strings blanked out. */
  readonly code: string;
}

/** Folders that hold no source of ours. */
const SKIPPED = new Set(["build", "coverage", "node_modules"]);

/** All `.ts` files below the project's root, by path. */
export function readModules(root: string): Map<string, Module> {
  const modules = new Map<string, Module>();
  const walk = (folder: string) => {
    for (const entry of Deno.readDirSync(join(root, folder))) {
      if (entry.name.startsWith(".") || SKIPPED.has(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory) walk(path);
      else if (entry.name.endsWith(".ts")) {
        const text = Deno.readTextFileSync(join(root, path));
        modules.set(path, parseModule(path, text));
      }
    }
  };
  walk(".");
  return modules;
}

/** The module in `text`. */
export function parseModule(path: string, text: string): Module {
  const { code, withStrings } = blank(text);
  const imports: Import[] = [];
  const add = (specifier: string, isTypeOnly: boolean) => {
    const target = specifier.startsWith(".")
      ? normalize(join(dirname(path), specifier))
      : specifier;
    imports.push({ target, isTypeOnly });
  };
  const statement =
    /^(?:import|export)\b(\s+type\b(?!\s*,|\s+from))?[^"';]*?\bfrom\s*["']([^"']+)["']/gm;
  for (const match of withStrings.matchAll(statement)) {
    add(match[2] as string, match[1] !== undefined);
  }
  for (const match of withStrings.matchAll(/^import\s*["']([^"']+)["']/gm)) {
    add(match[1] as string, false);
  }
  for (const match of code.matchAll(/\bimport\(\s*["']/g)) {
    // The string is blank in `code`, which proves that this is no comment.
    const at = match.index + match[0].length;
    const end = withStrings.slice(at).search(/["']/);
    add(withStrings.slice(at, at + end), false);
  }
  return { path, imports, code };
}

/** What may stand in front of a regular expression but not of a division. */
const BEFORE_REGEX =
  /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of))$/;

/**
 * The source without comments, and that without the content of strings, both
 * at the same offsets as the original.
 */
function blank(text: string): { code: string; withStrings: string } {
  const code = [...text.split("")];
  const withStrings = [...code];
  const erase = (list: string[], from: number, to: number) => {
    for (let i = from; i < to; i++) if (list[i] !== "\n") list[i] = " ";
  };
  /** Depths of `{` at which a template goes on behind `}`. */
  const templates: number[] = [];
  let depth = 0;
  let i = 0;
  const template = () => { // behind ` or }
    const from = i;
    while (i < text.length && text[i] !== "`") {
      if (text[i] === "$" && text[i + 1] === "{") {
        erase(code, from, i);
        templates.push(depth++);
        i += 2;
        return;
      }
      i += text[i] === "\\" ? 2 : 1;
    }
    erase(code, from, i++);
  };
  while (i < text.length) {
    const char = text[i] as string;
    if (char === "/" && (text[i + 1] === "/" || text[i + 1] === "*")) {
      const isLine = text[i + 1] === "/";
      const close = text.indexOf(isLine ? "\n" : "*/", i + 2);
      const end = close === -1 ? text.length : close + (isLine ? 0 : 2);
      erase(code, i, end);
      erase(withStrings, i, end);
      i = end;
    } else if (char === '"' || char === "'") {
      const from = ++i;
      while (i < text.length && text[i] !== char && text[i] !== "\n") {
        i += text[i] === "\\" ? 2 : 1;
      }
      erase(code, from, i++);
    } else if (char === "/" && isRegexAt(code, i)) {
      const from = ++i;
      for (let inClass = false; i < text.length; i++) {
        if (text[i] === "\\") i++;
        else if (text[i] === "[") inClass = true;
        else if (text[i] === "]") inClass = false;
        else if (text[i] === "/" && !inClass) break;
      }
      erase(code, from, i);
      erase(withStrings, from, i++);
    } else if (char === "`") {
      i++;
      template();
    } else {
      i++;
      if (char === "{") depth++;
      if (char === "}" && --depth === templates.at(-1)) {
        templates.pop();
        template();
      }
    }
  }
  return { code: code.join(""), withStrings: withStrings.join("") };
}

function isRegexAt(code: readonly string[], at: number): boolean {
  const before = code.slice(Math.max(0, at - 80), at).join("").trimEnd();
  return BEFORE_REGEX.test(before);
}

/** Groups of modules that import each other in a circle, types included. */
export function findCycles(modules: ReadonlyMap<string, Module>): string[][] {
  // Tarjan's strongly connected components.
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (path: string): number => {
    const own = order.size;
    order.set(path, own);
    stack.push(path);
    let low = own;
    for (const { target } of modules.get(path)?.imports ?? []) {
      if (!modules.has(target)) continue;
      if (!order.has(target)) low = Math.min(low, visit(target));
      else if (stack.includes(target)) {
        low = Math.min(low, order.get(target) as number);
      }
    }
    lowest.set(path, low);
    if (low === own) {
      const group = stack.splice(stack.indexOf(path));
      const isSelf = modules.get(path)?.imports.some((i) => i.target === path);
      if (group.length > 1 || isSelf === true) cycles.push(group.sort());
    }
    return low;
  };
  for (const path of modules.keys()) if (!order.has(path)) visit(path);
  return cycles;
}
