/*
 * POSIX access control lists (acl(5)) as extended attributes, on a tmpfs; and
 * what tmpfs(5) says of its limits.
 */
#include "guest_test.h"

#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

struct entry {
	uint16_t tag;
	uint16_t perm;
	uint32_t id;
};
enum {
	USER_OBJ = 1,
	USER = 2,
	GROUP_OBJ = 4,
	GROUP = 8,
	MASK = 16,
	OTHER = 32,
	NOBODY = -1,
};

static char base[] = "/tmp/acl_XXXXXX";

static void set_up(const char *options)
{
	if (unshare(CLONE_NEWNS) == 0)
		CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	CHECK(mkdtemp(base) != NULL);
	CHECK_EQ(mount("base", base, "tmpfs", 0, options), 0);
	CHECK_EQ(chdir(base), 0);
	umask(022);
}

static void tear_down(void)
{
	CHECK_EQ(chdir("/"), 0);
	CHECK_EQ(umount2(base, MNT_DETACH), 0);
	CHECK_EQ(rmdir(base), 0);
}

static int set(const char *path, const char *name, const struct entry *acl,
	       int count)
{
	char value[512];
	uint32_t version = 2;
	memcpy(value, &version, 4);
	memcpy(value + 4, acl, count * sizeof *acl);
	return setxattr(path, name, value, 4 + count * sizeof *acl, 0);
}
#define SET(path, name, ...)                                              \
	set(path, name, (struct entry[]){ __VA_ARGS__ },                  \
	    sizeof((struct entry[]){ __VA_ARGS__ }) / sizeof(struct entry))

static int perm_of(const char *path, const char *name, int tag)
{
	char value[512];
	ssize_t size = getxattr(path, name, value, sizeof value);
	if (size < 0)
		return -errno;
	struct entry *entries = (struct entry *)(value + 4);
	for (int i = 0; i < (int)((size - 4) / sizeof *entries); i++)
		if (entries[i].tag == tag)
			return entries[i].perm;
	return -1;
}

