/*
 * spawn.c: start a program in new namespaces with exactly the descriptors it
 * is given, and wait for processes by pidfd.
 *
 * The child is made by clone3(CLONE_VM): until execve it shares our memory, so
 * it runs on a stack of its own, uses no libc function that touches errno or
 * locks, and takes no signal. It waits for one byte from us before it goes on,
 * because the id maps of its user namespace can only be written from outside;
 * and it reports an errno through a close-on-exec pipe, whose end of file says
 * that execve has happened.
 */
#define _GNU_SOURCE
#include "host.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define STACK_BYTES (64 * 1024)
#define MAX_FDS 256

/* Order of spawn.ts: REQUEST. */
struct request {
	int32_t fd_count; /* child descriptor i is fds[i] */
	int32_t namespaces; /* CLONE_NEW* */
	int32_t flags; /* SPAWN_* */
	int32_t death_signal; /* PR_SET_PDEATHSIG, 0: none */
	int32_t terminal; /* child descriptor to be controlling, -1: none */
	int32_t uid, gid; /* in the child's namespace, -1: keep */
	uint32_t blocked_low, blocked_high; /* signal mask of the program */
	int32_t argc, envc;
	int32_t network; /* descriptor of a network namespace to join, or -1 */
};
enum {
	SPAWN_NEW_SESSION = 1,
	SPAWN_NO_NEW_PRIVS = 2,
	SPAWN_DENY_SETGROUPS = 4,
	SPAWN_MAP_IDS = 8,
	SPAWN_CLEAR_GROUPS = 16,
};

struct child {
	const struct request *request;
	const int32_t *fds;
	const char *path, *directory, *protected;
	char **argv, **envp;
	int go_read; /* the parent's byte */
	int error_write;
	int parent_ends[2]; /* not ours */
};

/* What runs in the child. The sanitizers' book-keeping, which it shares with
 * us, would not survive that it never returns from its stack. */
#define CHILD_CODE \
	__attribute__((no_sanitize("address", "thread", "undefined")))

/* A system call that leaves errno, which the parent shares, alone. */
CHILD_CODE static long raw(long nr, long a, long b, long c, long d, long e)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
#else
#error "unknown machine"
#endif
}

CHILD_CODE static _Noreturn void child_exit(const struct child *c, long error)
{
	int32_t code = (int32_t)error;

	raw(SYS_write, c->error_write, (long)&code, sizeof(code), 0, 0);
	for (;;)
		raw(SYS_exit_group, 127, 0, 0, 0, 0);
}

#define TRY(nr, a, b, c_, d, e)                                       \
	do {                                                          \
		long r_ = raw(nr, (long)(a), (long)(b), (long)(c_),   \
			      (long)(d), (long)(e));                  \
		if (r_ < 0)                                           \
			child_exit(c, r_);                            \
	} while (0)

CHILD_CODE static void child_reset_signals(void)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} action = { SIG_DFL, 0, NULL, 0 };

	for (long s = 1; s <= 64; s++)
		raw(SYS_rt_sigaction, s, (long)&action, 0, 8, 0);
}

CHILD_CODE static void child_take_fds(struct child *c)
{
	int32_t moved[MAX_FDS];
	int count = c->request->fd_count;

	/* Away from the numbers they are to get, then onto them. */
	for (int i = 0; i < count; i++) {
		long fd = raw(SYS_fcntl, c->fds[i], F_DUPFD_CLOEXEC, count, 0, 0);

		if (fd < 0)
			child_exit(c, fd);
		moved[i] = (int32_t)fd;
	}
	long error = raw(SYS_fcntl, c->error_write, F_DUPFD_CLOEXEC, count, 0, 0);

	if (error < 0)
		child_exit(c, error);
	c->error_write = (int)error;
	for (int i = 0; i < count; i++)
		TRY(SYS_dup3, moved[i], i, 0, 0, 0);
	/* Whatever else this process has open ends at execve. */
	TRY(SYS_close_range, count, ~0u, CLOSE_RANGE_CLOEXEC, 0, 0);
}

/* Makes a directory read-only in the child's mount namespace, which is its
 * own. Nothing of that is seen outside. */
CHILD_CODE static void child_protect(const struct child *c)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	long tree;

	TRY(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	tree = raw(SYS_open_tree, AT_FDCWD, (long)c->protected,
		   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, 0, 0);
	if (tree < 0)
		child_exit(c, tree);
	TRY(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr));
	TRY(SYS_move_mount, tree, "", AT_FDCWD, c->protected,
	    MOVE_MOUNT_F_EMPTY_PATH);
	raw(SYS_close, tree, 0, 0, 0, 0);
}

