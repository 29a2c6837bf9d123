/**
 * What the Sentry and the process that started it say to each other: JSON
 * objects, one per SEQPACKET message, descriptors attached where noted.
 *
 * The starter makes calls, each with an id, and gets one reply for each, in any
 * order. The Sentry reports events unasked: "ready" once it is locked down,
 * "started" and "exited" of the first process, "failed" as its last word.
 * @module
 */
import type { ProcessSpec } from "./boot_spec.ts";

/** Longest message in bytes; a larger one is an error of the sender. */
export const MAX_MESSAGE_BYTES = 64 * 1024;

/** Messages to the Sentry. */
export type Call =
  & { readonly id: number }
  & (
    /** Starts the first process; only where the spec says waitsForStart. */
    | { readonly call: "start" }
    /** The sandbox is to outlive this connection; its proxy ends it. */
    | { readonly call: "keep" }
    /** Freezes every process, and lets them go on. */
    | { readonly call: "pause" }
    | { readonly call: "resume" }
    /** This connection, too, is to hear of the end of the first process. */
    | { readonly call: "watch" }
    /** Reply: a ProcessRow for each process. */
    | { readonly call: "processes" }
    /** Reply: SandboxStats. */
    | { readonly call: "stats" }
    /** `pid`: in the sandbox; 0 stands for the first process. */
    | { readonly call: "signal"; readonly pid: number; readonly signo: number }
    /** The host's terminal has another size now. */
    | { readonly call: "resize" }
    /**
     * Starts another process. Attached: a memory file with its ProcessSpec as
     * JSON, then stdin, stdout, stderr, and perhaps a connection with the
     * process of pid `proxy` on the host that stands for it. Reply: its pid;
     * "exited" follows.
     */
    | { readonly call: "exec"; readonly proxy?: number }
    | { readonly call: "state" }
    /** Ends the sandbox, killing what runs in it. */
    | { readonly call: "stop" }
    /** Tests only: evaluates JavaScript in the locked Sentry. */
    | { readonly call: "probe"; readonly source: string }
  );

/** A step of the boot sequence and when it was done, after exec of the
 * Sentry. */
export interface TimelineEntry {
  readonly step: string;
  readonly atMs: number;
}

export interface SandboxState {
  readonly isRunning: boolean;
  /** Processes of the sandbox, by pid. */
  readonly pids: readonly number[];
  /** Pids on the host of what stands for processes of exec. */
  readonly proxies: readonly number[];
}

/** A process as ps(1) shows it. */
export interface ProcessRow {
  readonly uid: number;
  readonly pid: number;
  readonly ppid: number;
  /** After the start of the sandbox. */
  readonly startSec: number;
  readonly cpuSec: number;
  readonly name: string;
}

export interface SandboxStats {
  readonly cpuUserNs: number;
  readonly cpuSystemNs: number;
  readonly processes: number;
  readonly memoryBytes: number;
}

export type Event =
  | { readonly event: "ready"; readonly timeline: readonly TimelineEntry[] }
  | { readonly event: "started"; readonly pid: number }
  /** `status` as wait(2) encodes it. */
  | { readonly event: "exited"; readonly pid: number; readonly status: number }
  /** Nothing follows. `status`: what runsc should exit with. */
  | {
    readonly event: "failed";
    readonly step: string;
    readonly message: string;
    readonly status: number;
  };

export interface Reply {
  readonly reply: number;
  /** Undefined for a call without result. */
  readonly result?: unknown;
  /** Why the call failed, and the exit status that says so. */
  readonly error?: { readonly message: string; readonly status: number };
}

export type FromSentry = Event | Reply;

/** A process spec as it travels in a memory file. */
export function encodeDocument(
  document: ProcessSpec | object,
): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(document));
}

/** One message, ready to be sent. Throws a RangeError if it is too long. */
export function encodeMessage(
  message: Call | FromSentry,
): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(JSON.stringify(message));
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new RangeError(`A control message of ${bytes.length} bytes`);
  }
  return bytes;
}

function decode(bytes: Uint8Array): object {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (typeof value !== "object" || value === null) {
    throw new TypeError("A control message that is not an object");
  }
  return value;
}

/** A message to the Sentry. Its sender is trusted, its version is not: an
 * unknown call is for the receiver to refuse. */
export function decodeCall(bytes: Uint8Array): Call {
  return decode(bytes) as Call;
}

/**
 * A message from the Sentry, which guest code may have taken over: everything
 * that the runtime acts on is checked here.
 */
export function decodeFromSentry(bytes: Uint8Array): FromSentry {
  const value = decode(bytes) as Record<string, unknown>;
  const isNumber = (name: string) => Number.isSafeInteger(value[name]);
  const isText = (name: string) => typeof value[name] === "string";
  if (isNumber("reply")) {
    const error = value["error"];
    if (error === undefined) return value as unknown as Reply;
    const { message, status } = Object(error);
    if (typeof message === "string" && Number.isSafeInteger(status)) {
      return value as unknown as Reply;
    }
  }
  switch (value["event"]) {
    case "ready":
      if (Array.isArray(value["timeline"])) return value as unknown as Event;
      break;
    case "started":
      if (isNumber("pid")) return value as unknown as Event;
      break;
    case "exited":
      if (isNumber("pid") && isNumber("status")) {
        return value as unknown as Event;
      }
      break;
    case "failed":
      if (isText("step") && isText("message") && isNumber("status")) {
        return value as unknown as Event;
      }
      break;
  }
  throw new TypeError("A message from the sandbox that makes no sense");
}
