/*
 * Starts a program whose memory is closed to other processes of the same user: the brain holds the token
 * and secrets, and the app may run as the same user. An exec makes a process dumpable again, so the
 * program does it itself, by the object of preload/.
 */
#define _GNU_SOURCE
#include "init.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* The bytes of preload.so, which build.sh makes first. */
extern const unsigned char preload_start[], preload_end[];
__asm__(".section .rodata\n"
	".balign 16\n"
	".globl preload_start\n"
	".globl preload_end\n"
	"preload_start:\n"
	".incbin \"preload.so\"\n"
	"preload_end:\n"
	".previous\n");

/* A file in memory with the object at PRELOAD_FD; -1: no memory, an old kernel, a sandbox. */
static int open_preload(void)
{
	size_t size = (uintptr_t)preload_end - (uintptr_t)preload_start;
	struct rlimit file_size;
	int fd;

	/* It is a file as any other: a write beyond the limit would end us by SIGXFSZ. */
	if (getrlimit(RLIMIT_FSIZE, &file_size) == 0 && file_size.rlim_cur < size)
		return -1;
	fd = memfd_create("warp-init-preload", 0);
	if (fd < 0)
		return -1;
	if (write(fd, preload_start, size) != (ssize_t)size ||
	    (fd != PRELOAD_FD && dup2(fd, PRELOAD_FD) < 0)) {
		close(fd);
		return -1;
	}
	if (fd != PRELOAD_FD)
		close(fd);
	return 0;
}

/*
 * As execve(2): returns only if it failed. Descriptors above LINK_STDERR_FD are closed by now. Where the object
 * cannot be had the program runs without it; the brain finds no PRELOADED_FD then, and says so.
 */
void exec_not_dumpable(const char *file, char **argv, char **envp)
{
	char preload[64];
	int count = 0;

	while (envp[count] != NULL)
		count++;

	char *extended[count + 2];

	extended[0] = preload;
	for (int i = 0; i <= count; i++)
		extended[i + 1] = envp[i];
	snprintf(preload, sizeof preload, "LD_PRELOAD=/proc/self/fd/%d", PRELOAD_FD);
	execve(file, argv, open_preload() < 0 ? envp : extended);
}
