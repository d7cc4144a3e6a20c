/*
 * The brain: where it is, how it is started, and that it may end.
 *
 * It gets a stderr of its own where that can be opened again: Node makes the descriptors that it
 * writes to non-blocking, and on the one that the app shares that would be the app's trouble.
 */
#define _GNU_SOURCE
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_SPARE_FD = 10, BRAIN_END_MS = 1000 };

static int join(char path[PATH_MAX], const char *directory, const char *name)
{
	int size = snprintf(path, PATH_MAX, "%s/%s", directory, name);

	return size > 0 && size < PATH_MAX;
}

static int own_directory(char directory[PATH_MAX])
{
	ssize_t size = readlink("/proc/self/exe", directory, PATH_MAX - 1);
	char *slash;

	if (size <= 0)
		return -1;
	directory[size] = '\0';
	slash = strrchr(directory, '/');
	if (slash == NULL)
		return -1;
	*slash = '\0';
	return 0;
}

static int find_bundle(struct brain *brain, const char *directory)
{
	return (join(brain->bundle, directory, "warp-init.cjs") && access(brain->bundle, R_OK) == 0) ||
	       (join(brain->bundle, directory, "../lib/warp-init/warp-init.cjs") &&
		access(brain->bundle, R_OK) == 0);
}

static int find_node(struct brain *brain, const char *directory, char **envp)
{
	const char *chosen = variable(envp, "WARP_INIT_NODE");
	char beside[PATH_MAX];

	if (chosen != NULL && *chosen != '\0')
		return find_program(chosen, envp, brain->node) == 0;
	return (join(beside, directory, "node") && find_program(beside, envp, brain->node) == 0) ||
	       find_program("node", envp, brain->node) == 0;
}

static void complain_of_node(const char *directory, const char *chosen)
{
	if (chosen != NULL && *chosen != '\0')
		complain("Cannot find Node: WARP_INIT_NODE=%s is no program. Correct it, unset it, or start the "
			 "app with --plain.",
			 chosen);
	else
		complain("Cannot find Node: looked for %s/node and for node in PATH. Install Node 20.19 or newer, "
			 "name one in WARP_INIT_NODE, or start the app with --plain.",
			 directory);
}

/* Returns 0, or the exit status; then the reason was printed. */
int brain_find(struct brain *brain, char **envp)
{
	char directory[PATH_MAX];

	if (own_directory(directory) != 0) {
		complain("Cannot find my own files: /proc is not mounted. Mount it, or start the app "
			 "with --plain.");
		return STATUS_NOT_FOUND;
	}
	if (!find_bundle(brain, directory)) {
		complain("Cannot find warp-init.cjs in %s or in ../lib/warp-init beside it. "
			 "Install warp-init again, or start the app with --plain.",
			 directory);
		return STATUS_NOT_FOUND;
	}
	if (!find_node(brain, directory, envp)) {
		complain_of_node(directory, variable(envp, "WARP_INIT_NODE"));
		return STATUS_NOT_FOUND;
	}
	return 0;
}

/*
 * NODE_OPTIONS, LD_PRELOAD and the like are for the app, not for our Node: their names are made unreadable,
 * in place, since nothing here allocates. The brain knows how to read them (inputs/own-environment.ts).
 * By OPENSSL_CONF Node reads a file at its start, and ends if it does not like it.
 */
static void hide_variables(char **envp)
{
	static const char *const prefixes[] = { "NODE_", "LD_", "OPENSSL_" };

	for (; *envp != NULL; envp++) {
		for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
			if (strncmp(*envp, prefixes[i], strlen(prefixes[i])) == 0)
				(*envp)[0] = '\001';
		}
	}
}

/* A kernel before 5.9, gVisor or an old seccomp filter. The limit may be 2^30: too many to try. */
static int close_listed(unsigned int first, unsigned int last)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;
	int error;

	if (directory == NULL)
		return -1;
	while (errno = 0, (entry = readdir(directory)) != NULL) {
		int fd = atoi(entry->d_name); /* «.» and «..» give 0. */

		if (fd >= (int)first && (unsigned int)fd <= last && fd != dirfd(directory))
			close(fd);
	}
	error = errno;
	closedir(directory);
	errno = error;
	return error == 0 ? 0 : -1;
}

/* 0, or -1 with errno: then some of them are still open. */
static int close_between(unsigned int first, unsigned int last)
{
	if (first > last || syscall(SYS_close_range, first, last, 0u) == 0)
		return 0;
	return close_listed(first, last);
}

/*
 * Descriptors that we were started with are the app's, and once it is sure that it is not started again
 * they are of no more use to us: who waits for the other end of a pipe must not have to wait for us.
 */
void close_inherited(const struct init *init)
{
	unsigned int signals = (unsigned int)init->signal_fd;
	unsigned int link = init->link.fd < 0 ? signals : (unsigned int)init->link.fd;
	unsigned int low = link < signals ? link : signals;
	unsigned int high = link < signals ? signals : link;

	if ((low > STDERR_FILENO + 1 && close_between(STDERR_FILENO + 1, low - 1) != 0) ||
	    (high > low && close_between(low + 1, high - 1) != 0) || close_between(high + 1, ~0u) != 0)
		complain("Cannot close the descriptors that init was started with: %s. Who waits for their other "
			 "ends waits for init, too; allow close_range(2) in the sandbox.",
			 strerror(errno));
}

static int spare(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, FIRST_SPARE_FD);
}

/* For what is said last, once the descriptors are those of the brain: its log may lead nowhere. Keeps errno. */
static void share_stderr(void)
{
	int error = errno;

	dup2(LINK_STDERR_FD, STDERR_FILENO); /* Cannot fail: both are open. */
	errno = error;
}

