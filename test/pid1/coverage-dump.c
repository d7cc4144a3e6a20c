/*
 * In the build for coverage (coverage.ts): a process that leaves by _exit(2) or execve(2) keeps its counts, too.
 *
 * Where they cannot be written (another root, limits that may not be raised) they are lost, and nothing else changes: what a
 * test sees of pid1 is the same as without them.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

void __gcov_dump(void);
void __gcov_reset(void);

/* Their names are the linker's (--wrap). */
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
_Noreturn void __wrap_exit(int status);
int __real_execve(const char *file, char *const *argv, char *const *envp);
int __wrap_execve(const char *file, char *const *argv, char *const *envp);

static int raise_limit(__rlimit_resource_t resource, struct rlimit *before, rlim_t least)
{
	struct rlimit wanted = { least, least };

	if (getrlimit(resource, before) != 0)
		return -1;
	if (before->rlim_cur >= least)
		return 0;
	if (before->rlim_max >= least)
		wanted.rlim_max = before->rlim_max;
	return setrlimit(resource, &wanted);
}

static void dump(void)
{
	struct rlimit size, descriptors;
	mode_t mask;

	/* Beyond its limit the process would end by SIGXFSZ. */
	if (raise_limit(RLIMIT_FSIZE, &size, 1 << 20) != 0)
		return;
	raise_limit(RLIMIT_NOFILE, &descriptors, 1 << 10);
	mask = umask(0); /* Another test runs it as another user. */
	/* Not what pid1 hands on: that is its own list. */
	setenv("GCOV_ERROR_FILE", "/dev/null", 1);
	__gcov_dump();
	__gcov_reset();
	umask(mask);
	setrlimit(RLIMIT_NOFILE, &descriptors);
	setrlimit(RLIMIT_FSIZE, &size);
}

/* It needs a descriptor, and there may be a limit of one that only who has the capability may raise. */
static void dump_at_end(void)
{
	close(STDIN_FILENO);
	dump();
}

_Noreturn void __wrap__exit(int status)
{
	dump_at_end();
	__real__exit(status);
}

/* Without what libgcov has registered for it: no other exit handler is here. */
_Noreturn void __wrap_exit(int status)
{
	dump_at_end();
	__real__exit(status);
}

int __wrap_execve(const char *file, char *const *argv, char *const *envp)
{
	dump();
	return __real_execve(file, argv, envp);
}
