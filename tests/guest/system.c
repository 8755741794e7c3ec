// SPDX-License-Identifier: GPL-2.0-only
/* Files, memory of its own, swap and the power switch. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/suspend_ioctls.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

#define FILE_LIMIT	(256 * 1024)
#define MODULE_PARAMETERS	1024

/* Nowhere but here: it tells a resumed system from one that was booted anew. */
static char kept[MAX_LINE];

static int do_ping(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static int do_keep(int argc, char **argv)
{
	(void)argc;
	snprintf(kept, sizeof(kept), "%s", argv[0]);
	return 0;
}

static int do_kept(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	reply(" ");
	reply_encoded(kept, strlen(kept));
	return 0;
}

/* %0a and the like become the bytes they stand for */
static size_t decode(char *text)
{
	char *to = text;

	for (char *from = text; *from; from++) {
		unsigned int byte;

		if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
			*to++ = byte;
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return to - text;
}

/* One write, as sysfs and debugfs want it; at @offset where there is such a thing. */
static int put_text(const char *path, char *text, const __u32 *offset)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t length;
	ssize_t put;
	int error;

	if (fd < 0)
		return -errno;
	length = decode(text);
	put = offset ? pwrite(fd, text, length, *offset) : write(fd, text, length);
	error = errno;
	close(fd);
	if (put < 0)
		return -error;
	return (size_t)put == length ? 0 : -EIO;
}

/* It may last as long as a hibernation. */
static int do_write(int argc, char **argv)
{
	(void)argc;
	return put_text(argv[0], argv[1], NULL);
}

struct beside {
	char **argv;
	int error;
};

static void *write_beside(void *argument)
{
	struct beside *beside = argument;

	beside->error = put_text(beside->argv[0], beside->argv[1], NULL);
	return NULL;
}

/* write-beside PATH TEXT PATH TEXT: the second one while the first one lasts */
static int do_write_beside(int argc, char **argv)
{
	struct beside first = { .argv = argv };
	pthread_t thread;
	int error;

	(void)argc;
	error = pthread_create(&thread, NULL, write_beside, &first);
	if (error)
		return -error;
	/* a function reset takes 100 ms at least */
	usleep(20 * 1000);
	error = put_text(argv[2], argv[3], NULL);
	pthread_join(thread, NULL);
	return first.error ? first.error : error;
}

/* poke PATH OFFSET BYTES: in a file that is not a stream */
static int do_poke(int argc, char **argv)
{
	__u32 offset;

	(void)argc;
	return parse_number(argv[1], &offset) ? -EINVAL :
	       put_text(argv[0], argv[2], &offset);
}

static int do_read(int argc, char **argv)
{
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got = 0;
	char *text;
	int error;

	(void)argc;
	if (fd < 0)
		return -errno;
	text = malloc(FILE_LIMIT);
	if (!text) {
		close(fd);
		return -ENOMEM;
	}
	while (length < FILE_LIMIT) {
		got = read(fd, text + length, FILE_LIMIT - length);
		if (got <= 0)
			break;
		length += got;
	}
	error = errno;
	if (got >= 0) {
		reply(" ");
		reply_encoded(text, length);
	}
	free(text);
	close(fd);
	return got < 0 ? -error : 0;
}

static int do_swapon(int argc, char **argv)
{
	(void)argc;
	return swapon(argv[0], 0) ? -errno : 0;
}

/* load-module PATH [PARAMETER]... */
static int do_load_module(int argc, char **argv)
{
	char parameters[MODULE_PARAMETERS] = "";
	size_t length = 0;
	long result;
	int fd;

	for (int i = 1; i < argc && length < sizeof(parameters); i++)
		length += snprintf(parameters + length, sizeof(parameters) - length, "%s%s",
				   i > 1 ? " " : "", argv[i]);
	if (length >= sizeof(parameters))
		return -E2BIG;
	fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);
	return result;
}

static int do_remove(int argc, char **argv)
{
	(void)argc;
	return unlink(argv[0]) ? -errno : 0;
}

static int do_unload_module(int argc, char **argv)
{
	(void)argc;
	return syscall(SYS_delete_module, argv[0], O_NONBLOCK) ? -errno : 0;
}

/*
 * Hibernation as a user space program does it, up to where it would write the
 * image: several images in one go, and then it thinks better of it.
 */
static int do_snapshot(int argc, char **argv)
{
	int in_suspend, result = 0;
	__u32 images;
	int fd;

	(void)argc;
	if (parse_number(argv[0], &images))
		return -EINVAL;
	fd = open("/dev/snapshot", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, SNAPSHOT_FREEZE, 0))
		result = -errno;
	while (!result && images--) {
		in_suspend = 0;
		if (ioctl(fd, SNAPSHOT_CREATE_IMAGE, &in_suspend) ||
		    ioctl(fd, SNAPSHOT_FREE, 0))
			result = -errno;
		else if (!in_suspend)
			result = -EPROTO;	/* an image was restored? */
	}
	if (ioctl(fd, SNAPSHOT_UNFREEZE, 0) && !result)
		result = -errno;
	close(fd);
	return result;
}

static int do_sleep(int argc, char **argv)
{
	struct timespec rest;
	__u32 ms;

	(void)argc;
	if (parse_number(argv[0], &ms))
		return -EINVAL;
	rest.tv_sec = ms / 1000;
	rest.tv_nsec = ms % 1000 * 1000000L;
	while (nanosleep(&rest, &rest) && errno == EINTR)
		;
	return 0;
}

static int do_poweroff(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	sync();
	return reboot(RB_POWER_OFF) ? -errno : 0;
}

const struct command system_commands[] = {
	{ "ping", 0, false, do_ping },
	{ "keep", 1, true, do_keep },
	{ "kept", 0, false, do_kept },
	{ "write", 2, true, do_write },
	{ "write-beside", 4, true, do_write_beside },
	{ "poke", 3, true, do_poke },
	{ "read", 1, true, do_read },
	{ "swapon", 1, false, do_swapon },
	{ "load-module", 1, false, do_load_module },
	{ "remove", 1, false, do_remove },
	{ "unload-module", 1, false, do_unload_module },
	{ "snapshot", 1, false, do_snapshot },
	{ "sleep", 1, false, do_sleep },
	{ "poweroff", 0, false, do_poweroff },
	{ }
};
