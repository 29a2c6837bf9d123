/**
 * runsc as a command, for tests: what it wrote and how it ended.
 * @module
 */

const MAIN = new URL("../../cmd/main.ts", import.meta.url).pathname;

/** argv of runsc run from its sources. */
export const RUNSC: readonly string[] = [
  Deno.execPath(),
  "run",
  "-q",
  "-A",
  MAIN,
];

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `runsc args...` to its end. */
export async function runsc(
  args: readonly string[],
  options: { readonly stdin?: string; readonly cwd?: string } = {},
): Promise<CommandResult> {
  const child = new Deno.Command(RUNSC[0]!, {
    args: [...RUNSC.slice(1), ...args],
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }).spawn();
  if (options.stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(options.stdin));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}
