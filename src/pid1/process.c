/* Small things about processes that more than one file needs. */
#define _GNU_SOURCE
#include "init.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * One line to stderr, or nothing where it would block: a pipe that nobody reads must not freeze
 * PID 1. A pipe that polls as writable takes PIPE_BUF (4096) bytes; a line here is shorter.
 */
void complain(const char *format, ...)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[PATH_MAX / 2];
	va_list arguments;
	int prefix = snprintf(line, sizeof line, "warp-init: ");
	int size;

	va_start(arguments, format);
	size = vsnprintf(line + prefix, sizeof line - (size_t)prefix - 1, format, arguments);
	va_end(arguments);
	if (size < 0 || poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0)
		return;
	size = (int)strlen(line);
	line[size] = '\n';
	/* Whoever cannot be told cannot be told that either. */
	if (write(STDERR_FILENO, line, (size_t)size + 1) < 0)
		return;
}

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