CHILD_CODE static void child_set_ids(const struct child *c)
{
	const struct request *q = c->request;

	if (q->flags & SPAWN_CLEAR_GROUPS)
		TRY(SYS_setgroups, 0, 0, 0, 0, 0);
	if (q->gid != -1)
		TRY(SYS_setresgid, q->gid, q->gid, q->gid, 0, 0);
	if (q->uid != -1)
		TRY(SYS_setresuid, q->uid, q->uid, q->uid, 0, 0);
}

/* The rest, after which the program runs. */
CHILD_CODE static _Noreturn void child_become(struct child *c)
{
	const struct request *q = c->request;
	uint64_t mask = (uint64_t)q->blocked_high << 32 | q->blocked_low;

	if (c->directory[0] != '\0')
		TRY(SYS_chdir, c->directory, 0, 0, 0, 0);
	child_take_fds(c);
	if (q->flags & SPAWN_NEW_SESSION)
		TRY(SYS_setsid, 0, 0, 0, 0, 0);
	if (q->terminal >= 0)
		TRY(SYS_ioctl, q->terminal, TIOCSCTTY, 0, 0, 0);
	if (q->flags & SPAWN_NO_NEW_PRIVS)
		TRY(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	TRY(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8, 0);
	TRY(SYS_execve, c->path, c->argv, c->envp, 0, 0);
	child_exit(c, -EINVAL); /* execve does not return 0 */
}

CHILD_CODE static int child_main(void *arg)
{
	struct child *c = arg;
	const struct request *q = c->request;
	char byte;

	child_reset_signals();
	raw(SYS_close, c->parent_ends[0], 0, 0, 0, 0);
	raw(SYS_close, c->parent_ends[1], 0, 0, 0, 0);
	/* Changing ids clears it, so it is set again below. */
	if (q->death_signal != 0)
		TRY(SYS_prctl, PR_SET_PDEATHSIG, q->death_signal, 0, 0, 0);
	/* End of file instead of a byte: the parent died before or after that. */
	if (raw(SYS_read, c->go_read, (long)&byte, 1, 0, 0) != 1)
		child_exit(c, -ECANCELED);
	if (q->network >= 0)
		TRY(SYS_setns, q->network, CLONE_NEWNET, 0, 0, 0);
	if (c->protected[0] != '\0')
		child_protect(c);
	child_set_ids(c);
	if (q->death_signal != 0)
		TRY(SYS_prctl, PR_SET_PDEATHSIG, q->death_signal, 0, 0, 0);
	child_become(c);
}

/* Writes one file of /proc/<pid>/ in a single write, as the kernel wants. */
static int write_proc(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd, result = 0;
	size_t length = strlen(text);

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (HOST_RETRY(write(fd, text, length)) != (long)length)
		result = -errno;
	close(fd);
	return result;
}

static int write_maps(pid_t pid, const struct request *q, const char *uid_map,
		      const char *gid_map)
{
	int result;

	if (q->flags & SPAWN_DENY_SETGROUPS) {
		result = write_proc(pid, "setgroups", "deny");
		if (result < 0)
			return result;
	}
	result = write_proc(pid, "uid_map", uid_map);
	if (result < 0)
		return result;
	return write_proc(pid, "gid_map", gid_map);
}

/* `count` strings that stand one behind the other; *at moves behind them. */
static char **string_list(char **at, const char *end, int count)
{
	char **list = calloc((size_t)count + 1, sizeof(char *));

	for (int i = 0; list != NULL && i < count; i++) {
		if (*at >= end) {
			free(list);
			errno = EINVAL;
			return NULL;
		}
		list[i] = *at;
		*at += strlen(*at) + 1;
	}
	return list;
}

static pid_t clone_child(int (*run)(void *), void *arg, char *stack, int flags,
			 int *pidfd)
{
	flags |= CLONE_VM | CLONE_PIDFD | SIGCHLD;

	/* glibc's clone switches stacks for us; the pidfd comes in the place
	 * of parent_tid, as clone(2) says. */
	return clone(run, stack + STACK_BYTES, flags, arg, pidfd);
}

/* What a request asks for. `strings`: path, directory ("" to stay), uid map,
 * gid map, a directory to be read-only ("": none), then argc and envc strings,
 * each with its NUL. The caller frees argv and envp in any case. */
struct maps {
	const char *uid, *gid;
};
static int32_t unpack(const struct request *request, const int32_t *fds,
		      char *strings, double bytes, struct child *child,
		      struct maps *maps)
{
	const char *end = strings + (size_t)bytes;
	char *at = strings, *fixed[5];

	*child = (struct child){ .request = request,
				 .fds = fds,
				 .parent_ends = { -1, -1 } };
	if (request->fd_count < 0 || request->fd_count > MAX_FDS ||
	    request->argc < 1 || request->envc < 0 || bytes < 1 ||
	    end[-1] != '\0')
		return -EINVAL;
	for (int i = 0; i < 5; i++) {
		if (at >= end)
			return -EINVAL;
		fixed[i] = at;
		at += strlen(at) + 1;
	}
	child->path = fixed[0];
	child->directory = fixed[1];
	*maps = (struct maps){ .uid = fixed[2], .gid = fixed[3] };
	child->protected = fixed[4];
	child->argv = string_list(&at, end, request->argc);
	if (child->argv != NULL)
		child->envp = string_list(&at, end, request->envc);
	return child->argv == NULL || child->envp == NULL ? -errno : 0;
}

/* Starts a program; see unpack(). out: pid (in our namespace), pidfd. -errno
 * of whatever failed, up to and including execve. */
HOST_EXPORT int32_t host_spawn(const struct request *request,
			       const int32_t *fds, char *strings, double bytes,
			       int32_t out[2])
{
	int go[2] = { -1, -1 }, error_pipe[2] = { -1, -1 }, pidfd = -1;
	char *stack = MAP_FAILED;
	int32_t result = 0, code = 0;
	int dumpable = prctl(PR_GET_DUMPABLE);
	struct child child;
	struct maps maps;
	sigset_t all, old;
	pid_t pid;

	result = unpack(request, fds, strings, bytes, &child, &maps);
	if (result < 0)
		goto out;
	stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED || pipe2(go, O_CLOEXEC) < 0 ||
	    pipe2(error_pipe, O_CLOEXEC) < 0) {
		result = -errno;
		goto out;
	}
	child.go_read = go[0];
	child.error_write = error_pipe[1];
	child.parent_ends[0] = go[1];
	child.parent_ends[1] = error_pipe[0];

	/* A handler of ours must not run in the child, which has our memory. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = clone_child(child_main, &child, stack, request->namespaces,
			  &pidfd);
	if (pid < 0)
		result = -errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		goto out;

	close(error_pipe[1]);
	error_pipe[1] = -1;
	if (request->flags & SPAWN_MAP_IDS)
		result = write_maps(pid, request, maps.uid, maps.gid);
	/* Without the byte the child ends; either way wait until it has left
	 * our memory. A full pipe or a dead child is seen below. */
	if (result == 0 && HOST_RETRY(write(go[1], "", 1)) < 0)
		result = -errno;
	close(go[1]);
	go[1] = -1;
	if (HOST_RETRY(read(error_pipe[0], &code, sizeof(code))) ==
		    sizeof(code) &&
	    result == 0)
		result = code;
	/* A child that changed its ids took this from our common memory. */
	if (prctl(PR_GET_DUMPABLE) != dumpable)
		prctl(PR_SET_DUMPABLE, dumpable);
	if (result < 0) {
		siginfo_t info;

		HOST_RETRY(waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info,
				  WEXITED | __WALL));
		close(pidfd);
		goto out;
	}
	out[0] = pid;
	out[1] = pidfd;

