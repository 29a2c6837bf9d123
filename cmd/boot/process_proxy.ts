/**
 * The Sentry's end of the connection with a process on the host that stands for
 * one of ours (ffi/proxy/proxy.c): signals come in, the wait status goes out.
 * @module
 */
import type { DescriptorMaker } from "../../ffi/files.ts";
import type { GoferChannels } from "../../ffi/gofer_channel.ts";
import { EAGAIN } from "../../kernel/abi/errno.ts";
import type { HostReadiness } from "../../kernel/fs/host/host_readiness.ts";
import type { HostFd } from "../../kernel/host.ts";
import { watch } from "./connections.ts";

/** What becomes of what the proxy sends. */
export interface ProxyTarget {
  /** The proxy got this signal. */
  onSignal(signo: number): void;
  /** The proxy was killed. */
  onLost(): void;
}

export class ProcessProxy {
  readonly #channels: GoferChannels;
  readonly #readiness: HostReadiness;
  readonly #descriptors: DescriptorMaker;
  readonly #fd: HostFd;
  readonly #bytes = new Uint8Array(8);
  readonly #fds: number[] = [];
  #isOpen = true;

  /** `fd` is the proxy's from now on. */
  constructor(
    parts: {
      readonly channels: GoferChannels;
      readonly readiness: HostReadiness;
      readonly descriptors: DescriptorMaker;
    },
    fd: number,
  ) {
    this.#channels = parts.channels;
    this.#readiness = parts.readiness;
    this.#descriptors = parts.descriptors;
    this.#fd = fd as HostFd;
  }

  /** Hears of signals and of the proxy's end from now on. */
  serve(target: ProxyTarget): void {
    const onHostEvents = () => this.#receive(target);
    watch(this.#readiness, this.#fd, { onHostEvents });
    onHostEvents();
  }

  #receive(target: ProxyTarget): void {
    while (this.#isOpen) {
      const length = this.#channels.receive(
        this.#fd,
        this.#bytes,
        this.#fds,
        { spinUs: 0, noWait: true },
      );
      if (length === -EAGAIN.code) return;
      if (length <= 0) {
        this.close();
        target.onLost();
      } else {for (const signo of this.#bytes.subarray(0, length)) {
          target.onSignal(signo);
        }}
    }
  }

  /** Tells the end of the process, as wait(2) encodes it, and closes. */
  end(status: number): void {
    if (!this.#isOpen) return;
    const word = new Uint8Array(4);
    new DataView(word.buffer).setInt32(0, status, true);
    this.#channels.send(this.#fd, word, word.length, []);
    this.close();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#readiness.unwatch(this.#fd);
    this.#descriptors.close(this.#fd);
  }
}
