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
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	GROUPS_LIMIT = 65536, /* The kernel's; musl's NGROUPS_MAX is 32. */
	EXEC_PATIENCE_MS = 1000,
};

/*
 * Its own process group, so that a signal reaches all that it started: in our session where that has a
 * terminal, in the foreground of it if we are, else in a session of its own.
 *
 * With signals for the app alone it stays in our session: its group is not orphaned then, and TSTP, TTIN
 * and TTOU, which are not rewritten for it, stop it if it does not catch them.
 */
static int lead_group(const struct init *init, int is_single_child)
{
	if (!init->has_terminal && !is_single_child)
		return setsid() == -1 ? -1 : 0;
	if (setpgid(0, 0) != 0)
		return -1;
	if (init->terminal.is_lent)
		terminal_take();
	return 0;
}

static int set_groups(const uint32_t *groups, uint32_t count)
{
	_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "a group is a group on the wire");
	static gid_t has[GROUPS_LIMIT];
	int found;

	if (setgroups(count, (const gid_t *)groups) != 0)
		return -1;
	/* Some sandboxes say yes and do nothing, for the sake of package managers. */
	found = getgroups(GROUPS_LIMIT, has);
	for (int i = 0; i < found && found == (int)count; i++) {
		uint32_t wanted = 0;

		while (wanted < count && groups[wanted] != has[i])
			wanted++;
		if (wanted == count)
			found = -1;
	}
	errno = EPERM;
	return found == (int)count ? 0 : -1;
}

static int set_gid(gid_t gid)
{
	gid_t real, effective, saved;

	if (setresgid(gid, gid, gid) != 0 || getresgid(&real, &effective, &saved) != 0)
		return -1;
	errno = EPERM;
	return real == gid && effective == gid && saved == gid ? 0 : -1;
}

static int set_uid(uid_t uid)
{
	uid_t real, effective, saved;

	if (setresuid(uid, uid, uid) != 0 || getresuid(&real, &effective, &saved) != 0)
		return -1;
	errno = EPERM;
	return real == uid && effective == uid && saved == uid ? 0 : -1;
}