out:
	for (int i = 0; i < 2; i++) {
		if (go[i] >= 0)
			close(go[i]);
		if (error_pipe[i] >= 0)
			close(error_pipe[i]);
	}
	if (stack != MAP_FAILED)
		munmap(stack, STACK_BYTES);
	free(child.argv);
	free(child.envp);
	return result;
}

#define MAX_MEMBERS 4

/* A program that is made after its children: see host_spawn_parent(). */
struct family {
	struct child parent;
	const int32_t *words;
	char *strings;
	int32_t count;
	int32_t *out;
};

/* Runs while the thread that made us stands still, so its errno and its locks
 * are ours. */
CHILD_CODE static int family_main(void *arg)
{
	struct family *family = arg;
	struct child *c = &family->parent;
	const int32_t *at = family->words;
	char *strings = family->strings;
	int32_t started[MAX_MEMBERS][2];

	child_reset_signals();
	if (c->request->network >= 0)
		TRY(SYS_setns, c->request->network, CLONE_NEWNET, 0, 0, 0);
	for (int i = 0; i < family->count; i++) {
		const struct request *member = (const void *)(at + 1);
		const int32_t *fds = (const int32_t *)(member + 1);
		int32_t error = host_spawn(member, fds, strings, at[0],
					   started[i]);

		if (error < 0) {
			while (i-- > 0) {
				raw(SYS_pidfd_send_signal, started[i][1],
				    SIGKILL, 0, 0, 0);
				raw(SYS_waitid, P_PIDFD, started[i][1], 0,
				    WEXITED | __WALL, 0);
			}
			child_exit(c, error);
		}
		family->out[2 + i] = started[i][0];
		strings += at[0];
		at = fds + member->fd_count;
	}
	child_become(c);
}

