/*
 * The link between pid1 and the brain: a Unix stream socket pair, descriptor 3 of the brain.
 *
 * A frame is {uint32 size of the payload, uint32 type, payload}, all integers little-endian as on
 * both machines that we are built for. test/link/layout.test.ts reads this file and compares every
 * constant and every field with src/link/layout.ts.
 */
#ifndef WARP_FRAMES_H
#define WARP_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#define LINK_VERSION 2
#define LINK_FD 3
#define LINK_STDERR_FD 4 /* The stderr that pid1 was started with; see brain.c. */
#define PRELOAD_FD 5 /* The object of preload/, which copies it to PRELOADED_FD once it has done its work. */
#define PRELOADED_FD 6

#define FRAME_HEADER_SIZE 8
#define LAUNCH_SIZE_LIMIT (8u << 20)
#define MEMO_SIZE_LIMIT (16u << 20)
#define TEXT_SIZE_LIMIT 4096 /* A pipe takes that many bytes at once or none: PIPE_BUF. */

#define SIGNAL_COUNT 65 /* Signals are 1 to 64; 0 means «none» or «drop». */
#define STATUS_COUNT 256
#define KEEP_ID 0xffffffffu /* uid and gid: stay who we are; as in chown(2). */
#define NO_DELAY 0xffffffffu

enum frame_type {
	/* From the brain. */
	FRAME_LAUNCH = 1, /* struct launch_header, groups, limits, file, directory, argv, environment */
	FRAME_MEMO = 2, /* bytes that pid1 keeps for the brain's successor */
	FRAME_ABORT = 3, /* uint32 exit status: preparing failed */
	FRAME_DONE = 4, /* nothing to follow: the brain ends on purpose */
	FRAME_SIGNAL = 5, /* uint32 number, uint32 pid: for one process; 0 is the app */
	FRAME_STOP = 6, /* uint32 number, uint32 kill delay in ms: end the app, a launch follows */
	FRAME_DEADLINE = 7, /* uint32 ms, uint32 exit status, text: unless the app is launched by then */
	FRAME_COUNT = 8, /* asks for the counters */
	FRAME_NOT_DUMPABLE = 9, /* as the flag of a launch, from now on: the memo gets secrets */
	/* From pid1. */
	FRAME_HELLO = 16, /* struct hello_header, arguments, environment, memo, launch */
	FRAME_SPAWNED = 17, /* uint32 pid */
	FRAME_SPAWN_FAILED = 18, /* uint32 stage, uint32 errno */
	FRAME_EXITED = 19, /* uint32 status for the outside, uint32 wait status of the app */
	FRAME_COUNTERS = 20, /* struct counters */
	FRAME_NOT_REPLACED = 21, /* a stop came to nothing: the app was asked to end from outside, or may not be signalled */
};

enum launch_flag {
	LAUNCH_SET_GROUPS = 1, /* replace the supplementary groups, also by none */
	LAUNCH_SINGLE_CHILD = 2, /* signals go to the app alone, not to its group */
	LAUNCH_SUBREAPER = 4,
	LAUNCH_EXEC = 8, /* pid1 itself becomes the app */
	LAUNCH_NO_NEW_PRIVILEGES = 16,
	LAUNCH_NOT_DUMPABLE = 32, /* pid1's own memory is closed to processes of the same user */
	LAUNCH_FLAGS = 63, /* all of them */
};

struct launch_header {
	uint32_t flags;
	uint32_t uid;
	uint32_t gid;
	uint32_t group_count;
	uint32_t limit_count;
	uint32_t argument_count;
	uint32_t variable_count;
	uint32_t parent_death_signal;
	uint32_t kill_delay_ms; /* NO_DELAY: never */
	uint32_t linger_ms;
	uint32_t trial_ms; /* an end within it is told to the brain, and is not ours */
	uint8_t kill_after[SIGNAL_COUNT]; /* 1: this signal starts the kill delay */
	uint8_t signal_map[SIGNAL_COUNT]; /* what is sent for what we got */
	uint8_t status_map[STATUS_COUNT];
	uint8_t reserved[2];
};
_Static_assert(sizeof(struct launch_header) == 44 + 65 + 65 + 256 + 2, "no padding on the wire");

/* One of setrlimit(2), behind the groups; 64-bit values as two halves, the lower one first. */
struct launch_limit {
	uint32_t resource;
	uint32_t soft[2];
	uint32_t hard[2];
};
_Static_assert(sizeof(struct launch_limit) == 20, "no padding on the wire");

struct counters {
	uint32_t orphans_reaped;
	uint32_t brain_starts;
	uint32_t app_starts;
	uint32_t signals_forwarded;
};
_Static_assert(sizeof(struct counters) == 16, "no padding on the wire");

enum hello_flag {
	HELLO_IS_PID1 = 1,
	HELLO_HAS_TERMINAL = 2,
	HELLO_LOG_IS_PRIVATE = 4, /* descriptors 1 and 2 are a description of the brain's own */
};

struct hello_header {
	uint32_t version;
	uint32_t flags;
	uint32_t app_pid; /* 0 while preparing */
	uint32_t argument_count;
	uint32_t variable_count;
	uint32_t arguments_size;
	uint32_t environment_size;
	uint32_t memo_size;
	uint32_t launch_size;
};
_Static_assert(sizeof(struct hello_header) == 36, "no padding on the wire");

/* Where a start failed. */
enum stage {
	STAGE_FORK = 1,
	STAGE_SESSION = 2,
	STAGE_GROUPS = 3,
	STAGE_GID = 4,
	STAGE_UID = 5,
	STAGE_CAPABILITIES = 6,
	STAGE_EXEC = 7,
	STAGE_LIMITS = 8,
	STAGE_DIRECTORY = 9,
	STAGE_PRIVILEGES = 10,
};

/* What the bytes so far amount to. */
enum frame_state {
	FRAME_PARTIAL,
	FRAME_COMPLETE,
	FRAME_BROKEN, /* no frame of ours: the sender is not to be believed any more */
	FRAME_NO_MEMORY,
};

/* Collects one frame; zero it before the first use. */
struct frame_reader {
	uint32_t have; /* bytes of header and payload so far */
	uint32_t size; /* of the payload; valid once the header is complete */
	uint32_t type;
	unsigned char header[FRAME_HEADER_SIZE];
	unsigned char small[8]; /* payload of an abort, a signal or a stop */
	unsigned char *payload; /* `small`, or allocated for a launch, a memo or a deadline */
};

/* Where the next bytes go, and how many at most. */
size_t frame_reader_space(struct frame_reader *reader, unsigned char **where);

/* Says that `count` bytes were put there. */
enum frame_state frame_reader_advance(struct frame_reader *reader, size_t count);

/* Ready for the next frame. The caller has taken an allocated payload, or it is freed here. */
void frame_reader_reset(struct frame_reader *reader);

/* A launch as C can use it. The pointers lead into `bytes`, which it owns. */
struct launch {
	struct launch_header header;
	const uint32_t *groups;
	const struct launch_limit *limits;
	const char *file;
	const char *directory; /* empty: the one that we were started in */
	char **argv;
	char **envp;
	unsigned char *bytes;
	uint32_t size;
};

/*
 * Takes the payload of a launch frame apart; FRAME_COMPLETE if it is well-formed in every field. It owns
 * `bytes` from then on; else the caller still does.
 */
enum frame_state launch_parse(struct launch *launch, unsigned char *bytes, uint32_t size);

void launch_free(struct launch *launch);

uint32_t uint32_at(const unsigned char *bytes);

#endif
