/*
 * launcher.c: build/runsc, the one file that people, engines and benchmarks
 * name. Becomes the Deno that built the bundle beside it, with the options that
 * keep a start fast and its surroundings without influence.
 *
 * Where the command line is going to need a sandbox right away, its processes
 * are started first (early.c), so that they load while the command line does.
 *
 * Static: a dynamic program, or a shell, would take as long to start as Deno
 * takes to load.
 */
#define _GNU_SOURCE
#include "early.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUNDLE "runsc.js"
/* The path of Deno, written by bundle.ts; no line feed. */
#define DENO_PATH_FILE "deno_path"

static char *const OPTIONS[] = {
	"runsc",	   "run",	  "-q",		 "-A",	     "--no-prompt",
	"--no-code-cache", "--no-config", "--no-remote", "--no-npm",
};
#define OPTION_COUNT (int)(sizeof(OPTIONS) / sizeof(OPTIONS[0]))

enum { UNAVAILABLE = 69 }; /* as in exit_status.ts */

extern char **environ;

static int fail(const char *message)
{
	fprintf(stderr, "runsc: %s\n", message);
	return UNAVAILABLE;
}

/* Our own directory, with a slash at the end; 0 or -1. */
static int own_directory(char dir[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", dir, PATH_MAX - 1);
	char *slash;

	if (length <= 0)
		return -1;
	dir[length] = '\0';
	slash = strrchr(dir, '/');
	slash[1] = '\0';
	return 0;
}

static int join(char path[PATH_MAX], const char *dir, const char *name)
{
	int length = snprintf(path, PATH_MAX, "%s%s", dir, name);

	return length < PATH_MAX ? 0 : -1;
}

static int read_text(const char *path, char text[PATH_MAX])
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, text, PATH_MAX - 1);

	if (file >= 0)
		close(file);
	if (length <= 0)
		return -1;
	text[length] = '\0';
	return 0;
}

int main(int argc, char **argv)
{
	static char dir[PATH_MAX], path[PATH_MAX], deno[PATH_MAX];
	static char bundle[PATH_MAX];
	static char early[EARLY_FLAG_BYTES];
	char *args[OPTION_COUNT + 2 + (argc > 0 ? argc : 1)];
	int count = 0;

	if (own_directory(dir) < 0)
		return fail("it needs /proc");
	if (join(path, dir, DENO_PATH_FILE) < 0)
		return fail("its path is too long");
	if (read_text(path, deno) < 0)
		return fail("it is not installed, or not built "
			    "(deno task bundle)");
	if (early_is_wanted(argc, argv) && join(path, dir, EARLY_FILE) == 0 &&
	    join(bundle, dir, EARLY_BUNDLE) == 0)
		early_start(path, bundle, early);
	if (join(path, dir, BUNDLE) < 0)
		return fail("its path is too long");

	while (count < OPTION_COUNT) {
		args[count] = OPTIONS[count];
		count++;
	}
	args[count++] = path;
	if (early[0] != '\0')
		args[count++] = early;
	for (int i = 1; i < argc; i++)
		args[count++] = argv[i];
	args[count] = NULL;
	execve(deno, args, environ);
	return fail("the Deno that it was built with is gone");
}
