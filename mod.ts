/**
 * The embedding API of runsc: run programs that you do not trust on a kernel of
 * their own. See {@link Sandbox}.
 * @module
 */
export {
  type ProcessOptions,
  Sandbox,
  type SandboxOptions,
} from "./cmd/embedding/sandbox.ts";
export {
  type ProcessOutput,
  type ProcessStatus,
  SandboxProcess,
  type Stdio,
  type StdioOptions,
} from "./cmd/embedding/sandbox_process.ts";
export { RuntimeError } from "./cmd/runtime_error.ts";
export type { SharedPath } from "./cmd/sandbox/program_plan.ts";
