/**
 * From text of the operator's to what the kernel calls a byte string.
 * @module
 */
import type { ByteString } from "../../kernel/mm/user_memory.ts";

/** The UTF-8 bytes of `text`, one per UTF-16 unit. */
export function toByteString(text: string): ByteString {
  let bytes = "";
  for (const byte of new TextEncoder().encode(text)) {
    bytes += String.fromCharCode(byte);
  }
  return bytes;
}
