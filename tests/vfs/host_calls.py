"""Makes the calls of a JSON list on the host's own file system.

Reads {"root": path, "calls": [...]} from standard input, enters the directory
with chroot(2), makes the calls, and prints a JSON list of what each returned:
a value, or the negative error number. See calls.ts for the calls.
"""
import ctypes
import json
import os
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
SYS_RENAMEAT2 = 316
SYS_FACCESSAT2 = 439
AT_FDCWD = -100
AT_EACCESS = 0x200
AT_SYMLINK_FOLLOW = 0x400
S_IFDIR = 0o040000
S_IFMT = 0o170000


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")


def show(status):
    is_directory = status.st_mode & S_IFMT == S_IFDIR
    size = 0 if is_directory else status.st_size
    return [status.st_mode, status.st_nlink, size, status.st_uid,
            status.st_gid, status.st_rdev]


def open_file(path, call):
    fd = os.open(path, call["flags"], call["mode"])
    try:
        if call["text"] is None:
            return "opened"
        return os.write(fd, call["text"].encode("latin1"))
    finally:
        os.close(fd)


def read_file(path):
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(fd, 4096).decode("latin1")
    finally:
        os.close(fd)


def set_times(path, call):
    if call["mtime"] is None:
        return os.utime(path, follow_symlinks=False)
    times = (call["atime"], call["mtime"])
    return os.utime(path, times, follow_symlinks=False)


def make(call):
    path = call["path"].encode("latin1")
    other = call.get("other", "").encode("latin1")
    name = call.get("name", "").encode("latin1")
    kind = call["kind"]
    if kind == "open":
        return open_file(path, call)
    if kind == "read":
        return read_file(path)
    if kind == "mkdir":
        return os.mkdir(path, call["mode"])
    if kind == "rmdir":
        return os.rmdir(path)
    if kind == "unlink":
        return os.unlink(path)
    if kind == "rename":
        return check(LIBC.syscall(SYS_RENAMEAT2, AT_FDCWD, path, AT_FDCWD,
                                  other, call["flags"]))
    if kind == "link":
        flags = AT_SYMLINK_FOLLOW if call["follow"] else 0
        return check(LIBC.linkat(AT_FDCWD, path, AT_FDCWD, other, flags))
    if kind == "symlink":
        return os.symlink(path, other)
    if kind == "readlink":
        return os.readlink(path).decode("latin1")
    if kind == "stat":
        return show(os.stat(path, follow_symlinks=call["follow"]))
    if kind == "chmod":
        return os.chmod(path, call["mode"])
    if kind == "chown":
        return os.chown(path, call["uid"], call["gid"],
                        follow_symlinks=call["follow"])
    if kind == "truncate":
        return os.truncate(path, call["length"])
    if kind == "access":
        return check(LIBC.syscall(SYS_FACCESSAT2, AT_FDCWD, path,
                                  call["mode"], AT_EACCESS))
    if kind == "list":
        return sorted(entry.decode("latin1") for entry in os.listdir(path))
    if kind == "mknod":
        return os.mknod(path, call["mode"], call["device"])
    if kind == "chdir":
        return os.chdir(path)
    if kind == "getcwd":
        return os.getcwdb().decode("latin1")
    if kind == "setxattr":
        return os.setxattr(path, name, b"v", call["flags"],
                           follow_symlinks=False)
    if kind == "getxattr":
        value = os.getxattr(path, name, follow_symlinks=False)
        return value.decode("latin1")
    if kind == "utimens":
        return set_times(path, call)
    raise ValueError(kind)


def make_as(uid, call):
    if uid != 0:
        os.setegid(uid)
        os.seteuid(uid)
    try:
        return make(call)
    except OSError as error:
        return -error.errno
    finally:
        if uid != 0:
            os.seteuid(0)
            os.setegid(0)


def main():
    task = json.load(sys.stdin)
    os.chroot(task["root"])
    os.chdir("/")
    os.setgroups([])
    os.umask(0o022)
    json.dump([make_as(call["as"], call) for call in task["calls"]],
              sys.stdout)


main()
