/*
 * A target for libFuzzer: what pid1 itself reads of its command line and its environment, from main() on. Forks, execs and
 * writes are those below, and each end of a run is compared with what was asked for.
 *
 * An input is a byte of flags, a byte with the number of words, and strings that end in NUL: words, then variables.
 * build.sh gives the functions of the C library that are replaced here other names, for this program alone.
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STRINGS_LIMIT = 32, FLAG_PID1 = 1, FLAG_TERMINAL = 2, FLAG_NO_EXEC = 4 };

int main(int argc, char **argv, char **envp); /* pid1's; its name is another one here. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); /* Its name is libFuzzer's. */

enum end { ENDED, SPAWNED, BECAME_NODE };

static jmp_buf run;
static enum end end;
static int status;
static uint8_t flags;
static int is_said;
/* As pid1 was started: it changes both lists in place. */
static char *words[STRINGS_LIMIT + 1], *variables[STRINGS_LIMIT + 1];
static int word_count, variable_count;

static void require(int holds)
{
	if (!holds)
		abort();
}

static _Noreturn void stop(enum end how, int with)
{
	end = how;
	status = with;
	longjmp(run, 1);
}

_Noreturn void _exit(int with)
{
	stop(ENDED, with);
}

pid_t getpid(void)
{
	return (flags & FLAG_PID1) != 0 ? 1 : 2;
}

/* A line, whole, within what a pipe takes at once. */
ssize_t write(int fd, const void *bytes, size_t size)
{
	(void)fd;
	require(size <= TEXT_SIZE_LIMIT && memcmp(bytes, "warp-init: Cannot ", 18) == 0);
	require(memchr(bytes, '\0', size) == NULL && ((const char *)bytes)[size - 1] == '\n');
	is_said = 1;
	return (ssize_t)size;
}

/* Where stderr is a socket. */
ssize_t send(int fd, const void *bytes, size_t size, int options)
{
	(void)options;
	return write(fd, bytes, size);
}

/* The brain's: then there is none. */
pid_t fork(void)
{
	errno = EAGAIN;
	return -1;
}

/* Node, with our words behind the bundle. */
int execve(const char *file, char *const argv[], char *const envp[])
{
	int count = 0;

	require(*file != '\0' && strlen(file) < PATH_MAX);
	require(strcmp(argv[0], "node") == 0 && strcmp(argv[1], "--no-warnings") == 0);
	while (argv[count] != NULL)
		count++;
	require(count == 3 + (word_count > 1 ? word_count - 1 : 0));
	for (int i = 1; i < word_count; i++)
		require(argv[i + 2] == words[i]);
	for (; *envp != NULL; envp++)
		require(strncmp(*envp, "NODE_", 5) != 0 && strncmp(*envp, "LD_", 3) != 0);
	if ((flags & FLAG_NO_EXEC) == 0)
		stop(BECAME_NODE, 0);
	errno = ENOEXEC;
	return -1;
}

/* What of the environment goes to the app, in its order. */
static void check_environment(char **envp)
{
	for (int i = 0; i < variable_count; i++) {
		if (strncmp(variables[i], "WARP_INIT_", 10) == 0)
			continue;
		require(*envp == variables[i]);
		envp++;
	}
	require(*envp == NULL);
}

int app_spawn(struct init *init, const struct launch *launch, struct spawn_failure *failure)
{
	struct stat file;
	int first = 1;

	(void)init;
	while (first < word_count && launch->argv[0] != words[first])
		first++;
	require(first < word_count);
	for (int i = first; i <= word_count; i++)
		require(launch->argv[i - first] == words[i]);
	require(stat(launch->file, &file) == 0 && S_ISREG(file.st_mode));
	for (int i = 0; i < SIGNAL_COUNT; i++)
		require(launch->header.signal_map[i] < SIGNAL_COUNT);
	check_environment(launch->envp);
	*failure = (struct spawn_failure){ .stage = STAGE_EXEC, .error = ENOEXEC };
	if ((flags & FLAG_NO_EXEC) != 0)
		return -1;
	stop(SPAWNED, 0);
}

