/*
 * proc.c: what programs learn from /proc about themselves and others: proc(5).
 */
#include "guest_test.h"

#include <dirent.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>

static char text[1 << 16];

/* A whole file as a string in `text`; its length. */
static size_t slurp(const char *path)
{
	size_t length = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		guest_fail("open %s: errno %d", path, errno);
	while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0)
		length += (size_t)got;
	CHECK_EQ(got, 0);
	close(fd);
	text[length] = '\0';
	return length;
}

/* What follows "key" at the beginning of a line of `text`. */
static const char *value_of(const char *key)
{
	size_t length = strlen(key);

	for (const char *at = text; at != NULL; at = strchr(at, '\n')) {
		if (*at == '\n')
			at++;
		if (strncmp(at, key, length) == 0)
			return at + length;
		if (*at == '\0')
			break;
	}
	guest_fail("no line begins with %s", key);
}

/* The target of a symlink, in `text`. */
static void target_of(const char *path)
{
	ssize_t length = readlink(path, text, sizeof text - 1);

	if (length < 0)
		guest_fail("readlink %s: errno %d", path, errno);
	text[length] = '\0';
}

__attribute__((format(printf, 1, 2))) static const char *
path_of(const char *format, ...)
{
	static char path[256];
	__builtin_va_list args;

	__builtin_va_start(args, format);
	vsnprintf(path, sizeof path, format, args);
	__builtin_va_end(args);
	return path;
}

static int write_to(const char *path, const char *content)
{
	int fd = open(path, O_WRONLY), saved;
	ssize_t put;

	if (fd < 0)
		return -1;
	put = write(fd, content, strlen(content));
	saved = errno;
	close(fd);
	errno = saved;
	return put < 0 ? -1 : 0;
}

TEST(self_is_the_reader)
{
	struct statfs fs;

	target_of("/proc/self");
	CHECK_EQ(atoi(text), getpid());
	target_of("/proc/thread-self");
	CHECK(strcmp(text, path_of("%d/task/%d", getpid(), gettid())) == 0);
	CHECK_EQ(statfs("/proc", &fs), 0);
	CHECK_EQ(fs.f_type, 0x9fa0);
}

TEST(the_listing_has_every_process_once)
{
	int found = 0, child;
	struct dirent *entry;
	DIR *proc;

	child = fork();
	if (child == 0)
		for (;;)
			pause();
	proc = opendir("/proc");
	CHECK(proc != NULL);
	while ((entry = readdir(proc)) != NULL) {
		struct stat st;

		if (atoi(entry->d_name) != child)
			continue;
		found++;
		CHECK_EQ(entry->d_type, DT_DIR);
		CHECK_EQ(fstatat(dirfd(proc), entry->d_name, &st, 0), 0);
		CHECK_EQ(st.st_ino, entry->d_ino);
	}
	CHECK_EQ(found, 1);
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	CHECK_ERRNO(access(path_of("/proc/%d", child), F_OK), ENOENT);
}

TEST(a_descriptor_outlives_its_process)
{
	int child = fork(), stat, directory;

	if (child == 0)
		for (;;)
			pause();
	stat = open(path_of("/proc/%d/stat", child), O_RDONLY);
	directory = open(path_of("/proc/%d", child), O_RDONLY | O_DIRECTORY);
	CHECK(stat >= 0 && directory >= 0);
	CHECK_EQ(fchdir(directory), 0);
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	CHECK_ERRNO(read(stat, text, 100), ESRCH);
	CHECK_ERRNO(openat(directory, "stat", O_RDONLY), ESRCH);
	CHECK_ERRNO(open("fd/0", O_RDONLY), ESRCH);
}

TEST(a_zombie_shows_what_is_left)
{
	int child = fork();
	siginfo_t info;

	if (child == 0)
		_exit(3);
	CHECK_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	slurp(path_of("/proc/%d/stat", child));
	CHECK_EQ(strrchr(text, ')')[2], 'Z');
	CHECK_EQ(slurp(path_of("/proc/%d/cmdline", child)), 0);
	CHECK_ERRNO(readlink(path_of("/proc/%d/exe", child), text, 10), ENOENT);
	CHECK_ERRNO(readlink(path_of("/proc/%d/cwd", child), text, 10), ENOENT);
	CHECK_EQ(waitpid(child, NULL, 0), child);
}

