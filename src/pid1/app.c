/*
 * The app: what happens between fork and exec, and signals on the way to it.
 *
 * Every step is checked and a failed one ends the attempt: a half-dropped process never execs.
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Its own process group, so that a signal reaches all that it started: in our session and in the
 * foreground of our terminal where there is one, else in a session of its own.
 */
static int lead_group(int has_terminal)
{
	if (!has_terminal)
		return setsid() == -1 ? -1 : 0;
	if (setpgid(0, 0) != 0)
		return -1;
	return terminal_give(getpid());
}

static int become_user(const struct launch_header *header, const uint32_t *groups,
		       struct spawn_failure *failure)
{
	_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "a group is a group on the wire");

	failure->stage = STAGE_GROUPS;
	if ((header->flags & LAUNCH_SET_GROUPS) != 0 &&
	    setgroups(header->group_count, (const gid_t *)groups) != 0)
		return -1;
	failure->stage = STAGE_GID;
	if (header->gid != KEEP_ID && setresgid(header->gid, header->gid, header->gid) != 0)
		return -1;
	failure->stage = STAGE_UID;
	if (header->uid != KEEP_ID && setresuid(header->uid, header->uid, header->uid) != 0)
		return -1;
	/* Ambient capabilities survive a change of user and an exec (capabilities(7)). */
	failure->stage = STAGE_CAPABILITIES;
	if (header->uid != KEEP_ID &&
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
		return -1; /* EINVAL: a kernel before 4.3 has none. */
	return 0;
}

/* sd_listen_fds(3) believes LISTEN_FDS only if LISTEN_PID is the reader's own pid. */
static void claim_listen_fds(char **envp)
{
	static char claim[32];

	for (; *envp != NULL; envp++) {
		if (strncmp(*envp, "LISTEN_PID=", 11) == 0) {
			snprintf(claim, sizeof claim, "LISTEN_PID=%d", (int)getpid());
			*envp = claim;
		}
	}
}

void ask_for_parent_death(const struct launch_header *header)
{
	/* Refused by some sandboxes; the app can run without it, so only say it. */
	if (header->parent_death_signal != 0 &&
	    prctl(PR_SET_PDEATHSIG, header->parent_death_signal) != 0)
		complain("Cannot ask for the parent's end: %s.", strerror(errno));
}

static void exec_app(const struct init *init, const struct launch *launch,
		     struct spawn_failure *failure)
{
	if (become_user(&launch->header, launch->groups, failure) == 0) {
		failure->stage = STAGE_EXEC;
		/* A change of user clears it (prctl(2)); for --exec we are the one that asked. */
		if ((launch->header.flags & LAUNCH_EXEC) != 0)
			ask_for_parent_death(&launch->header);
		claim_listen_fds(launch->envp);
		signals_restore(&init->original);
		execve(launch->file, launch->argv, launch->envp);
	}
	failure->error = (uint32_t)errno;
}

/* --exec: we become the app, in the session, the group and the terminal that we have. */
void app_become(const struct init *init, const struct launch *launch,
		struct spawn_failure *failure)
{
	const uint64_t all = ~UINT64_C(0);
	struct original blocked = { .mask = all };

	exec_app(init, launch, failure);
	signals_restore(&blocked); /* Not gone: we go on as PID 1, and say why. */
}

static _Noreturn void app_child(const struct init *init, const struct launch *launch, int report)
{
	struct spawn_failure failure = { .stage = STAGE_SESSION };

	if (lead_group(init->has_terminal) == 0)
		exec_app(init, launch, &failure);
	else
		failure.error = (uint32_t)errno;
	/* Eight bytes into an empty pipe: never short. If pid1 is gone, nobody is to be told. */
	if (write(report, &failure, sizeof failure) != (ssize_t)sizeof failure)
		_exit(STATUS_INTERNAL);
	_exit(STATUS_NOT_FOUND);
}

/* True if the child said why it failed; an end without a word means that exec closed the pipe. */
static int read_failure(int fd, struct spawn_failure *failure)
{
	ssize_t count;

	do {
		count = read(fd, failure, sizeof *failure);
	} while (count < 0 && errno == EINTR);
	return count == (ssize_t)sizeof *failure;
}

/*
 * Starts the app and waits until it has replaced our child's image, as vfork(2) would: only then
 * does its group exist for sure, and a start is known to have worked. Signals wait meanwhile.
 *
 * Returns 0, or -1 with the failure; then nothing of the attempt is left.
 */
int app_spawn(struct init *init, const struct launch *launch, struct spawn_failure *failure)
{
	int report[2];
	pid_t pid;
	int failed;

	failure->stage = STAGE_FORK;
	if (pipe2(report, O_CLOEXEC) != 0) {
		failure->error = (uint32_t)errno;
		return -1;
	}
	pid = fork();
	if (pid == 0)
		app_child(init, launch, report[1]);
	failure->error = (uint32_t)errno;
	close(report[1]);
	failed = pid < 0 || read_failure(report[0], failure);
	close(report[0]);
	if (!failed) {
		init->app.pid = pid;
		init->app.group = pid;
		init->app.policy = launch->header;
		return 0;
	}
	if (pid > 0) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		if (init->has_terminal)
			terminal_take_back();
	}
	return -1;
}

/* Sends a signal to the app's group, or to it alone. Never to a pid whose end was seen. */
int app_signal(const struct app *app, int number)
{
	if (app->pid == 0)
		return 0;
	return kill((app->policy.flags & LAUNCH_SINGLE_CHILD) != 0 ? app->pid : -app->group, number);
}
