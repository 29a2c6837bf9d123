/**
 * Words of mount(2), umount2(2), open_tree(2), move_mount(2), fsopen(2),
 * mount_setattr(2).
 *
 * Source: uapi linux/mount.h.
 * @module
 */

// Flags of mount(2).
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_SYNCHRONOUS = 0x10;
export const MS_REMOUNT = 0x20;
export const MS_MANDLOCK = 0x40;
export const MS_DIRSYNC = 0x80;
export const MS_NOSYMFOLLOW = 0x100;
export const MS_NOATIME = 0x400;
export const MS_NODIRATIME = 0x800;
export const MS_BIND = 0x1000;
export const MS_MOVE = 0x2000;
export const MS_REC = 0x4000;
export const MS_VERBOSE = 0x8000;
export const MS_SILENT = 0x8000;
export const MS_POSIXACL = 0x10000;
export const MS_UNBINDABLE = 0x20000;
export const MS_PRIVATE = 0x40000;
export const MS_SLAVE = 0x80000;
export const MS_SHARED = 0x100000;
export const MS_RELATIME = 0x200000;
export const MS_KERNMOUNT = 0x400000;
export const MS_I_VERSION = 0x800000;
export const MS_STRICTATIME = 0x1000000;
export const MS_LAZYTIME = 0x2000000;
export const MS_SUBMOUNT = 0x4000000;
export const MS_NOREMOTELOCK = 0x8000000;
export const MS_NOSEC = 0x10000000;
export const MS_BORN = 0x20000000;
export const MS_ACTIVE = 0x40000000;
export const MS_RMT_MASK = 0x2800051;

export const MS_MGC_VAL = 0xc0ed0000;
export const MS_MGC_MSK = 0xffff0000;

// open_tree(2).
export const OPEN_TREE_CLONE = 1;
export const OPEN_TREE_CLOEXEC = 0o2000000;

// move_mount(2).
export const MOVE_MOUNT_F_SYMLINKS = 1;
export const MOVE_MOUNT_F_AUTOMOUNTS = 2;
export const MOVE_MOUNT_F_EMPTY_PATH = 4;
export const MOVE_MOUNT_T_SYMLINKS = 0x10;
export const MOVE_MOUNT_T_AUTOMOUNTS = 0x20;
export const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
export const MOVE_MOUNT_SET_GROUP = 0x100;
export const MOVE_MOUNT__MASK = 0x177;

// fsopen(2), fspick(2), fsmount(2).
export const FSOPEN_CLOEXEC = 1;
export const FSPICK_CLOEXEC = 1;
export const FSPICK_SYMLINK_NOFOLLOW = 2;
export const FSPICK_NO_AUTOMOUNT = 4;
export const FSPICK_EMPTY_PATH = 8;
export const FSMOUNT_CLOEXEC = 1;

// Commands of fsconfig(2).
export const FSCONFIG_SET_FLAG = 0;
export const FSCONFIG_SET_STRING = 1;
export const FSCONFIG_SET_BINARY = 2;
export const FSCONFIG_SET_PATH = 3;
export const FSCONFIG_SET_PATH_EMPTY = 4;
export const FSCONFIG_SET_FD = 5;
export const FSCONFIG_CMD_CREATE = 6;
export const FSCONFIG_CMD_RECONFIGURE = 7;

// mount_setattr(2).
export const MOUNT_ATTR_RDONLY = 1;
export const MOUNT_ATTR_NOSUID = 2;
export const MOUNT_ATTR_NODEV = 4;
export const MOUNT_ATTR_NOEXEC = 8;
export const MOUNT_ATTR__ATIME = 0x70;
export const MOUNT_ATTR_RELATIME = 0;
export const MOUNT_ATTR_NOATIME = 0x10;
export const MOUNT_ATTR_STRICTATIME = 0x20;
export const MOUNT_ATTR_NODIRATIME = 0x80;
export const MOUNT_ATTR_IDMAP = 0x100000;
export const MOUNT_ATTR_NOSYMFOLLOW = 0x200000;

export const MOUNT_ATTR_SIZE_VER0 = 32;

/** Size of struct mount_attr in bytes. */
export const MOUNT_ATTR_SIZE = 32;

/** Byte offsets of the fields of struct mount_attr. */
export const MOUNT_ATTR = {
  attr_set: 0,
  attr_clr: 8,
  propagation: 16,
  userns_fd: 24,
} as const;

// Flags of umount2(2).
export const MNT_FORCE = 1;
export const MNT_DETACH = 2;
export const MNT_EXPIRE = 4;
export const UMOUNT_NOFOLLOW = 8;
