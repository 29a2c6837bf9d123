/**
 * ioctl(2) requests of namespace files.
 *
 * Source: uapi linux/nsfs.h; ioctl_ns(2).
 * @module
 */

/** A descriptor of the user namespace that owns this one. */
export const NS_GET_USERNS = 0xb701;
/** A descriptor of the namespace above this one. */
export const NS_GET_PARENT = 0xb702;
/** The kind, as CLONE_NEW*. */
export const NS_GET_NSTYPE = 0xb703;
/** The user ID of who made this user namespace. */
export const NS_GET_OWNER_UID = 0xb704;
