// SPDX-License-Identifier: GPL-2.0-only
/* How long the operations of a 2D client take, by the guest's own clock. */
#define _GNU_SOURCE
#include <errno.h>
#include <time.h>

#include "agent.h"

#define MAX_FRAMES	1000

__u64 clock_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/*
 * Runs @once for each i below @count. Answers how many nanoseconds that took, with
 * the host's part if it has to catch up with @last.
 */
static int timed(__u32 count, int (*once)(__u32 i, void *context), void *context,
		 struct buffer *last)
{
	__u64 start = clock_now();
	int result = 0;

	for (__u32 i = 0; !result && i < count; i++)
		result = once(i, context);
	if (!result && last)
		result = card_wait(last->card, last->handle);
	reply(" %llu", (unsigned long long)(clock_now() - start));
	return result;
}

static int use_nth(__u32 i, void *context)
{
	__u32 *first = context;
	struct buffer *buffer = buffer_at(*first + i);

	return buffer ? buffer_transfer(buffer) : 0;
}

/* time-use FIRST COUNT: each of them once, as their owner would */
static int do_time_use(int argc, char **argv)
{
	struct buffer *last;
	__u32 first, count;

	(void)argc;
	if (parse_number(argv[0], &first) || parse_number(argv[1], &count) || !count)
		return -EINVAL;
	last = buffer_at(first + count - 1);
	return last ? timed(count, use_nth, &first, last) : -ENOENT;
}

static int transfer_again(__u32 i, void *context)
{
	(void)i;
	return buffer_transfer(context);
}

/* time-transfer BUFFER COUNT */
static int do_time_transfer(int argc, char **argv)
{
	struct buffer *buffer = buffer_find(argv[0]);
	__u32 count;

	(void)argc;
	if (!buffer || parse_number(argv[1], &count))
		return -EINVAL;
	return timed(count, transfer_again, buffer, buffer);
}

static int create_and_destroy(__u32 i, void *context)
{
	struct buffer buffer = *(struct buffer *)context;
	int result = buffer_create_dumb(&buffer);

	(void)i;
	if (!result)
		buffer_destroy(&buffer);
	return result;
}

/* time-create WIDTH HEIGHT COUNT: a dumb buffer comes and goes */
static int do_time_create(int argc, char **argv)
{
	struct buffer buffer = { .kind = BUFFER_DUMB, .card = card_fd() };
	__u32 count;

	(void)argc;
	if (parse_number(argv[0], &buffer.width) || parse_number(argv[1], &buffer.height) ||
	    parse_number(argv[2], &count))
		return -EINVAL;
	return timed(count, create_and_destroy, &buffer, NULL);
}

struct flips {
	const char *output;
	struct buffer *buffers[2];
};

static int flip_nth(__u32 i, void *context)
{
	struct flips *flips = context;

	return display_flip(flips->output, flips->buffers[i & 1]);
}

/* time-flip OUTPUT BUFFER BUFFER COUNT */
static int do_time_flip(int argc, char **argv)
{
	struct flips flips = { argv[0], { buffer_find(argv[1]), buffer_find(argv[2]) } };
	__u32 count;

	(void)argc;
	if (!flips.buffers[0] || !flips.buffers[1] || parse_number(argv[3], &count))
		return -EINVAL;
	return timed(count, flip_nth, &flips, NULL);
}

static int move_nth(__u32 i, void *context)
{
	return display_move_cursor(context, 100 + i % 100, 100);
}

/* time-cursor OUTPUT COUNT */
static int do_time_cursor(int argc, char **argv)
{
	__u32 count;

	(void)argc;
	return parse_number(argv[1], &count) ? -EINVAL : timed(count, move_nth, argv[0], NULL);
}

/* frames OUTPUT FIRST COUNT: one flip to each; how long each took, in nanoseconds */
static int do_frames(int argc, char **argv)
{
	__u32 first, count;
	int result = 0;

	(void)argc;
	if (parse_number(argv[1], &first) || parse_number(argv[2], &count) || count > MAX_FRAMES)
		return -EINVAL;
	for (__u32 i = 0; !result && i < count; i++) {
		struct buffer *buffer = buffer_at(first + i);
		__u64 start = clock_now();

		result = buffer ? display_flip(argv[0], buffer) : -ENOENT;
		reply(" %llu", (unsigned long long)(clock_now() - start));
	}
	return result;
}

const struct command timing_commands[] = {
	{ "time-use", 2, false, do_time_use },
	{ "time-transfer", 2, false, do_time_transfer },
	{ "time-create", 3, false, do_time_create },
	{ "time-flip", 4, false, do_time_flip },
	{ "time-cursor", 2, false, do_time_cursor },
	{ "frames", 3, false, do_frames },
	{ }
};