TEST(stat_has_52_fields)
{
	int parent, group, session, count = 3;
	const char *at;
	char state;

	CHECK_EQ(prctl(PR_SET_NAME, "a) (b"), 0);
	slurp("/proc/self/stat");
	CHECK_EQ(atoi(text), getpid());
	CHECK(strstr(text, " (a) (b) ") != NULL);
	at = strrchr(text, ')') + 2;
	CHECK_EQ(sscanf(at, "%c %d %d %d", &state, &parent, &group, &session),
		 4);
	CHECK_EQ(state, 'R');
	CHECK_EQ(parent, getppid());
	CHECK_EQ(group, getpgrp());
	CHECK_EQ(session, getsid(0));
	for (; *at != '\0'; at++)
		count += *at == ' ';
	CHECK_EQ(count, 52);
	CHECK_EQ(text[strlen(text) - 1], '\n');
}

static void *wait_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

TEST(status_follows_the_process)
{
	sigset_t set;
	pthread_t thread;
	unsigned real, effective, saved, fs;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGUSR2, SIG_IGN);
	umask(0137);
	CHECK_EQ(pthread_create(&thread, NULL, wait_for_ever, NULL), 0);
	raise(SIGUSR1);
	slurp("/proc/self/status");
	CHECK_EQ(strtol(value_of("Umask:"), NULL, 8), 0137);
	CHECK_EQ(atoi(value_of("Tgid:")), getpid());
	CHECK_EQ(atoi(value_of("PPid:")), getppid());
	CHECK_EQ(atoi(value_of("Threads:")), 2);
	CHECK_EQ(sscanf(value_of("Uid:"), "%u %u %u %u", &real, &effective,
			&saved, &fs),
		 4);
	CHECK_EQ(real, getuid());
	CHECK_EQ(effective, geteuid());
	CHECK_EQ(strtoull(value_of("SigBlk:"), NULL, 16), 1u << (SIGUSR1 - 1));
	CHECK_EQ(strtoull(value_of("SigPnd:"), NULL, 16), 1u << (SIGUSR1 - 1));
	CHECK(strtoull(value_of("SigIgn:"), NULL, 16) & 1u << (SIGUSR2 - 1));
}

