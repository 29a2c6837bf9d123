/**
 * Random numbers from a seed that a failing test can print.
 * @module
 */

/** Numerical Recipes' linear congruential generator: integers below a bound. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}
