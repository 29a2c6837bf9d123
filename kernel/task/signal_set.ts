/**
 * Sets of signals as two words: bit (signo - 1) as in sigset_t.
 * @module
 */
import {
  SIGCHLD,
  SIGCONT,
  SIGKILL,
  SIGSTOP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGURG,
  SIGWINCH,
} from "../abi/signal.ts";

/** A mutable set of signals 1..64. */
export class SignalSet {
  low = 0;
  high = 0;

  has(signo: number): boolean {
    return signo <= 32
      ? (this.low & (1 << (signo - 1))) !== 0
      : (this.high & (1 << (signo - 33))) !== 0;
  }
  add(signo: number): void {
    if (signo <= 32) this.low |= 1 << (signo - 1);
    else this.high |= 1 << (signo - 33);
  }
  remove(signo: number): void {
    if (signo <= 32) this.low &= ~(1 << (signo - 1));
    else this.high &= ~(1 << (signo - 33));
  }
  assign(other: SignalSet): void {
    this.low = other.low;
    this.high = other.high;
  }
  assignWords(low: number, high: number): void {
    this.low = low | 0;
    this.high = high | 0;
  }
  get isEmpty(): boolean {
    return (this.low | this.high) === 0;
  }
}

/** Bit of a signal 1..32 in the low word. */
const bit = (signo: number): number => 1 << (signo - 1);

/** SIGKILL and SIGSTOP cannot be blocked, ignored or handled. */
export const UNBLOCKABLE_LOW = bit(SIGKILL) | bit(SIGSTOP);
export const STOP_SIGNALS_LOW = bit(SIGSTOP) | bit(SIGTSTP) | bit(SIGTTIN) |
  bit(SIGTTOU);
const IGNORED_LOW = bit(SIGCHLD) | bit(SIGCONT) | bit(SIGURG) | bit(SIGWINCH);

export function isStopSignal(signo: number): boolean {
  return signo <= 32 && (STOP_SIGNALS_LOW & bit(signo)) !== 0;
}
/** The default action is to ignore it. */
export function isIgnoredByDefault(signo: number): boolean {
  return signo <= 32 && (IGNORED_LOW & bit(signo)) !== 0;
}
