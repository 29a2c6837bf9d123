/**
 * struct sockaddr_un: file names, abstract names and no name at all. Source:
 * unix(7).
 * @module
 */
import { EINVAL, type Errno } from "../../abi/errno.ts";
import { AF_UNIX, SOCKADDR_UN, SOCKADDR_UN_SIZE } from "../../abi/socket.ts";
import type { ByteString } from "../../mm/user_memory.ts";

/** A name that a socket can be bound to. */
export interface UnixAddress {
  readonly kind: "path" | "abstract";
  /** The path, or the abstract name without its leading NUL. */
  readonly name: ByteString;
}

/** "unnamed": only the family was given, which bind(2) takes as "any". */
export function parseUnixAddress(
  bytes: Uint8Array,
): UnixAddress | "unnamed" | Errno {
  const start = SOCKADDR_UN.sun_path;
  if (bytes.length < start || bytes.length > SOCKADDR_UN_SIZE) return EINVAL;
  if ((bytes[0]! | (bytes[1]! << 8)) !== AF_UNIX) return EINVAL;
  if (bytes.length === start) return "unnamed";
  if (bytes[start] === 0) {
    return { kind: "abstract", name: textOf(bytes.subarray(start + 1)) };
  }
  const path = bytes.subarray(start);
  const end = path.indexOf(0);
  const name = textOf(end < 0 ? path : path.subarray(0, end));
  return { kind: "path", name };
}

/** struct sockaddr_un, as short as it may be; null: without a name. */
export function encodeUnixAddress(address: UnixAddress | null): Uint8Array {
  const start = SOCKADDR_UN.sun_path;
  if (address === null) return Uint8Array.of(AF_UNIX, 0);
  const { kind, name } = address;
  const bytes = new Uint8Array(start + name.length + 1);
  bytes[0] = AF_UNIX;
  const at = kind === "abstract" ? start + 1 : start;
  for (let i = 0; i < name.length; i++) bytes[at + i] = name.charCodeAt(i);
  return bytes;
}

function textOf(bytes: Uint8Array): ByteString {
  return String.fromCharCode(...bytes);
}
