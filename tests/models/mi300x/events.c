// SPDX-License-Identifier: GPL-2.0-only
/* The event log; events.h says what is in it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "events.h"

static FILE *out;
static unsigned long number;
static struct timespec start;

int events_open(const char *path)
{
	clock_gettime(CLOCK_MONOTONIC, &start);
	out = strcmp(path, "-") ? fopen(path, "we") : stdout;
	if (!out)
		return -1;
	setvbuf(out, NULL, _IOLBF, 0);	/* a reader follows it */
	return 0;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start.tv_sec + (now.tv_nsec - start.tv_nsec) / 1e9;
}

void event(const char *name, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(out, "%lu %.6f %s%s%s\n", ++number, seconds(), name, *text ? " " : "", text);
}

void events_close(void)
{
	event("end", "%s", "");
	fclose(out);
}
