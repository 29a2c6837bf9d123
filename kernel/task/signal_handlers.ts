/**
 * struct sighand: what a process does with each signal; shared by
 * CLONE_SIGHAND, copied otherwise, reset by execve(2).
 * @module
 */
import { SIG_DFL, SIG_IGN } from "../abi/signal.ts";
import { isIgnoredByDefault } from "./signal_set.ts";

/** A kernel struct sigaction. Immutable. */
export interface SignalAction {
  /** Address, SIG_DFL or SIG_IGN. */
  readonly handler: number;
  /** SA_* as an unsigned word. */
  readonly flags: number;
  readonly restorer: number;
  readonly maskLow: number;
  readonly maskHigh: number;
}

export const DEFAULT_ACTION: SignalAction = Object.freeze({
  handler: SIG_DFL,
  flags: 0,
  restorer: 0,
  maskLow: 0,
  maskHigh: 0,
});

export class SignalHandlers {
  #actions: (SignalAction | undefined)[] = [];
  #users = 1;

  get(signo: number): SignalAction {
    return this.#actions[signo] ?? DEFAULT_ACTION;
  }
  set(signo: number, action: SignalAction): void {
    this.#actions[signo] = action;
  }

  /** SIG_IGN, or SIG_DFL for a signal that is ignored by default. */
  ignores(signo: number): boolean {
    const { handler } = this.get(signo);
    return handler === SIG_IGN ||
      (handler === SIG_DFL && isIgnoredByDefault(signo));
  }

  get isShared(): boolean {
    return this.#users > 1;
  }
  acquire(): SignalHandlers {
    this.#users++;
    return this;
  }
  release(): void {
    this.#users--;
  }

  copy(): SignalHandlers {
    const copy = new SignalHandlers();
    copy.#actions = this.#actions.slice();
    return copy;
  }

  /** Handlers become default, ignored signals stay ignored: execve(2). With
   * `all`, ignored ones become default too (CLONE_CLEAR_SIGHAND). */
  reset(all: "all" | "handled"): void {
    for (let signo = 1; signo <= 64; signo++) {
      const action = this.#actions[signo];
      if (action === undefined) continue;
      const keep = all === "handled" && action.handler === SIG_IGN;
      this.#actions[signo] = keep
        ? { ...DEFAULT_ACTION, handler: SIG_IGN }
        : undefined;
    }
  }
}
