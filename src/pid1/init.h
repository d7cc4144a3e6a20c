/*
 * pid1: everything that must never die, and nothing else.
 *
 *   PREPARING --launch, spawned--> RUNNING --app ended--> LINGERING --group empty, or late--> exit
 *       |                             |
 *       |-- abort --> exit            '-- brain ended --> it is started again; the app never notices
 *       |-- TERM INT QUIT HUP --> exit 128+n
 *       '-- brain ended --> exit 70
 *
 * There is one struct init, in main(). Functions get a pointer to it, or to what they need of it.
 */
#ifndef WARP_INIT_H
#define WARP_INIT_H

#include "frames.h"

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum own_status {
	STATUS_USAGE = 64, /* As in sysexits(3); 126 and 127 as shells use them. */
	STATUS_INTERNAL = 70,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
};

enum phase { PREPARING, RUNNING, LINGERING };

/* What we were started with, and what app and brain get back. */
struct original {
	uint64_t mask; /* the kernel's signal set; see signals.c */
	uint64_t ignored;
	int argc;
	char **argv;
	char **envp;
};

/* Our end of the socket to the brain, and what is still to be sent. */
struct link {
	int fd; /* -1: no brain */
	int hello_sent;
	struct frame_reader reader;
	unsigned char hello[FRAME_HEADER_SIZE + sizeof(struct hello_header)];
	unsigned char tail[64]; /* small frames that wait behind the hello */
	struct iovec out[6];
	int out_first;
};

struct brain {
	pid_t pid; /* 0: none runs */
	int is_done; /* it said so, and is not started again */
	int failures; /* in a row, for the backoff */
	uint64_t started_at;
	uint64_t start_at; /* 0: not waiting */
	char node[PATH_MAX];
	char bundle[PATH_MAX];
};

struct app {
	pid_t pid; /* 0: none yet, or its end was seen */
	pid_t group; /* 0: it shares ours */
	struct launch_header policy; /* kept when the launch itself is not needed any more */
};

struct init {
	enum phase phase;
	int is_pid1;
	int has_terminal;
	int signal_fd;
	struct original original;
	struct link link;
	struct brain brain;
	struct app app;
	struct launch launch;
	unsigned char *memo;
	uint32_t memo_size;
	uint64_t kill_at; /* 0: no deadline */
	uint64_t linger_until;
	int status; /* for the outside, once the app has ended */
};

struct spawn_failure {
	uint32_t stage;
	uint32_t error;
};

/* signals.c */
int signals_start(struct original *original);
void signals_restore(const struct original *original);
int signal_ends_preparing(const struct original *original, int number);

/* terminal.c */
int terminal_is_ours(void);
int terminal_give(pid_t group);
void terminal_take_back(void);

/* app.c */
int app_spawn(struct init *init, const struct launch *launch, struct spawn_failure *failure);
void app_become(const struct init *init, const struct launch *launch,
		struct spawn_failure *failure);
void ask_for_parent_death(const struct launch_header *header);
int app_signal(const struct app *app, int number);

/* brain.c */
int brain_find(struct brain *brain, char **envp);
int brain_start(struct init *init);
void brain_stop(struct init *init);
_Noreturn void brain_replace(const struct brain *brain, const struct original *original);

/* link.c */
void link_greet(struct init *init, int log_is_private);
int link_send(struct link *link, uint32_t type, const uint32_t *values, uint32_t count);
int link_flush(struct link *link);
int link_has_output(const struct link *link);
void link_close(struct link *link);

/* supervise.c */
_Noreturn void supervise(struct init *init);

/* plain.c */
_Noreturn void run_plain(struct init *init, int first);
int find_program(const char *name, char **envp, char found[PATH_MAX]);

/* process.c */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
uint64_t now_ms(void);
const char *variable(char **envp, const char *name);
void drop_variables(char **envp, const char *prefix);

#endif
