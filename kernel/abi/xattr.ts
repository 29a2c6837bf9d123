/**
 * Extended attributes.
 *
 * Source: uapi linux/xattr.h, linux/limits.h; xattr(7).
 * @module
 */

// Flags of setxattr(2).
export const XATTR_CREATE = 1;
export const XATTR_REPLACE = 2;

// Limits, bytes.
export const XATTR_NAME_MAX = 255;
export const XATTR_SIZE_MAX = 65536;
export const XATTR_LIST_MAX = 65536;

// Name spaces.
export const XATTR_USER_PREFIX = "user.";
export const XATTR_TRUSTED_PREFIX = "trusted.";
export const XATTR_SECURITY_PREFIX = "security.";
export const XATTR_SYSTEM_PREFIX = "system.";
export const XATTR_NAME_CAPS = "security.capability";
export const XATTR_NAME_POSIX_ACL_ACCESS = "system.posix_acl_access";
export const XATTR_NAME_POSIX_ACL_DEFAULT = "system.posix_acl_default";
