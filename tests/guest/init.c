// SPDX-License-Identifier: GPL-2.0-only
/* /init of a test guest: sets the stage, then obeys the host line by line. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

#define ANSWER_SIZE	(1024 * 1024)

static char answer[ANSWER_SIZE];
static size_t answer_length;

static const struct command *const command_tables[] = {
	system_commands, display_commands, atomic_commands, buffer_commands,
	busy_commands, render_commands, virgl_commands, amdgpu_commands, kfd_commands,
	shared_commands, timing_commands,
};

void reply(const char *format, ...)
{
	/* room for the line's end is always kept */
	size_t room = ANSWER_SIZE - 1 - answer_length;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(answer + answer_length, room, format, args);
	va_end(args);
	if (length > 0)
		answer_length += (size_t)length < room ? (size_t)length : room - 1;
}

/* One line must do for any text: what could end or confuse it becomes %xx. */
void reply_encoded(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = text[i];

		if (c > ' ' && c < 0x7f && c != '%')
			reply("%c", c);
		else
			reply("%%%02x", c);
	}
}

int parse_number(const char *word, __u32 *number)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(word, &end, 0);
	if (errno || end == word || *end || *word == '-' || value > UINT32_MAX)
		return -EINVAL;
	*number = value;
	return 0;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(command_tables) / sizeof(*command_tables); i++)
		for (const struct command *c = command_tables[i]; c->name; c++)
			if (!strcmp(c->name, name))
				return c;
	return NULL;
}

/* Cuts the line into words; with @rest the @min_args-th one runs to the end. */
static int split(char *line, const struct command *command, char **argv)
{
	int argc = 0;

	while (argc < MAX_ARGS) {
		line += strspn(line, " ");
		if (!*line)
			break;
		argv[argc++] = line;
		if (command->rest && argc == command->min_args)
			break;
		line += strcspn(line, " ");
		if (*line)
			*line++ = '\0';
	}
	return argc;
}

static int execute(char *line)
{
	const struct command *command;
	char *name = strsep(&line, " ");
	char *argv[MAX_ARGS];
	char nothing[] = "";
	int argc;

	command = find_command(name);
	if (!command) {
		reply(" no such command");
		return -EINVAL;
	}
	argc = split(line ? line : nothing, command, argv);
	if (argc < command->min_args) {
		reply(" %s wants %d arguments", name, command->min_args);
		return -EINVAL;
	}
	return command->run(argc, argv);
}

static int answer_line(char *line)
{
	char head[64] = "ok";
	int result;

	answer_length = 0;
	result = execute(line);
	if (result < 0)
		snprintf(head, sizeof(head), "error %s", strerrorname_np(-result) ?: "EIO");
	answer[answer_length++] = '\n';
	answer[answer_length] = '\0';
	if (channel_write_line(head))
		return -EIO;
	return channel_write_line(answer);
}

static void set_stage(void)
{
	static const struct {
		const char *type, *path;
	} mounts[] = {
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "devtmpfs", "/dev" },
		{ "debugfs", "/sys/kernel/debug" },
		{ "tracefs", "/sys/kernel/tracing" },
		{ "tmpfs", "/tmp" },
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		mkdir(mounts[i].path, 0755);
		/* tracefs and debugfs are optional; a scenario that needs them will tell */
		mount(mounts[i].type, mounts[i].path, mounts[i].type, 0, NULL);
	}
}

int main(void)
{
	/* a word of the kernel's command line that it does not know itself */
	const char *port = getenv("AGENT");
	static char line[MAX_LINE];
	int result;

	set_stage();
	result = port ? channel_open(port) : -ENOENT;
	if (result) {
		/* init must not exit; without a channel the host will time out and say so */
		fprintf(stderr, "agent: %s: %s\n", port ? port : "AGENT=", strerror(-result));
		for (;;)
			pause();
	}
	channel_write_line("ok agent ready\n");
	for (;;) {
		result = channel_read_line(line, sizeof(line));
		if (result == -E2BIG)
			channel_write_line("error E2BIG line too long\n");
		else if (result)
			sleep(1);
		else if (*line)	/* an empty one only wakes us */
			answer_line(line);
	}
}
