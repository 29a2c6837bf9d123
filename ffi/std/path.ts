/**
 * The part of `@std/path` that we use. Paths are POSIX: the host is Linux and
 * so is the guest. Written out, because the first import of a `node:` module
 * costs every process of ours 9 ms of its start.
 * @module
 */

/** Joins the segments and normalizes the result. */
export function join(...paths: string[]): string {
  return normalize(paths.filter((path) => path !== "").join("/"));
}

/** The path without its last component. */
export function dirname(path: string): string {
  const trimmed = trimSlashes(path);
  const slash = trimmed.lastIndexOf("/");
  if (slash < 0) return trimmed === "" && path !== "" ? "/" : ".";
  return trimSlashes(trimmed.slice(0, slash)) || "/";
}

/** The last component of the path, without `suffix` if it ends so. */
export function basename(path: string, suffix = ""): string {
  const trimmed = trimSlashes(path);
  const name = trimmed.slice(trimmed.lastIndexOf("/") + 1);
  return suffix !== "" && name !== suffix && name.endsWith(suffix)
    ? name.slice(0, -suffix.length)
    : name;
}

/** The extension of the path with its dot, or the empty string. */
export function extname(path: string): string {
  const name = basename(path);
  const dot = name.lastIndexOf(".");
  return dot <= 0 || name === ".." ? "" : name.slice(dot);
}

/** An absolute path from right to left over the current directory. */
export function resolve(...paths: string[]): string {
  let path = "";
  for (let i = paths.length - 1; i >= 0 && !isAbsolute(path); i--) {
    const segment = paths[i] as string;
    if (segment !== "") path = path === "" ? segment : `${segment}/${path}`;
  }
  if (!isAbsolute(path)) path = `${Deno.cwd()}/${path}`;
  return trimSlashes(normalize(path)) || "/";
}

/** True if the path begins at the root. */
export function isAbsolute(path: string): boolean {
  return path.startsWith("/");
}

/** The path with `.`, `..` and repeated slashes resolved, textually. */
export function normalize(path: string): string {
  const kept: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") kept.push(name);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!isAbsolute(path)) kept.push(name);
  }
  const joined = (isAbsolute(path) ? "/" : "") + kept.join("/");
  if (joined === "/") return joined;
  if (joined === "") return path.endsWith("/") && path !== "" ? "./" : ".";
  return path.endsWith("/") ? `${joined}/` : joined;
}

/** The path that leads from one directory to the other. */
export function relative(from: string, to: string): string {
  const names = (path: string) => resolve(path).split("/").filter(Boolean);
  const here = names(from);
  const there = names(to);
  let same = 0;
  while (same < here.length && here[same] === there[same]) same++;
  return [...here.slice(same).fill(".."), ...there.slice(same)].join("/");
}

/** The path of a `file:` URL. Throws a TypeError for another URL. */
export function fromFileUrl(url: string | URL): string {
  const { protocol, host, pathname } = new URL(url);
  if (protocol !== "file:" || host !== "") {
    throw new TypeError(`Not the URL of a local file: ${url}`);
  }
  return decodeURIComponent(pathname);
}

/** The `file:` URL of an absolute path. */
export function toFileUrl(path: string): URL {
  const escaped = resolve(path).split("/").map(encodeURIComponent).join("/");
  return new URL(`file://${escaped}`);
}

function trimSlashes(path: string): string {
  return path.replace(/\/+$/, "");
}