TEST(every_thread_has_a_directory)
{
	pthread_t thread;
	struct dirent *entry;
	int count = 0;
	struct stat st;
	DIR *tasks;

	CHECK_EQ(pthread_create(&thread, NULL, wait_for_ever, NULL), 0);
	tasks = opendir("/proc/self/task");
	CHECK(tasks != NULL);
	while ((entry = readdir(tasks)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		slurp(path_of("/proc/self/task/%s/status", entry->d_name));
		CHECK_EQ(atoi(value_of("Pid:")), atoi(entry->d_name));
		CHECK_EQ(atoi(value_of("Tgid:")), getpid());
	}
	CHECK_EQ(count, 2);
	CHECK_EQ(stat("/proc/self/task", &st), 0);
	CHECK_EQ(st.st_nlink, 4);
}

TEST(comm_is_the_name_of_a_thread)
{
	CHECK_EQ(prctl(PR_SET_NAME, "by prctl"), 0);
	slurp("/proc/self/comm");
	CHECK(strcmp(text, "by prctl\n") == 0);
	CHECK_EQ(write_to("/proc/self/comm", "more than fifteen bytes"), 0);
	CHECK_EQ(prctl(PR_GET_NAME, text), 0);
	CHECK(strcmp(text, "more than fifte") == 0);
	CHECK_ERRNO(write_to(path_of("/proc/%d/comm", getppid()), "x"), EINVAL);
}

/* The row of maps, in `text`, that begins at an address. */
static const char *row_at(const void *address)
{
	char key[32];

	slurp("/proc/self/maps");
	snprintf(key, sizeof key, "%08lx-", (unsigned long)address);
	return value_of(key);
}

TEST(maps_shows_rights_and_names)
{
	char name[] = "/tmp/proc_maps_XXXXXX", *page, *file, *shared, rights[8];
	unsigned long end, offset, inode;
	unsigned major, minor;
	struct stat st;
	int fd;

	page = mmap(NULL, 3 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	CHECK(page != MAP_FAILED);
	CHECK_EQ(mprotect(page + 4096, 4096, PROT_NONE), 0);
	CHECK_EQ(sscanf(row_at(page + 4096), "%lx %4s %lx %x:%x %lu", &end,
			rights, &offset, &major, &minor, &inode),
		 6);
	CHECK_EQ(end, (unsigned long)page + 8192);
	CHECK(strcmp(rights, "---p") == 0);
	CHECK_EQ(inode, 0);

	fd = mkstemp(name);
	CHECK(fd >= 0);
	CHECK_EQ(ftruncate(fd, 8192), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	file = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	CHECK(file != MAP_FAILED);
	CHECK_EQ(sscanf(row_at(file), "%lx %4s %lx %x:%x %lu", &end, rights,
			&offset, &major, &minor, &inode),
		 6);
	CHECK(strcmp(rights, "rw-s") == 0);
	CHECK_EQ(offset, 4096);
	CHECK_EQ(inode, st.st_ino);
	CHECK(strncmp(strchr(row_at(file), '/'), name, strlen(name)) == 0);
	CHECK_EQ(unlink(name), 0);
	CHECK(strncmp(strchr(row_at(file), '/') + strlen(name), " (deleted)\n",
		      11) == 0);

	shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	CHECK(strncmp(strchr(row_at(shared), '/'), "/dev/zero (deleted)\n",
		      20) == 0);
	slurp("/proc/self/maps");
	CHECK(strstr(text, "[stack]\n") != NULL);
}

TEST(sizes_agree_and_grow)
{
	unsigned long before, after, size;
	char *region;

	slurp("/proc/self/statm");
	before = strtoul(text, NULL, 10);
	region = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(region != MAP_FAILED);
	slurp("/proc/self/statm");
	after = strtoul(text, NULL, 10);
	CHECK_EQ(after - before, 64);
	slurp("/proc/self/status");
	size = strtoul(value_of("VmSize:"), NULL, 10);
	CHECK_EQ(size, after * 4);
	CHECK(strtoul(value_of("VmRSS:"), NULL, 10) <= size);
}

TEST(untouched_memory_is_not_resident)
{
	unsigned long before, touched;
	char *region = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(region != MAP_FAILED);
	CHECK_EQ(madvise(region, 64 << 20, MADV_NOHUGEPAGE), 0);
	slurp("/proc/self/smaps_rollup");
	before = strtoul(value_of("Anonymous:"), NULL, 10);
	CHECK(before < 32 << 10);
	for (int i = 0; i < 2000; i++)
		region[i * 4096] = 1;
	slurp("/proc/self/smaps_rollup");
	touched = strtoul(value_of("Anonymous:"), NULL, 10);
	CHECK(touched - before >= 8000 && touched - before < 16000);
}

TEST(fd_links_name_what_is_open)
{
	int ends[2], pair[2], fd, event;
	char name[] = "/tmp/proc_fd_XXXXXX";
	struct stat st, link;

	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(fstat(ends[0], &st), 0);
	target_of(path_of("/proc/self/fd/%d", ends[0]));
	CHECK(strcmp(text, path_of("pipe:[%lu]", st.st_ino)) == 0);
	CHECK_EQ(lstat(path_of("/proc/self/fd/%d", ends[0]), &link), 0);
	CHECK_EQ(link.st_mode, S_IFLNK | 0500);
	CHECK_EQ(lstat(path_of("/proc/self/fd/%d", ends[1]), &link), 0);
	CHECK_EQ(link.st_mode, S_IFLNK | 0300);

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	CHECK_EQ(fstat(pair[0], &st), 0);
	target_of(path_of("/proc/self/fd/%d", pair[0]));
	CHECK(strcmp(text, path_of("socket:[%lu]", st.st_ino)) == 0);
	CHECK_ERRNO(open(path_of("/proc/self/fd/%d", pair[0]), O_RDONLY),
		    ENXIO);

	event = eventfd(0, 0);
	target_of(path_of("/proc/self/fd/%d", event));
	CHECK(strcmp(text, "anon_inode:[eventfd]") == 0);

	fd = mkstemp(name);
	CHECK(fd >= 0);
	target_of(path_of("/proc/self/fd/%d", fd));
	CHECK(strcmp(text, name) == 0);
	CHECK_EQ(write(fd, "kept", 4), 4);
	CHECK_EQ(unlink(name), 0);
	target_of(path_of("/proc/self/fd/%d", fd));
	CHECK(strcmp(text + strlen(name), " (deleted)") == 0);
	/* The link leads there all the same. */
	slurp(path_of("/proc/self/fd/%d", fd));
	CHECK(strcmp(text, "kept") == 0);
	close(fd);
	CHECK_ERRNO(readlink(path_of("/proc/self/fd/%d", fd), text, 10),
		    ENOENT);
	CHECK_ERRNO(access(path_of("/proc/self/fd/0%d", event), F_OK), ENOENT);
}

TEST(fdinfo_tells_position_and_flags)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	CHECK_EQ(lseek(fd, 7, SEEK_SET), 7);
	slurp(path_of("/proc/self/fdinfo/%d", fd));
	CHECK_EQ(atoi(value_of("pos:")), 7);
	CHECK_EQ(strtol(value_of("flags:"), NULL, 8) & (O_ACCMODE | O_CLOEXEC),
		 O_RDONLY | O_CLOEXEC);
	value_of("mnt_id:");
}

TEST(fdinfo_of_event_files_tells_their_state)
{
	struct epoll_event want = { .events = EPOLLIN | EPOLLET,
				    .data.u64 = 0x123456789a };
	struct itimerspec setting = { .it_interval.tv_sec = 5 };
	int event = eventfd(41, 0), epoll = epoll_create1(0), timer, sigfd;
	unsigned long long data;
	unsigned fd, events;
	sigset_t set;

	slurp(path_of("/proc/self/fdinfo/%d", event));
	CHECK_EQ(strtol(value_of("eventfd-count:"), NULL, 16), 41);

	CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &want), 0);
	slurp(path_of("/proc/self/fdinfo/%d", epoll));
	CHECK_EQ(sscanf(value_of("tfd:"), "%u events: %x data: %llx", &fd,
			&events, &data),
		 3);
	CHECK_EQ(fd, event);
	CHECK_EQ(events & ~(EPOLLERR | EPOLLHUP), (unsigned)want.events);
	CHECK_EQ(data, 0x123456789a);

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigfd = signalfd(-1, &set, 0);
	slurp(path_of("/proc/self/fdinfo/%d", sigfd));
	CHECK_EQ(strtoull(value_of("sigmask:"), NULL, 16), 1u << (SIGUSR2 - 1));

	timer = timerfd_create(CLOCK_MONOTONIC, 0);
	CHECK_EQ(timerfd_settime(timer, 0, &setting, NULL), 0);
	slurp(path_of("/proc/self/fdinfo/%d", timer));
	CHECK_EQ(atoi(value_of("clockid:")), CLOCK_MONOTONIC);
	CHECK(strncmp(value_of("it_interval: "), "(5, 0)", 6) == 0);
}

