/**
 * Where the stack's randomness comes from: an argument. Whoever builds a stack
 * for strangers passes a generator that they cannot predict; tests and the
 * fault injector pass a seeded one.
 * @module
 */

export interface Random {
  /** 32 bits, as a number from 0 to 2^32 - 1. */
  next32(): number;
}

/** The same numbers from the same seed: xorshift32 (Marsaglia, 2003). Easy to
 * predict, so never for a stack that faces strangers. */
export class SeededRandom implements Random {
  #state: number;

  /** A seed of 0 would give zeros only, so it becomes 1. */
  constructor(seed: number) {
    this.#state = (seed | 0) === 0 ? 1 : seed | 0;
  }

  next32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** From 0 to limit - 1. */
  below(limit: number): number {
    return this.next32() % limit;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.next32() >>> 24;
    return bytes;
  }
}
