/**
 * struct new_utsname of uname(2).
 *
 * Source: uapi linux/utsname.h.
 * @module
 */

// Length of a name without its NUL, bytes.
export const __NEW_UTS_LEN = 64;

/** Size of struct new_utsname in bytes. */
export const NEW_UTSNAME_SIZE = 390;

/** Byte offsets of the fields of struct new_utsname. */
export const NEW_UTSNAME = {
  sysname: 0,
  nodename: 65,
  release: 130,
  version: 195,
  machine: 260,
  domainname: 325,
} as const;
