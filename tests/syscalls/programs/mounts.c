/*
 * Mounts: propagation (mount_namespaces(7)), bind mounts, and the calls that
 * work on descriptors (open_tree, move_mount, fsopen, mount_setattr). Each case
 * works in a tmpfs of its own; on the host, in a mount namespace of its own.
 */
#include "guest_test.h"

#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/vfs.h>

static char base[] = "/tmp/mounts_XXXXXX";

static void set_up(void)
{
	/* A sandbox without mount namespaces is one by itself. */
	if (unshare(CLONE_NEWNS) == 0)
		CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	CHECK(mkdtemp(base) != NULL);
	CHECK_EQ(mount("base", base, "tmpfs", 0, "mode=755"), 0);
	CHECK_EQ(chdir(base), 0);
	CHECK_EQ(mkdir("a", 0755), 0);
	CHECK_EQ(mkdir("b", 0755), 0);
	CHECK_EQ(mkdir("c", 0755), 0);
	CHECK_EQ(mkdir("d", 0755), 0);
}

static void tear_down(void)
{
	CHECK_EQ(chdir("/"), 0);
	CHECK_EQ(umount2(base, MNT_DETACH), 0);
	CHECK_EQ(rmdir(base), 0);
}

static int has(const char *path)
{
	return access(path, F_OK) == 0;
}

static void touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0644);
	CHECK(fd >= 0);
	CHECK_EQ(close(fd), 0);
}

/* The optional fields of the mount at `path`. */
static const char *fields(const char *path)
{
	static char line[4096], found[256];
	char where[512], at[512];
	FILE *info = fopen("/proc/self/mountinfo", "r");
	CHECK(info != NULL);
	found[0] = '\0';
	snprintf(where, sizeof where, "%s/%s", base, path);
	while (fgets(line, sizeof line, info)) {
		int used = 0;
		CHECK_EQ(sscanf(line, "%*d %*d %*s %*s %511s %*s %n", at,
				&used), 1);
		if (strcmp(at, where) != 0)
			continue;
		char *end = strstr(line + used, "- ");
		CHECK(end != NULL);
		*end = '\0';
		snprintf(found, sizeof found, "%s", line + used);
	}
	fclose(info);
	return found;
}

static void make_shared(const char *path)
{
	CHECK_EQ(mount("t", path, "tmpfs", 0, NULL), 0);
	CHECK_EQ(mount(NULL, path, NULL, MS_SHARED, NULL), 0);
}

TEST(peers_show_each_others_mounts)
{
	set_up();
	make_shared("a");
	CHECK_EQ(mkdir("a/m", 0755), 0);
	CHECK_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
	CHECK_EQ(strncmp(fields("a"), "shared:", 7), 0);
	char shown[256];
	snprintf(shown, sizeof shown, "%s", fields("a"));
	CHECK_EQ(strcmp(shown, fields("b")), 0);
	CHECK_EQ(mount("n", "a/m", "tmpfs", 0, NULL), 0);
	touch("a/m/f");
	CHECK(has("b/m/f"));
	CHECK_EQ(strncmp(fields("b/m"), "shared:", 7), 0);
	CHECK_EQ(umount("b/m"), 0);
	CHECK(!has("a/m/f"));
	/* The other way round, and what is private no longer is told. */
	CHECK_EQ(mount("n", "b/m", "tmpfs", 0, NULL), 0);
	touch("b/m/g");
	CHECK(has("a/m/g"));
	CHECK_EQ(mount(NULL, "b", NULL, MS_PRIVATE, NULL), 0);
	CHECK_EQ(strcmp(fields("b"), ""), 0);
	CHECK_EQ(umount("a/m"), 0);
	CHECK(!has("a/m/g"));
	CHECK(has("b/m/g"));
	tear_down();
}

TEST(slaves_receive_and_do_not_send)
{
	set_up();
	make_shared("a");
	CHECK_EQ(mkdir("a/m", 0755), 0);
	CHECK_EQ(mkdir("a/n", 0755), 0);
	CHECK_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
	CHECK_EQ(mount(NULL, "b", NULL, MS_SLAVE, NULL), 0);
	CHECK_EQ(strncmp(fields("b"), "master:", 7), 0);
	CHECK_EQ(mount("n", "a/m", "tmpfs", 0, NULL), 0);
	touch("a/m/f");
	CHECK(has("b/m/f"));
	CHECK_EQ(strncmp(fields("b/m"), "master:", 7), 0);
	CHECK_EQ(mount("n", "b/n", "tmpfs", 0, NULL), 0);
	touch("b/n/f");
	CHECK(!has("a/n/f"));
	/* A shared slave passes on to its own peers. */
	CHECK_EQ(mount(NULL, "b", NULL, MS_SHARED, NULL), 0);
	CHECK(strstr(fields("b"), "shared:") != NULL);
	CHECK(strstr(fields("b"), "master:") != NULL);
	CHECK_EQ(mount("b", "c", NULL, MS_BIND, NULL), 0);
	CHECK_EQ(umount("a/m"), 0);
	CHECK(!has("b/m/f"));
	CHECK_EQ(mount("n", "a/m", "tmpfs", 0, NULL), 0);
	touch("a/m/h");
	CHECK(has("b/m/h"));
	CHECK(has("c/m/h"));
	CHECK_EQ(umount("c/m"), 0);
	CHECK(!has("b/m/h"));
	CHECK(has("a/m/h"));
	tear_down();
}

