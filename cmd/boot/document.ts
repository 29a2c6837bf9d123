/**
 * A JSON document in a memory file that was inherited or attached, or in a pipe
 * where it is still to come.
 * @module
 */
import type { DescriptorMaker } from "../../ffi/files.ts";
import { must } from "../../ffi/library.ts";
import { ESPIPE } from "../../kernel/abi/errno.ts";
import { POLLIN } from "../../kernel/abi/poll.ts";

/** A spec with a full environment has a few megabytes at most. */
const MAX_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** Parses what `read` fills chunks with until it returns 0. */
function parseAll(read: (into: Uint8Array<ArrayBuffer>) => number): unknown {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(CHUNK_BYTES);
  let text = "";
  let length = 0;
  for (;;) {
    const count = must("read", read(chunk));
    if (count === 0) break;
    length += count;
    if (length > MAX_BYTES) throw new RangeError("The document is too long");
    text += decoder.decode(chunk.subarray(0, count), { stream: true });
  }
  return JSON.parse(text + decoder.decode());
}

/** Reads and parses the document in the memory file `fd`. Throws for a read
 * error, for a document that is too long, and for what is not JSON. */
export function readDocument(
  descriptors: DescriptorMaker,
  fd: number,
): unknown {
  let offset = 0;
  return parseAll((into) => {
    const count = descriptors.read(fd, into, offset);
    offset += count;
    return count;
  });
}

/** The same for the document that a process of ours is started with, which may
 * be in a pipe; then waits until it was written and the pipe closed. */
export function receiveDocument(
  descriptors: DescriptorMaker,
  fd: number,
): unknown {
  const isPipe = descriptors.read(fd, new Uint8Array(1), 0) === -ESPIPE.code;
  if (!isPipe) return readDocument(descriptors, fd);
  return parseAll((into) => {
    descriptors.poll(fd, POLLIN, -1);
    return descriptors.read(fd, into);
  });
}
