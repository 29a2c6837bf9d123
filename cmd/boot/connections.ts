/**
 * The control connections of a running sandbox: the one with the process that
 * started us, and one for each command that connects later.
 * @module
 */
import type { ControlSockets } from "../../ffi/control_socket.ts";
import type { DescriptorMaker } from "../../ffi/files.ts";
import type { GoferChannels } from "../../ffi/gofer_channel.ts";
import { POLLIN } from "../../kernel/abi/poll.ts";
import type { HostReadiness } from "../../kernel/fs/host/host_readiness.ts";
import type { HostFd } from "../../kernel/host.ts";
import { ExitStatus } from "../exit_status.ts";
import { BootError } from "./boot_error.ts";
import { type CallHandler, ControlServer } from "./control_server.ts";

/** Commands that may be connected at a time; more wait. */
const MAX_CONNECTIONS = 64;

export class Connections {
  readonly #readiness: HostReadiness;
  readonly #channels: GoferChannels;
  readonly #descriptors: DescriptorMaker;
  readonly #handler: CallHandler;
  #count = 0;
  /** Takes what waits at the socket that listens, if there is one. */
  #accept: () => void = () => {};

  constructor(parts: {
    readonly readiness: HostReadiness;
    readonly channels: GoferChannels;
    readonly descriptors: DescriptorMaker;
    readonly handler: CallHandler;
  }) {
    this.#readiness = parts.readiness;
    this.#channels = parts.channels;
    this.#descriptors = parts.descriptors;
    this.#handler = parts.handler;
  }

  /** Answers calls of this connection until it ends, and then tells. */
  add(connection: ControlServer, onEnd: () => void): void {
    this.#count++;
    const fd = connection.channel as HostFd;
    const listener = {
      onHostEvents: () => {
        connection.handlePending(this.#handler);
        if (connection.isOpen) return;
        this.#readiness.unwatch(fd);
        this.#descriptors.close(fd);
        this.#count--;
        onEnd();
        this.#accept();
      },
    };
    watch(this.#readiness, fd, listener);
    // What came before the watch began makes no edge.
    listener.onHostEvents();
  }

  /** Takes connections from a listening socket. */
  listen(sockets: ControlSockets, fd: number): void {
    let isAccepting = false;
    this.#accept = () => {
      if (isAccepting) return; // a connection that ended at once
      isAccepting = true;
      while (this.#count < MAX_CONNECTIONS) {
        const accepted = sockets.accept(fd);
        if (accepted < 0) break;
        this.add(
          new ControlServer(this.#channels, accepted, this.#descriptors),
          () => {},
        );
      }
      isAccepting = false;
    };
    watch(this.#readiness, fd as HostFd, { onHostEvents: this.#accept });
    this.#accept();
  }
}

/** Hears of a connection that the runtime gave us. Throws a BootError. */
export function watch(
  readiness: HostReadiness,
  fd: HostFd,
  listener: { readonly onHostEvents: () => void },
): void {
  const refused = readiness.watch(fd, POLLIN, listener);
  if (refused === null) return;
  throw new BootError(
    ExitStatus.SandboxDied,
    `a control connection cannot be watched: ${refused.name}`,
  );
}
