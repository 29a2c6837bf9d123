/**
 * A sandbox that runs while the code caches are made (code_cache.ts), so that
 * the caches hold the functions that a start, a few common programs and an end
 * need. Its processes are variants that write down, at their end, what V8 has
 * compiled; so it waits for their ends instead of hurrying them.
 * @module
 */
import { DescriptorMaker } from "../ffi/files.ts";
import { O_RDWR } from "../kernel/abi/fcntl.ts";
import { hostUser } from "./sandbox/host_user.ts";
import { planProgram } from "./sandbox/program_plan.ts";
import { RunningSandbox } from "./sandbox/running_sandbox.ts";
import { exitStatusOf } from "./sandbox/wait_status.ts";

/** What most programs do first: shells, forks, pipes, small files. */
const PROGRAM = `
ls / /proc/self/fd | sort
cd /tmp && echo text >file && cat file </dev/null && rm file
( exit 0 ) & wait
exit 0`;

/** Runs the rehearsal; its exit status. */
export async function main(): Promise<number> {
  using descriptors = new DescriptorMaker();
  const plan = planProgram({
    id: `rehearsal-${Deno.pid}`,
    root: "/",
    args: ["/bin/sh", "-c", PROGRAM],
    env: { PATH: "/usr/bin:/bin" },
    cwd: "/",
    uid: 0,
    gid: 0,
    hostname: "rehearsal",
    shares: [],
    hasTerminal: false,
  });
  const nothing = descriptors.open("/dev/null", O_RDWR);
  await using sandbox = new RunningSandbox(plan, {
    platform: "auto",
    user: hostUser(undefined),
    stdio: [nothing, nothing, nothing],
    logFd: nothing,
    isDebug: false,
    isStrace: false,
    waitsForStart: false,
    test: null,
  });
  const status = exitStatusOf(await sandbox.wait());
  await sandbox.ended;
  return status;
}
