/*
 * gofer_files.c: the file calls of the file server, one function each.
 * Bound by ffi/gofer_files.ts.
 *
 *   result   >= 0 on success (a descriptor, a length), -errno on failure
 *   names    NUL-terminated single components; the caller has checked them
 *   fds      every `dir` and `node` is an O_PATH descriptor of the server's;
 *            `proc` is what rsg_proc_open returned, and names them as files
 *   symlinks never followed: a name resolves to the link itself
 *
 * An O_PATH descriptor can't do I/O. Its entry in /proc/self/fd can be opened
 * and changed by path, and leads to exactly that file, whatever happened to
 * its names meanwhile; `proc` is a private copy of that one directory, from
 * which ".." leads nowhere.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* Newer than the oldest headers that we build with. */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
/* Offsets are declared in ffi/gofer_stat.ts. */
struct rsg_stat {
  uint32_t ino_low, ino_high;
  double size, blocks;
  double atime, mtime, ctime, btime;
  uint32_t atime_nsec, mtime_nsec, ctime_nsec, btime_nsec;
  uint32_t mode, nlink, uid, gid;
  uint32_t rdev, dev, blksize, reserved;
};
_Static_assert(sizeof(struct rsg_stat) == 104, "size");
_Static_assert(offsetof(struct rsg_stat, atime) == 24, "atime");
_Static_assert(offsetof(struct rsg_stat, atime_nsec) == 56, "atime_nsec");
_Static_assert(offsetof(struct rsg_stat, mode) == 72, "mode");
_Static_assert(offsetof(struct rsg_stat, rdev) == 88, "rdev");

static uint32_t encode_dev(uint32_t major, uint32_t minor) {
  return (minor & 0xff) | (major & 0xfff) << 8 | (minor & 0xfff00) << 12;
}

/* The name of a descriptor within `proc`. */
static const char *fd_name(int fd, char text[16]) {
  snprintf(text, 16, "%d", fd);
  return text;
}

static int result(long value) { return value < 0 ? -errno : (int)value; }

EXPORT void rsg_umask_clear(void) { umask(0); }

EXPORT void rsg_close(int fd) { close(fd); }

/* Opens /proc/self/fd as a tree of its own. Without the privilege for that
 * (no CAP_SYS_ADMIN) it is the directory itself: enough for an unconfined
 * server, which has nothing to be confined from. */
EXPORT int rsg_proc_open(void) {
  int fd = (int)syscall(SYS_open_tree, AT_FDCWD, "/proc/self/fd",
                        OPEN_TREE_CLONE | O_CLOEXEC);
  if (fd < 0)
    fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return result(fd);
}

