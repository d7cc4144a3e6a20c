/*
 * A target for libFuzzer: all that a brain can say, and the supervisor that hears it, in a world of its own: the socket,
 * signals, children and the clock are those below. An input is a sequence of events, each a byte with what belongs to it;
 * what the brain says is in it as it goes over the wire, in pieces of any size.
 *
 * build.sh gives the functions of the C library that are replaced here other names, for this program alone.
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum event {
	BRAIN_SPEAKS, /* uint16 size, bytes */
	BRAIN_ENDS,
	BRAIN_CLOSES, /* its link, and goes on */
	BRAIN_LISTENS, /* uint16: so many bytes are read at its end */
	APP_ENDS, /* wait status */
	APP_STOPS, /* signal */
	GROUP_ENDS,
	ORPHAN_ENDS,
	SIGNAL_COMES, /* number */
	TIME_PASSES, /* a power of two, in ms */
	POLL_FAILS,
	FAILURES, /* which of the calls below fail from now on */
	EVENTS,
};

enum failure { NO_BRAIN = 1, NO_APP = 2, NO_MEMORY = 4, NOT_PERMITTED = 8, NO_EXEC = 16 };
enum { SIGNAL_FD = 50, LINK_END = 51, BRAIN_PID = 1000, APP_PID = 2000, ORPHAN_PID = 3000, FIRST_ROOM = 100 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); /* Its name is libFuzzer's. */

static struct {
	const uint8_t *next, *end; /* of the input */
	struct init init;
	jmp_buf run;
	uint64_t clock;
	unsigned int failures;
	int pids; /* so many apps and brains were started */
	pid_t app; /* 0: none runs */
	pid_t group; /* 0: nobody is left of it */
	pid_t brain;
	int signal; /* 0: none waits */
	pid_t ended; /* 0: nobody */
	int ended_status;
	size_t spoken; /* bytes of the input that the brain has said, and pid1 has not read */
	int is_closed;
	size_t room;
	uint8_t heard[FRAME_HEADER_SIZE]; /* by the brain: the header of the frame that comes */
	size_t heard_count;
	size_t heard_rest; /* of its payload */
	int is_greeted;
	volatile unsigned int sum;
	int status;
} world;

static void require(int holds)
{
	if (!holds)
		abort();
}

static _Noreturn void finish(int status)
{
	world.status = status;
	longjmp(world.run, 1);
}

static unsigned int take_byte(void)
{
	return world.next < world.end ? *world.next++ : 0;
}

static size_t take_size(void)
{
	size_t low = take_byte();

	return low | (size_t)take_byte() << 8;
}

static int fails(enum failure failure)
{
	return (world.failures & (unsigned int)failure) != 0;
}

static void end_child(pid_t pid, int status)
{
	world.ended = pid;
	world.ended_status = status;
	world.signal = SIGCHLD;
}

static void happen(enum event event)
{
	switch (event) {
	case BRAIN_SPEAKS:
		world.spoken = take_size();
		break;
	case BRAIN_ENDS:
		if (world.brain != 0)
			end_child(world.brain, 0);
		world.brain = 0;
		world.is_closed = 1;
		break;
	case BRAIN_CLOSES:
		world.is_closed = 1;
		break;
	case BRAIN_LISTENS:
		world.room = take_size();
		break;
	case APP_ENDS:
		if (world.app != 0)
			end_child(world.app, (int)(take_size() & 0xff7f));
		world.app = 0;
		break;
	case APP_STOPS:
		if (world.app != 0)
			end_child(world.app, (int)(take_byte() % SIGNAL_COUNT) << 8 | 0x7f);
		break;
	case GROUP_ENDS:
		if (world.app == 0)
			world.group = 0;
		break;
	case ORPHAN_ENDS:
		end_child(ORPHAN_PID, 0);
		break;
	case SIGNAL_COMES:
		world.signal = (int)take_byte();
		break;
	case TIME_PASSES:
		world.clock += UINT64_C(1) << (take_byte() % 20);
		break;
	case POLL_FAILS:
	case EVENTS:
		break;
	case FAILURES:
		world.failures = take_byte();
		break;
	}
}

