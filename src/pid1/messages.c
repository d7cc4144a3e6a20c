/*
 * What pid1 itself has to say, on stderr, and never at the price of waiting: the other end may be a pipe
 * that nobody reads, and its buffer may fill at any moment, since the app writes there as well.
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_SPARE_FD = 10 };

/*
 * A description of our own for what stderr leads to, which does not block, or -1 (a socket, a pipe of
 * another user). A file stays shared: it never blocks, and only one offset keeps lines apart.
 */
int open_stderr_again(void)
{
	struct stat status;

	if (fstat(STDERR_FILENO, &status) == 0 && S_ISREG(status.st_mode))
		return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FIRST_SPARE_FD);
	return open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Where stderr cannot be opened again: a socket has a way not to wait, for all else poll(2) must do. */
static void print_without_opening(const unsigned char *line, size_t size)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (send(STDERR_FILENO, line, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != ENOTSOCK)
		return;
	if (poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0)
		return;
	/* Whoever cannot be told cannot be told that either. */
	if (write(STDERR_FILENO, line, size) < 0)
		return;
}

/* A line with its line feed, or nothing of it. */
void print_line(const unsigned char *line, size_t size)
{
	int fd = open_stderr_again();
	ssize_t written;

	if (fd < 0) {
		print_without_opening(line, size);
		return;
	}
	written = write(fd, line, size);
	(void)written; /* Lost where there is no room: we do not wait for a reader. */
	close(fd);
}

void complain(const char *format, ...)
{
	char line[TEXT_SIZE_LIMIT];
	va_list arguments;
	int prefix = snprintf(line, sizeof line, "warp-init: ");
	int size;

	va_start(arguments, format);
	size = vsnprintf(line + prefix, sizeof line - (size_t)prefix - 1, format, arguments);
	va_end(arguments);
	if (size < 0)
		return;
	size = (int)strlen(line);
	line[size] = '\n';
	print_line((unsigned char *)line, (size_t)size + 1);
}
