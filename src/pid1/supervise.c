/*
 * The one loop: signals, the ends of children, frames of the brain, deadlines.
 *
 * The brain may be wrong, stuck or gone. While preparing that ends the container; from the moment
 * the app runs it ends the brain, and another one is started.
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BACKOFF_INITIAL_MS = 100,
	BACKOFF_LIMIT_MS = 30 * 1000,
	BACKOFF_RESET_MS = 60 * 1000, /* a brain that lived that long was not at fault */
	READS_A_TURN = 64, /* then signals again: a brain that never stops talking must not hold us */
	LAST_READS = 1 << 16, /* more than the socket of a brain that has ended can hold */
};

static void read_signals(struct init *init);

static _Noreturn void leave(struct init *init, int status)
{
	if (init->has_terminal)
		terminal_take_back();
	brain_stop(init);
	exit(status);
}

/* The brain is gone, or not to be believed any more. */
static void brain_lost(struct init *init, const char *why)
{
	struct brain *brain = &init->brain;
	uint64_t delay = BACKOFF_INITIAL_MS;

	brain_stop(init);
	if (init->phase == PREPARING) {
		complain("Cannot prepare the start: the brain (%s %s) %s. The app was not started. "
			 "Read its messages above; --plain starts the app without it.",
			 brain->node, brain->bundle, why);
		leave(init, STATUS_INTERNAL);
	}
	if (brain->is_done || init->phase != RUNNING)
		return;
	if (now_ms() - brain->started_at >= BACKOFF_RESET_MS)
		brain->failures = 0;
	for (int i = 0; i < brain->failures && delay < BACKOFF_LIMIT_MS; i++)
		delay *= 2;
	if (delay > BACKOFF_LIMIT_MS)
		delay = BACKOFF_LIMIT_MS;
	brain->failures++;
	brain->start_at = now_ms() + delay;
	complain("The brain %s; another one starts in %u ms. The app is not touched.", why,
		 (unsigned int)delay);
}

static void say(struct init *init, uint32_t type, const uint32_t *values, uint32_t count)
{
	if (link_send(&init->link, type, values, count) != 0)
		brain_lost(init, "does not listen");
}

/* Replaces us by the app, or ends us: the brain is gone by then, so we say it ourselves. */
static _Noreturn void become_app(struct init *init, const struct launch *launch)
{
	struct spawn_failure failure = { 0 };

	brain_stop(init);
	read_signals(init); /* Once unblocked, what PID 1 does not handle is lost: the last look. */
	app_become(init, launch, &failure);
	complain("Cannot run %s: %s (stage %u).", launch->file, strerror((int)failure.error),
		 (unsigned int)failure.stage);
	exit(failure.stage != STAGE_EXEC       ? STATUS_INTERNAL :
	     failure.error == (uint32_t)ENOENT ? STATUS_NOT_FOUND :
						 STATUS_NOT_EXECUTABLE);
}