/* What holds between any two events. */
static void check(const struct init *init, int timeout)
{
	require(init->app.pid == 0 || init->phase == RUNNING);
	require(init->phase != STOPPED || init->launch.bytes != NULL);
	require(init->phase != LINGERING || timeout >= 0); /* Nobody tells us of the end of another's child. */
	require(init->kill_at == 0 || timeout >= 0);
	require(init->link.out[5].iov_len <= sizeof init->link.tail);
	require(init->brain.is_done || init->brain.pid != 0 || init->brain.start_at != 0 ||
		(init->phase == LINGERING && !init->app.is_replaced) || init->may_have_ended);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	enum event event;

	check(&world.init, timeout);
	if (world.next == world.end)
		finish(-1);
	event = take_byte() % EVENTS;
	happen(event);
	errno = ENOMEM;
	if (event == POLL_FAILS)
		return -1;
	fds[0].revents = world.signal != 0 ? POLLIN : 0;
	if (count > 1) {
		fds[1].revents = world.spoken > 0 || world.is_closed ? POLLIN : 0;
		if (world.room > 0 || world.is_closed)
			fds[1].revents = (short)(fds[1].revents | (fds[1].events & POLLOUT));
	}
	return 1;
}

ssize_t read(int fd, void *to, size_t size)
{
	struct signalfd_siginfo got = { .ssi_signo = (uint32_t)world.signal };

	require(fd == SIGNAL_FD && size == sizeof got);
	errno = EAGAIN;
	if (world.signal == 0)
		return -1;
	memcpy(to, &got, sizeof got);
	world.signal = 0;
	return (ssize_t)size;
}

ssize_t recv(int fd, void *to, size_t size, int options)
{
	size_t left = (size_t)(world.end - world.next);

	require(fd == LINK_END && size > 0 && (options & MSG_DONTWAIT) != 0);
	errno = EAGAIN;
	if (size > world.spoken)
		size = world.spoken;
	if (size > left)
		size = left;
	if (size == 0)
		return world.is_closed ? 0 : -1;
	memcpy(to, world.next, size);
	world.next += size;
	world.spoken -= size;
	return (ssize_t)size;
}

static size_t size_of_frame(uint32_t type)
{
	switch (type) {
	case FRAME_SPAWNED:
		return sizeof(uint32_t);
	case FRAME_SPAWN_FAILED:
	case FRAME_EXITED:
		return 2 * sizeof(uint32_t);
	case FRAME_COUNTERS:
		return sizeof(struct counters);
	default:
		require(type == FRAME_NOT_REPLACED);
		return 0;
	}
}

/* First a hello, then whole frames, however they were cut. */
static void hear(const uint8_t *bytes, size_t size)
{
	for (; size > 0; size--, bytes++) {
		world.sum += *bytes; /* Each is read. */
		if (world.heard_rest > 0) {
			world.heard_rest--;
			continue;
		}
		world.heard[world.heard_count++] = *bytes;
		if (world.heard_count < FRAME_HEADER_SIZE)
			continue;
		world.heard_count = 0;
		world.heard_rest = uint32_at(world.heard);
		if (world.is_greeted)
			require(world.heard_rest == size_of_frame(uint32_at(world.heard + 4)));
		else
			require(uint32_at(world.heard + 4) == FRAME_HELLO);
		world.is_greeted = 1;
	}
}

ssize_t sendmsg(int fd, const struct msghdr *message, int options)
{
	size_t sent = 0;

	require(fd == LINK_END && (options & MSG_DONTWAIT) != 0 && (options & MSG_NOSIGNAL) != 0);
	errno = world.is_closed ? EPIPE : EAGAIN;
	if (world.is_closed || world.room == 0)
		return -1;
	for (size_t i = 0; i < message->msg_iovlen; i++) {
		size_t size = message->msg_iov[i].iov_len;

		if (size > world.room)
			size = world.room;
		hear(message->msg_iov[i].iov_base, size);
		world.room -= size;
		sent += size;
	}
	return (ssize_t)sent;
}

int close(int fd)
{
	require(fd == LINK_END);
	return 0;
}

/* Whom it may reach: the app's group while somebody is in it, and whom the brain has named. */
int kill(pid_t pid, int number)
{
	require(pid > 1 || (pid < -1 && pid == -world.init.app.group));
	require(number >= 0 && number < SIGNAL_COUNT);
	errno = fails(NOT_PERMITTED) ? EPERM : ESRCH;
	return fails(NOT_PERMITTED) || world.group == 0 ? -1 : 0;
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	pid_t ended = world.ended;

	require(pid == -1 && (options & WNOHANG) != 0);
	*status = world.ended_status;
	world.ended = 0;
	return ended;
}

int prctl(int option, ...)
{
	(void)option;
	errno = EPERM;
	return fails(NOT_PERMITTED) ? -1 : 0;
}

int nanosleep(const struct timespec *time, struct timespec *rest)
{
	(void)rest;
	world.clock += (uint64_t)time->tv_nsec / 1000000;
	return 0;
}

void *malloc(size_t size)
{
	return fails(NO_MEMORY) ? NULL : realloc(NULL, size);
}

