// SPDX-License-Identifier: GPL-2.0-only
/* A client that works on while something else is asked of us, in a thread. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "agent.h"

#define MAX_WORD	16

static struct {
	pthread_t thread;
	int (*once)(void);
	struct buffer *buffers[2];
	char output[MAX_WORD];
	atomic_bool stop;
	atomic_uint count;
	atomic_int result;
} busy;

static int transfer_once(void)
{
	return buffer_transfer(busy.buffers[0]);
}

static int flip_once(void)
{
	return display_flip(busy.output, busy.buffers[busy.count % 2]);
}

/* It stops at the first error. */
static void *work(void *unused)
{
	(void)unused;
	while (!busy.result && !busy.stop) {
		busy.result = busy.once();
		busy.count++;
	}
	return NULL;
}

static int start(int (*once)(void))
{
	int error;

	busy.once = once;
	busy.stop = false;
	busy.count = 0;
	busy.result = 0;
	error = pthread_create(&busy.thread, NULL, work, NULL);
	if (error) {
		busy.once = NULL;
		return -error;
	}
	while (!busy.count)
		usleep(1000);
	return 0;
}

/* busy-transfer BUFFER: the first one is done when it answers */
static int do_transfer(int argc, char **argv)
{
	(void)argc;
	busy.buffers[0] = buffer_find(argv[0]);
	return busy.once || !busy.buffers[0] ? -EINVAL : start(transfer_once);
}

/* busy-flip OUTPUT FIRST SECOND: in turn */
static int do_flip(int argc, char **argv)
{
	(void)argc;
	busy.buffers[0] = buffer_find(argv[1]);
	busy.buffers[1] = buffer_find(argv[2]);
	if (busy.once || !busy.buffers[0] || !busy.buffers[1])
		return -EINVAL;
	snprintf(busy.output, sizeof(busy.output), "%s", argv[0]);
	return start(flip_once);
}

/* idle: when one more was done that began after this was asked; answers how many */
static int do_idle(int argc, char **argv)
{
	unsigned int enough = busy.count + 2;

	(void)argc;
	(void)argv;
	if (!busy.once)
		return -EINVAL;
	while ((int)(enough - busy.count) > 0 && !busy.result)
		usleep(1000);
	busy.stop = true;
	pthread_join(busy.thread, NULL);
	busy.once = NULL;
	reply(" %u", busy.count);
	return busy.result;
}

const struct command busy_commands[] = {
	{ "busy-transfer", 1, false, do_transfer },
	{ "busy-flip", 3, false, do_flip },
	{ "idle", 0, false, do_idle },
	{ }
};
