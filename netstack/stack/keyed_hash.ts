/**
 * HalfSipHash-2-4 (Aumasson, Bernstein): 32 bits that nobody can predict
 * without the key. For initial sequence numbers, SYN cookies, ports and hash
 * tables that strangers fill. Words only, so that it needs no buffers.
 * @module
 */
import type { Random } from "../random.ts";

export class KeyedHash {
  readonly #k0: number;
  readonly #k1: number;
  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;

  constructor(random: Random) {
    this.#k0 = random.next32() | 0;
    this.#k1 = random.next32() | 0;
  }

  /** Of an address pair, a port pair and one more word. */
  ofFlow(
    a: Uint8Array,
    aPort: number,
    b: Uint8Array,
    bPort: number,
    extra: number,
  ): number {
    this.#v0 = this.#k0;
    this.#v1 = this.#k1;
    this.#v2 = 0x6c796765 ^ this.#k0;
    this.#v3 = 0x74656462 ^ this.#k1;
    this.#absorbBytes(a);
    this.#absorbBytes(b);
    this.#absorb((aPort << 16) | bPort);
    this.#absorb(extra);
    this.#absorb((a.length + b.length + 8) << 24);
    this.#v2 ^= 0xff;
    for (let i = 0; i < 4; i++) this.#round();
    return (this.#v1 ^ this.#v3) >>> 0;
  }

  #absorbBytes(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 4) {
      this.#absorb(
        bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) |
          (bytes[i + 3]! << 24),
      );
    }
  }

  #absorb(word: number): void {
    this.#v3 ^= word;
    this.#round();
    this.#round();
    this.#v0 ^= word;
  }

  #round(): void {
    let v0 = this.#v0, v1 = this.#v1, v2 = this.#v2, v3 = this.#v3;
    v0 = (v0 + v1) | 0;
    v1 = (v1 << 5) | (v1 >>> 27);
    v1 ^= v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = (v3 << 8) | (v3 >>> 24);
    v3 ^= v2;
    v0 = (v0 + v3) | 0;
    v3 = (v3 << 7) | (v3 >>> 25);
    v3 ^= v0;
    v2 = (v2 + v1) | 0;
    v1 = (v1 << 13) | (v1 >>> 19);
    v1 ^= v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }
}
