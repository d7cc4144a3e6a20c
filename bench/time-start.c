/*
 * time-start HOSTS COMMAND [ARGS...]: runs COMMAND as PID 1 of a new PID and mount namespace, with an
 * /etc/hosts, a /proc and an empty /run of its own, and prints the microseconds from just before exec to its end,
 * and its exit status. Making the namespaces is not part of the time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "time-start: Cannot %s: %s\n", what, strerror(errno));
	exit(125);
}

static _Noreturn void child(const char *hosts, char **argv, int report)
{
	int64_t start;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		fail("make mounts private");
	if (mount("proc", "/proc", "proc", 0, NULL) != 0)
		fail("mount /proc");
	if (mount("tmpfs", "/run", "tmpfs", 0, "mode=755") != 0)
		fail("mount /run");
	if (mount(hosts, "/etc/hosts", NULL, MS_BIND, NULL) != 0)
		fail("bind /etc/hosts");
	start = now_us();
	if (write(report, &start, sizeof start) != (ssize_t)sizeof start)
		fail("report");
	execvp(argv[0], argv);
	fail("exec");
}

int main(int argc, char **argv)
{
	int report[2];
	int64_t start = 0;
	int status;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: time-start HOSTS COMMAND [ARGS...]\n");
		return 64;
	}
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0)
		fail("make namespaces");
	if (pipe2(report, 02000000 /* O_CLOEXEC */) != 0)
		fail("make a pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0)
		child(argv[1], argv + 2, report[1]);
	close(report[1]);
	if (read(report[0], &start, sizeof start) != (ssize_t)sizeof start)
		fail("read the start");
	if (waitpid(pid, &status, 0) != pid)
		fail("wait");
	printf("%lld %d\n", (long long)(now_us() - start),
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
