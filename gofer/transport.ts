/**
 * How a client's messages travel: over one end of a GoferChannels pair.
 * @module
 */
import type { GoferChannels } from "../ffi/gofer_channel.ts";
import type { DonatedFd } from "./client.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface GoferTransport {
  /**
   * Sends `request[0, length)` and waits for one message; its length. Its
   * descriptors replace the contents of `fds`. <= 0: the connection is lost.
   */
  call(
    request: Bytes,
    length: number,
    reply: Bytes,
    fds: DonatedFd[],
  ): number;
  /** Sends a message that has no reply; < 0: the connection is lost. */
  post(request: Bytes, length: number): number;
  /** Closes a descriptor that a reply should not have had. */
  discard(fd: DonatedFd): void;
}

/** A transport over `channel`, which stays the caller's. `spinUs`: how long
 * to ask for a reply before sleeping, in microseconds; 0 on a single CPU. */
export function channelTransport(
  channels: GoferChannels,
  channel: number,
  options: {
    readonly spinUs: number;
    readonly closeFd: (fd: number) => void;
  },
): GoferTransport {
  const { spinUs, closeFd } = options;
  const noFds: readonly number[] = [];
  return {
    call(request, length, reply, fds) {
      const error = channels.send(channel, request, length, noFds);
      if (error < 0) return error;
      return channels.receive(channel, reply, fds, { spinUs });
    },
    post: (request, length) => channels.send(channel, request, length, noFds),
    discard: closeFd,
  };
}
