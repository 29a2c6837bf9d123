/* Pseudo terminals: line discipline, job control, devpts. */
#include "guest_test.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>

static char program_name[64];

/* Opens a terminal: the master, and the program side without controlling it. */
static int make_terminal(int *program)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	CHECK(master >= 0);
	CHECK_EQ(grantpt(master), 0);
	CHECK_EQ(unlockpt(master), 0);
	CHECK_EQ(ptsname_r(master, program_name, sizeof program_name), 0);
	*program = open(program_name, O_RDWR | O_NOCTTY);
	CHECK(*program >= 0);
	return master;
}

static void type(int master, const char *text)
{
	CHECK_EQ(write(master, text, strlen(text)), strlen(text));
}

/* Reads until the text is complete. */
static void expect(int fd, const char *text)
{
	char got[256];
	size_t done = 0, length = strlen(text);
	while (done < length) {
		ssize_t n = read(fd, got + done, length - done);
		CHECK(n > 0);
		done += n;
	}
	if (memcmp(got, text, length) != 0)
		guest_fail("read '%.*s', not '%s'", (int)length, got, text);
}

/* What the master wrote may reach the line discipline a little later. */
static void wait_for(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };
	CHECK_EQ(poll(&p, 1, 5000), 1);
}

static void wait_until_stopped(int fd)
{
	struct pollfd p = { fd, POLLOUT, 0 };
	while (poll(&p, 1, 0) != 0)
		usleep(1000);
}

static void expect_nothing(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 20), 0);
}

/* Changes local modes. */
static void set_modes(int fd, tcflag_t off, tcflag_t on)
{
	struct termios modes;
	CHECK_EQ(tcgetattr(fd, &modes), 0);
	modes.c_lflag = (modes.c_lflag & ~off) | on;
	CHECK_EQ(tcsetattr(fd, TCSANOW, &modes), 0);
}

TEST(a_new_terminal_is_locked_and_has_a_name)
{
	int number, locked;
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	struct stat st;
	char path[32];
	CHECK(master >= 0);
	CHECK_EQ(ioctl(master, TIOCGPTN, &number), 0);
	CHECK_EQ(ioctl(master, TIOCGPTLCK, &locked), 0);
	CHECK_EQ(locked, 1);
	snprintf(path, sizeof path, "/dev/pts/%d", number);
	CHECK_ERRNO(open(path, O_RDWR | O_NOCTTY), EIO);
	CHECK_EQ(stat(path, &st), 0);
	CHECK(S_ISCHR(st.st_mode));
	CHECK_EQ(major(st.st_rdev), 136);
	CHECK_EQ(minor(st.st_rdev), (unsigned)number);
	CHECK_EQ(unlockpt(master), 0);
	int program = open(path, O_RDWR | O_NOCTTY);
	CHECK(program >= 0);
	CHECK(isatty(program));
	CHECK_ERRNO(lseek(program, 0, SEEK_SET), ESPIPE);
	int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	CHECK(peer >= 0);
	close(master);
	CHECK_ERRNO(open(path, O_RDWR | O_NOCTTY), ENOENT);
}

TEST(lines_are_edited_echoed_and_read_whole)
{
	int program, unread, master = make_terminal(&program);
	type(master, "helpo\177\177lo\r");
	expect(master, "helpo\b \b\b \blo\r\n");
	CHECK_EQ(ioctl(program, FIONREAD, &unread), 0);
	CHECK_EQ(unread, 6);
	expect(program, "hello\n");
	type(master, "unfinished");
	expect_nothing(program);
	type(master, "\025word one\027two\r");
	expect(program, "word two\n");
	type(master, "ab\004");
	expect(program, "ab");
	type(master, "\004");
	char byte;
	CHECK_EQ(read(program, &byte, 1), 0);
}

TEST(output_is_processed)
{
	int program, master = make_terminal(&program);
	struct termios modes;
	type(program, "a\nb\n");
	expect(master, "a\r\nb\r\n");
	CHECK_EQ(tcgetattr(program, &modes), 0);
	modes.c_oflag &= ~OPOST;
	CHECK_EQ(tcsetattr(program, TCSADRAIN, &modes), 0);
	type(program, "a\n");
	expect(master, "a\n");
}

