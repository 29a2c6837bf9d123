/**
 * Secure bits of a task's credentials.
 *
 * Source: uapi linux/securebits.h; capabilities(7).
 * @module
 */

// Bits by number.
export const SECURE_NOROOT = 0;
export const SECURE_NOROOT_LOCKED = 1;
export const SECURE_NO_SETUID_FIXUP = 2;
export const SECURE_NO_SETUID_FIXUP_LOCKED = 3;
export const SECURE_KEEP_CAPS = 4;
export const SECURE_KEEP_CAPS_LOCKED = 5;
export const SECURE_NO_CAP_AMBIENT_RAISE = 6;
export const SECURE_NO_CAP_AMBIENT_RAISE_LOCKED = 7;
export const SECURE_ALL_BITS = 85;
export const SECURE_ALL_LOCKS = 170;

// Masks.
export const SECBIT_NOROOT = 1;
export const SECBIT_NOROOT_LOCKED = 2;
export const SECBIT_NO_SETUID_FIXUP = 4;
export const SECBIT_NO_SETUID_FIXUP_LOCKED = 8;
export const SECBIT_KEEP_CAPS = 0x10;
export const SECBIT_KEEP_CAPS_LOCKED = 0x20;
export const SECBIT_NO_CAP_AMBIENT_RAISE = 0x40;
export const SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED = 0x80;

/** Bits that PR_SET_SECUREBITS may carry. */
export const SECURE_ALL_MASK = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
  SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS |
  SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
  SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
