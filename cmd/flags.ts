/**
 * Command line flags as runc and gVisor take them: `--flag=v`, `--flag v`,
 * `-f v`, `-flag`, `--bool`, `--bool=false`, `-xy` for several short switches,
 * `--` ends the flags. An unknown flag is an error that names it.
 * @module
 */
import { UsageError } from "./runtime_error.ts";

interface FlagBase {
  /** One line for --help. */
  readonly help: string;
  /** One letter, for `-x`. */
  readonly short?: string;
  /** Name of the value in --help. */
  readonly placeholder?: string;
  readonly isHidden?: boolean;
}
export interface BoolFlag extends FlagBase {
  readonly kind: "bool";
}
export interface StringFlag extends FlagBase {
  readonly kind: "string";
  readonly choices?: readonly string[];
}
/** A decimal number, 0 or more. */
export interface NumberFlag extends FlagBase {
  readonly kind: "number";
}
/** May be repeated; the values in order. */
export interface ListFlag extends FlagBase {
  readonly kind: "list";
}
export type Flag = BoolFlag | StringFlag | NumberFlag | ListFlag;
export type Flags = Readonly<Record<string, Flag>>;

type ValueOf<F extends Flag> = F extends BoolFlag ? boolean
  : F extends NumberFlag ? number | undefined
  : F extends ListFlag ? readonly string[]
  : string | undefined;
export type FlagValues<F extends Flags> = {
  readonly [N in keyof F]: ValueOf<F[N]>;
};

export interface ParsedFlags<F extends Flags> {
  readonly values: FlagValues<F>;
  /** What is not a flag, in order, without the first `--`. */
  readonly rest: readonly string[];
  /** --help or -h was given. */
  readonly wantsHelp: boolean;
}

/** Where flags end: at the first argument that is none, or nowhere. */
export type FlagsEnd = "first-argument" | "anywhere";

type Value = boolean | number | string | string[] | undefined;

function findFlag(flags: Flags, written: string): [string, Flag] | null {
  const byName = Object.hasOwn(flags, written) ? flags[written] : undefined;
  if (byName !== undefined) return [written, byName];
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.short === written) return [name, flag];
  }
  return null;
}

function parseBool(shown: string, text: string): boolean {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw new UsageError(`flag ${shown} takes true or false, not "${text}"`);
}

function parseNumber(shown: string, text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) {
    throw new UsageError(`flag ${shown} takes a number, not "${text}"`);
  }
  return Number(text);
}

function checkChoice(shown: string, flag: StringFlag, text: string): string {
  if (flag.choices !== undefined && !flag.choices.includes(text)) {
    throw new UsageError(
      `flag ${shown} takes ${flag.choices.join(", ")}, not "${text}"`,
    );
  }
  return text;
}

function store(
  values: Map<string, Value>,
  name: string,
  shown: string,
  flag: Flag,
  text: string,
): void {
  switch (flag.kind) {
    case "bool":
      values.set(name, parseBool(shown, text));
      break;
    case "number":
      values.set(name, parseNumber(shown, text));
      break;
    case "string":
      values.set(name, checkChoice(shown, flag, text));
      break;
    case "list": {
      const list = values.get(name);
      if (Array.isArray(list)) list.push(text);
      else values.set(name, [text]);
      break;
    }
  }
}

/** True if `-abc` is three short switches. */
function isCluster(flags: Flags, letters: string): boolean {
  return letters.length > 1 && [...letters].every((letter) => {
    const found = findFlag(flags, letter);
    return found !== null && found[1].kind === "bool";
  });
}

/**
 * Parses `args`. Throws UsageError for an unknown flag, a missing value or a
 * value of the wrong kind.
 */
export function parseFlags<const F extends Flags>(
  flags: F,
  args: readonly string[],
  end: FlagsEnd,
): ParsedFlags<F> {
  const values = new Map<string, Value>();
  for (const [name, flag] of Object.entries<Flag>(flags)) {
    if (flag.kind === "bool") values.set(name, false);
    if (flag.kind === "list") values.set(name, []);
  }
  const rest: string[] = [];
  let wantsHelp = false;
  let at = 0;
  while (at < args.length) {
    const arg = args[at++]!;
    if (arg === "--") break;
    if (!arg.startsWith("-") || arg === "-") {
      rest.push(arg);
      if (end === "first-argument") break;
      continue;
    }
    const body = arg.replace(/^--?/, "");
    const equals = body.indexOf("=");
    const written = equals < 0 ? body : body.slice(0, equals);
    const shown = arg.startsWith("--") ? `--${written}` : `-${written}`;
    const found = findFlag(flags, written);
    if (found === null) {
      if (equals < 0 && (written === "help" || written === "h")) {
        wantsHelp = true;
        continue;
      }
      if (!arg.startsWith("--") && isCluster(flags, body)) {
        for (const letter of body) {
          const [name, flag] = findFlag(flags, letter)!;
          store(values, name, `-${letter}`, flag, "true");
        }
        continue;
      }
      throw new UsageError(`unknown flag ${shown}`);
    }
    const [name, flag] = found;
    if (equals >= 0) {
      store(values, name, shown, flag, body.slice(equals + 1));
    } else if (flag.kind === "bool") {
      values.set(name, true);
    } else {
      const value = args[at++];
      if (value === undefined) {
        throw new UsageError(`flag ${shown} needs a value`);
      }
      store(values, name, shown, flag, value);
    }
  }
  rest.push(...args.slice(at));
  const result = Object.fromEntries(
    Object.keys(flags).map((name) => [name, values.get(name)]),
  );
  // store() put a value of the flag's own kind under each name.
  return { values: result as FlagValues<F>, rest, wantsHelp };
}

/** The lines of --help that describe `flags`. */
export function describeFlags(flags: Flags): string {
  const rows: [string, string][] = [];
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.isHidden === true) continue;
    const short = flag.short === undefined ? "    " : `-${flag.short}, `;
    const value = flag.kind === "bool"
      ? ""
      : ` ${flag.placeholder ?? name.toUpperCase()}`;
    rows.push([`  ${short}--${name}${value}`, flag.help]);
  }
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, help]) => `${left.padEnd(width)}  ${help}`)
    .join("\n");
}