static int mode_of(const char *path)
{
	struct stat status;
	CHECK_EQ(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static void touch(const char *path, int mode)
{
	int fd = open(path, O_CREAT | O_WRONLY, mode);
	CHECK(fd >= 0);
	CHECK_EQ(close(fd), 0);
}

/* Whether this user and group may access `path` so. */
static int may(uid_t uid, gid_t gid, const char *path, int how)
{
	int status = IN_CHILD({
		if (setgroups(0, NULL) || setgid(gid) || setuid(uid))
			_exit(9);
		_exit(access(path, how) != 0);
	});
	CHECK(WEXITSTATUS(status) != 9);
	return status == 0;
}

TEST(a_list_grants_and_denies)
{
	set_up("mode=755");
	touch("f", 0640);
	CHECK_EQ(perm_of("f", ACCESS, USER_OBJ), -ENODATA);
	CHECK_EQ(SET("f", ACCESS, { USER_OBJ, 6, NOBODY }, { USER, 6, 1000 },
		     { USER, 0, 1001 }, { GROUP_OBJ, 4, NOBODY },
		     { GROUP, 7, 2000 }, { GROUP, 2, 2001 },
		     { MASK, 6, NOBODY }, { OTHER, 1, NOBODY }), 0);
	CHECK_EQ(mode_of("f"), 0661);
	CHECK_EQ(perm_of("f", ACCESS, GROUP_OBJ), 4);
	CHECK(may(1000, 1000, "f", R_OK | W_OK));
	CHECK(!may(1000, 1000, "f", X_OK));
	CHECK(!may(1001, 2000, "f", R_OK));
	CHECK(may(1002, 2000, "f", R_OK | W_OK));
	CHECK(!may(1002, 2000, "f", X_OK));
	CHECK(may(1002, 2001, "f", W_OK));
	CHECK(!may(1002, 2001, "f", X_OK));
	CHECK(may(1002, 0, "f", R_OK));
	CHECK(!may(1002, 0, "f", W_OK));
	CHECK(may(1003, 1003, "f", X_OK));
	CHECK(!may(1003, 1003, "f", R_OK));
	/* chmod changes the mask, not the group's entry. */
	CHECK_EQ(chmod("f", 0640), 0);
	CHECK_EQ(perm_of("f", ACCESS, MASK), 4);
	CHECK_EQ(perm_of("f", ACCESS, OTHER), 0);
	CHECK_EQ(perm_of("f", ACCESS, GROUP_OBJ), 4);
	CHECK(!may(1000, 1000, "f", W_OK));
	CHECK(may(1000, 1000, "f", R_OK));
	char names[256];
	ssize_t size = listxattr("f", names, sizeof names);
	CHECK(size > 0 && memmem(names, size, ACCESS, sizeof ACCESS) != NULL);
	CHECK_EQ(removexattr("f", ACCESS), 0);
	CHECK_EQ(perm_of("f", ACCESS, MASK), -ENODATA);
	CHECK_EQ(removexattr("f", ACCESS), 0);
	CHECK_EQ(mode_of("f"), 0640);
	tear_down();
}

TEST(a_minimal_list_is_a_mode)
{
	set_up("mode=755");
	touch("f", 0600);
	CHECK_EQ(SET("f", ACCESS, { USER_OBJ, 7, NOBODY },
		     { GROUP_OBJ, 5, NOBODY }, { OTHER, 4, NOBODY }), 0);
	CHECK_EQ(mode_of("f"), 0754);
	CHECK_EQ(perm_of("f", ACCESS, USER_OBJ), -ENODATA);
	tear_down();
}

TEST(new_files_inherit_a_default_list)
{
	set_up("mode=755");
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(SET("d", DEFAULT, { USER_OBJ, 7, NOBODY }, { USER, 7, 1000 },
		     { GROUP_OBJ, 5, NOBODY }, { MASK, 7, NOBODY },
		     { OTHER, 0, NOBODY }), 0);
	CHECK_EQ(mode_of("d"), 0755);
	touch("d/f", 0666);
	/* The umask does not count. */
	CHECK_EQ(mode_of("d/f"), 0660);
	CHECK_EQ(perm_of("d/f", ACCESS, USER), 7);
	CHECK_EQ(perm_of("d/f", ACCESS, MASK), 6);
	CHECK_EQ(perm_of("d/f", DEFAULT, MASK), -ENODATA);
	CHECK_EQ(mkdir("d/e", 0750), 0);
	CHECK_EQ(mode_of("d/e"), 0750);
	CHECK_EQ(perm_of("d/e", DEFAULT, MASK), 7);
	CHECK_EQ(perm_of("d/e", ACCESS, MASK), 5);
	CHECK_EQ(symlink("x", "d/l"), 0);
	CHECK_EQ(removexattr("d", DEFAULT), 0);
	touch("d/g", 0666);
	CHECK_EQ(mode_of("d/g"), 0644);
	tear_down();
}

TEST(lists_that_make_no_sense_are_refused)
{
	set_up("mode=755");
	touch("f", 0644);
	CHECK_ERRNO(SET("f", ACCESS, { USER_OBJ, 7, NOBODY }), EINVAL);
	CHECK_ERRNO(SET("f", ACCESS, { USER_OBJ, 7, NOBODY },
			{ USER, 7, 1000 }, { GROUP_OBJ, 5, NOBODY },
			{ OTHER, 4, NOBODY }), EINVAL);
	CHECK_ERRNO(SET("f", ACCESS, { USER_OBJ, 9, NOBODY },
			{ GROUP_OBJ, 5, NOBODY }, { OTHER, 4, NOBODY }),
		    EINVAL);
	CHECK_ERRNO(SET("f", ACCESS, { GROUP_OBJ, 5, NOBODY },
			{ USER_OBJ, 7, NOBODY }, { OTHER, 4, NOBODY }),
		    EINVAL);
	CHECK_ERRNO(SET("f", DEFAULT, { USER_OBJ, 7, NOBODY },
			{ GROUP_OBJ, 5, NOBODY }, { OTHER, 4, NOBODY }),
		    EACCES);
	CHECK_ERRNO(setxattr("f", ACCESS, "\1\0\0\0", 4, 0), EOPNOTSUPP);
	CHECK_ERRNO(setxattr("f", ACCESS, "\2\0\0", 3, 0), EINVAL);
	CHECK_ERRNO(setxattr("f", "system.other", "", 0, 0), EOPNOTSUPP);
	int status = IN_CHILD({
		CHECK_EQ(setuid(1000), 0);
		CHECK_ERRNO(SET("f", ACCESS, { USER_OBJ, 7, NOBODY },
				{ GROUP_OBJ, 5, NOBODY },
				{ OTHER, 4, NOBODY }), EPERM);
	});
	CHECK_EQ(status, 0);
	tear_down();
}

TEST(tmpfs_keeps_its_limits)
{
	struct statvfs status;
	char page[4096] = { 1 };
	set_up("size=64k,nr_inodes=5,mode=711,uid=12,gid=34");
	CHECK_EQ(mode_of("."), 0711);
	CHECK_EQ(statvfs(".", &status), 0);
	CHECK_EQ(status.f_blocks, 16);
	CHECK_EQ(status.f_files, 5);
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK(fd >= 0);
	for (int i = 0; i < 16; i++)
		CHECK_EQ(write(fd, page, sizeof page), sizeof page);
	CHECK_ERRNO(write(fd, page, sizeof page), ENOSPC);
	CHECK_EQ(ftruncate(fd, 4096), 0);
	CHECK_EQ(pwrite(fd, page, sizeof page, 1 << 20), sizeof page);
	CHECK_ERRNO(fallocate(fd, 0, 0, 1 << 20), ENOSPC);
	CHECK_EQ(mkdir("a", 0755), 0);
	CHECK_EQ(mkdir("b", 0755), 0);
	CHECK_EQ(mkdir("c", 0755), 0);
	CHECK_ERRNO(mkdir("d", 0755), ENOSPC);
	CHECK_EQ(rmdir("c"), 0);
	CHECK_EQ(symlink("x", "d"), 0);
	CHECK_EQ(close(fd), 0);
	tear_down();
}
