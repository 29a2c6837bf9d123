/**
 * A JSON document in a memory file that was inherited or attached.
 * @module
 */
import type { DescriptorMaker } from "../../ffi/files.ts";
import { must } from "../../ffi/library.ts";

/** A spec with a full environment has a few megabytes at most. */
const MAX_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** Reads and parses the document behind `fd`. Throws for a read error, for a
 * document that is too long, and for what is not JSON. */
export function readDocument(
  descriptors: DescriptorMaker,
  fd: number,
): unknown {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(CHUNK_BYTES);
  let text = "";
  let offset = 0;
  for (;;) {
    const count = must("read", descriptors.read(fd, chunk, offset));
    if (count === 0) break;
    offset += count;
    if (offset > MAX_BYTES) throw new RangeError("The document is too long");
    text += decoder.decode(chunk.subarray(0, count), { stream: true });
  }
  return JSON.parse(text + decoder.decode());
}
