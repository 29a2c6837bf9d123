/**
 * HostReadiness: who is told when a host descriptor becomes ready, and work
 * towards the host that must not run inside a system call. The run loop calls
 * drain() whenever the platform's doorbell rang and before every sleep;
 * everything in the kernel that waits for the host is registered here under a
 * token.
 * @module
 */
import { type Errno, errnoFromCode } from "../../abi/errno.ts";
import type { HostFd, HostReactor } from "../../host.ts";

/** Hears of events on one host descriptor. */
export interface HostListener {
  /** `events` are POLL* bits that became true since the last time. */
  onHostEvents(events: number): void;
}

/** Work that was put off until the run loop is between two system calls. */
export interface DeferredWork {
  run(): void;
}

export class HostReadiness {
  #deferred: DeferredWork[] = [];
  readonly #listeners = new Map<number, HostListener>();
  readonly #tokens = new Map<HostFd, number>();
  #nextToken = 1;

  constructor(readonly reactor: HostReactor) {}

  /** Registers for edges of `events`; unwatch() must follow before the
   * descriptor is closed. EPERM: the descriptor is always ready (a regular
   * file), nothing was registered. */
  watch(fd: HostFd, events: number, listener: HostListener): Errno | null {
    const token = this.#nextToken++;
    const result = this.reactor.watch(fd, events, token);
    if (result < 0) return errnoFromCode(result);
    this.#listeners.set(token, listener);
    this.#tokens.set(fd, token);
    return null;
  }

  /** Does nothing if the descriptor is not watched. */
  unwatch(fd: HostFd): void {
    const token = this.#tokens.get(fd);
    if (token === undefined) return;
    this.reactor.unwatch(fd);
    this.#tokens.delete(fd);
    this.#listeners.delete(token);
  }

  /** Readiness at this moment, POLL* bits. */
  poll(fd: HostFd, events: number): number {
    return Math.max(0, this.reactor.poll(fd, events));
  }

  /** Work waits for the next drain(). */
  get hasDeferred(): boolean {
    return this.#deferred.length > 0;
  }
  /** Has `work` run by the next drain(); the caller sees to it that it is not
   * put off twice. */
  defer(work: DeferredWork): void {
    this.#deferred.push(work);
  }

  /** Tells the listeners of everything that has happened, then does what was
   * put off. */
  drain(): void {
    for (;;) {
      const token = this.reactor.next();
      if (token < 0) break;
      // An event may have been on its way when its descriptor was given up.
      this.#listeners.get(token)?.onHostEvents(this.reactor.revents);
    }
    while (this.#deferred.length > 0) {
      const deferred = this.#deferred;
      this.#deferred = [];
      for (const work of deferred) work.run();
    }
  }
}
