/*
 * hear-signals: the app of bench/live.ts. Prints the nanoseconds of CLOCK_MONOTONIC at which each SIGHUP arrives.
 */
#include <signal.h>
#include <time.h>
#include <unistd.h>

static void hear(int number)
{
	struct timespec now;
	char line[32];
	size_t length = sizeof line - 1;
	unsigned long long nanoseconds;

	(void)number;
	clock_gettime(CLOCK_MONOTONIC, &now);
	nanoseconds = (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec;
	line[length] = '\n';
	for (; nanoseconds > 0; nanoseconds /= 10)
		line[--length] = (char)('0' + nanoseconds % 10);
	if (write(STDOUT_FILENO, line + length, sizeof line - length) < 0)
		_exit(1);
}

int main(void)
{
	struct sigaction action = { .sa_handler = hear };

	if (sigaction(SIGHUP, &action, NULL) != 0 || write(STDOUT_FILENO, "ready\n", 6) < 0)
		return 1;
	for (;;)
		pause();
}
