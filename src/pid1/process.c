/* Small things about processes that more than one file needs. */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Milliseconds of a clock that nobody sets; never 0. */
uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now); /* Cannot fail: the clock exists since Linux 2.6. */
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + 1;
}

/* The value of a variable, or NULL. */
const char *variable(char **envp, const char *name)
{
	size_t size = strlen(name);

	for (; *envp != NULL; envp++) {
		if (strncmp(*envp, name, size) == 0 && (*envp)[size] == '=')
			return *envp + size + 1;
	}
	return NULL;
}

/* Removes the variables whose names begin with `prefix`. */
void drop_variables(char **envp, const char *prefix)
{
	size_t size = strlen(prefix);
	char **kept = envp;

	for (; *envp != NULL; envp++) {
		if (strncmp(*envp, prefix, size) != 0)
			*kept++ = *envp;
	}
	*kept = NULL;
}

/* By its path, too: it could have been covered by a mount, or reached through a directory closed to us. */
static int is_here(const char *path)
{
	struct stat here, there;

	return stat(".", &here) == 0 && stat(path, &there) == 0 && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino && access(path, X_OK) == 0;
}

/*
 * App and brain start in the directory that we were started in; we ourselves keep out of it, so that it can
 * be unmounted and removed while we run. Where there is no way back we stay.
 */
void leave_directory(struct original *original)
{
	char *directory = original->directory;

	if (*directory != '\0')
		return; /* Another attempt to launch: we have left it. */
	if (getcwd(directory, sizeof original->directory) == NULL || *directory != '/' ||
	    !is_here(directory) || chdir("/") != 0)
		*directory = '\0';
}

/*
 * In a child. 0, or -1 with errno. Once the app has run, a directory that was removed since then is no reason to
 * be without an app, or without a brain: they start where we are.
 */
int return_to_directory(const struct init *init)
{
	const char *directory = init->original.directory;

	if (*directory == '\0' || chdir(directory) == 0)
		return 0;
	if (init->phase == PREPARING)
		return -1;
	complain("Cannot return to the directory %s: %s. What is started again starts in /.", directory,
		 strerror(errno));
	return 0;
}