TEST(unbindable_mounts_are_not_copied)
{
	set_up();
	CHECK_EQ(mount("t", "a", "tmpfs", 0, NULL), 0);
	CHECK_EQ(mkdir("a/m", 0755), 0);
	CHECK_EQ(mount("t", "a/m", "tmpfs", 0, NULL), 0);
	touch("a/m/f");
	CHECK_EQ(mount(NULL, "a/m", NULL, MS_UNBINDABLE, NULL), 0);
	CHECK_EQ(strcmp(fields("a/m"), "unbindable "), 0);
	CHECK_ERRNO(mount("a/m", "b", NULL, MS_BIND, NULL), EINVAL);
	CHECK_EQ(mount("a", "b", NULL, MS_BIND | MS_REC, NULL), 0);
	CHECK(has("b/m"));
	CHECK(!has("b/m/f"));
	CHECK_ERRNO(mount(NULL, "a", NULL, MS_SHARED | MS_SLAVE, NULL), EINVAL);
	CHECK_ERRNO(mount(NULL, "a", NULL, MS_SHARED | MS_NOSUID, NULL),
		    EINVAL);
	CHECK_ERRNO(mount(NULL, "c", NULL, MS_SHARED, NULL), EINVAL);
	tear_down();
}

TEST(what_lies_on_a_shared_mount_does_not_move)
{
	set_up();
	make_shared("a");
	CHECK_EQ(mkdir("a/m", 0755), 0);
	CHECK_EQ(mount("t", "a/m", "tmpfs", 0, NULL), 0);
	CHECK_ERRNO(mount("a/m", "b", NULL, MS_MOVE, NULL), EINVAL);
	CHECK_EQ(mount("t", "c", "tmpfs", 0, NULL), 0);
	CHECK_EQ(mount(NULL, "c", NULL, MS_UNBINDABLE, NULL), 0);
	CHECK_ERRNO(mount("c", "a/m", NULL, MS_MOVE, NULL), EINVAL);
	CHECK_EQ(mount(NULL, "c", NULL, MS_PRIVATE, NULL), 0);
	CHECK_EQ(mount("c", "d", NULL, MS_MOVE, NULL), 0);
	tear_down();
}

TEST(a_busy_peer_forbids_umount)
{
	set_up();
	make_shared("a");
	CHECK_EQ(mkdir("a/m", 0755), 0);
	CHECK_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
	CHECK_EQ(mount("n", "a/m", "tmpfs", 0, NULL), 0);
	touch("a/m/f");
	int fd = open("b/m/f", O_RDONLY);
	CHECK(fd >= 0);
	CHECK_ERRNO(umount("a/m"), EBUSY);
	CHECK_EQ(close(fd), 0);
	CHECK_EQ(umount("a/m"), 0);
	CHECK(!has("b/m/f"));
	tear_down();
}

static int open_tree_(int dirfd, const char *path, unsigned flags)
{
	return syscall(SYS_open_tree, dirfd, path, flags);
}
static int move_mount_(int from, const char *path, int to, const char *to_path,
		       unsigned flags)
{
	return syscall(SYS_move_mount, from, path, to, to_path, flags);
}