/* The root of a mount; the path is the operator's, not the guest's. */
EXPORT int rsg_root(const char *path) {
  return result(open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

/* The attributes of a name in a directory; of the node itself, if empty. */
EXPORT int rsg_stat_at(int node, const char *name, struct rsg_stat *out) {
  struct statx from;
  memset(out, 0, sizeof *out);
  if (statx(node, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
            STATX_BASIC_STATS | STATX_BTIME, &from) != 0)
    return -errno;
  out->ino_low = (uint32_t)from.stx_ino;
  out->ino_high = (uint32_t)(from.stx_ino >> 32);
  out->size = (double)from.stx_size;
  out->blocks = (double)from.stx_blocks;
  out->atime = (double)from.stx_atime.tv_sec;
  out->mtime = (double)from.stx_mtime.tv_sec;
  out->ctime = (double)from.stx_ctime.tv_sec;
  out->atime_nsec = from.stx_atime.tv_nsec;
  out->mtime_nsec = from.stx_mtime.tv_nsec;
  out->ctime_nsec = from.stx_ctime.tv_nsec;
  if (from.stx_mask & STATX_BTIME) {
    out->btime = (double)from.stx_btime.tv_sec;
    out->btime_nsec = from.stx_btime.tv_nsec;
  }
  out->mode = from.stx_mode;
  out->nlink = from.stx_nlink;
  out->uid = from.stx_uid;
  out->gid = from.stx_gid;
  out->rdev = encode_dev(from.stx_rdev_major, from.stx_rdev_minor);
  out->dev = encode_dev(from.stx_dev_major, from.stx_dev_minor);
  out->blksize = from.stx_blksize;
  return 0;
}

EXPORT int rsg_stat(int node, struct rsg_stat *out) {
  return rsg_stat_at(node, "", out);
}

static int open_child(int dir, const char *name, uint64_t flags,
                      uint64_t mode) {
  struct open_how how = {
      .flags = flags | O_NOFOLLOW | O_CLOEXEC,
      .mode = mode,
      .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
  };
  int fd, tries = 64;
  /* EAGAIN: a rename elsewhere on the host made the walk inconclusive. */
  do
    fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
  while (fd < 0 && (errno == EINTR || (errno == EAGAIN && tries-- > 0)));
  return result(fd);
}

/* The node behind a name, and its attributes. */
EXPORT int rsg_lookup(int dir, const char *name, struct rsg_stat *out) {
  int node = open_child(dir, name, O_PATH, 0);
  if (node < 0)
    return node;
  int error = rsg_stat(node, out);
  if (error < 0) {
    close(node);
    return error;
  }
  return node;
}

/* Opens a node for I/O. */
EXPORT int rsg_reopen(int proc, int node, int flags) {
  char name[16];
  return result(
      openat(proc, fd_name(node, name), flags | O_CLOEXEC | O_NOCTTY));
}

/* Opens a directory for reading its entries. */
EXPORT int rsg_open_directory(int node) {
  return open_child(node, ".", O_RDONLY | O_DIRECTORY, 0);
}

/* Linux's getdents64 records from the position given as two halves on. */
EXPORT int rsg_getdents(int directory, uint32_t low, uint32_t high,
                        void *into, int size) {
  int64_t position = (int64_t)((uint64_t)high << 32 | low);
  if (lseek(directory, position, SEEK_SET) < 0)
    return -errno;
  return result(syscall(SYS_getdents64, directory, into, (size_t)size));
}

/* Gives a file that was just made its owner and exact mode. */
static int adopt(int proc, int node, uint32_t mode, uint32_t uid, uint32_t gid,
                 struct rsg_stat *out) {
  char name[16];
  int error = rsg_stat(node, out);
  if (error < 0)
    return error;
  if ((out->mode & S_IFMT) != (mode & S_IFMT))
    return -ESTALE; /* somebody on the host put another file in its place */
  if (out->uid != uid || out->gid != gid) {
    if (fchownat(node, "", uid, gid, AT_EMPTY_PATH) != 0)
      return -errno;
    error = 1;
  }
  if (!S_ISLNK(mode) && (error || (out->mode & 07777) != (mode & 07777))) {
    if (fchmodat(proc, fd_name(node, name), mode & 07777, 0) != 0)
      return -errno;
    error = 1;
  }
  return error ? rsg_stat(node, out) : 0;
}

/* Turns a fresh name into a node, or takes the name away again. */
static int adopt_name(int proc, int dir, const char *at, uint32_t mode,
                      uint32_t uid, uint32_t gid, struct rsg_stat *out) {
  int error, node = open_child(dir, at, O_PATH, 0);
  if (node < 0)
    return node;
  error = adopt(proc, node, mode, uid, gid, out);
  if (error == 0)
    return node;
  close(node);
  if (error != -ESTALE)
    unlinkat(dir, at, S_ISDIR(mode) ? AT_REMOVEDIR : 0);
  return error;
}

/* Makes a regular file, nameless where `name` is empty. Returns its
 * descriptor for I/O and stores the node. Set-id bits come last, when the
 * owner is right. */
EXPORT int rsg_create(int proc, int dir, const char *name, int flags,
                      uint32_t mode, uint32_t uid, uint32_t gid,
                      struct rsg_stat *out, int32_t *node_out) {
  char text[16];
  int io, error;
  if (*name != 0)
    io = open_child(dir, name, (uint64_t)flags | O_CREAT | O_EXCL,
                    mode & 0777);
  else
    io = open_child(dir, ".", (uint64_t)flags | O_TMPFILE, mode & 0777);
  if (io < 0)
    return io;
  int node = openat(proc, fd_name(io, text), O_PATH | O_CLOEXEC);
  error = node < 0 ? -errno
                   : adopt(proc, node, S_IFREG | (mode & 07777), uid, gid, out);
  if (error == 0) {
    *node_out = node;
    return io;
  }
  if (node >= 0)
    close(node);
  close(io);
  if (*name != 0)
    unlinkat(dir, name, 0);
  return error;
}

EXPORT int rsg_mkdir(int proc, int dir, const char *name, uint32_t mode,
                     uint32_t uid, uint32_t gid, struct rsg_stat *out) {
  if (mkdirat(dir, name, mode & 0777) != 0)
    return -errno;
  return adopt_name(proc, dir, name, S_IFDIR | (mode & 07777), uid, gid, out);
}

EXPORT int rsg_mknod(int proc, int dir, const char *name, uint32_t mode,
                     uint32_t uid, uint32_t gid, struct rsg_stat *out) {
  if (mknodat(dir, name, mode & (S_IFMT | 0777), 0) != 0)
    return -errno;
  return adopt_name(proc, dir, name, mode, uid, gid, out);
}

EXPORT int rsg_symlink(int proc, int dir, const char *name, const char *target,
                       uint32_t uid, uint32_t gid, struct rsg_stat *out) {
  if (symlinkat(target, dir, name) != 0)
    return -errno;
  return adopt_name(proc, dir, name, S_IFLNK, uid, gid, out);
}

EXPORT int rsg_link(int proc, int node, int dir, const char *name) {
  char text[16];
  return result(
      linkat(proc, fd_name(node, text), dir, name, AT_SYMLINK_FOLLOW));
}

EXPORT int rsg_unlink(int dir, const char *name, int flags) {
  return result(unlinkat(dir, name, flags & AT_REMOVEDIR));
}

EXPORT int rsg_rename(int from, const char *name, int to, const char *new_name,
                      uint32_t flags) {
  return result(syscall(SYS_renameat2, from, name, to, new_name, flags));
}

EXPORT int rsg_readlink(int node, void *into, int size) {
  return result(readlinkat(node, "", into, (size_t)size));
}

EXPORT int rsg_chmod(int proc, int node, uint32_t mode) {
  char name[16];
  return result(fchmodat(proc, fd_name(node, name), mode & 07777, 0));
}

/* 0xffffffff leaves an id as it is. */
EXPORT int rsg_chown(int node, uint32_t uid, uint32_t gid) {
  return result(fchownat(node, "", uid, gid, AT_EMPTY_PATH));
}

EXPORT int rsg_truncate(int proc, int node, double size) {
  char name[16];
  int fd = openat(proc, fd_name(node, name), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0)
    return -errno;
  int error = result(ftruncate(fd, (off_t)size));
  close(fd);
  return error;
}

/* nsec may be UTIME_NOW or UTIME_OMIT. */
EXPORT int rsg_utimes(int proc, int node, double atime, uint32_t atime_nsec,
                      double mtime, uint32_t mtime_nsec) {
  char name[16];
  struct timespec times[2] = {
      {.tv_sec = (time_t)atime, .tv_nsec = (long)atime_nsec},
      {.tv_sec = (time_t)mtime, .tv_nsec = (long)mtime_nsec},
  };
  return result(utimensat(proc, fd_name(node, name), times, 0));
}

/* Stores type, bsize, blocks, bfree, bavail, files, ffree, namelen, frsize. */
EXPORT int rsg_statfs(int node, double out[9]) {
  struct statfs from;
  if (fstatfs(node, &from) != 0)
    return -errno;
  out[0] = (double)(uint32_t)from.f_type;
  out[1] = (double)from.f_bsize;
  out[2] = (double)from.f_blocks;
  out[3] = (double)from.f_bfree;
  out[4] = (double)from.f_bavail;
  out[5] = (double)from.f_files;
  out[6] = (double)from.f_ffree;
  out[7] = (double)from.f_namelen;
  out[8] = (double)from.f_frsize;
  return 0;
}

/* Precondition: a regular file or a directory. */
EXPORT int rsg_fsync(int proc, int node, int data_only) {
  char name[16];
  int fd = openat(proc, fd_name(node, name), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0)
    return -errno;
  int error = result(data_only ? fdatasync(fd) : fsync(fd));
  close(fd);
  return error;
}

/* Extended attributes of regular files and directories (that is the
 * precondition); others have none of the kinds that we serve. */
static int open_for_xattr(int proc, int node) {
  char name[16];
  return result(openat(proc, fd_name(node, name),
                       O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
}

EXPORT int rsg_getxattr(int proc, int node, const char *xattr, void *into,
                        int size) {
  int fd = open_for_xattr(proc, node);
  if (fd < 0)
    return fd;
  int got = result(fgetxattr(fd, xattr, into, (size_t)size));
  close(fd);
  return got;
}

EXPORT int rsg_setxattr(int proc, int node, const char *xattr,
                        const void *value, int size, int flags) {
  int fd = open_for_xattr(proc, node);
  if (fd < 0)
    return fd;
  int error = result(fsetxattr(fd, xattr, value, (size_t)size, flags));
  close(fd);
  return error;
}

EXPORT int rsg_listxattr(int proc, int node, void *into, int size) {
  int fd = open_for_xattr(proc, node);
  if (fd < 0)
    return fd;
  int got = result(flistxattr(fd, into, (size_t)size));
  close(fd);
  return got;
}

EXPORT int rsg_removexattr(int proc, int node, const char *xattr) {
  int fd = open_for_xattr(proc, node);
  if (fd < 0)
    return fd;
  int error = result(fremovexattr(fd, xattr));
  close(fd);
  return error;
}
