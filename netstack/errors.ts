/**
 * Why an operation of the stack did not succeed. Values, never thrown; whoever
 * offers sockets on top maps them to its own numbers in one table.
 * @module
 */

export type NetError =
  /** Nothing to read, no room to write, nobody to accept: try when ready. */
  | "would-block"
  /** connect() has begun; the endpoint becomes writable when it has ended. */
  | "in-progress"
  /** connect() had begun before. */
  | "already-connecting"
  | "already-connected"
  | "not-connected"
  /** An operation that the endpoint's state or type does not have. */
  | "invalid-state"
  | "invalid-argument"
  | "address-in-use"
  | "address-not-available"
  | "address-family"
  | "destination-required"
  | "permission-denied"
  | "connection-refused"
  | "connection-reset"
  | "connection-aborted"
  | "timed-out"
  | "host-unreachable"
  | "network-unreachable"
  | "port-unreachable"
  | "protocol-unreachable"
  | "message-too-long"
  /** Writing after shutdown, or to a connection that is gone. */
  | "broken-pipe"
  | "no-buffers"
  | "not-supported"
  | "no-such-device"
  | "exists";

/** Tells an error from a count or an object. */
export function isNetError(value: unknown): value is NetError {
  return typeof value === "string";
}
