/**
 * Flags of eventfd2(2).
 *
 * Source: uapi linux/eventfd.h; eventfd(2).
 * @module
 */

export const EFD_SEMAPHORE = 1;
export const EFD_CLOEXEC = 0o2000000;
export const EFD_NONBLOCK = 0o4000;
