/**
 * Where the native files are, and the error of a host call that failed.
 * Each ffi file opens the library with the few symbols it binds, so that no
 * object holds more authority than its methods show.
 * @module
 */

import { fromFileUrl } from "@std/path";
import { errnoFromCode } from "../kernel/abi/errno.ts";

/**
 * Path of a file that `deno task build` made. In a bundle, which lies in
 * build/ itself, the native files are beside it.
 */
export function nativePath(name: string): string {
  const here = import.meta.url;
  const isSource = here.endsWith("/ffi/library.ts");
  return fromFileUrl(new URL(isSource ? `../build/${name}` : name, here));
}

/** A host call failed where the caller cannot go on; `code` is the errno. */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly code: number;

  /** `result`: the negative errno that the call `operation` returned. */
  constructor(operation: string, result: number) {
    super(`${operation}: ${errnoFromCode(result).name}`);
    this.code = -result;
  }
}

/** The result of a host call; throws a HostError if it is an errno. */
export function must(operation: string, result: number): number {
  if (result < 0) throw new HostError(operation, result);
  return result;
}

/** A path or name as C takes it. Throws if it holds a NUL. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError("A string for C holds a NUL");
  return new TextEncoder().encode(`${text}\0`);
}
