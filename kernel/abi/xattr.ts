/**
 * Extended attributes.
 *
 * Source: uapi linux/xattr.h, linux/limits.h, linux/posix_acl.h,
 * linux/posix_acl_xattr.h; xattr(7).
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

// Value of XATTR_NAME_POSIX_ACL_*: a header, then entries.
export const POSIX_ACL_XATTR_VERSION = 2;

/** Size of struct posix_acl_xattr_header in bytes. */
export const POSIX_ACL_XATTR_HEADER_SIZE = 4;

/** Byte offsets of the fields of struct posix_acl_xattr_header. */
export const POSIX_ACL_XATTR_HEADER = { a_version: 0 } as const;

/** Size of struct posix_acl_xattr_entry in bytes. */
export const POSIX_ACL_XATTR_ENTRY_SIZE = 8;

/** Byte offsets of the fields of struct posix_acl_xattr_entry. */
export const POSIX_ACL_XATTR_ENTRY = { e_tag: 0, e_perm: 2, e_id: 4 } as const;

// Tags of entries.
export const ACL_USER_OBJ = 0x01;
export const ACL_USER = 0x02;
export const ACL_GROUP_OBJ = 0x04;
export const ACL_GROUP = 0x08;
export const ACL_MASK = 0x10;
export const ACL_OTHER = 0x20;
export const ACL_UNDEFINED_ID = 0xffffffff;
