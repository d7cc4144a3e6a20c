/*
 * What the brain orders, each in the phases in which it makes sense. A brain that speaks out of turn is
 * not believed any more.
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

/* Replaces us by the app, or ends us. */
static _Noreturn void become_app(struct init *init, const struct launch *launch)
{
	struct spawn_failure failure = { 0 };

	brain_stop(init);
	read_signals(init); /* Once unblocked, what PID 1 does not handle is lost: the last look. */
	app_become(init, launch, &failure);
	brain_abandon(init);
	exit(say_refusal(launch->file, &failure));
}

/* What these ask for is refused by some sandboxes; the app can run without it, so only say it. */
static void close_memory(void)
{
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		complain("Cannot close my memory to others: %s.", strerror(errno));
}

static void apply_process_flags(struct init *init, const struct launch_header *header)
{
	if ((header->flags & LAUNCH_SUBREAPER) != 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		complain("Cannot adopt orphans: %s.", strerror(errno));
	if ((header->flags & LAUNCH_NOT_DUMPABLE) != 0)
		close_memory();
	/* Nobody waits for an app that has not been started yet. One that runs again has heard of it, or did not care. */
	if (ask_for_parent_death(header, init->original.parent) && init->phase == PREPARING)
		leave(init, 128 + (int)header->parent_death_signal);
}

/* Takes over the payload of the frame in the reader. */
static unsigned char *take_payload(struct frame_reader *reader)
{
	unsigned char *bytes = reader->payload;

	reader->payload = reader->small;
	return bytes;
}

static void take_memo(struct init *init)
{
	struct frame_reader *reader = &init->link.reader;
	uint32_t size = reader->size;
	unsigned char *bytes = NULL;

	if (size > sizeof reader->small) {
		bytes = take_payload(reader);
	} else if (size > 0) {
		bytes = malloc(size);
		if (bytes == NULL) {
			brain_lost(init, "sent a memo for which there is no memory");
			return;
		}
		memcpy(bytes, reader->small, size);
	}
	free(init->memo);
	init->memo = bytes;
	init->memo_size = size;
}

static void clear_deadline(struct deadline *deadline)
{
	free(deadline->payload);
	*deadline = (struct deadline){ 0 };
}

static void take_deadline(struct init *init)
{
	struct frame_reader *reader = &init->link.reader;
	uint32_t delay_ms = uint32_at(reader->payload);
	int status = (int)(uint32_at(reader->payload + 4) & 0xff);

	clear_deadline(&init->deadline);
	if (delay_ms == 0)
		return;
	init->deadline.at = now_ms() + delay_ms;
	init->deadline.status = status;
	init->deadline.size = reader->size;
	if (reader->size > sizeof reader->small)
		init->deadline.payload = take_payload(reader);
}

static void say_spawned(struct init *init)
{
	uint32_t pid = (uint32_t)init->app.pid;

	init->phase = RUNNING;
	say(init, FRAME_SPAWNED, &pid, 1);
}

/* The launch before the last one takes its place, if there is one. */
static void go_back(struct init *init)
{
	launch_free(&init->launch);
	init->launch = init->previous;
	init->previous = (struct launch){ 0 };
}

static void take_launch(struct init *init)
{
	struct frame_reader *reader = &init->link.reader;
	struct spawn_failure failure = { 0 };
	struct launch launch;
	enum frame_state state = launch_parse(&launch, reader->payload, reader->size);

	if (state != FRAME_COMPLETE) {
		brain_lost(init, state == FRAME_NO_MEMORY ? "sent a launch for which there is no memory" :
							    "sent a launch that makes no sense");
		return;
	}
	take_payload(reader); /* The launch owns it now. */
	clear_deadline(&init->deadline);
	/* One that did not live through its trial is nothing to go back to: the one before it still is. */
	if (init->previous.bytes == NULL)
		init->previous = init->launch;
	else
		launch_free(&init->launch);
	init->launch = launch;
	apply_process_flags(init, &launch.header);
	if ((launch.header.flags & LAUNCH_EXEC) != 0 && init->phase == PREPARING)
		become_app(init, &init->launch);
	if (init->phase == PREPARING)
		leave_directory(&init->original);
	if (app_spawn(init, &init->launch, &failure) == 0) {
		if (launch.header.trial_ms == 0)
			launch_free(&init->previous);
		say_spawned(init);
	} else {
		uint32_t values[2] = { failure.stage, failure.error };

		go_back(init); /* First: if nobody is there to be told, it is launched again. */
		say(init, FRAME_SPAWN_FAILED, values, 2);
	}
}

/*
 * The app was stopped to be replaced, and nobody is there to say by what: the launch before a failed one,
 * or the last one. On its trial it is not again.
 */
void launch_again(struct init *init)
{
	struct spawn_failure failure = { 0 };

	if (init->previous.bytes != NULL)
		go_back(init);
	init->launch.header.trial_ms = 0;
	complain("The brain is gone in the middle of a restart; the app is started as it was before.");
	if (app_spawn(init, &init->launch, &failure) != 0)
		leave(init, say_refusal(init->launch.file, &failure)); /* The status of the last app may be 0. */
	say_spawned(init);
}

static void take_signal_order(struct init *init)
{
	const unsigned char *payload = init->link.reader.payload;
	uint32_t number = uint32_at(payload);
	uint32_t wanted = uint32_at(payload + 4);
	pid_t pid = wanted == 0 ? init->app.pid : (pid_t)wanted;

	/* 0 and -1 are groups, 1 is PID 1; an end that was seen leaves app.pid 0. */
	if (number == 0 || number >= SIGNAL_COUNT || pid <= 1)
		return;
	if (kill(pid, (int)number) != 0 && errno != ESRCH)
		complain("Cannot send signal %u to process %d: %s.", (unsigned int)number, (int)pid,
			 strerror(errno));
}

static void take_stop(struct init *init)
{
	const unsigned char *payload = init->link.reader.payload;
	uint32_t number = uint32_at(payload);

	if (number == 0 || number >= SIGNAL_COUNT) {
		brain_lost(init, "ordered a stop by a signal that there is not");
		return;
	}
	/*
	 * It is ending already, and we with it; should it never do so, it is still not to be started again. Nor is one that
	 * cannot be told to stop: it would end some day by itself, and that end is ours.
	 */
	if (init->app.is_unwanted || app_signal(&init->app, (int)number) != 0) {
		say(init, FRAME_NOT_REPLACED, NULL, 0);
		return;
	}
	init->app.is_replaced = 1;
	init->app.restarts_alone = 0; /* Whatever an earlier brain wanted: this one knows what comes next. */
	init->kill_at = now_ms() + uint32_at(payload + 4);
}

static void take_done(struct init *init)
{
	init->brain.is_done = 1;
	init->app.trial_until = 0; /* Nothing is kept that could be launched again. */
	close_inherited(init);
	launch_free(&init->launch);
	launch_free(&init->previous);
	free(init->memo);
	init->memo = NULL;
	init->memo_size = 0;
}

static void say_counters(struct init *init)
{
	uint32_t values[sizeof init->counters / sizeof(uint32_t)];

	memcpy(values, &init->counters, sizeof init->counters);
	say(init, FRAME_COUNTERS, values, sizeof values / sizeof *values);
}

static int take_order(struct init *init, enum phase phase)
{
	if (init->brain.is_done)
		return 0;
	switch (init->link.reader.type) {
	case FRAME_MEMO:
		take_memo(init);
		return 1;
	case FRAME_COUNT:
		say_counters(init);
		return 1;
	case FRAME_NOT_DUMPABLE:
		close_memory();
		return 1;
	case FRAME_LAUNCH:
		if (phase == PREPARING || phase == STOPPED)
			take_launch(init);
		/* An app that ends by itself makes a restart vain before the brain can know. */
		return phase != RUNNING;
	case FRAME_ABORT:
		if (phase == PREPARING || phase == STOPPED)
			leave(init, (int)(uint32_at(init->link.reader.payload) & 0xff));
		return phase == LINGERING;
	case FRAME_DEADLINE:
		if (phase == PREPARING)
			take_deadline(init);
		return phase == PREPARING;
	case FRAME_SIGNAL:
		if (phase == RUNNING)
			take_signal_order(init);
		return phase != PREPARING;
	case FRAME_STOP:
		if (phase == RUNNING)
			take_stop(init);
		return phase != PREPARING && phase != STOPPED;
	case FRAME_DONE:
		if ((phase != RUNNING && phase != LINGERING) || init->app.is_replaced)
			return 0;
		take_done(init);
		return 1;
	default: /* Not an enum: it came over the wire. */
		return 0;
	}
}

/* A complete frame is in the reader. */
void take_frame(struct init *init)
{
	struct frame_reader *reader = &init->link.reader;

	/* What the hello points to may be replaced below: it must be out. */
	if (!init->link.hello_sent)
		brain_lost(init, "spoke before it listened");
	else if (!take_order(init, init->phase))
		brain_lost(init, "sent a frame out of turn");
	frame_reader_reset(reader);
}
