/**
 * Lock-down of the Sentry: an empty file system, ids and capabilities that are
 * nobody's, no Deno permission, an allow-list of system calls, and nothing left
 * in JavaScript that could ask for more. Each step is checked; none can be
 * undone.
 * @module
 */
import type { Confinement } from "../../ffi/confine.ts";
import type { Process } from "../../ffi/process.ts";
import {
  compileFilter,
  type Seccomp,
  type SyscallRule,
} from "../../ffi/seccomp.ts";
import { SIGKILL } from "../../kernel/abi/signal.ts";
import { ExitStatus } from "../exit_status.ts";
import { BootError } from "./boot_error.ts";
import type { BootSpec } from "./boot_spec.ts";
import { sentryCalls } from "./seccomp_filter.ts";
import type { Timeline } from "./timeline.ts";

/** What takes authority away. Made before anything is given up. */
export interface LockdownTools {
  readonly confinement: Confinement;
  readonly process: Process;
  readonly seccomp: Seccomp;
}

const PERMISSIONS = [
  "read",
  "write",
  "net",
  "env",
  "sys",
  "run",
  "import",
  "ffi", // last: the others are revoked without it just as well
] as const;

function revokePermissions(): void {
  for (const name of PERMISSIONS) {
    const { state } = Deno.permissions.revokeSync({ name });
    if (state === "granted") {
      throw new BootError(
        ExitStatus.SandboxDied,
        `the permission "${name}" cannot be revoked`,
      );
    }
  }
}

/** Names through which code could load more code, or reach the runtime. The
 * boundary is seccomp; this only makes an attacker's first steps harder. */
const AMBIENT_NAMES = [
  "Deno",
  "Worker",
  "WebAssembly",
  "process",
  "fetch",
  "WebSocket",
  "localStorage",
  "sessionStorage",
  "caches",
  "navigator",
] as const;

function removeAmbientNames(): void {
  for (const name of AMBIENT_NAMES) {
    if (!Reflect.deleteProperty(globalThis, name)) {
      throw new BootError(
        ExitStatus.SandboxDied,
        `globalThis.${name} cannot be removed`,
      );
    }
  }
  for (const object of [Object.prototype, Array.prototype]) {
    Object.freeze(object);
  }
}

/** Locks this process down. Throws a StepError for what the host refuses. */
export function lockDown(
  spec: BootSpec,
  tools: LockdownTools,
  platformCalls: readonly SyscallRule[],
  timeline: Timeline,
): void {
  const { confinement, process, seccomp } = tools;
  const filter = timeline.step(
    "compile filter",
    () => compileFilter(sentryCalls(platformCalls), seccomp),
  );
  timeline.step("empty root", () => confinement.enterRoot());
  if (spec.confinedUid !== 0) {
    timeline.step("ids", () => {
      confinement.setIds(spec.confinedUid, spec.confinedGid);
    });
  }
  timeline.step("capabilities", () => confinement.dropCapabilities());
  timeline.step("process", () => {
    process.forbidDumps();
    // The kernel forgot it when ids and capabilities changed.
    process.setDeathSignal(SIGKILL);
  });
  timeline.step("permissions", revokePermissions);
  timeline.step("filter", () => seccomp.install(filter));
  timeline.step("ambient names", removeAmbientNames);
}
