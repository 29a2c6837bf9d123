/**
 * Flags of getrandom(2) and requests of random(4).
 *
 * Source: uapi linux/random.h.
 * @module
 */

export const GRND_NONBLOCK = 1;
export const GRND_RANDOM = 2;
export const GRND_INSECURE = 4;

export const RNDGETENTCNT = 0x80045200;
export const RNDADDTOENTCNT = 0x40045201;
export const RNDADDENTROPY = 0x40085203;
export const RNDZAPENTCNT = 0x5204;
export const RNDCLEARPOOL = 0x5206;
export const RNDRESEEDCRNG = 0x5207;
