/**
 * config.json of an OCI bundle (OCI runtime specification 1.2, config.md), and
 * how a bad one is reported: by the path of the field and what was expected.
 *
 * As in every implementation in Go, `null` stands for an absent field, and
 * fields that nobody knows are ignored. Only the verbs that read a spec load
 * this file: it brings zod.
 * @module
 */
import * as z from "zod/mini";
import { ExitStatus } from "../exit_status.ts";
import { messageOf, RuntimeError } from "../runtime_error.ts";
import { idMapping, ociLinux } from "./linux.ts";
import { ociProcess } from "./process.ts";
import { absolutePath, stringMap, strings, text } from "./scalars.ts";

const mount = z.object({
  destination: absolutePath,
  source: z.optional(text),
  type: z.optional(text),
  options: z.optional(strings),
  uidMappings: z.optional(z.array(idMapping)),
  gidMappings: z.optional(z.array(idMapping)),
});

export const ociHook = z.object({
  path: absolutePath,
  args: z.optional(strings),
  env: z.optional(strings),
  timeout: z.optional(z.int().check(z.gte(1))),
});
const hooks = z.object({
  prestart: z.optional(z.array(ociHook)),
  createRuntime: z.optional(z.array(ociHook)),
  createContainer: z.optional(z.array(ociHook)),
  startContainer: z.optional(z.array(ociHook)),
  poststart: z.optional(z.array(ociHook)),
  poststop: z.optional(z.array(ociHook)),
});

const ociSpec = z.object({
  ociVersion: z.string().check(z.regex(/^1\.[0-9]+\.[0-9]+/)),
  root: z.optional(z.object({
    path: text.check(z.minLength(1)),
    readonly: z.optional(z.boolean()),
  })),
  process: z.optional(ociProcess),
  hostname: z.optional(text.check(z.maxLength(64))),
  domainname: z.optional(text.check(z.maxLength(64))),
  mounts: z.optional(z.array(mount)),
  hooks: z.optional(hooks),
  annotations: z.optional(stringMap),
  linux: z.optional(ociLinux),
});
export type OciSpec = z.infer<typeof ociSpec>;
export type OciMount = z.infer<typeof mount>;

/** Removes the members that are null, at every depth. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, withoutNulls(member)]),
  );
}

function showPath(path: readonly PropertyKey[]): string {
  let shown = "";
  for (const key of path) {
    if (typeof key === "number") shown += `[${key}]`;
    else shown += shown === "" ? String(key) : `.${String(key)}`;
  }
  return shown === "" ? "the document" : shown;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = Reflect.get(here, key);
  }
  return here;
}

function show(value: unknown): string {
  if (value === undefined) return "it is missing";
  const written = JSON.stringify(value);
  return `not ${written.length > 60 ? `${written.slice(0, 57)}...` : written}`;
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.expected === "int" ? "a whole number" : (
        /^[aeiou]/.test(issue.expected)
          ? `an ${issue.expected}`
          : `a ${issue.expected}`
      );
    case "invalid_value":
      return `one of ${
        issue.values.map((value) => `"${String(value)}"`).join(", ")
      }`;
    case "too_small":
      return issue.origin === "array" || issue.origin === "string"
        ? `${issue.minimum} or more ${
          issue.origin === "array" ? "items" : "characters"
        }`
        : `${issue.minimum} or more`;
    case "too_big":
      return issue.origin === "array" || issue.origin === "string"
        ? `at most ${issue.maximum} ${
          issue.origin === "array" ? "items" : "characters"
        }`
        : `at most ${issue.maximum}`;
    case "invalid_format":
      return `a string that matches ${
        "pattern" in issue ? String(issue.pattern) : issue.format
      }`;
    default:
      return issue.message;
  }
}

/**
 * Checks `value` against a schema of this folder. A RuntimeError names the
 * document (`what`), the first bad field and what was expected there.
 */
export function validate<T extends z.ZodMiniType>(
  schema: T,
  value: unknown,
  what: string,
): z.infer<T> {
  const cleaned = withoutNulls(value);
  const result = z.safeParse(schema, cleaned);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new RuntimeError(
    ExitStatus.BadConfig,
    `${what}: ${showPath(issue.path)}: expected ${expectation(issue)}, ${
      show(at(cleaned, issue.path))
    }`,
  );
}

/** Parses the text of a JSON document; a RuntimeError names `what`. */
export function parseJson(json: string, what: string): unknown {
  try {
    return JSON.parse(json);
  } catch (thrown) {
    throw new RuntimeError(
      ExitStatus.BadConfig,
      `${what}: not JSON: ${messageOf(thrown)}`,
    );
  }
}

/** Parses the text of config.json. */
export function parseSpec(json: string, what = "config.json"): OciSpec {
  return validate(ociSpec, parseJson(json, what), what);
}