TEST(cwd_and_exe_lead_to_places)
{
	struct stat by_link, by_path;

	CHECK_EQ(chdir("/tmp"), 0);
	target_of("/proc/self/cwd");
	CHECK(strcmp(text, "/tmp") == 0);
	CHECK_EQ(stat("/proc/self/cwd", &by_link), 0);
	CHECK_EQ(stat("/tmp", &by_path), 0);
	CHECK_EQ(by_link.st_ino, by_path.st_ino);
	target_of("/proc/self/exe");
	CHECK_EQ(stat("/proc/self/exe", &by_link), 0);
	CHECK_EQ(stat(text, &by_path), 0);
	CHECK_EQ(by_link.st_ino, by_path.st_ino);
	CHECK_ERRNO(open("/proc/self/exe", O_WRONLY), ETXTBSY);
}

TEST(a_file_is_made_anew_from_its_start)
{
	char first[64], again[64];
	int fd = open("/proc/self/comm", O_RDONLY);

	CHECK_EQ(prctl(PR_SET_NAME, "before"), 0);
	CHECK_EQ(read(fd, first, 3), 3);
	CHECK_EQ(prctl(PR_SET_NAME, "after"), 0);
	CHECK_EQ(read(fd, first + 3, 60), 4);
	CHECK(memcmp(first, "before\n", 7) == 0);
	CHECK_EQ(read(fd, first, 60), 0);
	CHECK_EQ(pread(fd, again, 60, 0), 6);
	CHECK(memcmp(again, "after\n", 6) == 0);
	CHECK_ERRNO(lseek(fd, 0, SEEK_END), EINVAL);
}

