/*
 * A controlling terminal on stdin: whose it is, and how it was found.
 *
 * In its foreground the app gets Ctrl-C, Ctrl-Z and window changes from the kernel, once. All signals are
 * blocked whenever these functions run, so that the kernel does not stop us with SIGTTOU for changing it
 * from the background (tcsetpgrp(3), tcsetattr(3)).
 */
#include "init.h"

#include <errno.h>
#include <unistd.h>

int terminal_is_controlling(void)
{
	return tcgetpgrp(STDIN_FILENO) != -1;
}

/* Only who is in the foreground may give it away. */
static int is_ours_to_lend(const struct init *init)
{
	return init->has_terminal && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void note_modes(struct terminal *terminal)
{
	terminal->has_modes = tcgetattr(STDIN_FILENO, &terminal->modes) == 0;
}

/*
 * Before the app is forked: whether it begins in the foreground, which it then takes itself.
 *
 * Not where stdout leads elsewhere: the rest of a pipeline (`warp-init -- app | less`) is in our group, and
 * the app gets the terminal when it asks for it (see job-control.c).
 */
void terminal_prepare(struct init *init)
{
	struct terminal *terminal = &init->terminal;

	terminal->has_app_modes = 0; /* Of an app that was replaced. */
	terminal->is_lent =
		is_ours_to_lend(init) && (init->is_pid1 || isatty(STDOUT_FILENO) == 1);
	if (terminal->is_lent)
		note_modes(terminal);
}

/* In the app's process, the leader of its group by now. */
void terminal_take(void)
{
	/* It may have been hung up meanwhile; then there is nothing to take, and SIGHUP tells. */
	if (tcsetpgrp(STDIN_FILENO, getpid()) != 0)
		return;
}

/* True if the running app has got the foreground from us. */
int terminal_lend(struct init *init)
{
	if (!is_ours_to_lend(init))
		return 0;
	note_modes(&init->terminal);
	init->terminal.is_lent = tcsetpgrp(STDIN_FILENO, init->app.group) == 0;
	if (init->terminal.is_lent && init->terminal.has_app_modes)
		tcsetattr(STDIN_FILENO, TCSANOW, &init->terminal.app_modes); /* Fails only if it is hung up. */
	init->terminal.has_app_modes = 0;
	return init->terminal.is_lent;
}

/*
 * Before a stop takes the terminal back: the app has its modes again when it goes on. A shell with an eye for them
 * gives a job back its own (bash); another one sets none (dash).
 */
void terminal_keep_modes(struct init *init)
{
	struct terminal *terminal = &init->terminal;

	if (terminal->is_lent)
		terminal->has_app_modes = tcgetattr(STDIN_FILENO, &terminal->app_modes) == 0;
}

/* After a stop that was not ours: a shell may have taken it meanwhile, and then it is no longer ours to take back. */
void terminal_check(struct init *init)
{
	if (init->terminal.is_lent && tcgetpgrp(STDIN_FILENO) != init->app.group)
		init->terminal.is_lent = 0;
}

/*
 * The foreground, and the modes as they were when we gave it away: an app that was killed leaves no echo and
 * no lines behind, and a shell that sees us exit believes that this was meant.
 */
void terminal_take_back(struct init *init)
{
	struct terminal *terminal = &init->terminal;

	if (!terminal->is_lent)
		return;
	terminal->is_lent = 0;
	/* ENOTTY, EIO: hung up. ESRCH: our group is not in our namespace (unshare --pid), and cannot be named. */
	if (tcsetpgrp(STDIN_FILENO, getpgrp()) != 0 && errno != ESRCH)
		return;
	if (terminal->has_modes)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal->modes); /* Fails only if it is hung up. */
}
