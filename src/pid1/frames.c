/*
 * Frames, taken apart. Nothing in here reads, writes or signals. Every number in a frame is checked before it is used
 * (test/pid1/fuzz-link.c).
 */
#include "frames.h"

#include <stdlib.h>
#include <string.h>

uint32_t uint32_at(const unsigned char *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof value);
	return value;
}

static int size_is_possible(uint32_t type, uint32_t size)
{
	switch (type) {
	case FRAME_LAUNCH:
		return size >= sizeof(struct launch_header) && size <= LAUNCH_SIZE_LIMIT;
	case FRAME_MEMO:
		return size <= MEMO_SIZE_LIMIT;
	case FRAME_ABORT:
		return size == sizeof(uint32_t);
	case FRAME_SIGNAL:
	case FRAME_STOP:
		return size == 2 * sizeof(uint32_t);
	case FRAME_DEADLINE:
		return size >= 2 * sizeof(uint32_t) && size <= 2 * sizeof(uint32_t) + TEXT_SIZE_LIMIT;
	case FRAME_DONE:
	case FRAME_COUNT:
	case FRAME_NOT_DUMPABLE:
		return size == 0;
	default: /* Not an enum: it came over the wire. */
		return 0;
	}
}

size_t frame_reader_space(struct frame_reader *reader, unsigned char **where)
{
	if (reader->have < FRAME_HEADER_SIZE) {
		*where = reader->header + reader->have;
		return FRAME_HEADER_SIZE - reader->have;
	}
	*where = reader->payload + (reader->have - FRAME_HEADER_SIZE);
	return reader->size - (reader->have - FRAME_HEADER_SIZE);
}

static enum frame_state header_complete(struct frame_reader *reader)
{
	reader->size = uint32_at(reader->header);
	reader->type = uint32_at(reader->header + 4);
	if (!size_is_possible(reader->type, reader->size))
		return FRAME_BROKEN;
	reader->payload = reader->small;
	if (reader->size > sizeof reader->small) {
		reader->payload = malloc(reader->size);
		if (reader->payload == NULL)
			return FRAME_NO_MEMORY;
	}
	return reader->size == 0 ? FRAME_COMPLETE : FRAME_PARTIAL;
}

enum frame_state frame_reader_advance(struct frame_reader *reader, size_t count)
{
	int had_header = reader->have >= FRAME_HEADER_SIZE;

	reader->have += (uint32_t)count;
	if (reader->have < FRAME_HEADER_SIZE)
		return FRAME_PARTIAL;
	if (!had_header)
		return header_complete(reader);
	return reader->have - FRAME_HEADER_SIZE == reader->size ? FRAME_COMPLETE : FRAME_PARTIAL;
}

void frame_reader_reset(struct frame_reader *reader)
{
	if (reader->payload != reader->small)
		free(reader->payload);
	memset(reader, 0, sizeof *reader);
}

/* The string at `*offset`, which moves behind its NUL; NULL if the bytes end before that. */
static char *take_string(unsigned char *bytes, uint32_t size, uint32_t *offset)
{
	unsigned char *start = bytes + *offset;
	unsigned char *end = memchr(start, '\0', size - *offset);

	if (end == NULL)
		return NULL;
	*offset = (uint32_t)(end - bytes) + 1;
	return (char *)start;
}

static int take_strings(struct launch *launch, uint32_t *offset)
{
	uint32_t arguments = launch->header.argument_count;
	uint32_t variables = launch->header.variable_count;

	launch->file = take_string(launch->bytes, launch->size, offset);
	launch->directory = launch->file == NULL ? NULL : take_string(launch->bytes, launch->size, offset);
	if (launch->directory == NULL)
		return 0;
	for (uint32_t i = 0; i < arguments; i++) {
		launch->argv[i] = take_string(launch->bytes, launch->size, offset);
		if (launch->argv[i] == NULL)
			return 0;
	}
	for (uint32_t i = 0; i < variables; i++) {
		launch->envp[i] = take_string(launch->bytes, launch->size, offset);
		if (launch->envp[i] == NULL)
			return 0;
	}
	return *offset == launch->size; /* Bytes left over are not of our brain. */
}

static int header_is_sane(const struct launch_header *header, uint32_t rest)
{
	/* A string is at least its NUL: this bounds what is allocated below. */
	if (header->argument_count == 0 || header->argument_count > rest ||
	    header->variable_count > rest)
		return 0;
	if (header->group_count > rest / sizeof(uint32_t))
		return 0;
	rest -= header->group_count * (uint32_t)sizeof(uint32_t);
	if (header->limit_count > rest / sizeof(struct launch_limit))
		return 0;
	/* Bits that we do not know are the wishes of another version. */
	if ((header->flags & ~(uint32_t)LAUNCH_FLAGS) != 0 || header->reserved[0] != 0 ||
	    header->reserved[1] != 0)
		return 0;
	if (header->parent_death_signal >= SIGNAL_COUNT)
		return 0;
	for (int i = 0; i < SIGNAL_COUNT; i++) {
		if (header->signal_map[i] >= SIGNAL_COUNT)
			return 0;
	}
	return 1;
}

enum frame_state launch_parse(struct launch *launch, unsigned char *bytes, uint32_t size)
{
	uint32_t offset = (uint32_t)sizeof launch->header;
	enum frame_state state = FRAME_NO_MEMORY;

	memset(launch, 0, sizeof *launch);
	if (size < offset)
		return FRAME_BROKEN;
	memcpy(&launch->header, bytes, sizeof launch->header);
	if (!header_is_sane(&launch->header, size - offset))
		return FRAME_BROKEN;
	launch->bytes = bytes;
	launch->size = size;
	launch->groups = (const uint32_t *)(const void *)(bytes + offset);
	offset += launch->header.group_count * (uint32_t)sizeof(uint32_t);
	launch->limits = (const struct launch_limit *)(const void *)(bytes + offset);
	offset += launch->header.limit_count * (uint32_t)sizeof(struct launch_limit);

	launch->argv = calloc((size_t)launch->header.argument_count + 1, sizeof *launch->argv);
	launch->envp = calloc((size_t)launch->header.variable_count + 1, sizeof *launch->envp);
	if (launch->argv != NULL && launch->envp != NULL)
		state = take_strings(launch, &offset) ? FRAME_COMPLETE : FRAME_BROKEN;
	if (state != FRAME_COMPLETE) {
		launch->bytes = NULL;
		launch_free(launch);
	}
	return state;
}

void launch_free(struct launch *launch)
{
	free(launch->argv);
	free(launch->envp);
	free(launch->bytes);
	memset(launch, 0, sizeof *launch);
}
