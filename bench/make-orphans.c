/*
 * make-orphans COUNT RATE: an app that makes COUNT orphans, RATE of them in a second, each of which ends at once, and
 * prints the nanoseconds of CPU that PID 1 has used from the first to the last one that it reaped.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	SECOND_NS = 1000 * 1000 * 1000,
	LOOK_NS = 20 * 1000 * 1000,
	PATIENCE_LOOKS = 500,
	SETTLE_S = 1, /* what the start has left to do is done then */
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "make-orphans: Cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Exact while it sleeps: a process's time is counted when it leaves the processor. */
static int64_t cpu_of_init_ns(void)
{
	FILE *file = fopen("/proc/1/schedstat", "r");
	long long nanoseconds;

	if (file == NULL || fscanf(file, "%lld", &nanoseconds) != 1)
		fail("read /proc/1/schedstat");
	fclose(file);
	return nanoseconds;
}

/* With zombies. */
static int count_processes(void)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	if (directory == NULL)
		fail("open /proc");
	while ((entry = readdir(directory)) != NULL)
		count += isdigit((unsigned char)*entry->d_name) != 0;
	closedir(directory);
	return count;
}

/* By a child that ends first, and so leaves its own child to init. */
static void make_orphan(void)
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child == 0)
		_exit(fork() < 0);
	if (waitpid(child, NULL, 0) != child)
		fail("wait");
}

static void make_orphans(int count, int rate)
{
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (int i = 0; i < count; i++) {
		make_orphan();
		next.tv_nsec += SECOND_NS / rate;
		if (next.tv_nsec >= SECOND_NS) {
			next.tv_nsec -= SECOND_NS;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
}

int main(int argc, char **argv)
{
	const struct timespec look = { .tv_nsec = LOOK_NS };
	int64_t before;
	int processes;

	if (argc != 3) {
		fprintf(stderr, "usage: make-orphans COUNT RATE\n");
		return 64;
	}
	sleep(SETTLE_S);
	processes = count_processes();
	before = cpu_of_init_ns();
	make_orphans(atoi(argv[1]), atoi(argv[2]));
	for (int looks = 0; count_processes() > processes; looks++) {
		if (looks == PATIENCE_LOOKS) {
			fprintf(stderr, "make-orphans: Cannot see the end: init does not reap\n");
			return 1;
		}
		nanosleep(&look, NULL);
	}
	printf("%lld\n", (long long)(cpu_of_init_ns() - before));
	return 0;
}
