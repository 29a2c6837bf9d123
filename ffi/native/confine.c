/*
 * confine.c: take authority away from this process, all of its threads.
 *
 * Order of use: task directory opened, root built and entered, ids changed,
 * credentials of every thread lowered; seccomp.c last. Precondition of the root
 * functions: a mount namespace of our own, with CAP_SYS_ADMIN in it.
 */
#define _GNU_SOURCE
#include "host.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/mount.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define MAX_THREADS 512

/* Directory descriptor of our threads: /proc is gone once we are confined. */
HOST_EXPORT int32_t host_confine_task_dir(void)
{
	return host_result(
		open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* From now on no mount of ours is seen outside, and none from outside here. */
HOST_EXPORT int32_t host_confine_root_begin(void)
{
	return host_result(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

/*
 * A detached copy of `source` with all that is mounted below it. Set-user-id
 * bits and devices lose their meaning there. Returns its descriptor.
 */
HOST_EXPORT int32_t host_confine_root_copy(const char *source,
					   int32_t read_only)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    (read_only ? MOUNT_ATTR_RDONLY : 0u),
		.propagation = MS_PRIVATE,
	};
	int result;
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, source,
				OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					AT_RECURSIVE);

	if (tree < 0)
		return -errno;
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE,
		    &attr, sizeof(attr)) < 0) {
		result = -errno;
		close(tree);
		return result;
	}
	return tree;
}

/* Mounts an empty tmpfs at `at`, any existing directory, to become our root.
 * What was there is covered: copies are made before. */
HOST_EXPORT int32_t host_confine_root_mount(const char *at)
{
	return host_result(mount("runsc-root", at, "tmpfs",
				 MS_NOSUID | MS_NODEV | MS_NOEXEC,
				 "mode=0755,size=64k,nr_inodes=2k"));
}

/* Attaches a detached copy at `name`, a single component, of the new root,
 * and closes its descriptor. */
HOST_EXPORT int32_t host_confine_root_attach(const char *at, const char *name,
					     int32_t tree)
{
	int root = -1, result = 0;
	struct stat st;

	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL) {
		result = -EINVAL;
		goto out;
	}
	root = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fstat(tree, &st) < 0)
		goto fail;
	if (S_ISDIR(st.st_mode)) {
		if (mkdirat(root, name, 0755) < 0)
			goto fail;
	} else {
		int file = openat(root, name, O_CREAT | O_EXCL | O_CLOEXEC,
				  0644);

		if (file < 0)
			goto fail;
		close(file);
	}
	if (syscall(SYS_move_mount, tree, "", root, name,
		    MOVE_MOUNT_F_EMPTY_PATH) == 0)
		goto out;

fail:
	result = -errno;
out:
	close(tree);
	if (root >= 0)
		close(root);
	return result;
}

/* Makes what was built at `at` our only file system, read-only at the top. */
HOST_EXPORT int32_t host_confine_root_enter(const char *at)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (chdir(at) < 0)
		return -errno;
	if (syscall(SYS_mount_setattr, AT_FDCWD, ".", 0, &attr, sizeof(attr)) <
	    0)
		return -errno;
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		/* The old root lies on top of the new one. */
		if (umount2(".", MNT_DETACH) < 0)
			return -errno;
	} else if (errno == EINVAL) {
		/* An initial ramfs cannot be pivoted away; cover it. */
		if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
			return -errno;
	} else {
		return -errno;
	}
	return host_result(chdir("/"));
}

/* Other groups dropped, all ids of all threads changed; glibc sees to that. */
HOST_EXPORT int32_t host_confine_ids(int32_t uid, int32_t gid)
{
	gid_t group = (gid_t)gid;
	uid_t user = (uid_t)uid;

	if (setgroups(0, NULL) < 0)
		return -errno;
	if (setresgid(group, group, group) < 0)
		return -errno;
	return host_result(setresuid(user, user, user));
}

/* What every thread is to do to itself, and how far we are. */
struct lowering {
	uint64_t keep;
	_Atomic uint32_t done; /* futex */
	_Atomic int error; /* the first, negative */
};

/* Async-signal-safe: plain system calls. */
static int lower_this_thread(uint64_t keep)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3,
						   0 };
	struct __user_cap_data_struct data[2];

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	for (int cap = 0; cap < 64; cap++) {
		if (keep >> cap & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			break; /* behind the last capability */
		/* An ordinary user may not drop it, and has no way to use it:
		 * we cannot gain privileges by execve any more. */
		if (errno != EPERM)
			return -errno;
	}
	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (int word = 0; word < 2; word++) {
		data[word].permitted &= (uint32_t)(keep >> (32 * word));
		data[word].effective = data[word].permitted;
		data[word].inheritable = 0;
	}
	return host_result(syscall(SYS_capset, &header, data));
}

