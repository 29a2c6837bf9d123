/**
 * Why a packet was refused. Parsers return one of these instead of throwing;
 * statistics count them by name.
 * @module
 */
export type Malformed =
  /** Fewer bytes than the header, or than its own length says. */
  | "truncated"
  /** A version that the format does not have. */
  | "version"
  /** A length within the header that contradicts another. */
  | "length"
  | "checksum"
  /** An option that its own length or place contradicts. */
  | "option"
  /** A type, or a value of a field, that the format does not have. */
  | "type"
  /** More headers or records than we look at. */
  | "limit";

/** Tells a refusal from a parsed value. */
export function isMalformed(value: unknown): value is Malformed {
  return typeof value === "string";
}
