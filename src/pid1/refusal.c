/*
 * Why the app could not be started, where there is no brain to say it: in words, with what to do about it, and as
 * an exit status. The statuses are those of commands/spawn-error.ts.
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <string.h>

struct refusal {
	int status;
	const char *what; /* What could not be had, for the stages before the exec. */
	const char *remedy;
};

static struct refusal of_user(void)
{
	return (struct refusal){ STATUS_CONFIG, "its user",
				 "Start the container as root with the capabilities SETUID and SETGID, or leave --user out." };
}

static struct refusal of_stage(enum stage stage)
{
	switch (stage) {
	case STAGE_GROUPS:
	case STAGE_GID:
	case STAGE_UID:
	case STAGE_CAPABILITIES:
		return of_user();
	case STAGE_LIMITS:
		return (struct refusal){ STATUS_CONFIG, "its limits",
					 "Lower init.limits, or raise the hard ones (docker run --ulimit)." };
	case STAGE_DIRECTORY:
		return (struct refusal){ STATUS_CONFIG, "its directory",
					 "As init.cwd or WORKDIR name one that the app's user may enter." };
	case STAGE_PRIVILEGES:
		return (struct refusal){ STATUS_INTERNAL, "fewer privileges",
					 "Allow prctl(2) in the sandbox, or leave init.noNewPrivileges out." };
	case STAGE_SESSION:
		return (struct refusal){ STATUS_INTERNAL, "a process group",
					 "Allow setsid(2) and setpgid(2) in the sandbox." };
	case STAGE_FORK:
	case STAGE_EXEC:
		break;
	}
	return (struct refusal){ STATUS_INTERNAL, "a process",
				 "Raise the limits of the container on processes and descriptors." };
}

static const char *remedy_of_exec(int error)
{
	switch (error) {
	case ENOENT:
		return "Check the command, and PATH in the container's environment; of a script the first line (#!), of "
		       "a program the loader that it was linked for.";
	case EACCES:
		return "Make the file executable, and it and its directories accessible to the app's user.";
	case ENOEXEC:
		return "Give a script a first line (#!/bin/sh), or take a program for this architecture.";
	case E2BIG:
		return "Make its arguments and its environment smaller.";
	case EAGAIN:
		return "Raise the limit of its user on processes (docker run --ulimit nproc).";
	default:
		return "Check the command, and PATH in the container's environment.";
	}
}

/* Says it, and returns the exit status. */
int say_refusal(const char *file, const struct spawn_failure *failure)
{
	int error = (int)failure->error;
	struct refusal refusal;

	if (failure->stage == STAGE_EXEC) {
		complain("Cannot run %s: %s. %s", file, strerror(error), remedy_of_exec(error));
		return error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
	}
	refusal = of_stage((enum stage)failure->stage);
	complain("Cannot run %s: %s could not be had: %s. %s", file, refusal.what, strerror(error), refusal.remedy);
	return refusal.status;
}
