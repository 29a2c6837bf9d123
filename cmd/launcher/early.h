/*
 * early.h: the Sentry, started before the command line is.
 */
#ifndef EARLY_H
#define EARLY_H

/* What to start, written by bundle.ts: the words of host_spawn(), behind their
 * number, and its strings, behind the number of their bytes. */
#define EARLY_FILE "early_sentry"

#define EARLY_FLAG_BYTES 100

/* Is the first word the verb whose sandbox has no other parent than runsc? */
int early_is_wanted(int argc, char **argv);

/* The Sentry's bundle; another folder's is not started. */
#define EARLY_BUNDLE "boot.js"

/* Starts the Sentry by the file at `path`, if that names `bundle`, and says so
 * to early_sentry.ts by a flag; without a word if that cannot be done, as by
 * ordinary users, since then runsc will see why. */
void early_start(const char *path, const char *bundle,
		 char flag[EARLY_FLAG_BYTES]);

#endif
