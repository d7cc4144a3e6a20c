/*
 * Stopping and continuing. A shell that has started us knows us alone: when its user stops the app we stop,
 * too, so that the shell goes on, and when it continues us the app goes on.
 */
#include "init.h"

#include <signal.h>
#include <unistd.h>

static void stop_ourselves(struct init *init, int number)
{
	/* Nobody could continue PID 1; the kernel would not stop it either. */
	if (init->is_pid1)
		return;
	terminal_keep_modes(init);
	terminal_take_back(init);
	/* A stop would take back the SIGCONT that waits for us, and with it what follows on this stop. */
	if (signal_is_pending(SIGCONT))
		return;
	if (number == SIGSTOP)
		kill(getpid(), SIGSTOP); /* Cannot fail. */
	else
		signal_as_meant(0, number);
}

/*
 * While there is no app the terminal stops our whole group by its own signal, and us with it: no shell gets its
 * prompt back before that. Nobody in an orphaned group, see below. What has to be done by then may be done later.
 */
void suspend_alone(struct init *init, int number)
{
	const uint64_t before = now_ms();

	if (init->is_pid1 || signal_is_pending(SIGCONT))
		return;
	signal_as_meant(getpid(), number);
	if (init->deadline.at != 0)
		init->deadline.at += now_ms() - before;
}

/* Somebody wants init to stop. What the app gets for it says the signal map. */
void suspend(struct init *init)
{
	stop_ourselves(init, SIGSTOP);
}

/*
 * The app has stopped by a signal. We do what the kernel would have done, had the app been in our place: all of
 * our group stops, with it a script around us, and nobody in an orphaned group, in which nobody could continue
 * us. Then the app stays stopped until we get a SIGCONT, as with PID 1.
 */
void follow_stop(struct init *init, int number)
{
	/* Who stops it by its pid, without a terminal, does not mean us. */
	if (!init->has_terminal)
		return;
	/*
	 * It wanted the terminal, and we have it: a shell's `fg` of a job that runs in the background is silent,
	 * and in a pipeline the app has not got it before.
	 */
	if ((number == SIGTTIN || number == SIGTTOU) && terminal_lend(init)) {
		kill(-init->app.group, SIGCONT); /* ESRCH: it was killed meanwhile. */
		return;
	}
	/* SIGSTOP would stop an orphaned group as well. */
	stop_ourselves(init, number == SIGSTOP ? SIGTSTP : number);
}

/* We were continued, and the app is about to be. */
void resume(struct init *init)
{
	if (!terminal_lend(init))
		terminal_check(init);
}
