/**
 * The part of `@std/cli/parse-args` that we use: `parseArgs` with boolean,
 * string, collect, negatable, alias, default, stopEarly, `--` and unknown.
 * @module
 */

/** Options of parseArgs, as `@std/cli` names them. */
export interface ParseOptions {
  /** Flags that take no value. */
  readonly boolean?: boolean | string | readonly string[];
  /** Flags whose value stays a string. */
  readonly string?: string | readonly string[];
  /** Flags that may be repeated: their value is always an array. */
  readonly collect?: string | readonly string[];
  /** Boolean flags that `--no-x` sets to false. */
  readonly negatable?: string | readonly string[];
  /** Other names of a flag. */
  readonly alias?: Readonly<Record<string, string | readonly string[]>>;
  readonly default?: Readonly<Record<string, unknown>>;
  /**
   * Everything from the first positional argument on is left alone, except
   * that the first `--` still vanishes, as in `@std`: a command line that must
   * keep it (`run ID cmd -- x`) is to be cut before it is parsed.
   */
  readonly stopEarly?: boolean;
  /** What follows `--` is put into the result's `"--"`, not into `_`. */
  readonly "--"?: boolean;
  /** Called for an argument that no option declares; false drops it. */
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The flags by name, and the positional arguments in `_`. */
export interface Args {
  [name: string]: unknown;
  _: (string | number)[];
  "--"?: string[];
}

function list(value: boolean | string | readonly string[] | undefined) {
  if (value === undefined || typeof value === "boolean") return [];
  return typeof value === "string" ? [value] : value;
}

const NUMBER =
  /^(?:0x[0-9a-f]+|[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[-+]?[0-9]+)?)$/i;

/** Parses command line arguments as `@std/cli` does. */
export function parseArgs(
  argv: readonly string[],
  options: ParseOptions = {},
): Args {
  const names = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(options.alias ?? {})) {
    const all = [key, ...list(value)];
    for (const name of all) names.set(name, all);
  }
  const same = (name: string) => names.get(name) ?? [name];
  const group = (value: boolean | string | readonly string[] | undefined) =>
    new Set(list(value).flatMap((name) => same(name)));
  const booleans = group(options.boolean);
  const strings = group(options.string);
  const collects = group(options.collect);
  const negatables = group(options.negatable);
  const isEveryFlagBoolean = options.boolean === true;

  const result: Args = { _: [] };
  const dashes = argv.indexOf("--");
  const args = dashes === -1 ? argv : argv.slice(0, dashes);
  const rest = dashes === -1 ? [] : argv.slice(dashes + 1);
  const isDeclared = (name: string) =>
    booleans.has(name) || strings.has(name) || collects.has(name) ||
    negatables.has(name) || names.has(name) || isEveryFlagBoolean;
  const seen = new Set<string>();
  const set = (name: string, raw: string | boolean, arg: string) => {
    const value = typeof raw === "string" && !strings.has(name) &&
        NUMBER.test(raw)
      ? Number(raw)
      : raw;
    if (
      options.unknown !== undefined && !isDeclared(name) &&
      options.unknown(arg, name, value) === false
    ) return;
    const isRepeat = seen.has(name);
    for (const each of same(name)) {
      seen.add(each);
      if (!collects.has(each)) {
        result[each] = value;
        continue;
      }
      const old = isRepeat ? result[each] : [];
      result[each] = Array.isArray(old) ? [...old, value] : [value];
    }
  };

  let i = 0;
  const takesValue = (name: string) =>
    !booleans.has(name) && !isEveryFlagBoolean;
  const long = (arg: string) => {
    const equal = arg.indexOf("=");
    const name = equal === -1 ? arg.slice(2) : arg.slice(2, equal);
    if (equal !== -1) {
      const text = arg.slice(equal + 1);
      set(name, booleans.has(name) ? text !== "false" : text, arg);
      return;
    }
    const positive = name.replace(/^no-/, "");
    if (positive !== name && negatables.has(positive)) {
      set(positive, false, arg);
      return;
    }
    const next = args[i + 1];
    if (takesValue(name) && next !== undefined && !/^-./.test(next)) {
      i++;
      set(name, next, arg);
    } else if (
      booleans.has(name) && (next === "true" || next === "false")
    ) {
      i++;
      set(name, next === "true", arg);
    } else {
      set(name, strings.has(name) ? "" : true, arg);
    }
  };
  const short = (arg: string) => {
    const letters = arg.slice(1);
    for (let k = 0; k < letters.length; k++) {
      const name = letters[k] as string;
      const tail = letters.slice(k + 1);
      if (tail !== "" && takesValue(name)) {
        const isValue = tail.startsWith("=") || strings.has(name) ||
          NUMBER.test(tail);
        if (isValue) return set(name, tail.replace(/^=/, ""), arg);
      }
      const next = args[i + 1];
      if (
        tail === "" && takesValue(name) && next !== undefined &&
        !/^-./.test(next)
      ) {
        i++;
        return set(name, next, arg);
      }
      set(name, strings.has(name) && tail === "" ? "" : true, arg);
    }
  };

  for (; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg.startsWith("--")) long(arg);
    else if (/^-[^0-9]/.test(arg)) short(arg);
    else {
      if (options.unknown?.(arg) === false) continue;
      result._.push(
        strings.has("_") || !NUMBER.test(arg) ? arg : Number(arg),
      );
      if (options.stopEarly === true) {
        result._.push(...args.slice(i + 1));
        break;
      }
    }
  }

  if (options["--"] === true) result["--"] = [...rest];
  else result._.push(...rest);

  for (const [name, value] of Object.entries(options.default ?? {})) {
    for (const each of same(name)) if (!seen.has(each)) result[each] = value;
  }
  for (const name of booleans) {
    if (!(name in result)) result[name] = collects.has(name) ? [] : false;
  }
  for (const name of collects) if (!(name in result)) result[name] = [];
  return result;
}
