/*
 * Signals are blocked from the first moment and read from a descriptor: none is lost, none runs a
 * handler, and each is dealt with at one place.
 *
 * The sets are the kernel's (64 bits) and not the C library's, which keep 32 to 34 for themselves:
 * we have no threads, so all real-time signals are the app's to use.
 */
#define _GNU_SOURCE
#include "init.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL_SET_SIZE sizeof(uint64_t)

static uint64_t bit(int number)
{
	return UINT64_C(1) << (number - 1);
}

static int set_mask(const uint64_t *set, uint64_t *old)
{
	return (int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, set, old, KERNEL_SET_SIZE);
}

static const int ending[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP };

/* Ignored by whoever started us, as nohup(1) does: then it does not end us either. */
static uint64_t inherited_ignores(void)
{
	static const int asked[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD };
	uint64_t set = 0;
	struct sigaction action;

	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		if (sigaction(asked[i], NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			set |= bit(asked[i]);
	}
	return set;
}

/* Returns the descriptor that signals are read from, or -1. */
int signals_start(struct original *original)
{
	const uint64_t all = ~UINT64_C(0);

	if (set_mask(&all, &original->mask) != 0)
		return -1;
	original->ignored = inherited_ignores();
	/* Where it is ignored the kernel reaps by itself, and waitpid() has nothing to tell. */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		return -1;
	return (int)syscall(SYS_signalfd4, -1, &all, KERNEL_SET_SIZE, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* In a child, just before exec: the mask and the dispositions that we were started with. */
void signals_restore(const struct original *original)
{
	if ((original->ignored & bit(SIGCHLD)) != 0)
		signal(SIGCHLD, SIG_IGN); /* Cannot fail: the number is valid and may be ignored. */
	set_mask(&original->mask, NULL);
}

/* Blocked, sent to us and not read yet. */
int signal_is_pending(int number)
{
	uint64_t pending = 0;

	/* Cannot fail: a set of ours, of the size of the kernel's. */
	syscall(SYS_rt_sigpending, &pending, KERNEL_SET_SIZE);
	return (pending & bit(number)) != 0;
}

/* To us, or to all of our process group (0): and we take it as it was meant for us when we were started. */
void signal_as_meant(pid_t whom, int number)
{
	const uint64_t all = ~UINT64_C(0);
	const uint64_t others = all & ~bit(number);

	set_mask(&others, NULL);
	kill(whom, number); /* Cannot fail: we are one of them. */
	set_mask(&all, NULL);
}

int signal_ends_preparing(const struct original *original, int number)
{
	for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
		if (ending[i] == number)
			return (original->ignored & bit(number)) == 0;
	}
	return 0;
}

/* One of those that would end the preparing and is not read yet; 0: none. */
int pending_end(const struct original *original)
{
	for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
		if (signal_ends_preparing(original, ending[i]) && signal_is_pending(ending[i]))
			return ending[i];
	}
	return 0;
}
