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
  | "checksum";
