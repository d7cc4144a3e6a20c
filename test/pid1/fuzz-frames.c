/*
 * Fuzzes the frame reader and the launch parser where libFuzzer does not run: under qemu, see arm64.test.ts.
 *
 *   fuzz-frames SECONDS [SEED]    mutates valid frames until the time is over; prints what it did
 */
#include "frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned long frames_complete, launches_parsed, frames_broken;

/* Reads every byte that the parser hands out, so that a bad pointer is seen. */
static size_t touch(const struct launch *launch)
{
	size_t sum = strlen(launch->file);

	for (char **word = launch->argv; *word != NULL; word++)
		sum += strlen(*word);
	for (char **word = launch->envp; *word != NULL; word++)
		sum += strlen(*word);
	for (uint32_t i = 0; i < launch->header.group_count; i++)
		sum += launch->groups[i];
	for (uint32_t i = 0; i < launch->header.limit_count; i++)
		sum += launch->limits[i].hard[1];
	sum += strlen(launch->directory);
	return sum;
}

static void parse(struct frame_reader *reader)
{
	struct launch launch;

	frames_complete++;
	if (reader->type == FRAME_LAUNCH &&
	    launch_parse(&launch, reader->payload, reader->size) == FRAME_COMPLETE) {
		volatile size_t sum = touch(&launch);

		(void)sum;
		launches_parsed++;
		reader->payload = reader->small;
		launch_free(&launch);
	}
	frame_reader_reset(reader);
}

/* As a socket would deliver it: in pieces of any size. */
static void read_frames(const uint8_t *data, size_t size)
{
	struct frame_reader reader = { 0 };
	size_t offset = 0;
	size_t piece = size > 0 ? data[size - 1] + 1u : 1;

	while (offset < size) {
		unsigned char *where;
		size_t count = frame_reader_space(&reader, &where);

		if (count > size - offset)
			count = size - offset;
		if (count > piece)
			count = piece;
		memcpy(where, data + offset, count);
		offset += count;
		switch (frame_reader_advance(&reader, count)) {
		case FRAME_PARTIAL:
			break;
		case FRAME_COMPLETE:
			parse(&reader);
			break;
		case FRAME_BROKEN:
		case FRAME_NO_MEMORY:
			frames_broken++;
			frame_reader_reset(&reader);
			return;
		}
	}
	frame_reader_reset(&reader);
}

static uint64_t state;

static uint32_t chance(uint32_t below) /* xorshift64* */
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * UINT64_C(2685821657736338717)) >> 33) % below;
}

static size_t put_frame(uint8_t *out, uint32_t type, const void *payload, size_t size)
{
	uint32_t header[2] = { (uint32_t)size, type };

	memcpy(out, header, sizeof header);
	memcpy(out + sizeof header, payload, size);
	return sizeof header + size;
}

static size_t put_launch(uint8_t *out)
{
	enum { NUMBERS = 2 * sizeof(uint32_t) + sizeof(struct launch_limit) };
	static const char strings[] = "/bin/app\0/srv\0app\0-v\0PATH=/bin\0A=b\0C=";
	uint8_t payload[sizeof(struct launch_header) + NUMBERS + sizeof strings];
	struct launch_header header = {
		.group_count = 2, .limit_count = 1, .argument_count = 2, .variable_count = 3
	};

	memcpy(payload, &header, sizeof header);
	memset(payload + sizeof header, 1, NUMBERS);
	memcpy(payload + sizeof header + NUMBERS, strings, sizeof strings);
	return put_frame(out, FRAME_LAUNCH, payload, sizeof payload);
}

static size_t valid_input(uint8_t *out)
{
	size_t size = 0;

	for (uint32_t n = 1 + chance(3); n > 0; n--) {
		switch (chance(7)) {
		case 0:
			size += put_launch(out + size);
			break;
		case 1:
			size += put_frame(out + size, FRAME_MEMO, "memo of the brain", chance(18));
			break;
		case 2:
			size += put_frame(out + size, FRAME_ABORT, "\100\0\0\0", 4);
			break;
		case 3:
			size += put_frame(out + size, FRAME_DONE, "", 0);
			break;
		case 4:
			size += put_frame(out + size, FRAME_STOP, "\17\0\0\0\20\47\0\0", 8);
			break;
		case 5:
			size += put_frame(out + size, FRAME_SIGNAL, "\1\0\0\0\0\0\0\0", 8);
			break;
		case 6:
			size += put_frame(out + size, FRAME_DEADLINE, "\1\0\0\0\116\0\0\0too late\n",
					  8 + chance(10));
			break;
		}
	}
	return size;
}

static const uint32_t edges[] = { 0, 1, 2, 4, 8, 255, 65536, 1u << 23, 1u << 24, 0x7fffffff, ~0u };

static size_t mutate(uint8_t *bytes, size_t size)
{
	for (uint32_t n = chance(6); n > 0 && size > 4; n--) {
		size_t at = chance((uint32_t)size - 3);

		switch (chance(4)) {
		case 0:
			bytes[at] ^= (uint8_t)(1u << chance(8));
			break;
		case 1: /* A number of the headers, most likely. */
			memcpy(bytes + (at & ~3u), &edges[chance(sizeof edges / sizeof *edges)], 4);
			break;
		case 2:
			size = at;
			break;
		case 3:
			memmove(bytes + at, bytes + at + 1, size - at - 1);
			size--;
			break;
		}
	}
	return size;
}

int main(int argc, char **argv)
{
	static uint8_t bytes[1 << 16];
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 1);
	unsigned long inputs = 0;

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	if (state == 0)
		state = 1;
	while (time(NULL) < end) {
		for (int i = 0; i < 1000; i++, inputs++) {
			size_t size = mutate(bytes, valid_input(bytes));
			/* A copy of the exact size, so that a read beyond it is seen. */
			uint8_t *exact = malloc(size > 0 ? size : 1);

			memcpy(exact, bytes, size);
			read_frames(exact, size);
			free(exact);
		}
	}
	printf("%lu inputs, %lu frames, %lu launches, %lu broken\n", inputs, frames_complete,
	       launches_parsed, frames_broken);
	return frames_complete > 0 && launches_parsed > 0 && frames_broken > 0 ? 0 : 1;
}