/* 0: /dev/null · 1, 2: the log · 3: the link · 4: the stderr that we share; nothing else. */
static int arrange_descriptors(int link, int log)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int spare_null, spare_link, spare_log, spare_stderr;

	if (null < 0 || (spare_null = spare(null)) < 0 || (spare_link = spare(link)) < 0 ||
	    (spare_log = log < 0 ? spare_null : spare(log)) < 0)
		return -1;
	spare_stderr = spare(STDERR_FILENO);
	if (spare_stderr < 0 && errno == EBADF)
		spare_stderr = spare_null; /* It was closed when we were started. */
	if (spare_stderr < 0 || dup2(spare_null, STDIN_FILENO) < 0 || dup2(spare_log, STDOUT_FILENO) < 0 ||
	    dup2(spare_link, LINK_FD) < 0 || dup2(spare_stderr, LINK_STDERR_FD) < 0 ||
	    dup2(spare_log, STDERR_FILENO) < 0)
		return -1;
	if (close_between(LINK_STDERR_FD + 1, ~0u) == 0)
		return 0;
	share_stderr();
	return -1;
}

static _Noreturn void brain_child(const struct init *init, int link, int log)
{
	const struct brain *brain = &init->brain;
	char node[] = "node", no_warnings[] = "--no-warnings", role[] = "brain";
	char *argv[] = { node, no_warnings, (char *)brain->bundle, role, NULL };

	/* Its own session: the terminal's signals are not for it. It must not outlive us; PID 1 nobody outlives. */
	if (setsid() == -1 || (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 && !init->is_pid1) ||
	    arrange_descriptors(link, log) != 0 || return_to_directory(init) != 0) {
		complain("Cannot start the brain: %s. Mount /dev, or widen the sandbox, or the limit of descriptors.",
			 strerror(errno));
		_exit(STATUS_INTERNAL);
	}
	if (getppid() != init->pid)
		_exit(STATUS_INTERNAL);
	hide_variables(init->original.envp);
	signal(SIGUSR1, SIG_IGN); /* Until the object of preload/ sees to it. Cannot fail. */
	signals_restore(&init->original);
	exec_not_dumpable(brain->node, argv, init->original.envp);
	share_stderr();
	complain("Cannot run Node %s: %s. Install Node for this machine, or start the app with --plain.", brain->node,
		 strerror(errno));
	_exit(STATUS_NOT_EXECUTABLE);
}

/* Starts a brain and queues what it must know. -1: there is none; the reason was printed. */
int brain_start(struct init *init)
{
	int ends[2];
	int log;
	pid_t pid;

	init->brain.start_at = 0;
	init->brain.started_at = now_ms();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		complain("Cannot start the brain: no socket: %s.", strerror(errno));
		return -1;
	}
	log = open_stderr_again();
	pid = fork();
	if (pid == 0)
		brain_child(init, ends[1], log);
	close(ends[1]);
	if (log >= 0)
		close(log);
	if (pid < 0) {
		close(ends[0]);
		complain("Cannot start the brain: no process: %s.", strerror(errno));
		return -1;
	}
	init->brain.pid = pid;
	init->brain.group = pid;
	init->counters.brain_starts++;
	init->link.fd = ends[0];
	link_greet(init, log >= 0);
	link_flush(&init->link); /* If it has ended already, supervise() is told so and says it. */
	return 0;
}

/* A kernel before 5.3, or a sandbox, gives no pidfd: poll(2) passes over -1, and is a sleep. */
static void wait_for_end(pid_t pid)
{
	const uint64_t until = now_ms() + BRAIN_END_MS;
	struct pollfd ended = { .fd = (int)syscall(SYS_pidfd_open, pid, 0u), .events = POLLIN };
	uint64_t now;

	while (waitpid(pid, NULL, WNOHANG) == 0 && (now = now_ms()) < until)
		poll(&ended, 1, ended.fd < 0 ? 1 : (int)(until - now)); /* EINTR: once more. */
	if (ended.fd >= 0)
		close(ended.fd);
}

/*
 * Ends the brain, surely and now. Its end is waited for, but not for ever: in an uninterruptible sleep
 * (a dead NFS server) it cannot end, and must not keep us from it. Then it is reaped as any orphan is.
 */
void brain_stop(struct init *init)
{
	/* Before its link ends, about which it would complain. Cannot fail: a child that was not waited for. */
	if (init->brain.pid != 0)
		kill(init->brain.pid, SIGKILL);
	link_close(&init->link);
	if (init->brain.pid != 0)
		wait_for_end(init->brain.pid);
	init->brain.pid = 0;
}

/*
 * A start that fails leaves nothing behind: not what the config has started, of which nobody else knows. It is in the
 * brain's session, and its number is not given to another process before the last one of it is gone. Where we are
 * PID 1 our end is theirs.
 */
void brain_abandon(struct init *init)
{
	brain_stop(init);
	if (!init->is_pid1 && init->brain.group != 0)
		kill(-init->brain.group, SIGKILL); /* ESRCH: nothing is left. */
}

/* A command other than `run` needs no PID 1: we become Node, with the same arguments. */
_Noreturn void brain_replace(const struct brain *brain, const struct original *original)
{
	char node[] = "node", no_warnings[] = "--no-warnings";
	char *argv[original->argc + 3];

	argv[0] = node;
	argv[1] = no_warnings;
	argv[2] = (char *)brain->bundle;
	for (int i = 1; i <= original->argc; i++)
		argv[i + 2] = original->argv[i];
	hide_variables(original->envp);
	signals_restore(original);
	execve(brain->node, argv, original->envp);
	complain("Cannot run Node %s: %s. Install Node for this machine, or start the app with --plain.", brain->node,
		 strerror(errno));
	_exit(STATUS_NOT_EXECUTABLE);
}
