/**
 * The part of `@std/assert` that our tests use, over node:assert. The real
 * module is not in the registries that we build from; signatures are the same,
 * so that the import map alone decides which one is used.
 * @module
 */

import { AssertionError, deepStrictEqual } from "node:assert/strict";
import { inspect } from "node:util";

// deno-lint-ignore no-explicit-any -- a constructor of any arguments, as @std declares it
type Constructor<T> = abstract new (...args: any[]) => T;

export { AssertionError };

function suffix(msg: string | undefined): string {
  return msg === undefined ? "." : `: ${msg}`;
}

/** Throws an AssertionError with the message, always. */
export function fail(msg?: string): never {
  throw new AssertionError({ message: `Failed assertion${suffix(msg)}` });
}

/** Throws unless `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError({ message: msg });
}

/** Throws if `expr` is truthy. */
export function assertFalse(expr: unknown, msg = ""): asserts expr is false {
  if (expr) throw new AssertionError({ message: msg });
}

function isDeepEqual(actual: unknown, expected: unknown): boolean {
  try {
    deepStrictEqual(actual, expected);
    return true;
  } catch (error) {
    if (error instanceof AssertionError) return false;
    throw error;
  }
}

/** Throws unless both are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  try {
    deepStrictEqual(actual, expected);
  } catch (error) {
    if (msg === undefined || !(error instanceof AssertionError)) throw error;
    throw new AssertionError({ message: `${msg}\n${error.message}` });
  }
}

/** Throws if both are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!isDeepEqual(actual, expected)) return;
  throw new AssertionError({
    message: `Expected a value other than ${inspect(actual)}${suffix(msg)}`,
  });
}

/** Throws unless both are the same value (Object.is). */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  throw new AssertionError({
    message: `Values are not the same${suffix(msg)}\n  actual: ${
      inspect(actual)
    }\n  expected: ${inspect(expected)}`,
  });
}

/** Throws if both are the same value (Object.is). */
export function assertNotStrictEquals<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (!Object.is(actual, expected)) return;
  throw new AssertionError({
    message: `Expected not to be the same: ${inspect(actual)}${suffix(msg)}`,
  });
}

/** Throws if `actual` is null or undefined. */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw new AssertionError({
    message: `Expected a value, got ${actual}${suffix(msg)}`,
  });
}

/** Throws unless `actual` was made by `expectedType`. */
export function assertInstanceOf<T>(
  actual: unknown,
  expectedType: Constructor<T>,
  msg?: string,
): asserts actual is T {
  if (actual instanceof expectedType) return;
  throw new AssertionError({
    message: `Expected an instance of ${expectedType.name}, got ${
      inspect(actual)
    }${suffix(msg)}`,
  });
}

/** Throws unless `actual` contains `expected`. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  throw new AssertionError({
    message: `Expected ${inspect(actual)} to contain ${inspect(expected)}${
      suffix(msg)
    }`,
  });
}

/** Throws unless every element of `expected` is deeply equal to one of `actual`. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
): void {
  const have = Array.from(actual);
  const missing = Array.from(expected).filter((want) =>
    !have.some((element) => isDeepEqual(element, want))
  );
  if (missing.length === 0) return;
  throw new AssertionError({
    message: `Missing ${inspect(missing)} in ${inspect(have)}${suffix(msg)}`,
  });
}

/** Throws unless every property of `expected` is deeply equal in `actual`. */
export function assertObjectMatch(
  actual: Record<PropertyKey, unknown>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  const project = (value: unknown, shape: unknown): unknown => {
    if (shape === null || typeof shape !== "object" || Array.isArray(shape)) {
      return value;
    }
    if (value === null || typeof value !== "object") return value;
    const picked: Record<PropertyKey, unknown> = {};
    for (const key of Reflect.ownKeys(shape)) {
      if (key in value) {
        picked[key] = project(Reflect.get(value, key), Reflect.get(shape, key));
      }
    }
    return picked;
  };
  assertEquals(project(actual, expected), { ...expected }, msg);
}

/** Throws unless `actual` matches the pattern. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  throw new AssertionError({
    message: `Expected ${inspect(actual)} to match ${expected}${suffix(msg)}`,
  });
}

/** Throws if `actual` matches the pattern. */
export function assertNotMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (!expected.test(actual)) return;
  throw new AssertionError({
    message: `Expected ${inspect(actual)} not to match ${expected}${
      suffix(msg)
    }`,
  });
}

function compare(holds: boolean, text: string, msg: string | undefined): void {
  if (holds) return;
  throw new AssertionError({ message: `Expected ${text}${suffix(msg)}` });
}

/** Throws unless `actual` > `expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  compare(actual > expected, `${actual} > ${expected}`, msg);
}

/** Throws unless `actual` >= `expected`. */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  compare(actual >= expected, `${actual} >= ${expected}`, msg);
}

/** Throws unless `actual` < `expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  compare(actual < expected, `${actual} < ${expected}`, msg);
}

/** Throws unless `actual` <= `expected`. */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  compare(actual <= expected, `${actual} <= ${expected}`, msg);
}

/** Throws unless both numbers differ by at most `tolerance`. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  const bound = tolerance ?? Math.abs(expected) * 1e-7;
  compare(
    Object.is(actual, expected) || Math.abs(actual - expected) <= bound,
    `${actual} to be within ${bound} of ${expected}`,
    msg,
  );
}

/** Throws unless `error` is an Error of the class whose message includes the text. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: Constructor<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  assertInstanceOf(error, ErrorClass ?? Error, msg);
  const message = (error as Error).message;
  if (msgMatches === undefined) return;
  const isMatch = typeof msgMatches === "string"
    ? message.includes(msgMatches)
    : msgMatches.test(message);
  compare(
    isMatch,
    `error message ${inspect(message)} to include ${inspect(msgMatches)}`,
    msg,
  );
}

/** Throws unless `fn` throws; returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: Constructor<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMsg?: Constructor<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  let thrown: unknown;
  try {
    fn();
  } catch (error) {
    thrown = error;
    if (typeof classOrMsg === "function") {
      assertIsError(error, classOrMsg, msgIncludes, msg);
    }
    return thrown;
  }
  throw new AssertionError({
    message: `Expected function to throw${
      suffix(typeof classOrMsg === "string" ? classOrMsg : msg)
    }`,
  });
}

/** Rejects unless the promise of `fn` rejects; resolves to the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: Constructor<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: Constructor<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  let reason: unknown;
  try {
    await fn();
  } catch (error) {
    reason = error;
    if (typeof classOrMsg === "function") {
      assertIsError(error, classOrMsg, msgIncludes, msg);
    }
    return reason;
  }
  throw new AssertionError({
    message: `Expected function to reject${
      suffix(typeof classOrMsg === "string" ? classOrMsg : msg)
    }`,
  });
}

/** Throws, always: the line must not be reached. */
export function unreachable(reason?: string): never {
  throw new AssertionError({ message: `Unreachable${suffix(reason)}` });
}