static void apply_process_flags(const struct launch_header *header)
{
	/* Refused by some sandboxes; the app can run without it, so only say it. */
	if ((header->flags & LAUNCH_SUBREAPER) != 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		complain("Cannot adopt orphans: %s.", strerror(errno));
	ask_for_parent_death(header);
}

/* Takes over the payload of the frame in the reader. */
static unsigned char *take_payload(struct frame_reader *reader)
{
	unsigned char *bytes = reader->payload;

	reader->payload = reader->small;
	return bytes;
}

static void take_memo(struct init *init)
{
	struct frame_reader *reader = &init->link.reader;
	uint32_t size = reader->size;
	unsigned char *bytes = NULL;

	if (size > sizeof reader->small) {
		bytes = take_payload(reader);
	} else if (size > 0) {
		bytes = malloc(size);
		if (bytes == NULL) {
			brain_lost(init, "sent a memo for which there is no memory");
			return;
		}
		memcpy(bytes, reader->small, size);
	}
	free(init->memo);
	init->memo = bytes;
	init->memo_size = size;
}

static void take_launch(struct init *init)
{
	struct frame_reader *reader = &init->link.reader;
	struct spawn_failure failure = { 0 };
	uint32_t values[2];

	if (!launch_parse(&init->launch, reader->payload, reader->size)) {
		brain_lost(init, "sent a launch that makes no sense");
		return;
	}
	take_payload(reader); /* The launch owns it now. */
	apply_process_flags(&init->launch.header);
	if ((init->launch.header.flags & LAUNCH_EXEC) != 0)
		become_app(init, &init->launch);
	if (app_spawn(init, &init->launch, &failure) != 0) {
		launch_free(&init->launch);
		values[0] = failure.stage;
		values[1] = failure.error;
		say(init, FRAME_SPAWN_FAILED, values, 2);
		return;
	}
	init->phase = RUNNING;
	values[0] = (uint32_t)init->app.pid;
	say(init, FRAME_SPAWNED, values, 1);
}

static void take_done(struct init *init)
{
	init->brain.is_done = 1;
	launch_free(&init->launch);
	free(init->memo);
	init->memo = NULL;
	init->memo_size = 0;
}

static void take_frame(struct init *init)
{
	struct frame_reader *reader = &init->link.reader;
	int is_preparing = init->phase == PREPARING;

	/* What the hello points to may be replaced below: it must be out. */
	if (!init->link.hello_sent)
		brain_lost(init, "spoke before it listened");
	else if (reader->type == FRAME_MEMO)
		take_memo(init);
	else if (reader->type == FRAME_LAUNCH && is_preparing)
		take_launch(init);
	else if (reader->type == FRAME_ABORT && is_preparing)
		leave(init, (int)(uint32_at(reader->payload) & 0xff));
	else if (reader->type == FRAME_DONE && !is_preparing)
		take_done(init);
	else
		brain_lost(init, "sent a frame out of turn");
	frame_reader_reset(reader);
}

/* Reads what the brain has said, up to its end or to so many reads. */
static void read_link(struct init *init, int reads)
{
	struct link *link = &init->link;

	for (; link->fd >= 0 && reads > 0; reads--) {
		unsigned char *where;
		size_t space = frame_reader_space(&link->reader, &where);
		ssize_t count = recv(link->fd, where, space, MSG_DONTWAIT);

		if (count < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (count <= 0) {
			brain_lost(init, "ended");
			return;
		}
		switch (frame_reader_advance(&link->reader, (size_t)count)) {
		case FRAME_PARTIAL:
			break;
		case FRAME_COMPLETE:
			take_frame(init);
			break;
		case FRAME_BROKEN:
			brain_lost(init, "sent garbage");
			return;
		case FRAME_NO_MEMORY:
			brain_lost(init, "sent a frame for which there is no memory");
			return;
		}
	}
}

static int outside_status(const struct app *app, int wait_status)
{
	int status = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) :
						WEXITSTATUS(wait_status);

	return app->policy.status_map[status & 0xff];
}

/*
 * The app's status is ours from here on. What is left of its group gets SIGTERM: the number of a
 * group is not given to another process while it has a member, so this reaches nobody else.
 */
static void app_ended(struct init *init, int wait_status)
{
	struct app *app = &init->app;
	uint32_t values[2];

	init->status = outside_status(app, wait_status);
	init->phase = LINGERING;
	init->kill_at = 0;
	init->brain.start_at = 0;
	init->linger_until = now_ms() + app->policy.linger_ms;
	app->pid = 0;
	if (app->policy.linger_ms > 0 || !init->is_pid1)
		kill(-app->group, SIGTERM); /* ESRCH: nothing is left. */
	values[0] = (uint32_t)init->status;
	values[1] = (uint32_t)wait_status;
	say(init, FRAME_EXITED, values, 2);
}

static void reap(struct init *init)
{
	int brain_ended = 0;
	int wait_status;
	pid_t pid;

	while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
		if (pid == init->app.pid) {
			app_ended(init, wait_status);
		} else if (pid == init->brain.pid) {
			init->brain.pid = 0;
			brain_ended = 1;
		}
	}
	if (!brain_ended)
		return;
	read_link(init, LAST_READS); /* Its last words count. */
	if (init->link.fd >= 0)
		brain_lost(init, "ended");
}