static int become_user(const struct launch_header *header, const uint32_t *groups,
		       struct spawn_failure *failure)
{
	failure->stage = STAGE_GROUPS;
	if ((header->flags & LAUNCH_SET_GROUPS) != 0 && set_groups(groups, header->group_count) != 0)
		return -1;
	failure->stage = STAGE_GID;
	if (header->gid != KEEP_ID && set_gid(header->gid) != 0)
		return -1;
	failure->stage = STAGE_UID;
	if (header->uid != KEEP_ID && set_uid(header->uid) != 0)
		return -1;
	/* Ambient capabilities survive a change of user and an exec (capabilities(7)). */
	failure->stage = STAGE_CAPABILITIES;
	if (header->uid != KEEP_ID &&
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
		return -1; /* EINVAL: a kernel before 4.3 has none. */
	return 0;
}

static uint64_t joined(const uint32_t halves[2])
{
	return (uint64_t)halves[1] << 32 | halves[0];
}

/* As the user that we were started as: above the hard limits goes only who may. */
static int set_limits(const struct launch *launch)
{
	for (uint32_t i = 0; i < launch->header.limit_count; i++) {
		struct launch_limit limit;
		struct rlimit wanted;

		memcpy(&limit, &launch->limits[i], sizeof limit);
		wanted.rlim_cur = (rlim_t)joined(limit.soft);
		wanted.rlim_max = (rlim_t)joined(limit.hard);
		/* setrlimit(2) takes an int with musl, an enumeration with glibc. */
		if (syscall(SYS_prlimit64, 0, limit.resource, &wanted, NULL) != 0)
			return -1;
	}
	return 0;
}

/* What comes before and after the change of user: the limits need its powers, the directory its rights. */
static int prepare_process(const struct launch *launch, struct spawn_failure *failure)
{
	failure->stage = STAGE_LIMITS;
	if (set_limits(launch) != 0)
		return -1;
	if (become_user(&launch->header, launch->groups, failure) != 0)
		return -1;
	failure->stage = STAGE_DIRECTORY;
	if (*launch->directory != '\0' && chdir(launch->directory) != 0)
		return -1;
	failure->stage = STAGE_PRIVILEGES;
	if ((launch->header.flags & LAUNCH_NO_NEW_PRIVILEGES) != 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return 0;
}

/*
 * sd_listen_fds(3) believes LISTEN_FDS only if LISTEN_PID is the reader's own pid, and LISTEN_PIDFDID, where it
 * is set, the inode of its pidfd.
 */
static void claim_listen_fds(char **envp)
{
	static char claim[32];

	drop_variables(envp, "LISTEN_PIDFDID=");
	for (; *envp != NULL; envp++) {
		if (strncmp(*envp, "LISTEN_PID=", 11) == 0) {
			snprintf(claim, sizeof claim, "LISTEN_PID=%d", (int)getpid());
			*envp = claim;
		}
	}
}

/* True if the parent has ended before: then the kernel sends nothing. That of PID 1 is always 0, and never changes. */
int ask_for_parent_death(const struct launch_header *header, pid_t parent)
{
	if (header->parent_death_signal == 0)
		return 0;
	/* Refused by some sandboxes; the app can run without it, so only say it. */
	if (prctl(PR_SET_PDEATHSIG, header->parent_death_signal) != 0)
		complain("Cannot ask for the parent's end: %s. Allow prctl(2) in the sandbox, or do without "
			 "--parent-death.",
			 strerror(errno));
	return getppid() != parent;
}

/* In the process that becomes the app, which is about to: a change of user clears what was asked before (prctl(2)). */
static void bind_to_parent(const struct init *init, const struct launch_header *header)
{
	int is_us = (header->flags & LAUNCH_EXEC) != 0;

	/* Of SIGKILL we cannot tell the app anything: our own end must be its, too. */
	if ((is_us || header->parent_death_signal == SIGKILL) &&
	    ask_for_parent_death(header, is_us ? init->original.parent : init->pid))
		kill(getpid(), (int)header->parent_death_signal); /* Cannot fail. */
}

static void exec_app(const struct init *init, const struct launch *launch,
		     struct spawn_failure *failure)
{
	if (prepare_process(launch, failure) == 0) {
		failure->stage = STAGE_EXEC;
		claim_listen_fds(launch->envp);
		signals_restore(&init->original);
		bind_to_parent(init, &launch->header);
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
	int is_single_child = (launch->header.flags & LAUNCH_SINGLE_CHILD) != 0;
	int is_ready = lead_group(init, is_single_child) == 0;

	if (is_ready) {
		failure.stage = STAGE_DIRECTORY;
		is_ready = return_to_directory(init) == 0;
	}
	if (is_ready)
		exec_app(init, launch, &failure);
	else
		failure.error = (uint32_t)errno;
	/* Eight bytes into an empty pipe: never short. If pid1 is gone, nobody is to be told. */
	if (write(report, &failure, sizeof failure) != (ssize_t)sizeof failure)
		_exit(STATUS_INTERNAL);
	_exit(STATUS_NOT_FOUND);
}

/*
 * An exec from a mount that does not answer may never come to an end. While preparing, who wants us to end does not
 * have to wait for it; signals stay unread all the same, for the app that may be about to run.
 */
static void await_exec(struct init *init, pid_t pid, int fd)
{
	struct pollfd over = { .fd = fd, .events = POLLIN };

	while (poll(&over, 1, EXEC_PATIENCE_MS) == 0) {
		int number = pending_end(&init->original);

		if (init->phase != PREPARING || number == 0)
			continue;
		kill(pid, SIGKILL); /* It is not waited for: it may not be able to end. */
		leave(init, 128 + number);
	}
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

static void wait_for(pid_t pid)
{
	pid_t ended;

	do {
		ended = waitpid(pid, NULL, 0);
	} while (ended < 0 && errno == EINTR);
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
	terminal_prepare(init);
	pid = fork();
	if (pid == 0)
		app_child(init, launch, report[1]);
	failure->error = (uint32_t)errno;
	close(report[1]);
	if (pid > 0)
		await_exec(init, pid, report[0]);
	failed = pid < 0 || read_failure(report[0], failure);
	close(report[0]);
	if (!failed) {
		init->app.pid = pid;
		init->app.group = pid;
		init->app.policy = launch->header;
		init->app.is_replaced = 0;
		init->app.is_unwanted = 0;
		init->app.restarts_alone = 0;
		init->app.trial_until =
			launch->header.trial_ms == 0 ? 0 : now_ms() + launch->header.trial_ms;
		init->counters.app_starts++;
		return 0;
	}
	if (pid > 0) {
		wait_for(pid);
		terminal_take_back(init);
	}
	return -1;
}

/* True if nobody of the app's group is left, as far as we may know: EPERM is somebody. */
int app_is_gone(const struct app *app)
{
	return kill(-app->group, 0) != 0 && errno == ESRCH;
}

/*
 * Sends a signal to the app's group, or to it alone. Never to a pid whose end was seen. 0, also where it has ended
 * meanwhile, or -1: without CAP_KILL a process of another user is out of reach.
 */
int app_signal(const struct app *app, int number)
{
	pid_t whom = (app->policy.flags & LAUNCH_SINGLE_CHILD) != 0 ? app->pid : -app->group;

	if (app->pid == 0 || kill(whom, number) == 0 || errno != EPERM)
		return 0;
	complain("Cannot forward signal %d to the app: %s. Add the capability KILL.", number, strerror(errno));
	return -1;
}