TEST(memory_of_a_process_is_a_file)
{
	static char buffer[] = "old content";
	int fd = open("/proc/self/mem", O_RDWR);
	char *hidden = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(fd >= 0 && hidden != MAP_FAILED);
	CHECK_EQ(pread(fd, text, 3, (off_t)(uintptr_t)buffer), 3);
	CHECK(memcmp(text, "old", 3) == 0);
	CHECK_EQ(pwrite(fd, "new", 3, (off_t)(uintptr_t)buffer), 3);
	CHECK(strcmp(buffer, "new content") == 0);
	strcpy(hidden, "secret");
	CHECK_EQ(mprotect(hidden, 4096, PROT_NONE), 0);
	CHECK_EQ(pread(fd, text, 6, (off_t)(uintptr_t)hidden), 6);
	CHECK(memcmp(text, "secret", 6) == 0);
	CHECK_ERRNO(pread(fd, text, 8, 4096), EIO);
}

TEST(environ_and_auxv_are_of_the_start)
{
	unsigned long pairs[128];
	size_t count = slurp("/proc/self/auxv");
	int pages = 0;

	CHECK(count % 16 == 0 && count <= sizeof pairs);
	memcpy(pairs, text, count);
	CHECK_EQ(pairs[count / 8 - 2], 0);
	for (size_t i = 0; i < count / 8; i += 2)
		if (pairs[i] == 6)
			pages = (int)pairs[i + 1];
	CHECK_EQ(pages, 4096);
	setenv("SET_LATER", "1", 1);
	count = slurp("/proc/self/environ");
	CHECK(memmem(text, count, "SET_LATER", 9) == NULL);
}

TEST(limits_are_those_of_getrlimit)
{
	struct rlimit limit = { .rlim_cur = 77, .rlim_max = 99 };
	unsigned long soft, hard;

	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	slurp("/proc/self/limits");
	CHECK_EQ(sscanf(value_of("Max open files"), "%lu %lu", &soft, &hard),
		 2);
	CHECK_EQ(soft, 77);
	CHECK_EQ(hard, 99);
	CHECK(strncmp(text,
		      "Limit                     Soft Limit           "
		      "Hard Limit           Units     \n",
		      79) == 0);
}

TEST(mountinfo_has_the_root_and_proc)
{
	int id, parent, consumed, roots = 0, procs = 0;
	char *line, *rest, place[256], options[256], root[256];
	unsigned major, minor;

	slurp("/proc/self/mountinfo");
	for (line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		CHECK_EQ(sscanf(line, "%d %d %u:%u %255s %255s %255s%n", &id,
				&parent, &major, &minor, root, place, options,
				&consumed),
			 7);
		CHECK(strncmp(options, "rw", 2) == 0 ||
		      strncmp(options, "ro", 2) == 0);
		CHECK(strstr(line + consumed, " - ") != NULL);
		roots += strcmp(place, "/") == 0;
		procs += strcmp(place, "/proc") == 0 &&
			 strstr(line, " - proc proc ") != NULL;
	}
	CHECK(roots >= 1);
	CHECK_EQ(procs, 1);
}

