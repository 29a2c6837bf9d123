/**
 * One request at a time over a transport: frames it, sends it, checks the frame
 * of the reply. A malformed reply, like a transport that fails, is a lost
 * connection, for good; the server is more trusted than the guest, but not
 * that much.
 * @module
 */
import { EMFILE, EREMOTEIO } from "../kernel/abi/errno.ts";
import type { DonatedFd, GoferNode, GoferNodeId, GoferStat } from "./client.ts";
import {
  MAX_MESSAGE,
  REPLY_HEADER,
  REQUEST_HEADER,
  type Rpc,
} from "./protocol.ts";
import type { GoferTransport } from "./transport.ts";
import { MessageReader, MessageWriter } from "./wire.ts";

/** What every call returns once the connection is lost. */
export const LOST: number = -EREMOTEIO.code;

export class RpcCaller {
  /** Told once. */
  onLost: ((reason: string) => void) | null = null;

  readonly #transport: GoferTransport;
  readonly #request = new MessageWriter(new Uint8Array(MAX_MESSAGE));
  readonly #replyBytes = new Uint8Array(MAX_MESSAGE);
  readonly reply: MessageReader = new MessageReader(this.#replyBytes);
  /** Descriptors of the last reply, at most one, and how many there were when
   * it was sent. */
  readonly #fds: DonatedFd[] = [];
  #fdCount = 0;
  #tag = 0;
  #isLost = false;

  constructor(transport: GoferTransport) {
    this.#transport = transport;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Starts a request; its payload is to be written to the result. */
  begin(type: Rpc): MessageWriter {
    const request = this.#request;
    this.#tag = (this.#tag + 1) & 0xffff;
    request.view.setUint16(4, type, true);
    request.view.setUint16(6, this.#tag, true);
    request.length = REQUEST_HEADER;
    return request;
  }

  /** Sends the request and waits; the result of the reply, whose payload
   * `reply` is ready to read if it is not negative. */
  call(): number {
    if (this.#isLost) return LOST;
    const request = this.#request;
    request.view.setUint32(0, request.length, true);
    const length = this.#transport.call(
      request.bytes,
      request.length,
      this.#replyBytes,
      this.#fds,
    );
    if (length <= 0) {
      return this.lose(length === 0 ? "closed" : `errno ${-length}`);
    }
    const reply = this.reply;
    reply.reset(0, length);
    const claimed = reply.u32();
    const tag = reply.u16();
    this.#fdCount = reply.u16();
    const result = reply.i32();
    if (
      length < REPLY_HEADER || claimed !== length || tag !== this.#tag ||
      this.#fdCount > 1 || this.#fds.length > this.#fdCount
    ) return this.lose("malformed reply");
    if (result < 0 && !this.isSound(0)) return LOST;
    return result;
  }

  /** Sends the request, which has no reply. */
  post(): void {
    if (this.#isLost) return;
    const request = this.#request;
    request.view.setUint32(0, request.length, true);
    if (this.#transport.post(request.bytes, request.length) < 0) {
      this.lose("send failed");
    }
  }

  /** Whether the reply was read whole and brought `fdCount` descriptors; if
   * not, the connection is lost. */
  isSound(fdCount: number): boolean {
    if (this.reply.isComplete && this.#fdCount === fdCount) return true;
    this.lose("malformed reply");
    return false;
  }

  /** The descriptor of a sound reply. -EMFILE: this process can't have it. */
  takeFd(): DonatedFd | number {
    return this.#fds[0] ?? -EMFILE.code;
  }

  /** call(), for replies of one stat. */
  callForStat(): GoferStat | number {
    const result = this.call();
    if (result < 0) return result;
    const stat = this.reply.stat();
    return stat !== null && this.isSound(0) ? stat : LOST;
  }

  /** call(), for replies of a node and `fdCount` descriptors. */
  callForNode(fdCount: number): GoferNode | number {
    const result = this.call();
    if (result < 0) return result;
    const node = this.reply.u32() as GoferNodeId;
    const stat = this.reply.stat();
    return stat !== null && this.isSound(fdCount) ? { node, stat } : LOST;
  }

  /** call(), for empty replies: 0 or an errno. */
  callForNothing(): number {
    const result = this.call();
    if (result < 0) return result;
    return this.isSound(0) ? 0 : LOST;
  }

  /** Gives the connection up; LOST. */
  lose(reason: string): number {
    for (const fd of this.#fds) this.#transport.discard(fd);
    this.#fds.length = 0;
    if (!this.#isLost) {
      this.#isLost = true;
      this.onLost?.(reason);
    }
    return LOST;
  }
}
