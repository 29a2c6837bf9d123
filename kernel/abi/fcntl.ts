/**
 * Words of open(2), fcntl(2), flock(2), lseek(2), renameat2(2),
 * openat2(2), fallocate(2) and posix_fadvise(2).
 *
 * Source: uapi asm-generic/fcntl.h, linux/fcntl.h, linux/openat2.h,
 * linux/falloc.h, linux/fadvise.h, linux/fs.h.
 * @module
 */

// Flags of open(2), in octal as Linux writes them.
export const O_ACCMODE = 3;
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_DSYNC = 0o10000;
export const O_DIRECT = 0o40000;
export const O_LARGEFILE = 0o100000;
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;
export const O_NOATIME = 0o1000000;
export const O_CLOEXEC = 0o2000000;
export const O_SYNC = 0o4010000;
export const O_PATH = 0o10000000;
export const O_TMPFILE = 0o20200000;
export const O_NDELAY = 0o4000;
export const FASYNC = 0o20000;

// Commands of fcntl(2).
export const F_DUPFD = 0;
export const F_GETFD = 1;
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_GETLK = 5;
export const F_SETLK = 6;
export const F_SETLKW = 7;
export const F_SETOWN = 8;
export const F_GETOWN = 9;
export const F_SETSIG = 10;
export const F_GETSIG = 11;
export const F_SETOWN_EX = 15;
export const F_GETOWN_EX = 16;
export const F_GETOWNER_UIDS = 17;
export const F_OFD_GETLK = 36;
export const F_OFD_SETLK = 37;
export const F_OFD_SETLKW = 38;
export const F_SETLEASE = 1024;
export const F_GETLEASE = 1025;
export const F_NOTIFY = 1026;
export const F_CANCELLK = 1029;
export const F_DUPFD_CLOEXEC = 1030;
export const F_SETPIPE_SZ = 1031;
export const F_GETPIPE_SZ = 1032;
export const F_ADD_SEALS = 1033;
export const F_GET_SEALS = 1034;
export const F_GET_RW_HINT = 1035;
export const F_SET_RW_HINT = 1036;
export const F_GET_FILE_RW_HINT = 1037;
export const F_SET_FILE_RW_HINT = 1038;
export const F_DUPFD_QUERY = 1027;
export const F_CREATED_QUERY = 1028;

// The only descriptor flag (F_GETFD, F_SETFD).
export const FD_CLOEXEC = 1;

// Lock types of struct flock and F_SETLEASE.
export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;

// Owner kinds of F_SETOWN_EX.
export const F_OWNER_TID = 0;
export const F_OWNER_PID = 1;
export const F_OWNER_PGRP = 2;

// Seals of F_ADD_SEALS.
export const F_SEAL_SEAL = 1;
export const F_SEAL_SHRINK = 2;
export const F_SEAL_GROW = 4;
export const F_SEAL_WRITE = 8;
export const F_SEAL_FUTURE_WRITE = 0x10;
export const F_SEAL_EXEC = 0x20;

// Event mask of F_NOTIFY.
export const DN_ACCESS = 1;
export const DN_MODIFY = 2;
export const DN_CREATE = 4;
export const DN_DELETE = 8;
export const DN_RENAME = 0x10;
export const DN_ATTRIB = 0x20;
export const DN_MULTISHOT = 0x80000000;

// Operations of flock(2).
export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const LOCK_UN = 8;

// Write-life hints of F_SET_RW_HINT.
export const RWH_WRITE_LIFE_NOT_SET = 0;
export const RWH_WRITE_LIFE_NONE = 1;
export const RWH_WRITE_LIFE_SHORT = 2;
export const RWH_WRITE_LIFE_MEDIUM = 3;
export const RWH_WRITE_LIFE_LONG = 4;
export const RWH_WRITE_LIFE_EXTREME = 5;

// Directory descriptor and flags of the *at(2) calls.
export const AT_FDCWD = -100;

export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_EACCESS = 0x200;
export const AT_REMOVEDIR = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_NO_AUTOMOUNT = 0x800;
export const AT_EMPTY_PATH = 0x1000;
export const AT_STATX_SYNC_AS_STAT = 0;
export const AT_STATX_FORCE_SYNC = 0x2000;
export const AT_STATX_DONT_SYNC = 0x4000;
export const AT_RECURSIVE = 0x8000;
export const AT_HANDLE_FID = 0x200;

// Modes of access(2).
export const F_OK = 0;
export const X_OK = 1;
export const W_OK = 2;
export const R_OK = 4;

// Origins of lseek(2).
export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_END = 2;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

// Flags of renameat2(2).
export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;
export const RENAME_WHITEOUT = 4;

// Resolve flags of openat2(2).
export const RESOLVE_NO_XDEV = 1;
export const RESOLVE_NO_MAGICLINKS = 2;
export const RESOLVE_NO_SYMLINKS = 4;
export const RESOLVE_BENEATH = 8;
export const RESOLVE_IN_ROOT = 0x10;
export const RESOLVE_CACHED = 0x20;

// Modes of fallocate(2).
export const FALLOC_FL_KEEP_SIZE = 1;
export const FALLOC_FL_PUNCH_HOLE = 2;
export const FALLOC_FL_NO_HIDE_STALE = 4;
export const FALLOC_FL_COLLAPSE_RANGE = 8;
export const FALLOC_FL_ZERO_RANGE = 0x10;
export const FALLOC_FL_INSERT_RANGE = 0x20;
export const FALLOC_FL_UNSHARE_RANGE = 0x40;

// Advice of posix_fadvise(2).
export const POSIX_FADV_NORMAL = 0;
export const POSIX_FADV_RANDOM = 1;
export const POSIX_FADV_SEQUENTIAL = 2;
export const POSIX_FADV_WILLNEED = 3;
export const POSIX_FADV_DONTNEED = 4;
export const POSIX_FADV_NOREUSE = 5;

// Flags of sync_file_range(2).
export const SYNC_FILE_RANGE_WAIT_BEFORE = 1;
export const SYNC_FILE_RANGE_WRITE = 2;
export const SYNC_FILE_RANGE_WAIT_AFTER = 4;
export const SYNC_FILE_RANGE_WRITE_AND_WAIT = 7;

/** Size of struct flock in bytes. */
export const FLOCK_SIZE = 32;

/** Byte offsets of the fields of struct flock. */
export const FLOCK = {
  l_type: 0,
  l_whence: 2,
  l_start: 8,
  l_len: 16,
  l_pid: 24,
} as const;

/** Size of struct f_owner_ex in bytes. */
export const F_OWNER_EX_SIZE = 8;

/** Byte offsets of the fields of struct f_owner_ex. */
export const F_OWNER_EX = {
  type: 0,
  pid: 4,
} as const;

/** Size of struct open_how in bytes. */
export const OPEN_HOW_SIZE = 24;

/** Byte offsets of the fields of struct open_how. */
export const OPEN_HOW = {
  flags: 0,
  mode: 8,
  resolve: 16,
} as const;

/** Smallest `size` argument that openat2(2) accepts. */
export const OPEN_HOW_SIZE_VER0 = 24;
