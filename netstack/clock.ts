/**
 * Time as the stack knows it: an argument. Nothing here reads a clock.
 * @module
 */

/** Milliseconds of a monotonic clock; fractions are allowed. */
export type Millis = number;

/** Later than any deadline. */
export const NEVER: Millis = Infinity;
