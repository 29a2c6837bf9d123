/*
 * launcher.c: build/runsc, the one file that people, engines and benchmarks
 * name. Becomes the Deno that built the bundle beside it, with the options that
 * keep a start fast and its surroundings without influence.
 *
 * Freestanding: a dynamic program, or a shell, would take as long to start as
 * Deno takes to load.
 */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/limits.h>

#define BUNDLE "runsc.js"
/* The path of Deno, written by bundle.ts; no line feed. */
#define DENO_PATH_FILE "deno_path"

static char *const OPTIONS[] = {
	"runsc",	   "run",	  "-q",		 "-A",	     "--no-prompt",
	"--no-code-cache", "--no-config", "--no-remote", "--no-npm",
};
#define OPTION_COUNT (int)(sizeof(OPTIONS) / sizeof(OPTIONS[0]))

enum { UNAVAILABLE = 69 }; /* as in exit_status.ts */

static long call(long nr, long a, long b, long c, long d)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3)
			 : "memory");
	return x0;
#else
#error "unknown machine"
#endif
}

static _Noreturn void fail(const char *message)
{
	long length = 0;

	while (message[length] != '\0')
		length++;
	call(__NR_write, 2, (long)message, length, 0);
	for (;;)
		call(__NR_exit_group, UNAVAILABLE, 0, 0, 0);
}

/* The text of a link or of a small file, with its NUL. */
static void finish(char *text, long length, const char *message)
{
	if (length <= 0 || length >= PATH_MAX)
		fail(message);
	text[length] = '\0';
}

/* `name` in the directory of the file `self`. */
static void beside(char *path, const char *self, const char *name)
{
	long length = 0, end = 0;

	for (long i = 0; self[i] != '\0'; i++) {
		path[i] = self[i];
		if (self[i] == '/')
			end = i + 1;
	}
	do {
		if (end + length >= PATH_MAX)
			fail("runsc: its path is too long\n");
		path[end + length] = name[length];
	} while (name[length++] != '\0');
}

/* argc, argv with its NULL, envp with its NULL, as execve left them. */
__attribute__((used)) _Noreturn static void launch(long *stack)
{
	static char self[PATH_MAX], path[PATH_MAX], deno[PATH_MAX];
	long argc = stack[0];
	char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
	char *args[OPTION_COUNT + 1 + argc + 1];
	int count = 0;

	finish(self,
	       call(__NR_readlinkat, AT_FDCWD, (long)"/proc/self/exe",
		    (long)self, sizeof(self)),
	       "runsc: it needs /proc\n");
	beside(path, self, DENO_PATH_FILE);
	long file = call(__NR_openat, AT_FDCWD, (long)path,
			 O_RDONLY | O_CLOEXEC, 0);

	finish(deno, call(__NR_read, file, (long)deno, sizeof(deno), 0),
	       "runsc: it is not installed, or not built (deno task bundle)\n");
	beside(path, self, BUNDLE);

	while (count < OPTION_COUNT) {
		args[count] = OPTIONS[count];
		count++;
	}
	args[count++] = path;
	for (long i = 1; i < argc; i++)
		args[count++] = argv[i];
	args[count] = (char *)0;
	call(__NR_execve, (long)deno, (long)args, (long)envp, 0);
	fail("runsc: the Deno that it was built with is gone\n");
}

#if defined(__x86_64__)
__asm__(".globl _start\n"
	"_start:\n\t"
	"xorl %ebp, %ebp\n\t"
	"movq %rsp, %rdi\n\t"
	"andq $-16, %rsp\n\t"
	"call launch\n");
#else
__asm__(".globl _start\n"
	"_start:\n\t"
	"mov x29, #0\n\t"
	"mov x0, sp\n\t"
	"bl launch\n");
#endif