TEST(raw_mode_follows_vmin_and_vtime)
{
	int program, master = make_terminal(&program);
	struct termios modes;
	char text[16];
	CHECK_EQ(tcgetattr(program, &modes), 0);
	cfmakeraw(&modes);
	modes.c_cc[VMIN] = 0;
	modes.c_cc[VTIME] = 0;
	CHECK_EQ(tcsetattr(program, TCSANOW, &modes), 0);
	CHECK_EQ(read(program, text, 16), 0);
	type(master, "\003\r");
	expect(program, "\003\r");
	modes.c_cc[VTIME] = 1;
	CHECK_EQ(tcsetattr(program, TCSANOW, &modes), 0);
	CHECK_EQ(read(program, text, 16), 0);
	modes.c_cc[VMIN] = 3;
	CHECK_EQ(tcsetattr(program, TCSANOW, &modes), 0);
	type(master, "ab");
	/* The time between bytes is over before a third one comes. */
	CHECK_EQ(read(program, text, 16), 2);
	modes.c_cc[VTIME] = 0;
	CHECK_EQ(tcsetattr(program, TCSANOW, &modes), 0);
	type(master, "cd");
	expect_nothing(program);
	type(master, "e");
	CHECK_EQ(read(program, text, 16), 3);
}

TEST(modes_and_window_are_shared_by_both_sides)
{
	int program, master = make_terminal(&program);
	struct winsize size = { 40, 100, 0, 0 }, got;
	struct termios modes;
	CHECK_EQ(ioctl(master, TIOCSWINSZ, &size), 0);
	CHECK_EQ(ioctl(program, TIOCGWINSZ, &got), 0);
	CHECK_EQ(got.ws_row, 40);
	CHECK_EQ(got.ws_col, 100);
	set_modes(master, ECHO, 0);
	CHECK_EQ(tcgetattr(program, &modes), 0);
	CHECK_EQ(modes.c_lflag & ECHO, 0);
	CHECK_EQ(modes.c_cc[VINTR], 3);
	CHECK_EQ(modes.c_cc[VMIN], 1);
	CHECK_EQ(cfgetospeed(&modes), B38400);
	CHECK_ERRNO(tcsendbreak(0, 0), ENOTTY);
	CHECK_ERRNO(ioctl(program, TIOCGPTN, &size), ENOTTY);
	int discipline = 5;
	CHECK_EQ(ioctl(program, TIOCGETD, &discipline), 0);
	CHECK_EQ(discipline, 0);
}

TEST(flushing_discards)
{
	int program, unread, master = make_terminal(&program);
	set_modes(program, ECHO, 0);
	type(master, "line\r");
	wait_for(program, POLLIN);
	CHECK_EQ(tcflush(program, TCIFLUSH), 0);
	CHECK_EQ(ioctl(program, FIONREAD, &unread), 0);
	CHECK_EQ(unread, 0);
	CHECK_ERRNO(tcflush(program, 9), EINVAL);
}

