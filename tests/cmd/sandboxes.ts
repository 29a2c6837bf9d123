/**
 * Sandboxes for the tests of cmd: plans that need no image, and a look at what
 * is left of one.
 * @module
 */
import { hostUser } from "../../cmd/sandbox/host_user.ts";
import { planProgram } from "../../cmd/sandbox/program_plan.ts";
import { RunningSandbox } from "../../cmd/sandbox/running_sandbox.ts";
import type { PlatformChoice } from "../../cmd/boot/platform_kinds.ts";
import type { StartOptions } from "../../cmd/sandbox/children.ts";

/** A sandbox on this host's files. It waits for start() unless told. */
export function startSandbox(
  args: readonly string[],
  options: Partial<StartOptions> = {},
): RunningSandbox {
  const plan = planProgram({
    id: "test",
    root: "/",
    args,
    env: { PATH: "/usr/bin:/bin" },
    cwd: "/",
    uid: 0,
    gid: 0,
    hostname: "test",
    shares: [],
    hasTerminal: false,
  });
  return new RunningSandbox(plan, {
    user: hostUser(undefined),
    stdio: [0, 1, 2],
    logFd: 2,
    platform: (Deno.env.get("RUNSC_PLATFORM") ?? "auto") as PlatformChoice,
    isDebug: false,
    isStrace: false,
    waitsForStart: true,
    test: null,
    ...options,
  });
}

/** Host processes whose parent is this one or that have it as an ancestor. */
export function descendants(of = Deno.pid): number[] {
  const parents = new Map<number, number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      parents.set(Number(name), Number(fields[1]));
    } catch (thrown) {
      // It ended while we looked: before the file was opened, or before it
      // was read.
      if (thrown instanceof Deno.errors.NotFound) continue;
      if (!(thrown instanceof Error && thrown.message.includes("os error 3"))) {
        throw thrown;
      }
    }
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === of || isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}
