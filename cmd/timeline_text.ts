/**
 * The timeline of a start, as --debug prints it.
 * @module
 */
import { say } from "../ffi/say.ts";
import type { TimelineEntry } from "./boot/messages.ts";

/** A line: milliseconds since the process named began. */
export function sayTime(atMs: number, who: string, what: string): void {
  say(`runsc: ${atMs.toFixed(1).padStart(8)} ms  ${who.padEnd(6)}  ${what}`);
}

/** The boot steps of the Sentry, and when it was ready for us. */
export function sayTimeline(timeline: readonly TimelineEntry[]): void {
  for (const { step, atMs } of timeline) sayTime(atMs, "sentry", step);
  sayTime(performance.now(), "runsc", "sentry ready");
}