TEST(open_tree_copies_and_move_mount_attaches)
{
	set_up();
	CHECK_EQ(mount("t", "a", "tmpfs", 0, NULL), 0);
	CHECK_EQ(mkdir("a/m", 0755), 0);
	touch("a/m/f");
	int path = open_tree_(AT_FDCWD, "a/m", OPEN_TREE_CLOEXEC);
	CHECK(path >= 0);
	CHECK_EQ(fcntl(path, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(faccessat(path, "f", F_OK, 0), 0);
	CHECK_EQ(close(path), 0);
	CHECK_ERRNO(open_tree_(AT_FDCWD, "a", AT_RECURSIVE), EINVAL);
	CHECK_ERRNO(open_tree_(AT_FDCWD, "a", 0x40000000), EINVAL);
	CHECK_ERRNO(open_tree_(AT_FDCWD, "none", 0), ENOENT);

	int tree = open_tree_(AT_FDCWD, "a/m", OPEN_TREE_CLONE);
	CHECK(tree >= 0);
	CHECK_EQ(faccessat(tree, "f", F_OK, 0), 0);
	CHECK_ERRNO(move_mount_(tree, "", AT_FDCWD, "b", 0), ENOENT);
	CHECK_ERRNO(move_mount_(tree, "", AT_FDCWD, "b", 0x80000000), EINVAL);
	CHECK_EQ(move_mount_(tree, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH),
		 0);
	CHECK(has("b/f"));
	/* Now it is attached, and moves as any other. */
	CHECK_EQ(move_mount_(tree, "", AT_FDCWD, "c", MOVE_MOUNT_F_EMPTY_PATH),
		 0);
	CHECK(!has("b/f"));
	CHECK(has("c/f"));
	CHECK_EQ(close(tree), 0);
	CHECK(has("c/f"));
	CHECK_EQ(umount("c"), 0);
	CHECK_ERRNO(move_mount_(AT_FDCWD, "d", AT_FDCWD, "b", 0), EINVAL);
	/* One that nobody attached ends with its descriptor. */
	tree = open_tree_(AT_FDCWD, "a", OPEN_TREE_CLONE | AT_RECURSIVE);
	CHECK(tree >= 0);
	CHECK_EQ(close(tree), 0);
	CHECK_EQ(umount("a"), 0);
	tear_down();
}

TEST(fsopen_makes_a_file_system_in_steps)
{
	struct statfs status;
	set_up();
	CHECK_ERRNO(syscall(SYS_fsopen, "nofs", 0), ENODEV);
	CHECK_ERRNO(syscall(SYS_fsopen, "tmpfs", 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_fsopen, (char *)8, 0), EFAULT);
	int fs = syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	CHECK(fs >= 0);
	CHECK_ERRNO(syscall(SYS_fsmount, fs, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, NULL, "x",
			    0), EINVAL);
	CHECK_ERRNO(syscall(SYS_fsconfig, fs, 99, NULL, NULL, 0), EOPNOTSUPP);
	CHECK_ERRNO(syscall(SYS_fsconfig, 0, FSCONFIG_CMD_CREATE, NULL, NULL,
			    0), EINVAL);
	CHECK_EQ(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", "src",
			 0), 0);
	CHECK_EQ(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", "1m",
			 0), 0);
	CHECK_EQ(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0),
		 0);
	CHECK_ERRNO(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", "2m",
			    0), EBUSY);
	int mnt = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV);
	CHECK(mnt >= 0);
	CHECK_ERRNO(syscall(SYS_fsmount, fs, 0, 0), EBUSY);
	CHECK_EQ(close(fs), 0);
	CHECK_EQ(fstatfs(mnt, &status), 0);
	CHECK_EQ(status.f_blocks * status.f_bsize, 1024 * 1024);
	CHECK_EQ(mkdirat(mnt, "made", 0755), 0);
	CHECK_EQ(move_mount_(mnt, "", AT_FDCWD, "a", MOVE_MOUNT_F_EMPTY_PATH),
		 0);
	CHECK(has("a/made"));
	CHECK_EQ(statfs("a", &status), 0);
	CHECK_EQ(status.f_flags & 4, 4); /* ST_NODEV */
	CHECK_EQ(close(mnt), 0);
	tear_down();
}

static int setattr(const char *path, unsigned flags, uint64_t set,
		   uint64_t clear, uint64_t propagation)
{
	struct mount_attr attr = {
		.attr_set = set,
		.attr_clr = clear,
		.propagation = propagation,
	};
	return syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attr,
		       sizeof attr);
}

TEST(mount_setattr_changes_flags)
{
	struct mount_attr attr = { 0 };
	set_up();
	CHECK_EQ(mount("t", "a", "tmpfs", 0, NULL), 0);
	CHECK_EQ(mkdir("a/m", 0755), 0);
	CHECK_EQ(mount("t", "a/m", "tmpfs", 0, NULL), 0);
	CHECK_EQ(setattr("a", 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0),
		 0);
	CHECK_ERRNO(mkdir("a/n", 0755), EROFS);
	CHECK_EQ(mkdir("a/m/n", 0755), 0);
	CHECK_EQ(setattr("a", AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0, 0), 0);
	CHECK_ERRNO(mkdir("a/m/o", 0755), EROFS);
	CHECK_EQ(setattr("a", AT_RECURSIVE, 0, MOUNT_ATTR_RDONLY, MS_SHARED),
		 0);
	CHECK_EQ(mkdir("a/n", 0755), 0);
	CHECK_EQ(strncmp(fields("a/m"), "shared:", 7), 0);
	CHECK_EQ(setattr("a", 0, 0, 0, 0), 0);
	CHECK_ERRNO(setattr("b", 0, MOUNT_ATTR_RDONLY, 0, 0), EINVAL);
	CHECK_ERRNO(setattr("a", 0, 1ULL << 40, 0, 0), EINVAL);
	CHECK_ERRNO(setattr("a", 0, 0, 0, MS_SHARED | MS_SLAVE), EINVAL);
	CHECK_ERRNO(setattr("a", 0, MOUNT_ATTR_NOATIME, 0, 0), EINVAL);
	CHECK_EQ(setattr("a", 0, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0), 0);
	CHECK_ERRNO(setattr("a", 0x2, 0, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_mount_setattr, AT_FDCWD, "a", 0, &attr, 8),
		    EINVAL);
	CHECK_ERRNO(syscall(SYS_mount_setattr, AT_FDCWD, "a", 0, &attr, 5000),
		    E2BIG);
	CHECK_ERRNO(syscall(SYS_mount_setattr, AT_FDCWD, "a", 0, NULL, 32),
		    EFAULT);
	tear_down();
}
