/**
 * `deno task gen`: writes the C header of the structs that TypeScript and our
 * own C share, from the one module that declares them. Field names are the
 * same in both languages, so that a search finds both sides.
 *
 *   gen_header.ts [MODULE HEADER]... [--check]
 *
 * A MODULE (platforms/layouts.ts) exports LAYOUTS and CONSTANTS in the shape declared here.
 * @module
 */

import { resolve, toFileUrl } from "@std/path";
import { say } from "./say.ts";

const BYTES = { u8: 1, u32: 4, u64: 8 } as const;

/** A field: its C type, its byte offset, and the count if it is an array. */
export interface HeaderField {
  readonly type: keyof typeof BYTES;
  readonly offset: number;
  readonly count?: number;
}

/** A struct of fixed size whose fields are laid out by hand. */
export interface HeaderLayout {
  readonly name: string;
  readonly doc: string;
  readonly size: number;
  readonly fields: Readonly<Record<string, HeaderField>>;
}

/** What a layouts module exports. */
export interface HeaderSource {
  readonly LAYOUTS: readonly HeaderLayout[];
  readonly CONSTANTS: Readonly<Record<string, number>>;
}

const PREFIX = "RSP_";

/**
 * The text of the header. Throws an Error that names the field when a layout
 * contradicts itself: overlap, misalignment, or a field beyond the end.
 */
export function renderHeader(source: HeaderSource, origin: string): string {
  const guard = `${PREFIX}LAYOUT_H`;
  const lines = [
    `/* Generated from ${origin} by \`deno task gen\`. Do not edit. */`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    "",
    "#include <stddef.h>",
    "#include <stdint.h>",
    "",
  ];
  for (const [name, value] of Object.entries(source.CONSTANTS)) {
    lines.push(`#define ${PREFIX}${name} ${renderConstant(name, value)}`);
  }
  for (const layout of source.LAYOUTS) lines.push("", ...renderStruct(layout));
  lines.push("", "#endif", "");
  return lines.join("\n");
}

function renderConstant(name: string, value: number): string {
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`Constant ${name} is not an integer: ${value}`);
  }
  const text = value < 0 ? `(${value})` : `${value}`;
  return Math.abs(value) > 0x7fffffff ? `${text}LL` : text;
}

function renderStruct(layout: HeaderLayout): string[] {
  const members: string[] = [];
  const asserts = [
    `_Static_assert(sizeof(struct ${layout.name}) == ${layout.size}, "size");`,
  ];
  const fields = Object.entries(layout.fields)
    .sort(([, a], [, b]) => a.offset - b.offset);
  let end = 0;
  let align = 1;
  for (const [name, field] of fields) {
    const where = `${layout.name}.${name}`;
    const bytes = BYTES[field.type];
    if (field.offset < end) throw new RangeError(`${where} overlaps`);
    if (field.offset % bytes !== 0) throw new RangeError(`${where} misaligned`);
    if (field.offset > end) members.push(padding(end, field.offset));
    const dimension = field.count === undefined ? "" : `[${field.count}]`;
    const type = `uint${bytes * 8}_t`;
    members.push(`\t${type} ${name}${dimension};`);
    asserts.push(
      `_Static_assert(offsetof(struct ${layout.name}, ${name}) == ${field.offset}, "${name}");`,
    );
    end = field.offset + bytes * (field.count ?? 1);
    align = Math.max(align, bytes);
  }
  if (end > layout.size) {
    throw new RangeError(`${layout.name} exceeds its size`);
  }
  if (layout.size % align !== 0) {
    throw new RangeError(`${layout.name} has a size that C would round up`);
  }
  if (end < layout.size) members.push(padding(end, layout.size));
  return [
    `/* ${layout.doc}. */`,
    `struct ${layout.name} {`,
    ...members,
    "};",
    ...asserts,
  ];
}

function padding(from: number, to: number): string {
  return `\tuint8_t _pad${from}[${to - from}];`;
}

/** The layouts module at `path`, its shape checked. */
async function load(path: string): Promise<HeaderSource> {
  const module: unknown = await import(toFileUrl(resolve(path)).href);
  if (
    typeof module !== "object" || module === null ||
    !("LAYOUTS" in module) || !Array.isArray(module.LAYOUTS) ||
    !("CONSTANTS" in module) || typeof module.CONSTANTS !== "object"
  ) throw new TypeError(`${path} does not export LAYOUTS and CONSTANTS`);
  return module as HeaderSource;
}

/** Writes a header if it differs; with `isCheck`, only says whether it does. */
async function generate(
  modulePath: string,
  headerPath: string,
  isCheck: boolean,
): Promise<boolean> {
  const wanted = renderHeader(await load(modulePath), modulePath);
  let present = "";
  try {
    present = Deno.readTextFileSync(headerPath);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (present === wanted) return true;
  if (isCheck) {
    say(`${headerPath} is stale: run "deno task gen"`);
    return false;
  }
  Deno.writeTextFileSync(headerPath, wanted);
  return true;
}

async function main(args: readonly string[]): Promise<number> {
  const isCheck = args.includes("--check");
  const paths = args.filter((arg) => arg !== "--check");
  let isFresh = true;
  for (let i = 0; i < paths.length; i += 2) {
    const [modulePath, headerPath] = paths.slice(i, i + 2);
    if (modulePath === undefined || headerPath === undefined) {
      say("usage: gen_header.ts [MODULE HEADER]... [--check]");
      return 2;
    }
    if (!(await generate(modulePath, headerPath, isCheck))) isFresh = false;
  }
  return isFresh ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
