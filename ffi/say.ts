/**
 * How our command line tools speak: whole lines, written at once. `console` is
 * not used because it formats and colours what it is given.
 * @module
 */

const encoder = new TextEncoder();

function writeAll(stream: { writeSync(p: Uint8Array): number }, line: string) {
  let rest = encoder.encode(`${line}\n`);
  while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
}

/** Writes a line to standard error. */
export function say(line: string): void {
  writeAll(Deno.stderr, line);
}

/** Writes a line to standard output. */
export function print(line: string): void {
  writeAll(Deno.stdout, line);
}