/*
 * Starts `count` programs as children of another one, which is started last:
 * the process exists first, and runs its program when they run theirs. Their
 * death signals are for its end. words: of each of them the length of its
 * strings, its request and its descriptors. out: pid and pidfd of the parent,
 * then a pid for each of the others. -errno of whatever failed; nothing is left
 * then, unless the parent's own execve failed (its children die by their death
 * signals).
 */
HOST_EXPORT int32_t host_spawn_parent(const struct request *request,
				      const int32_t *fds, char *strings,
				      double bytes, const int32_t *words,
				      char *member_strings, int32_t count,
				      int32_t *out)
{
	struct family family = { .words = words,
				 .strings = member_strings,
				 .count = count,
				 .out = out };
	int error_pipe[2] = { -1, -1 }, pidfd = -1;
	char *stack = MAP_FAILED;
	int32_t result, code = 0;
	struct maps maps;
	sigset_t all, old;
	pid_t pid;

	if (count < 0 || count > MAX_MEMBERS)
		return -EINVAL;
	result = unpack(request, fds, strings, bytes, &family.parent, &maps);
	if (result < 0)
		goto out;
	stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED || pipe2(error_pipe, O_CLOEXEC) < 0) {
		result = -errno;
		goto out;
	}
	family.parent.error_write = error_pipe[1];
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	/* We stand still until it runs its program or has ended. */
	pid = clone_child(family_main, &family, stack,
			  CLONE_VFORK | request->namespaces, &pidfd);
	if (pid < 0)
		result = -errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		goto out;
	close(error_pipe[1]);
	error_pipe[1] = -1;
	if (HOST_RETRY(read(error_pipe[0], &code, sizeof(code))) ==
	    sizeof(code)) {
		siginfo_t info;

		result = code;
		HOST_RETRY(waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info,
				  WEXITED | __WALL));
		close(pidfd);
		goto out;
	}
	out[0] = pid;
	out[1] = pidfd;

out:
	for (int i = 0; i < 2; i++) {
		if (error_pipe[i] >= 0)
			close(error_pipe[i]);
	}
	if (stack != MAP_FAILED)
		munmap(stack, STACK_BYTES);
	free(family.parent.argv);
	free(family.parent.envp);
	return result;
}

/*
 * Waits for the child behind a pidfd; timeout_ms -1: for ever. Returns 1 when
 * it has ended, with out: CLD_* code and status; 0 at the timeout.
 */
HOST_EXPORT int32_t host_wait(int32_t pidfd, int32_t timeout_ms, int32_t out[2])
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	siginfo_t info;
	long n = HOST_RETRY(poll(&p, 1, timeout_ms));

	if (n <= 0)
		return n < 0 ? -errno : 0;
	memset(&info, 0, sizeof(info));
	if (HOST_RETRY(waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info,
			      WEXITED | WNOHANG | __WALL)) < 0)
		return -errno;
	if (info.si_pid == 0)
		return 0;
	out[0] = info.si_code;
	out[1] = info.si_status;
	return 1;
}

/* A pidfd of any process. */
HOST_EXPORT int32_t host_pidfd_open(int32_t pid)
{
	return host_result(syscall(SYS_pidfd_open, pid, 0));
}

/* -ESRCH: it has ended and was waited for. Signal 0 only asks. */
HOST_EXPORT int32_t host_kill(int32_t pidfd, int32_t signal)
{
	return host_result(
		syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}
