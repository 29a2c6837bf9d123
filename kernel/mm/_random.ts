/**
 * Random numbers for property tests: reproducible from the seed that a failure
 * names.
 * @module
 */

/** An integer in [0, below). */
export type Random = (below: number) => number;

/** Runs `test` with numbers from a new seed, or from `seed` to repeat a run. */
export function withSeed(
  test: (random: Random) => void,
  seed: number = Math.floor(Math.random() * 2 ** 31),
): void {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    // The high bits of such a generator are the good ones.
    return Math.floor(((state >>> 4) / 2 ** 28) * below);
  };
  try {
    test(random);
  } catch (cause) {
    throw new Error(`Property failed with seed ${seed}: ${cause}`, { cause });
  }
}