TEST(output_stops_and_starts)
{
	int program, master = make_terminal(&program);
	CHECK_EQ(tcflow(program, TCOOFF), 0);
	CHECK_EQ(fcntl(program, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	CHECK_ERRNO(write(program, "x", 1), EAGAIN);
	CHECK_EQ(tcflow(program, TCOON), 0);
	CHECK_EQ(write(program, "x", 1), 1);
	expect(master, "x");
	type(master, "\023");
	wait_until_stopped(program);
	CHECK_ERRNO(write(program, "x", 1), EAGAIN);
	type(master, "\021");
	wait_for(program, POLLOUT);
	CHECK_EQ(write(program, "y", 1), 1);
	expect(master, "y");
}

TEST(packet_mode_tells_of_flushes)
{
	int program, on = 1, master = make_terminal(&program);
	char text[16];
	CHECK_EQ(ioctl(master, TIOCPKT, &on), 0);
	type(program, "data");
	CHECK_EQ(read(master, text, 16), 5);
	CHECK_EQ(text[0], TIOCPKT_DATA);
	CHECK_EQ(tcflush(program, TCIFLUSH), 0);
	struct pollfd p = { master, POLLIN | POLLPRI, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents & POLLPRI, POLLPRI);
	CHECK_EQ(read(master, text, 16), 1);
	CHECK_EQ(text[0], TIOCPKT_FLUSHREAD);
}

TEST(the_master_sees_the_program_side_close)
{
	int program, master = make_terminal(&program);
	char text[16];
	type(program, "bye");
	close(program);
	struct pollfd p = { master, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLHUP);
	expect(master, "bye");
	CHECK_ERRNO(read(master, text, 16), EIO);
	program = open(program_name, O_RDWR | O_NOCTTY);
	CHECK(program >= 0);
	type(program, "again");
	expect(master, "again");
}

TEST(closing_the_master_hangs_up)
{
	int program, master = make_terminal(&program);
	char text[16];
	struct termios modes;
	close(master);
	CHECK_EQ(read(program, text, 16), 0);
	CHECK_ERRNO(write(program, "x", 1), EIO);
	CHECK_ERRNO(tcgetattr(program, &modes), EIO);
	struct pollfd p = { program, POLLIN | POLLOUT, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents & POLLHUP, POLLHUP);
}

/* Runs `body` in a new session that has the terminal. */
#define IN_SESSION(program, ...)                                          \
	IN_CHILD(CHECK(setsid() > 0);                                     \
		 CHECK_EQ(ioctl(program, TIOCSCTTY, 0), 0); __VA_ARGS__)

TEST(a_session_leader_gets_a_controlling_terminal)
{
	int program, master = make_terminal(&program);
	(void)master;
	CHECK_EQ(IN_CHILD({
		pid_t group;
		CHECK_ERRNO(ioctl(program, TIOCSCTTY, 0), EPERM);
		CHECK(setsid() > 0);
		CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		CHECK_ERRNO(tcgetpgrp(program), ENOTTY);
		/* Opening it without O_NOCTTY is enough. */
		int fd = open(program_name, O_RDWR);
		CHECK(fd >= 0);
		CHECK_EQ(tcgetpgrp(fd), getpgrp());
		CHECK_EQ(tcgetsid(fd), getpid());
		int tty = open("/dev/tty", O_RDWR);
		CHECK(tty >= 0);
		type(tty, "!");
		expect(master, "!");
		group = -1;
		CHECK_ERRNO(ioctl(fd, TIOCSPGRP, &group), EINVAL);
		group = 99999;
		CHECK_ERRNO(ioctl(fd, TIOCSPGRP, &group), ESRCH);
		signal(SIGHUP, SIG_IGN);
		CHECK_EQ(ioctl(fd, TIOCNOTTY), 0);
		CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
	}),
		 0);
}

TEST(typed_signals_reach_the_foreground_group)
{
	int program, master = make_terminal(&program);
	int ends[2];
	char byte;
	CHECK_EQ(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		CHECK(setsid() > 0);
		CHECK_EQ(ioctl(program, TIOCSCTTY, 0), 0);
		CHECK_EQ(write(ends[1], "r", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ends[0], &byte, 1), 1);
	type(master, "lost\003");
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGINT);
}

static volatile int windows;
static void count_window(int signo)
{
	(void)signo;
	windows++;
}

TEST(a_new_window_size_is_sigwinch)
{
	int program, master = make_terminal(&program);
	CHECK_EQ(IN_SESSION(program, {
		struct winsize size = { 10, 20, 0, 0 };
		signal(SIGWINCH, count_window);
		CHECK_EQ(ioctl(master, TIOCSWINSZ, &size), 0);
		CHECK_EQ(windows, 1);
		CHECK_EQ(ioctl(master, TIOCSWINSZ, &size), 0);
		CHECK_EQ(windows, 1);
	}),
		 0);
}

/* Stops at the first background access; the wait status says by what. */
static int background_status(int program, void (*access)(int))
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		CHECK_EQ(setpgid(0, 0), 0);
		access(program);
		_exit(0);
	}
	setpgid(pid, pid);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	if (WIFSTOPPED(status)) {
		int stop = status;
		kill(pid, SIGKILL);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		return stop;
	}
	return status;
}

static void read_it(int fd)
{
	char byte;
	if (read(fd, &byte, 1) < 0)
		_exit(errno);
}
static void write_it(int fd)
{
	if (write(fd, "x", 1) < 0)
		_exit(errno);
}
static void change_it(int fd)
{
	struct termios modes;
	tcgetattr(fd, &modes);
	if (tcsetattr(fd, TCSANOW, &modes) < 0)
		_exit(errno);
}
static void take_it(int fd)
{
	if (tcsetpgrp(fd, getpgrp()) < 0)
		_exit(errno);
}
static void read_while_ignoring(int fd)
{
	signal(SIGTTIN, SIG_IGN);
	read_it(fd);
}
static void take_while_ignoring(int fd)
{
	signal(SIGTTOU, SIG_IGN);
	take_it(fd);
}