/* Never of ours while the app runs. */
_Noreturn void exit(int status)
{
	const struct init *init = &world.init;

	require(init->phase != RUNNING);
	require(init->phase != LINGERING || status == init->status);
	require(status >= 0 && status < STATUS_COUNT);
	finish(status);
}

uint64_t now_ms(void)
{
	return world.clock;
}

int brain_start(struct init *init)
{
	init->brain.start_at = 0;
	init->brain.started_at = now_ms();
	require(init->brain.pid == 0 && init->link.fd == -1);
	if (fails(NO_BRAIN))
		return -1;
	world.brain = BRAIN_PID + ++world.pids;
	world.is_closed = 0;
	world.room = FIRST_ROOM; /* For the first hello, not for one with a launch. */
	world.is_greeted = 0;
	world.spoken = world.heard_count = world.heard_rest = 0;
	init->brain.pid = world.brain;
	init->link.fd = LINK_END;
	link_greet(init, 1);
	link_flush(&init->link);
	return 0;
}

void brain_stop(struct init *init)
{
	link_close(&init->link);
	init->brain.pid = 0;
	world.brain = 0;
}

void brain_abandon(struct init *init)
{
	brain_stop(init);
}

/* Reads every byte that the parser hands out, so that a bad pointer is seen. */
static void touch(const struct launch *launch)
{
	volatile size_t sum = strlen(launch->file) + strlen(launch->directory);

	for (char **word = launch->argv; *word != NULL; word++)
		sum += strlen(*word);
	for (char **word = launch->envp; *word != NULL; word++)
		sum += strlen(*word);
	for (uint32_t i = 0; i < launch->header.group_count; i++)
		sum += launch->groups[i];
	for (uint32_t i = 0; i < launch->header.limit_count; i++)
		sum += launch->limits[i].hard[1];
	(void)sum;
}

int app_spawn(struct init *init, const struct launch *launch, struct spawn_failure *failure)
{
	struct app *app = &init->app;

	require(app->pid == 0);
	touch(launch);
	*failure = (struct spawn_failure){ .stage = STAGE_EXEC, .error = ENOENT };
	if (fails(NO_APP))
		return -1;
	world.app = world.group = APP_PID + ++world.pids;
	*app = (struct app){ .pid = world.app, .group = world.app, .policy = launch->header };
	app->trial_until = launch->header.trial_ms == 0 ? 0 : now_ms() + launch->header.trial_ms;
	init->counters.app_starts++;
	return 0;
}

void app_become(const struct init *init, const struct launch *launch, struct spawn_failure *failure)
{
	(void)init;
	touch(launch);
	*failure = (struct spawn_failure){ .stage = STAGE_EXEC, .error = ENOENT };
	if (!fails(NO_EXEC))
		finish(-1);
}

int app_signal(const struct app *app, int number)
{
	return app->pid == 0 || kill(-app->group, number) == 0 || errno != EPERM ? 0 : -1;
}

int app_is_gone(const struct app *app)
{
	require(app->group > 1);
	return world.group == 0;
}

int signal_ends_preparing(const struct original *original, int number)
{
	(void)original;
	return number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGHUP;
}

void complain(const char *format, ...)
{
	char line[TEXT_SIZE_LIMIT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
}

void print_line(const unsigned char *line, size_t size)
{
	volatile unsigned int sum = 0;

	require(size <= TEXT_SIZE_LIMIT);
	for (size_t i = 0; i < size; i++)
		sum += line[i];
	(void)sum;
}

/* clang-format off: what has no part in it. */
int ask_for_parent_death(const struct launch_header *header, pid_t parent) { (void)parent; return header->parent_death_signal == 9; }
void close_inherited(const struct init *init) { (void)init; }
void leave_directory(struct original *original) { (void)original; }
void terminal_take_back(struct init *init) { (void)init; }
void suspend(struct init *init) { (void)init; }
void suspend_alone(struct init *init, int number) { (void)init, (void)number; }
void resume(struct init *init) { (void)init; }
void follow_stop(struct init *init, int number) { (void)init, (void)number; }
/* clang-format on */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char word[] = "warp-init", variable[] = "A=b";
	static char *argv[] = { word, NULL }, *envp[] = { variable, NULL };
	struct init *init = &world.init;

	memset(&world, 0, sizeof world);
	world.next = data;
	world.end = data + size;
	world.clock = 1;
	init->link.fd = -1;
	init->signal_fd = SIGNAL_FD;
	init->original = (struct original){ .argc = 1, .argv = argv, .envp = envp };
	if (setjmp(world.run) == 0 && brain_start(init) == 0)
		supervise(init);
	/* Whatever it has is its own, and once. */
	brain_stop(init);
	launch_free(&init->launch);
	launch_free(&init->previous);
	free(init->memo);
	free(init->deadline.payload);
	return 0;
}
