/**
 * Hooks of config.json: programs of the host that run at points of a
 * container's life, with its state on standard input (OCI runtime
 * specification, config.md#posix-platform-hooks).
 * @module
 */
import { DescriptorMaker } from "../../ffi/files.ts";
import { HostError } from "../../ffi/library.ts";
import { type Ending, Spawner } from "../../ffi/spawn.ts";
import { O_RDWR, O_TMPFILE } from "../../kernel/abi/fcntl.ts";
import { SIGKILL } from "../../kernel/abi/signal.ts";
import { ExitStatus } from "../exit_status.ts";
import type { OciSpec } from "../oci/spec.ts";
import { RuntimeError } from "../runtime_error.ts";
import { describeEnding } from "../sandbox/wait_status.ts";
import type { ShownState } from "./container_state.ts";

type Hooks = NonNullable<OciSpec["hooks"]>;
export type HookPoint = keyof Hooks;
export type Hook = NonNullable<Hooks[HookPoint]>[number];

/** The points at which hooks are run; others are refused. */
export const RUN_HOOK_POINTS: readonly HookPoint[] = [
  "prestart",
  "createRuntime",
  "createContainer",
  "poststart",
  "poststop",
];

/** What a hook wrote, as far as an error message may be long. */
const MAX_OUTPUT = 1024;
const MS_PER_SEC = 1000;

/** Where the output of hooks is kept while they run. */
export interface HookPlace {
  /** A directory that can be written to. */
  readonly directory: string;
}

function readStart(descriptors: DescriptorMaker, fd: number): string {
  const bytes = new Uint8Array(MAX_OUTPUT);
  const count = Math.max(0, descriptors.read(fd, bytes, 0));
  return new TextDecoder().decode(bytes.subarray(0, count)).trim();
}

function runHook(
  hook: Hook,
  what: string,
  state: ShownState,
  place: HookPlace,
): void {
  using spawner = new Spawner("brief");
  using descriptors = new DescriptorMaker("brief");
  const input = descriptors.sealed(
    new TextEncoder().encode(JSON.stringify(state)),
  );
  const output = descriptors.open(place.directory, O_RDWR | O_TMPFILE, 0o600);
  const fail = (how: string): never => {
    const said = readStart(descriptors, output);
    const detail = said === "" ? "" : `: ${said}`;
    throw new RuntimeError(
      ExitStatus.Failure,
      `hook ${what} (${hook.path}) ${how}${detail}`,
    );
  };
  try {
    const child = spawner.spawn({
      path: hook.path,
      args: hook.args ?? [hook.path],
      env: Object.fromEntries(
        (hook.env ?? []).map((entry) => {
          const [name = "", ...value] = entry.split("=");
          return [name, value.join("=")];
        }),
      ),
      fds: [input, output, output],
      newSession: true,
    });
    const timeoutMs = hook.timeout === undefined
      ? -1
      : hook.timeout * MS_PER_SEC;
    const ending = waitOrKill(spawner, child.pidfd, timeoutMs);
    spawner.close(child.pidfd);
    if (ending === null) fail(`took longer than ${hook.timeout} s`);
    else if (!("exitCode" in ending) || ending.exitCode !== 0) {
      fail(describeEnding(ending));
    }
  } catch (thrown) {
    if (thrown instanceof HostError) fail(`did not start: ${thrown.message}`);
    throw thrown;
  } finally {
    descriptors.close(input);
    descriptors.close(output);
  }
}

/** Null: it had to be killed. */
function waitOrKill(
  spawner: Spawner,
  pidfd: number,
  timeoutMs: number,
): Ending | null {
  const ending = spawner.wait(pidfd, timeoutMs);
  if (ending !== null) return ending;
  spawner.kill(pidfd, SIGKILL);
  spawner.wait(pidfd, -1);
  return null;
}

/** Runs the hooks of a point in order. Throws a RuntimeError for the first that
 * fails; the rest are not run. */
export function runHooks(
  point: HookPoint,
  hooks: readonly Hook[] | undefined,
  state: ShownState,
  place: HookPlace,
): void {
  for (const [index, hook] of (hooks ?? []).entries()) {
    runHook(hook, `${point}[${index}]`, state, place);
  }
}

/** The same for the points at which a failure is only to be noted; the
 * messages. */
export function runHooksAnyway(
  point: HookPoint,
  hooks: readonly Hook[] | undefined,
  state: ShownState,
  place: HookPlace,
): string[] {
  const failures: string[] = [];
  for (const [index, hook] of (hooks ?? []).entries()) {
    try {
      runHook(hook, `${point}[${index}]`, state, place);
    } catch (thrown) {
      if (!(thrown instanceof RuntimeError)) throw thrown;
      failures.push(thrown.message);
    }
  }
  return failures;
}