int signals_start(struct original *original)
{
	original->mask = 0;
	return 3;
}

void signals_restore(const struct original *original)
{
	(void)original;
}

int terminal_is_controlling(void)
{
	return (flags & FLAG_TERMINAL) != 0;
}

/* Behind a fork or a spawn, to which no run gets. */
void exec_not_dumpable(const char *file, char **argv, char **envp)
{
	(void)file, (void)argv, (void)envp;
	abort();
}

void supervise(struct init *init)
{
	(void)init;
	abort();
}

static const char *value_of(const char *name)
{
	size_t size = strlen(name);

	for (int i = 0; i < variable_count; i++) {
		if (strncmp(variables[i], name, size) == 0 && variables[i][size] == '=')
			return variables[i] + size + 1;
	}
	return "";
}

/* Nothing is started: WARP_INIT_PLAIN is neither on nor off. */
enum { REFUSED = -1 };

static int is_one_of(const char *word, const char *number, const char *name)
{
	return strcmp(word, number) == 0 || strcasecmp(word, name) == 0;
}

/* The word behind the ones that ask for a plain init; 0 if they do not. Written from README, not from main.c. */
static int plain_from(void)
{
	const char *wish = value_of("WARP_INIT_PLAIN");
	int at = word_count > 1 && strcmp(words[1], "run") == 0 ? 2 : 1;

	if (at < word_count && strcmp(words[at], "--plain") == 0)
		return at + 1;
	if (*wish == '\0' || is_one_of(wish, "0", "false"))
		return 0;
	for (int i = 1; i < word_count && strcmp(words[i], "--") != 0; i++) {
		if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0 ||
		    strcmp(words[i], "--version") == 0 || strcmp(words[i], "-V") == 0)
			return 0;
	}
	if (word_count >= 2 && at != 2 && words[1][0] != '-')
		return 0;
	return is_one_of(wish, "1", "true") ? at : REFUSED;
}

static void check_end(int from)
{
	int is_dashes = from >= 0 && from < word_count && strcmp(words[from], "--") == 0;
	int is_usage = from < 0 || from + is_dashes >= word_count || (!is_dashes && words[from][0] == '-');

	if (end == ENDED)
		require(is_said && (status == STATUS_USAGE || status == STATUS_INTERNAL ||
				    status == STATUS_NOT_FOUND || status == STATUS_NOT_EXECUTABLE));
	if (from == REFUSED)
		require(end == ENDED && status == STATUS_USAGE);
	else if (from != 0)
		require(end != BECAME_NODE && status != STATUS_INTERNAL && is_usage == (status == STATUS_USAGE));
	else
		require(end != SPAWNED && status != STATUS_USAGE);
}

/* Strings one behind the other, as the kernel puts them; each a copy that is as long as it is. */
static int take(char **list, int limit, char **from, const char *until)
{
	int count = 0;

	while (count < limit && *from < until) {
		list[count++] = *from;
		*from += strlen(*from) + 1;
	}
	list[count] = NULL;
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes, *from, **argv, **envp;
	static int from_word; /* longjmp(3) keeps it. */

	if (size < 2)
		return 0;
	flags = data[0];
	bytes = malloc(size - 1);
	memcpy(bytes, data + 2, size - 2);
	bytes[size - 2] = '\0';
	from = bytes;
	word_count = take(words, data[1] % STRINGS_LIMIT, &from, bytes + size - 1);
	variable_count = take(variables, STRINGS_LIMIT, &from, bytes + size - 1);
	/* Of their exact size, so that a read beyond the end is seen. */
	argv = malloc(((size_t)word_count + 1) * sizeof *argv);
	envp = malloc(((size_t)variable_count + 1) * sizeof *envp);
	memcpy(argv, words, ((size_t)word_count + 1) * sizeof *argv);
	memcpy(envp, variables, ((size_t)variable_count + 1) * sizeof *envp);
	is_said = 0;
	from_word = plain_from();
	if (setjmp(run) == 0)
		stop(ENDED, main(word_count, argv, envp));
	check_end(from_word);
	free(argv);
	free(envp);
	free(bytes);
	return 0;
}
