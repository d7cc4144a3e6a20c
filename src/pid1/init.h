/*
 * pid1: everything that must never die, and nothing else.
 *
 *   PREPARING --launch, spawned--> RUNNING --app ended--> LINGERING --group empty, or late--> exit
 *       |                          |   ^                      |
 *       |-- abort --> exit         |   |                      '-- group empty, to be replaced --> STOPPED
 *       |-- deadline --> exit      |   |                                                             |
 *       |-- TERM INT QUIT HUP -->  |   '-- launch, or the last one: brain gone, or 30 s without it ----|
 *       |        exit 128+n        |                                                                 |
 *       '-- brain ended --> 70     '-- brain ended --> it is started again        abort, TERM … --> exit
 *
 * An app is to be replaced when the brain has said `stop`, or when it ends within its trial; a wish from
 * outside that it end cancels that.
 *
 * There is one struct init, in main(). Functions get a pointer to it, or to what they need of it.
 */
#ifndef WARP_INIT_H
#define WARP_INIT_H

#include "frames.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <termios.h>

enum own_status {
	STATUS_USAGE = 64, /* As in sysexits(3); 126 and 127 as shells use them. */
	STATUS_INTERNAL = 70,
	STATUS_CONFIG = 78,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
};

enum phase { PREPARING, RUNNING, LINGERING, STOPPED };

/* What we were started with, and what app and brain get back. */
struct original {
	pid_t parent; /* 0: it is outside of our namespace */
	uint64_t mask; /* the kernel's signal set; see signals.c */
	uint64_t ignored;
	int argc;
	char **argv;
	char **envp;
	char directory[PATH_MAX]; /* empty: we are still there */
};

/* Our end of the socket to the brain, and what is still to be sent. */
struct link {
	int fd; /* -1: no brain */
	int hello_sent;
	struct frame_reader reader;
	unsigned char hello[FRAME_HEADER_SIZE + sizeof(struct hello_header)];
	unsigned char tail[256]; /* small frames that wait behind the hello */
	struct iovec out[6];
	int out_first;
};

struct brain {
	pid_t pid; /* 0: none runs */
	pid_t group; /* of the last one */
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
	int is_replaced; /* its end is not ours */
	int is_unwanted; /* somebody outside has asked it to end */
	int restarts_alone; /* the brain that was replacing it is gone */
	uint64_t trial_until;
};

/* What happens unless the app is launched in time. */
struct deadline {
	uint64_t at; /* 0: none */
	int status;
	uint32_t size;
	unsigned char *payload; /* of the frame; the text is the end of it */
};

struct terminal {
	int is_lent; /* the app has its foreground, from us */
	int has_modes;
	struct termios modes; /* as they were when we gave it away */
	int has_app_modes;
	struct termios app_modes; /* as it had them when it was stopped */
};

struct init {
	enum phase phase;
	pid_t pid;
	int is_pid1;
	int has_terminal; /* a controlling one, on stdin */
	struct terminal terminal;
	int signal_fd;
	int may_have_ended; /* children whose ends have not been asked for */
	struct original original;
	struct link link;
	struct brain brain;
	struct app app;
	struct launch launch;
	struct launch previous; /* while the launch may turn out to be worse */
	struct counters counters;
	struct deadline deadline;
	unsigned char *memo;
	uint32_t memo_size;
	uint64_t kill_at; /* 0: no deadline */
	uint64_t linger_until;
	uint64_t launch_until; /* while STOPPED */
	int status; /* for the outside, once the app has ended */
	int wait_status;
};

struct spawn_failure {
	uint32_t stage;
	uint32_t error;
};

/* signals.c */
int signals_start(struct original *original);
void signals_restore(const struct original *original);
int signal_ends_preparing(const struct original *original, int number);
int signal_is_pending(int number);
int pending_end(const struct original *original);
void signal_as_meant(pid_t whom, int number);

/* terminal.c */
int terminal_is_controlling(void);
void terminal_prepare(struct init *init);
void terminal_take(void);
int terminal_lend(struct init *init);
void terminal_check(struct init *init);
void terminal_keep_modes(struct init *init);
void terminal_take_back(struct init *init);

/* job-control.c */
void suspend(struct init *init);
void suspend_alone(struct init *init, int number);
void follow_stop(struct init *init, int number);
void resume(struct init *init);

/* app.c */
int app_spawn(struct init *init, const struct launch *launch, struct spawn_failure *failure);
void app_become(const struct init *init, const struct launch *launch,
		struct spawn_failure *failure);
int ask_for_parent_death(const struct launch_header *header, pid_t parent);
int app_signal(const struct app *app, int number);
int app_is_gone(const struct app *app);

/* brain.c */
int brain_find(struct brain *brain, char **envp);
int brain_start(struct init *init);
void brain_stop(struct init *init);
void brain_abandon(struct init *init);
void close_inherited(const struct init *init);
_Noreturn void brain_replace(const struct brain *brain, const struct original *original);

/* not-dumpable.c */
void exec_not_dumpable(const char *file, char **argv, char **envp);

/* link.c */
void link_greet(struct init *init, int log_is_private);
int link_send(struct link *link, uint32_t type, const uint32_t *values, uint32_t count);
int link_flush(struct link *link);
int link_has_output(const struct link *link);
void link_close(struct link *link);

/* supervise.c */
_Noreturn void supervise(struct init *init);
_Noreturn void leave(struct init *init, int status);
void brain_lost(struct init *init, const char *why);
void say(struct init *init, uint32_t type, const uint32_t *values, uint32_t count);
void read_signals(struct init *init);

/* orders.c */
void take_frame(struct init *init);
void launch_again(struct init *init);

/* plain.c */
_Noreturn void run_plain(struct init *init, int first);
int find_program(const char *name, char **envp, char found[PATH_MAX]);

/* refusal.c */
int say_refusal(const char *file, const struct spawn_failure *failure);

/* messages.c */
int open_stderr_again(void);
void print_line(const unsigned char *line, size_t size);
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* process.c */
uint64_t now_ms(void);
const char *variable(char **envp, const char *name);
void drop_variables(char **envp, const char *prefix);
void leave_directory(struct original *original);
int return_to_directory(const struct init *init);

#endif
