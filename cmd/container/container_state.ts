/**
 * What is known of a container between two commands: the content of its
 * state.json, and the state that engines are shown (OCI runtime specification,
 * runtime.md#state, with runc's further fields).
 * @module
 */
import * as z from "zod/mini";
import { ociHook, parseJson, validate } from "../oci/spec.ts";
import { OCI_VERSION } from "../oci/version.ts";
import { isAlive } from "./host_process.ts";

const hostProcess = z.object({ pid: z.int(), startTicks: z.number() });

const containerState = z.object({
  id: z.string(),
  bundle: z.string(),
  rootfs: z.string(),
  /** RFC 3339. */
  created: z.string(),
  owner: z.string(),
  annotations: z.record(z.string(), z.string()),
  /** How far commands brought it; "creating" until `create` has succeeded. */
  status: z.enum(["creating", "created", "running", "paused"]),
  /** The process of the pid file, the Sentry and the file server. */
  proxy: hostProcess,
  sentry: hostProcess,
  gofer: hostProcess,
  /** Hooks whose time is yet to come. */
  poststart: z.array(ociHook),
  poststop: z.array(ociHook),
});
export type ContainerState = z.infer<typeof containerState>;

export type ContainerStatus = ContainerState["status"] | "stopped";

/** Parses a state.json; a RuntimeError says what is wrong with it. */
export function parseState(json: string, path: string): ContainerState {
  return validate(containerState, parseJson(json, path), path);
}

export function statusOf(state: ContainerState): ContainerStatus {
  return isAlive(state.proxy) ? state.status : "stopped";
}

/** The JSON object of `state` and of hooks. */
export function shownState(state: ContainerState, status = statusOf(state)) {
  const { id, bundle, rootfs, created, owner, annotations } = state;
  return {
    ociVersion: OCI_VERSION,
    id,
    pid: status === "stopped" ? 0 : state.proxy.pid,
    status,
    bundle,
    rootfs,
    created,
    owner,
    annotations,
  };
}
export type ShownState = ReturnType<typeof shownState>;
