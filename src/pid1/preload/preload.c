/*
 * A shared object that the brain's Node loads before its own first line: only from inside can a process
 * close its memory (/proc/PID/mem, environ, ptrace) to others of the same user, and Node has no call for it.
 * Nor has it one for leaving a terminal alone, for giving memory back, or for not opening its inspector.
 *
 * It needs no C library, so that one object serves Node on glibc and on musl; not-dumpable.c carries it.
 */
#include "../frames.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <termios.h>

static long system_call(long number, long first, long second, long third)
{
#if defined(__x86_64__)
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second), "d"(third)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = first;
	register long x1 __asm__("x1") = second;
	register long x2 __asm__("x2") = third;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
#else
#error "No system call is known for this architecture."
#endif
}

typedef int sigaction_call(int number, const struct sigaction *action, struct sigaction *old);

/* What is left of the C library's own: glibc exports it by this name as well, musl does not, but always has dlsym. */
__attribute__((weak)) sigaction_call __sigaction;
__attribute__((weak)) void *dlsym(void *handle, const char *name);

static sigaction_call *real_sigaction(void)
{
	static void *const next_object = (void *)-1L; /* RTLD_NEXT; the header has it for _GNU_SOURCE alone. */
	sigaction_call *call = __sigaction;

	if (call == NULL && dlsym != NULL)
		*(void **)&call = dlsym(next_object, "sigaction"); /* As dlopen(3) writes it. */
	return call;
}

/*
 * In place of the C library's. SIGUSR1 opens Node's inspector, and by it whoever may signal us (the app, as the
 * same user) runs code in here and reads what close_memory() has closed. Node sets its handler and unblocks the
 * signal long before any JavaScript could listen to it, and Node 20 has no --disable-sigusr1: so it stays ignored.
 */
int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	static const struct sigaction ignored = { .sa_handler = SIG_IGN };
	sigaction_call *call = real_sigaction();

	if (call == NULL)
		return -1;
	return call(number, number == SIGUSR1 && action != NULL ? &ignored : action, old);
}

/* First, before others could see that the memory is closed. */
__attribute__((constructor)) static void ignore_inspector_signal(void)
{
	const struct sigaction any = { .sa_handler = SIG_DFL };

	(void)sigaction(SIGUSR1, &any, NULL);
}

__attribute__((constructor)) static void close_memory(void)
{
	/* The brain sees by the descriptor that it was done (a sandbox may refuse it), and has it for its children. */
	if (system_call(SYS_prctl, PR_SET_DUMPABLE, 0, 0) == 0)
		(void)system_call(SYS_dup3, PRELOAD_FD, PRELOADED_FD, O_CLOEXEC);
	/*
	 * PRELOAD_FD stays: this may be a script, with the name of Node, that has yet to run it. Node gives what it has
	 * inherited to nobody.
	 */
}

/* Of glibc; musl has no such call, and gives back what is freed. */
__attribute__((weak)) int mallopt(int parameter, int value);

enum { MMAP_THRESHOLD = -3, LARGE_BLOCK = 128 * 1024 };

/*
 * A limit that is set stays where it is, and what is larger goes back to the kernel when it is freed. Left alone
 * it rises to the largest block that was ever freed: each reload frees some of a megabyte, in no order, and after
 * 100 reloads of 1,000 services 14 MB of free blocks were still ours.
 */
__attribute__((constructor)) static void give_back_memory(void)
{
	if (mallopt != 0)
		(void)mallopt(MMAP_THRESHOLD, LARGE_BLOCK);
}

/*
 * In place of the C library's. At its end Node gives a terminal on 0, 1 or 2 the modes that it has found
 * there at its start; by then they are the app's.
 */
int tcsetattr(int fd, int when, const struct termios *modes)
{
	(void)fd;
	(void)when;
	(void)modes;
	return 0;
}
