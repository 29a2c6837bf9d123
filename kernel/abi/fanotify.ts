/**
 * Flags of fanotify_init(2) that tell a known class from an unknown one.
 *
 * Source: uapi linux/fanotify.h.
 * @module
 */

export const FAN_CLOEXEC = 1;
export const FAN_NONBLOCK = 2;
export const FAN_CLASS_NOTIF = 0;
export const FAN_CLASS_CONTENT = 4;
export const FAN_CLASS_PRE_CONTENT = 8;
