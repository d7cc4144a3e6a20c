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
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	BACKOFF_INITIAL_MS = 100,
	BACKOFF_LIMIT_MS = 30 * 1000,
	BACKOFF_RESET_MS = 60 * 1000, /* a brain that lived that long was not at fault */
	READS_A_TURN = 64, /* then the others again: neither a brain nor a sender of signals must hold us */
	ENDS_A_TURN = 64, /* nor must an app whose orphans end as fast as we reap them */
	LINGER_TICK_MS = 50,
	KILLED_GROUP_MS = 5 * 1000,
	TRIAL_LINGER_MS = 1000, /* for what an app that failed at once has left behind */
	LAST_READS = 1 << 16, /* more than the socket of a brain that has ended can hold */
};

/* Shorter in the build of the tests (build.sh). */
#ifndef NEXT_LAUNCH_MS
#define NEXT_LAUNCH_MS (30 * 1000) /* the brain has it ready before it orders a stop */
#endif

_Noreturn void leave(struct init *init, int status)
{
	terminal_take_back(init);
	if (init->phase == PREPARING)
		brain_abandon(init);
	else
		brain_stop(init);
	exit(status);
}

/* The brain is gone, or not to be believed any more. */
void brain_lost(struct init *init, const char *why)
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
	/* Without it nobody knows what an app that is being replaced is to be replaced by. */
	if (init->phase == STOPPED)
		launch_again(init);
	/* Nor does the next brain know what an app on its trial has replaced. */
	init->app.restarts_alone = init->app.is_replaced || init->app.trial_until > now_ms();
	if (brain->is_done || (init->phase == LINGERING && !init->app.is_replaced))
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