static void take_signal(struct init *init, int number)
{
	const struct launch_header *policy = &init->app.policy;

	if (number < 1 || number >= SIGNAL_COUNT)
		return;
	if (init->phase == PREPARING) {
		if (signal_ends_preparing(&init->original, number))
			leave(init, 128 + number);
		/* An app without its handlers yet would die of it. */
		complain("Signal %d came before the app was started, and is dropped.", number);
		return;
	}
	if (init->phase == LINGERING && signal_ends_preparing(&init->original, number))
		init->linger_until = now_ms(); /* Whoever stops us now does not want to wait. */
	if (init->phase != RUNNING || policy->signal_map[number] == 0)
		return;
	/* EPERM: without CAP_KILL a process of another user is out of reach. */
	if (app_signal(&init->app, policy->signal_map[number]) != 0 && errno == EPERM)
		complain("Cannot forward signal %d to the app: %s. Add the capability KILL.", number,
			 strerror(errno));
	if (policy->kill_after[number] && policy->kill_delay_ms != NO_DELAY && init->kill_at == 0)
		init->kill_at = now_ms() + policy->kill_delay_ms;
}

/* Signals first, the ends of children then: a signal never goes to a pid that was reaped. */
static void read_signals(struct init *init)
{
	struct signalfd_siginfo got[16];
	int child_ended = 0;
	ssize_t size;

	while ((size = read(init->signal_fd, got, sizeof got)) > 0) {
		for (size_t i = 0; i < (size_t)size / sizeof *got; i++) {
			if (got[i].ssi_signo == SIGCHLD)
				child_ended = 1;
			else if (got[i].ssi_pid != (uint32_t)getpid())
				take_signal(init, (int)got[i].ssi_signo);
			/* From ourselves: the SIGPIPE of a stderr that nobody holds any more. */
		}
	}
	if (child_ended)
		reap(init);
}

static void check_deadlines(struct init *init)
{
	uint64_t now = now_ms();

	if (init->kill_at != 0 && now >= init->kill_at) {
		init->kill_at = 0;
		app_signal(&init->app, SIGKILL); /* ESRCH: it was faster. */
	}
	if (init->brain.start_at != 0 && now >= init->brain.start_at && brain_start(init) != 0)
		brain_lost(init, "could not be started");
	if (init->phase != LINGERING)
		return;
	if (kill(-init->app.group, 0) != 0) /* Nobody is left. */
		leave(init, init->status);
	if (now < init->linger_until)
		return;
	if (init->app.policy.linger_ms > 0)
		kill(-init->app.group, SIGKILL);
	leave(init, init->status);
}

/* For poll(2): milliseconds to the next deadline, or -1. */
static int time_to_deadline(const struct init *init)
{
	uint64_t now = now_ms();
	uint64_t next = UINT64_MAX;

	if (init->kill_at != 0)
		next = init->kill_at;
	if (init->brain.start_at != 0 && init->brain.start_at < next)
		next = init->brain.start_at;
	if (init->phase == LINGERING && init->linger_until < next)
		next = init->linger_until;
	if (next == UINT64_MAX)
		return -1;
	if (next <= now)
		return 0;
	return next - now > INT_MAX ? INT_MAX : (int)(next - now);
}

_Noreturn void supervise(struct init *init)
{
	for (;;) {
		struct pollfd ready[2] = {
			{ .fd = init->signal_fd, .events = POLLIN },
			{ .fd = init->link.fd, .events = POLLIN },
		};

		if (link_has_output(&init->link))
			ready[1].events = POLLIN | POLLOUT;
		/* Fails with EINTR (a tracer) or ENOMEM: both pass. */
		if (poll(ready, 2, time_to_deadline(init)) >= 0) {
			read_signals(init);
			if ((ready[1].revents & POLLOUT) != 0 && link_flush(&init->link) != 0)
				brain_lost(init, "does not listen");
			if ((ready[1].revents & ~POLLOUT) != 0)
				read_link(init, READS_A_TURN);
		}
		check_deadlines(init);
	}
}