TEST(oom_score_adj_is_inherited)
{
	CHECK_EQ(write_to("/proc/self/oom_score_adj", " 300\n"), 0);
	CHECK_ERRNO(write_to("/proc/self/oom_score_adj", "1001"), EINVAL);
	CHECK_ERRNO(write_to("/proc/self/oom_score_adj", "x"), EINVAL);
	CHECK_EQ(IN_CHILD({
			 slurp("/proc/self/oom_score_adj");
			 _exit(strcmp(text, "300\n") != 0);
		 }),
		 0);
}

TEST(namespaces_are_files_that_tell_them_apart)
{
	struct stat own, of_parent;
	char expected[64];
	int fd, owner;

	CHECK_EQ(stat("/proc/self/ns/uts", &own), 0);
	CHECK_EQ(stat(path_of("/proc/%d/ns/uts", getppid()), &of_parent), 0);
	CHECK_EQ(own.st_ino, of_parent.st_ino);
	snprintf(expected, sizeof expected, "uts:[%lu]", own.st_ino);
	target_of("/proc/self/ns/uts");
	CHECK(strcmp(text, expected) == 0);
	fd = open("/proc/self/ns/uts", O_RDONLY);
	CHECK_EQ(ioctl(fd, NS_GET_NSTYPE), CLONE_NEWUTS);
	CHECK_ERRNO(ioctl(fd, NS_GET_PARENT), EINVAL);
	owner = ioctl(fd, NS_GET_USERNS);
	CHECK_EQ(fstat(owner, &own), 0);
	CHECK_EQ(stat("/proc/self/ns/user", &of_parent), 0);
	CHECK_EQ(own.st_ino, of_parent.st_ino);
}

TEST(names_cannot_be_made_or_removed)
{
	CHECK_EQ(open("/proc/new", O_RDWR | O_CREAT, 0644), -1);
	CHECK_EQ(mkdir("/proc/new", 0755), -1);
	CHECK_ERRNO(unlink("/proc/version"), EPERM);
	CHECK_ERRNO(chmod("/proc/self/status", 0777), EPERM);
	CHECK_ERRNO(write_to("/proc/self/stat", "x"), EINVAL);
	CHECK_ERRNO(write_to("/proc/sys/kernel/ostype", "x"), EACCES);
}

TEST(the_system_is_described)
{
	struct timespec now;
	struct utsname names;
	double uptime, idle;

	CHECK_EQ(uname(&names), 0);
	slurp("/proc/sys/kernel/osrelease");
	CHECK(strncmp(text, names.release, strlen(names.release)) == 0);
	slurp("/proc/sys/kernel/hostname");
	CHECK(strncmp(text, names.nodename, strlen(names.nodename)) == 0);
	slurp("/proc/version");
	CHECK(strncmp(text, "Linux version ", 14) == 0);

	CHECK_EQ(clock_gettime(CLOCK_BOOTTIME, &now), 0);
	slurp("/proc/uptime");
	CHECK_EQ(sscanf(text, "%lf %lf", &uptime, &idle), 2);
	CHECK(uptime >= (double)now.tv_sec - 1 &&
	      uptime <= (double)now.tv_sec + 60);

	slurp("/proc/meminfo");
	CHECK(strtoul(value_of("MemFree:"), NULL, 10) <
	      strtoul(value_of("MemTotal:"), NULL, 10));
	slurp("/proc/stat");
	value_of("cpu ");
	value_of("cpu0 ");
	value_of("btime ");
	slurp("/proc/cpuinfo");
	value_of("processor\t: 0");
	slurp("/proc/filesystems");
	value_of("nodev\tproc\n");
	slurp("/proc/loadavg");
}
