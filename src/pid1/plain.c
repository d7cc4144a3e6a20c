/*
 * --plain: no brain, no Node, no configuration: a plain init, as tini is. The way out when
 * everything else is broken.
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_program(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return -1;
	if (!S_ISREG(status.st_mode)) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : EACCES;
		return -1;
	}
	return access(path, X_OK);
}

/* As execvp(3) looks for it. -1 with errno: EACCES if one was found that cannot be run. */
int find_program(const char *name, char **envp, char found[PATH_MAX])
{
	const char *path = variable(envp, "PATH");
	int seen = ENOENT;

	if (strchr(name, '/') != NULL) {
		if (snprintf(found, PATH_MAX, "%s", name) < PATH_MAX)
			return is_program(found);
		errno = ENAMETOOLONG;
		return -1;
	}
	if (path == NULL)
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	for (;;) {
		int size = (int)strcspn(path, ":");
		int length = snprintf(found, PATH_MAX, "%.*s%s%s", size, path, size > 0 ? "/" : "", name);

		if (length < PATH_MAX && *name != '\0') {
			if (is_program(found) == 0)
				return 0;
			if (errno == EISDIR || (errno == EACCES && access(found, F_OK) == 0)) /* Not a directory closed to us. */
				seen = EACCES;
		}
		if (path[size] == '\0')
			break;
		path += size + 1;
	}
	errno = seen;
	return -1;
}

/* As the brain has it by default (commands/launch-message.ts). */
static void default_policy(struct launch_header *header, const struct init *init)
{
	header->flags = init->is_pid1 ? 0u : LAUNCH_SUBREAPER;
	header->uid = KEEP_ID;
	header->gid = KEEP_ID;
	header->kill_delay_ms = NO_DELAY;
	for (int i = 0; i < SIGNAL_COUNT; i++)
		header->signal_map[i] = (uint8_t)i;
	for (int i = 0; i < STATUS_COUNT; i++)
		header->status_map[i] = (uint8_t)i;
	if (init->has_terminal)
		return;
	/* A group in a session without a terminal is orphaned: the kernel does not stop it by these. */
	header->signal_map[SIGTSTP] = SIGSTOP;
	header->signal_map[SIGTTIN] = SIGSTOP;
	header->signal_map[SIGTTOU] = SIGSTOP;
}

/* argv[first] is the first argument behind `--plain` or `run`. */
_Noreturn void run_plain(struct init *init, int first)
{
	static char file[PATH_MAX];
	struct launch launch = { .directory = "", .envp = init->original.envp };
	struct spawn_failure failure = { 0 };
	char **argv = init->original.argv + first;

	if (*argv != NULL && strcmp(*argv, "--") == 0) {
		argv++;
	} else if (*argv != NULL && **argv == '-') {
		complain("Cannot start plainly with the option %s: a plain init has none. "
			 "Use `warp-init --plain -- COMMAND`, and unset WARP_INIT_PLAIN if it is set.",
			 *argv);
		_exit(STATUS_USAGE);
	}
	if (*argv == NULL) {
		complain("Cannot start: no command. Use `warp-init --plain -- COMMAND [ARGS...]`.");
		_exit(STATUS_USAGE);
	}
	default_policy(&launch.header, init);
	if (!init->is_pid1 && prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		complain("Cannot adopt orphans: %s.", strerror(errno));
	drop_variables(launch.envp, "WARP_INIT_");
	if (find_program(argv[0], launch.envp, file) != 0) {
		failure = (struct spawn_failure){ .stage = STAGE_EXEC, .error = (uint32_t)errno };
		_exit(say_refusal(argv[0], &failure));
	}
	launch.file = file;
	launch.argv = argv;
	leave_directory(&init->original);
	if (app_spawn(init, &launch, &failure) != 0)
		_exit(say_refusal(file, &failure));
	init->phase = RUNNING;
	init->brain.is_done = 1;
	close_inherited(init);
	supervise(init);
}