TEST(background_processes_are_stopped)
{
	int program, master = make_terminal(&program);
	(void)master;
	CHECK_EQ(IN_SESSION(program, {
		int status = background_status(program, read_it);
		CHECK(WIFSTOPPED(status));
		CHECK_EQ(WSTOPSIG(status), SIGTTIN);
		CHECK_EQ(background_status(program, write_it), 0);
		set_modes(program, 0, TOSTOP);
		status = background_status(program, write_it);
		CHECK(WIFSTOPPED(status));
		CHECK_EQ(WSTOPSIG(status), SIGTTOU);
		status = background_status(program, change_it);
		CHECK_EQ(WSTOPSIG(status), SIGTTOU);
		status = background_status(program, take_it);
		CHECK_EQ(WSTOPSIG(status), SIGTTOU);
		status = background_status(program, read_while_ignoring);
		CHECK_EQ(WEXITSTATUS(status), EIO);
		CHECK_EQ(background_status(program, take_while_ignoring), 0);
		/* Now we are in the background. */
		signal(SIGTTOU, SIG_IGN);
		CHECK_EQ(tcsetpgrp(program, getpgrp()), 0);
	}),
		 0);
}

TEST(suspend_and_continue_a_job)
{
	int program, master = make_terminal(&program);
	CHECK_EQ(IN_SESSION(program, {
		int status;
		signal(SIGTTOU, SIG_IGN);
		pid_t pid = fork();
		if (pid == 0) {
			setpgid(0, 0);
			for (;;)
				pause();
		}
		setpgid(pid, pid);
		CHECK_EQ(tcsetpgrp(program, pid), 0);
		type(master, "\032");
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK(WIFSTOPPED(status));
		CHECK_EQ(WSTOPSIG(status), SIGTSTP);
		CHECK_EQ(kill(-pid, SIGCONT), 0);
		CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
		CHECK(WIFCONTINUED(status));
		type(master, "\034");
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(WTERMSIG(status), SIGQUIT);
	}),
		 0);
}

TEST(the_end_of_the_session_tells_the_foreground_group)
{
	int program, master = make_terminal(&program);
	int ends[2];
	char byte;
	CHECK_EQ(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		CHECK(setsid() > 0);
		CHECK_EQ(ioctl(program, TIOCSCTTY, 0), 0);
		if (fork() == 0) {
			close(ends[0]);
			for (;;)
				pause();
		}
		_exit(0);
	}
	close(ends[1]);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	/* The child in the foreground group died of SIGHUP. */
	CHECK_EQ(read(ends[0], &byte, 1), 0);
	/* Whoever else has it goes on with it. */
	type(program, "still");
	expect(master, "still");
}

TEST(closing_the_master_signals_the_session)
{
	int program, master = make_terminal(&program);
	int ends[2], status;
	char byte;
	CHECK_EQ(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(master);
		CHECK(setsid() > 0);
		CHECK_EQ(ioctl(program, TIOCSCTTY, 0), 0);
		CHECK_EQ(write(ends[1], "r", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ends[0], &byte, 1), 1);
	close(master);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGHUP);
}

TEST(the_old_structure_has_the_low_halves)
{
	int program, master = make_terminal(&program);
	struct termios modes, after;
	struct termio old;
	CHECK_EQ(tcgetattr(program, &modes), 0);
	CHECK_EQ(ioctl(program, TCGETA, &old), 0);
	CHECK_EQ(old.c_lflag, modes.c_lflag & 0xffff);
	CHECK_EQ(old.c_cflag, modes.c_cflag & 0xffff);
	CHECK_EQ(old.c_cc[VINTR], modes.c_cc[VINTR]);
	old.c_lflag &= ~ECHO;
	old.c_cc[VINTR] = 1;
	CHECK_EQ(ioctl(program, TCSETAF, &old), 0);
	CHECK_EQ(tcgetattr(master, &after), 0);
	CHECK_EQ(after.c_lflag, modes.c_lflag & ~ECHO);
	CHECK_EQ(after.c_cc[VINTR], 1);
	CHECK_EQ(after.c_cc[VSUSP], modes.c_cc[VSUSP]);
}
