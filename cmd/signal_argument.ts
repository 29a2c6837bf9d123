/**
 * A signal on the command line: 15, TERM, SIGTERM, RTMIN+3.
 * @module
 */
import {
  NSIG,
  SIGNAL_NAMES,
  SIGRTMAX,
  SIGRTMIN,
} from "../kernel/abi/signal.ts";
import { UsageError } from "./runtime_error.ts";

/** Real-time signals as the C library counts them: it keeps two for itself. */
const LIBC_SIGRTMIN = SIGRTMIN + 2;

/** Its number. Throws a UsageError. */
export function parseSignal(text: string): number {
  const fail = (): never => {
    throw new UsageError(`no such signal: "${text}"`);
  };
  if (/^[0-9]{1,3}$/.test(text)) {
    const signo = Number(text);
    return signo <= NSIG ? signo : fail();
  }
  const name = text.toUpperCase().replace(/^SIG/, "");
  const realTime = /^RTM(IN|AX)([+-][0-9]{1,2})?$/.exec(name);
  if (realTime !== null) {
    const base = realTime[1] === "IN" ? LIBC_SIGRTMIN : SIGRTMAX;
    const signo = base + Number(realTime[2] ?? 0);
    return signo >= LIBC_SIGRTMIN && signo <= SIGRTMAX ? signo : fail();
  }
  const signo = SIGNAL_NAMES.indexOf(`SIG${name}`);
  return signo > 0 ? signo : fail();
}
