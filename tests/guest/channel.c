// SPDX-License-Identifier: GPL-2.0-only
/* The line to the host: a serial port without any of a terminal's manners. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"

static int channel = -1;

int channel_open(const char *path)
{
	struct termios settings;

	channel = open(path, O_RDWR | O_NOCTTY);
	if (channel < 0)
		return -errno;
	if (tcgetattr(channel, &settings))
		return -errno;
	cfmakeraw(&settings);
	cfsetspeed(&settings, B115200);
	settings.c_cflag |= CLOCAL;
	if (tcsetattr(channel, TCSAFLUSH, &settings))
		return -errno;
	return 0;
}

/* Too long a line is read to its end and reported, so that the next one is in step. */
int channel_read_line(char *line, size_t size)
{
	size_t length = 0;
	char byte;

	for (;;) {
		ssize_t got = read(channel, &byte, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -EPIPE;
		if (byte == '\n')
			break;
		if (length < size - 1)
			line[length] = byte;
		length++;
	}
	if (length >= size)
		return -E2BIG;
	line[length] = '\0';
	return 0;
}

int channel_write_line(const char *line)
{
	size_t left = strlen(line);

	while (left) {
		ssize_t put = write(channel, line, left);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		line += put;
		left -= put;
	}
	return 0;
}
