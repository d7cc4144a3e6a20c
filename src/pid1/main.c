/*
 * warp-init, the native part. Which of three things to be is decided here, from the first word:
 *
 *   warp-init [run] [OPTIONS] -- COMMAND    PID 1: starts the brain and does what it says
 *   warp-init --plain -- COMMAND            PID 1 without a brain
 *   warp-init OTHER-COMMAND, --help …       becomes Node: nothing is to be supervised
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* So that no descriptor of ours takes the number of a standard one; the app finds it closed. */
static void occupy_standard_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
			continue;
		if (open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
			return; /* No /dev: nothing to occupy it with. */
	}
}

/* Anywhere before `--`: what it asks for goes to stdout, which a brain does not have. */
static int asks_for_help(char *const *words)
{
	for (; *words != NULL && strcmp(*words, "--") != 0; words++) {
		if (strcmp(*words, "--help") == 0 || strcmp(*words, "-h") == 0 ||
		    strcmp(*words, "--version") == 0 || strcmp(*words, "-V") == 0)
			return 1;
	}
	return 0;
}

static int is_run(char *const *words)
{
	const char *first = *words;

	return !asks_for_help(words) &&
	       (first == NULL || strcmp(first, "run") == 0 || *first == '-');
}

/* As every other flag among the WARP_INIT_ variables (core/run-options.ts). -1: it is neither on nor off. */
static int flag_of(const char *value)
{
	if (value == NULL || *value == '\0' || strcmp(value, "0") == 0 || strcasecmp(value, "false") == 0)
		return 0;
	return strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0 ? 1 : -1;
}

int main(int argc, char **argv, char **envp)
{
	static struct init init; /* Large, and the only one. */
	char *const *words = argc > 1 ? argv + 1 : argv + argc; /* up to a NULL in both cases */
	const char *first = *words;
	const char *plain = variable(envp, "WARP_INIT_PLAIN");
	int skip = first == NULL ? argc : strcmp(first, "run") == 0 ? 2 : 1; /* Kernels before 5.18 allow an argc of 0. */
	int status;

	occupy_standard_descriptors();
	init.original = (struct original){ .argc = argc, .argv = argv, .envp = envp, .parent = getppid() };
	init.link.fd = -1;
	init.pid = getpid();
	init.is_pid1 = init.pid == 1;
	init.signal_fd = signals_start(&init.original);
	if (init.signal_fd < 0) {
		complain("Cannot read signals: %s.", strerror(errno));
		return STATUS_INTERNAL;
	}
	init.has_terminal = terminal_is_controlling();
	if (argc > skip && strcmp(argv[skip], "--plain") == 0)
		run_plain(&init, skip + 1);
	if (is_run(words) && flag_of(plain) < 0) {
		complain("Cannot use \"%s\" for WARP_INIT_PLAIN: expected 1, true, 0 or false. Set it to 1 for a "
			 "plain init, or unset it.",
			 plain);
		return STATUS_USAGE;
	}
	if (is_run(words) && flag_of(plain) > 0)
		run_plain(&init, skip);
	status = brain_find(&init.brain, envp);
	if (status != 0)
		return status;
	if (!is_run(words))
		brain_replace(&init.brain, &init.original);
	if (brain_start(&init) != 0)
		return STATUS_INTERNAL;
	supervise(&init);
}
