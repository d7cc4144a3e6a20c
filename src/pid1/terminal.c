/*
 * A controlling terminal on stdin: the app gets its foreground, so that Ctrl-C, Ctrl-Z and window
 * changes reach it from the kernel, once. All signals are blocked whenever these functions run,
 * so that the kernel does not stop us with SIGTTOU for doing it (tcsetpgrp(3)).
 */
#include "init.h"

#include <unistd.h>

/* True if stdin is our controlling terminal and we are in its foreground. */
int terminal_is_ours(void)
{
	pid_t foreground = tcgetpgrp(STDIN_FILENO);

	return foreground != -1 && foreground == getpgrp();
}

int terminal_give(pid_t group)
{
	return tcsetpgrp(STDIN_FILENO, group);
}

void terminal_take_back(void)
{
	/* It may have been hung up meanwhile; then there is nothing to take. */
	if (tcsetpgrp(STDIN_FILENO, getpgrp()) != 0)
		return;
}
