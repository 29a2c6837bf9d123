/**
 * The part of `@std/path` that we use, over node:path. Paths are POSIX: the
 * host is Linux and so is the guest.
 * @module
 */

import { posix } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Joins the segments and normalizes the result. */
export function join(...paths: string[]): string {
  return posix.join(...paths);
}

/** The path without its last component. */
export function dirname(path: string): string {
  return posix.dirname(path);
}

/** The last component of the path, without `suffix` if it ends so. */
export function basename(path: string, suffix = ""): string {
  return posix.basename(path, suffix);
}

/** The extension of the path with its dot, or the empty string. */
export function extname(path: string): string {
  return posix.extname(path);
}

/** An absolute path from right to left over the current directory. */
export function resolve(...paths: string[]): string {
  return posix.resolve(...paths);
}

/** True if the path begins at the root. */
export function isAbsolute(path: string): boolean {
  return posix.isAbsolute(path);
}

/** The path with `.`, `..` and repeated slashes resolved, textually. */
export function normalize(path: string): string {
  return posix.normalize(path);
}

/** The path that leads from one directory to the other. */
export function relative(from: string, to: string): string {
  return posix.relative(from, to);
}

/** The path of a `file:` URL. */
export function fromFileUrl(url: string | URL): string {
  return fileURLToPath(url);
}

/** The `file:` URL of an absolute path. */
export function toFileUrl(path: string): URL {
  return pathToFileURL(path);
}
