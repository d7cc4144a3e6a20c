/*
 * What pid1 says to the brain. The socket never blocks us: what does not fit waits, in the order
 * in which it was said, until poll(2) says that there is room.
 */
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_TAIL = 5, OUT_COUNT = 6 };

/* The strings of `list` lie one behind the other, as the kernel put them there (execve(2)). */
static struct iovec strings(char **list, uint32_t *count)
{
	struct iovec all = { .iov_base = list[0] };
	uint32_t n = 0;

	while (list[n] != NULL) {
		const char *end = list[n] + strlen(list[n]) + 1;

		all.iov_len = (size_t)(end - list[0]);
		n++;
	}
	*count = n;
	return all;
}

/* The first frame that a brain gets: all that it or its predecessor can know. */
void link_greet(struct init *init, int log_is_private)
{
	struct link *link = &init->link;
	struct hello_header hello = { .version = LINK_VERSION };
	uint32_t frame[2] = { sizeof hello, FRAME_HELLO };

	hello.flags = (init->is_pid1 ? HELLO_IS_PID1 : 0u) |
		      (init->has_terminal ? HELLO_HAS_TERMINAL : 0u) |
		      (log_is_private ? HELLO_LOG_IS_PRIVATE : 0u);
	hello.app_pid = (uint32_t)init->app.pid;
	link->out[1] = strings(init->original.argv, &hello.argument_count);
	link->out[2] = strings(init->original.envp, &hello.variable_count);
	link->out[3] = (struct iovec){ .iov_base = init->memo, .iov_len = init->memo_size };
	link->out[4] = (struct iovec){ .iov_base = init->launch.bytes, .iov_len = init->launch.size };
	link->out[OUT_TAIL] = (struct iovec){ .iov_base = link->tail };
	hello.arguments_size = (uint32_t)link->out[1].iov_len;
	hello.environment_size = (uint32_t)link->out[2].iov_len;
	hello.memo_size = init->memo_size;
	hello.launch_size = init->launch.size;
	frame[0] += hello.arguments_size + hello.environment_size + hello.memo_size +
		    hello.launch_size;
	memcpy(link->hello, frame, sizeof frame);
	memcpy(link->hello + sizeof frame, &hello, sizeof hello);
	link->out[0] = (struct iovec){ .iov_base = link->hello, .iov_len = sizeof link->hello };
	link->out_first = 0;
	link->hello_sent = 0;
}

int link_has_output(const struct link *link)
{
	return link->fd >= 0 && (link->out_first < OUT_TAIL || link->out[OUT_TAIL].iov_len > 0);
}

static void consume(struct link *link, size_t count)
{
	while (link->out_first < OUT_TAIL) {
		struct iovec *part = &link->out[link->out_first];

		if (count < part->iov_len) {
			part->iov_base = (unsigned char *)part->iov_base + count;
			part->iov_len -= count;
			return;
		}
		count -= part->iov_len;
		link->out_first++;
	}
	link->hello_sent = 1;
	link->out[OUT_TAIL].iov_len -= count;
	memmove(link->tail, link->tail + count, link->out[OUT_TAIL].iov_len);
}

/* Sends what there is room for. -1: the brain is not to be reached any more. */
int link_flush(struct link *link)
{
	while (link_has_output(link)) {
		struct msghdr message = {
			.msg_iov = link->out + link->out_first,
			.msg_iovlen = (size_t)(OUT_COUNT - link->out_first),
		};
		ssize_t sent = sendmsg(link->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		consume(link, (size_t)sent);
	}
	return 0;
}

/* Queues a small frame and sends what there is room for. -1: as above, or it does not listen. */
int link_send(struct link *link, uint32_t type, const uint32_t *values, uint32_t count)
{
	struct iovec *tail = &link->out[OUT_TAIL];
	uint32_t size = count * (uint32_t)sizeof *values;
	uint32_t frame[2] = { size, type };

	if (link->fd < 0)
		return 0;
	if (tail->iov_len + sizeof frame + size > sizeof link->tail)
		return -1;
	memcpy(link->tail + tail->iov_len, frame, sizeof frame);
	if (size > 0)
		memcpy(link->tail + tail->iov_len + sizeof frame, values, size);
	tail->iov_len += sizeof frame + size;
	return link_flush(link);
}

void link_close(struct link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	frame_reader_reset(&link->reader);
}