static void on_lower(int signal, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)signal;
	(void)context;
	/* Only what we queued to ourselves carries a pointer of ours. */
	if (info->si_code == SI_QUEUE && info->si_pid == getpid()) {
		struct lowering *work = info->si_value.sival_ptr;
		int none = 0, error = lower_this_thread(work->keep);

		if (error < 0)
			atomic_compare_exchange_strong(&work->error, &none,
						       error);
		atomic_fetch_add(&work->done, 1);
		syscall(SYS_futex, &work->done, FUTEX_WAKE_PRIVATE, 1);
	}
	errno = saved;
}

/* The id of a thread as we must name it: in our own pid namespace, which that
 * of /proc may be an ancestor of. -errno; -ESRCH: it has ended. */
static int own_tid(int task_dir, const char *name)
{
	char path[300], text[4096], *line, *last = NULL;
	int fd;
	long n;

	if (strlen(name) > 20)
		return -EINVAL;
	strcpy(path, name);
	strcat(path, "/status");
	fd = openat(task_dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = HOST_RETRY(read(fd, text, sizeof(text) - 1));
	close(fd);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	line = strstr(text, "\nNSpid:");
	if (line == NULL)
		return atoi(name);
	for (char *p = line + 7; *p != '\0' && *p != '\n'; p++)
		if (*p == '\t')
			last = p + 1;
	return last == NULL ? -EINVAL : atoi(last);
}

/* Has one thread lower itself, and waits until it has or is gone. */
static int lower_thread(struct lowering *work, int tid)
{
	struct timespec tick = { 0, 2000000 };
	uint32_t before = atomic_load(&work->done);
	siginfo_t info = { 0 };

	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr = work;
	if (syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, HOST_CONFINE_SIGNAL,
		    &info) < 0)
		return errno == ESRCH ? 0 : -errno;
	for (int ticks = 0; atomic_load(&work->done) == before; ticks++) {
		syscall(SYS_futex, &work->done, FUTEX_WAIT_PRIVATE, before,
			&tick);
		if (atomic_load(&work->done) != before)
			break;
		if (syscall(SYS_tgkill, getpid(), tid, 0) < 0)
			return 0; /* ended meanwhile */
		if (ticks == 2500)
			return -ETIMEDOUT; /* it blocks the signal */
	}
	return atomic_load(&work->error);
}

static int is_member(const int *set, int count, int value)
{
	for (int i = 0; i < count; i++)
		if (set[i] == value)
			return 1;
	return 0;
}

/*
 * In every thread: no new privileges, and no capability but those of the mask
 * in any set. task_dir: host_confine_task_dir(), closed here. Scans until a
 * scan finds nothing new, since a thread not yet lowered may make others.
 */
HOST_EXPORT int32_t host_confine_credentials(int32_t task_dir,
					     uint32_t keep_low,
					     uint32_t keep_high)
{
	struct sigaction old, action = { .sa_sigaction = on_lower,
					 .sa_flags = SA_SIGINFO | SA_RESTART };
	struct lowering work = {
		.keep = (uint64_t)keep_high << 32 | keep_low,
	};
	int lowered[MAX_THREADS], count = 0, result, before;
	struct dirent *entry;
	DIR *dir = fdopendir(task_dir);

	if (dir == NULL) {
		close(task_dir);
		return -errno;
	}
	sigfillset(&action.sa_mask);
	if (sigaction(HOST_CONFINE_SIGNAL, &action, &old) < 0) {
		result = -errno;
		goto out;
	}
	lowered[count++] = (int)syscall(SYS_gettid);
	result = lower_this_thread(work.keep);
	do {
		before = count;
		rewinddir(dir);
		while (result == 0 && (entry = readdir(dir)) != NULL) {
			if (entry->d_name[0] == '.')
				continue;
			int tid = own_tid(task_dir, entry->d_name);

			if (tid == -ESRCH || is_member(lowered, count, tid))
				continue;
			if (tid < 0 || count == MAX_THREADS) {
				result = tid < 0 ? tid : -EAGAIN;
				break;
			}
			lowered[count++] = tid;
			result = lower_thread(&work, tid);
		}
	} while (result == 0 && count != before);
	sigaction(HOST_CONFINE_SIGNAL, &old, NULL);
out:
	closedir(dir);
	return result;
}
