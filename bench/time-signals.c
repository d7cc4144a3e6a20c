/*
 * time-signals ROUNDS [PID FIFO]...: sends SIGHUP to each PID in turn, ROUNDS times, and reads from its FIFO the
 * nanoseconds of CLOCK_MONOTONIC at which the app behind it heard (hear-signals.c). Prints for each signal the place
 * of the PID among the arguments, and the nanoseconds from just before kill(2) to the first act of the app's handler.
 *
 * The next signal waits until all is at rest again: what is timed is an init that sleeps.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REST_NS = 1000 * 1000 };

struct target {
	pid_t pid;
	FILE *heard;
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "time-signals: Cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t time_signal(const struct target *target)
{
	const struct timespec rest = { .tv_nsec = REST_NS };
	char line[32];
	int64_t sent;

	nanosleep(&rest, NULL);
	sent = now_ns();
	if (kill(target->pid, SIGHUP) != 0)
		fail("send a signal");
	if (fgets(line, sizeof line, target->heard) == NULL)
		fail("read what the app has heard");
	return strtoll(line, NULL, 10) - sent;
}

int main(int argc, char **argv)
{
	int count = argc / 2 - 1;
	struct target *targets = calloc((size_t)argc, sizeof *targets);
	char line[32];

	if (argc < 4 || argc % 2 != 0) {
		fprintf(stderr, "usage: time-signals ROUNDS [PID FIFO]...\n");
		return 64;
	}
	if (targets == NULL)
		fail("have memory");
	for (int i = 0; i < count; i++) {
		targets[i].pid = (pid_t)atoi(argv[2 + 2 * i]);
		targets[i].heard = fopen(argv[3 + 2 * i], "r");
		if (targets[i].heard == NULL || fgets(line, sizeof line, targets[i].heard) == NULL)
			fail("hear that an app is ready");
	}
	for (int round = 0; round < atoi(argv[1]); round++) {
		/* Each begins as often as the others: whoever comes first finds other things in the caches. */
		for (int turn = 0; turn < count; turn++) {
			int i = (round + turn) % count;

			printf("%d %lld\n", i, (long long)time_signal(&targets[i]));
		}
	}
	return 0;
}