void say(struct init *init, uint32_t type, const uint32_t *values, uint32_t count)
{
	if (link_send(&init->link, type, values, count) != 0)
		brain_lost(init, "does not listen");
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

static void say_exited(struct init *init)
{
	uint32_t values[2] = { (uint32_t)init->status, (uint32_t)init->wait_status };

	say(init, FRAME_EXITED, values, 2);
}

/*
 * The app's status is ours from here on, unless it is to be replaced. What is left of its group gets
 * SIGTERM: the number of a group is not given to another process while it has a member, so this reaches
 * nobody else.
 */
static void app_ended(struct init *init, int wait_status)
{
	struct app *app = &init->app;

	init->status = outside_status(app, wait_status);
	init->wait_status = wait_status;
	init->phase = LINGERING;
	app->pid = 0;
	if (app->trial_until <= now_ms())
		launch_free(&init->previous); /* It has passed its trial: it is what is launched again. */
	else if (!app->is_unwanted)
		app->is_replaced = 1;
	if (app->is_replaced) {
		/* The group has what is left of the app's time: what was started next must be alone. */
		init->linger_until = init->kill_at != 0 ? init->kill_at : now_ms() + TRIAL_LINGER_MS;
		init->kill_at = 0;
		kill(-app->group, SIGTERM);
		return;
	}
	init->kill_at = 0;
	init->brain.start_at = 0;
	init->linger_until = now_ms() + app->policy.linger_ms;
	/* Who wants signals for the app alone does not want this one for the others, unless asked for. */
	if (app->policy.linger_ms > 0 ||
	    (!init->is_pid1 && (app->policy.flags & LAUNCH_SINGLE_CHILD) == 0))
		kill(-app->group, SIGTERM); /* ESRCH: nothing is left. */
	say_exited(init);
}

/* What is left of the group of an app that is to be replaced has ended, too, or cannot. */
static void app_stopped(struct init *init)
{
	init->phase = STOPPED;
	init->launch_until = now_ms() + NEXT_LAUNCH_MS;
	terminal_take_back(init);
	/*
	 * A brain that came meanwhile is told of the launch that failed, and that is about to be freed, maybe in the
	 * middle of its hello. Its successor hears of the right one.
	 */
	if (init->link.fd >= 0 && init->app.restarts_alone && init->previous.bytes != NULL)
		brain_lost(init, "came in the middle of a restart"); /* Launches again. */
	else if (init->link.fd < 0 || init->app.restarts_alone)
		launch_again(init);
	else
		say_exited(init);
}

static void reap(struct init *init)
{
	int brain_ended = 0;
	int ends = ENDS_A_TURN;
	int wait_status;
	pid_t pid;

	for (; ends > 0 && (pid = waitpid(-1, &wait_status, WNOHANG | WUNTRACED)) > 0; ends--) {
		if (WIFSTOPPED(wait_status)) {
			if (pid == init->app.pid)
				follow_stop(init, WSTOPSIG(wait_status));
		} else if (pid == init->app.pid) {
			app_ended(init, wait_status);
		} else if (pid == init->brain.pid) {
			init->brain.pid = 0;
			brain_ended = 1;
		} else {
			init->counters.orphans_reaped++;
		}
	}
	init->may_have_ended = ends == 0;
	if (!brain_ended)
		return;
	read_link(init, LAST_READS); /* Its last words count. */
	if (init->link.fd >= 0)
		brain_lost(init, "ended");
}

static int is_stop_of_terminal(int number)
{
	return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

/* Without an app that could take it. */
static void take_signal_alone(struct init *init, int number)
{
	int ends = signal_ends_preparing(&init->original, number);
	int is_stop = init->app.policy.kill_after[number]; /* of the last app; the image may have any for it */

	if (init->phase == LINGERING && !init->app.is_replaced) {
		if (ends || is_stop)
			init->linger_until = now_ms(); /* Whoever stops us now does not want to wait. */
		return;
	}
	if (init->phase == PREPARING && ends)
		leave(init, 128 + number);
	/* Between two apps: HUP and QUIT would mean one of them, unless they are its stop signal. */
	if (init->phase != PREPARING && (is_stop || (ends && number != SIGHUP && number != SIGQUIT)))
		leave(init, init->status);
	if (number == SIGCONT)
		return; /* It has done its work. */
	if (init->phase == PREPARING && !init->is_pid1 && is_stop_of_terminal(number)) {
		suspend_alone(init, number);
		return;
	}
	/* An app without its handlers yet would die of it. */
	complain("Signal %d came while the app was not running, and is dropped.", number);
}

static void send_on(struct init *init, int number, int sent)
{
	const struct launch_header *policy = &init->app.policy;

	if (policy->kill_after[number]) {
		init->app.is_unwanted = 1;
		/* A restart is not what was asked for, nor is its time. */
		if (init->app.is_replaced) {
			init->app.is_replaced = 0;
			init->kill_at = 0;
			say(init, FRAME_NOT_REPLACED, NULL, 0);
		}
	}
	app_signal(&init->app, sent);
	init->counters.signals_forwarded++;
	if (policy->kill_after[number] && policy->kill_delay_ms != NO_DELAY && init->kill_at == 0)
		init->kill_at = now_ms() + policy->kill_delay_ms;
}

static void forward(struct init *init, int number)
{
	int sent = init->app.policy.signal_map[number];

	if (number == SIGCONT)
		resume(init);
	if (sent != 0)
		send_on(init, number, sent);
	/* Whatever the app gets for it: it is our shell that wants us to stop. */
	if (is_stop_of_terminal(number))
		suspend(init);
}

static void take_signal(struct init *init, int number)
{
	if (number < 1 || number >= SIGNAL_COUNT)
		return;
	if (init->phase == RUNNING)
		forward(init, number);
	else
		take_signal_alone(init, number);
}

/*
 * Signals first, the ends of children then: a signal never goes to a pid that was reaped. One at a time: behind
 * a TSTP that makes us stop, a CONT has to be pending still.
 */
void read_signals(struct init *init)
{
	struct signalfd_siginfo got;
	int reads = READS_A_TURN;

	for (; reads > 0 && read(init->signal_fd, &got, sizeof got) > 0; reads--) {
		if (got.ssi_signo == SIGCHLD)
			init->may_have_ended = 1;
		else if (got.ssi_pid != (uint32_t)getpid())
			take_signal(init, (int)got.ssi_signo);
		/* From ourselves: the SIGPIPE of a stderr that nobody holds any more. */
	}
	/* Who sends faster than we read keeps a SIGCHLD, which comes behind 1 to 16, from us. */
	if (init->may_have_ended || reads == 0)
		reap(init);
}

static void check_linger(struct init *init, uint64_t now)
{
	const struct app *app = &init->app;
	int is_gone = app_is_gone(app);

	if (app->is_replaced) {
		/*
		 * Some members nobody can remove: one in an uninterruptible sleep, one of another user, a zombie
		 * whose parent has left the group and does not wait for it. No app at all would be worse.
		 */
		if (is_gone || now >= init->linger_until + KILLED_GROUP_MS)
			app_stopped(init);
		else if (now >= init->linger_until)
			kill(-app->group, SIGKILL);
		return;
	}
	if (!is_gone && now < init->linger_until)
		return;
	if (!is_gone && app->policy.linger_ms > 0)
		kill(-app->group, SIGKILL);
	leave(init, init->status);
}

/* The brain is stuck where it cannot say so itself. */
static _Noreturn void miss_deadline(struct init *init)
{
	const struct deadline *deadline = &init->deadline;
	const size_t numbers = 2 * sizeof(uint32_t);

	if (deadline->payload != NULL)
		print_line(deadline->payload + numbers, deadline->size - numbers);
	leave(init, deadline->status);
}

static void check_deadlines(struct init *init)
{
	uint64_t now = now_ms();

	if (init->kill_at != 0 && now >= init->kill_at) {
		init->kill_at = 0;
		if (init->app.is_replaced)
			kill(-init->app.group, SIGKILL); /* All of it has to go. */
		else
			app_signal(&init->app, SIGKILL);
	}
	if (init->brain.start_at != 0 && now >= init->brain.start_at && brain_start(init) != 0)
		brain_lost(init, "could not be started");
	if (init->phase == PREPARING && init->deadline.at != 0 && now >= init->deadline.at)
		miss_deadline(init);
	if (init->phase == STOPPED && now >= init->launch_until)
		brain_lost(init, "does not say what is launched next");
	if (init->phase == LINGERING)
		check_linger(init, now);
}

/* For poll(2): milliseconds to the next deadline, or -1. */
static int time_to_deadline(const struct init *init)
{
	uint64_t now = now_ms();
	uint64_t next = UINT64_MAX;

	if (init->may_have_ended)
		return 0;
	if (init->kill_at != 0)
		next = init->kill_at;
	if (init->brain.start_at != 0 && init->brain.start_at < next)
		next = init->brain.start_at;
	if (init->phase == STOPPED && init->launch_until < next)
		next = init->launch_until;
	if (init->phase == LINGERING && init->linger_until < next)
		next = init->linger_until;
	/*
	 * A member of the group may be another process's child, whose end we are not told; and one that
	 * was killed may be a while in the kernel.
	 */
	if (init->phase == LINGERING && (next > now + LINGER_TICK_MS || init->app.is_replaced))
		next = now + LINGER_TICK_MS;
	if (init->phase == PREPARING && init->deadline.at != 0 && init->deadline.at < next)
		next = init->deadline.at;
	if (next == UINT64_MAX)
		return -1;
	if (next <= now)
		return 0;
	return next - now > INT_MAX ? INT_MAX : (int)(next - now);
}

/*
 * poll(2) has failed. EINTR (a tracer) passes at once. Not so ENOMEM, and EINVAL: somebody has set our limit of
 * descriptors below what is polled (prlimit(2)). Then we look now and again.
 */
static void rest(int error)
{
	const struct timespec tick = { .tv_nsec = LINGER_TICK_MS * 1000000L };

	if (error != EINTR)
		nanosleep(&tick, NULL);
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
		if (poll(ready, init->link.fd < 0 ? 1 : 2, time_to_deadline(init)) < 0) {
			rest(errno);
			ready[1].revents = ready[1].events;
		}
		read_signals(init);
		if ((ready[1].revents & POLLOUT) != 0 && link_flush(&init->link) != 0)
			brain_lost(init, "does not listen");
		if ((ready[1].revents & ~POLLOUT) != 0)
			read_link(init, READS_A_TURN);
		check_deadlines(init);
	}
}
