// SPDX-License-Identifier: GPL-2.0-only
/* Faults that options inject: which there are, and whether one is on. */
#define _GNU_SOURCE
#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mi300x.h"

static const char * const fault_names[FAULTS] = {
	[PARTITION_WRITE_IGNORED] = "partition-write-ignored",
	[PSP_REFUSES] = "psp-refuses",
	[PSP_SILENT] = "psp-silent",
	[INVALIDATE_NEVER_ACKED] = "invalidate-never-acked",
	[RING_TEST_FAILS] = "ring-test-fails",
	[INTERRUPT_LOST] = "interrupt-lost",
	[PSP_REFUSES_ONCE] = "psp-refuses-once",
	[PSP_REFUSES_NTH] = "psp-refuses-nth",
	[IB_LOST] = "ib-lost",
	[STRAY_ACCESS] = "stray-access",
	[MMIO_DEAD] = "mmio-dead",
	[CONFIG_GONE] = "config-gone",
	[HOST_LATE] = "host-late",
	[HOST_IGNORES] = "host-ignores",
};

const struct injected *injected(const struct gpu *gpu, enum fault fault)
{
	return &gpu->options.now[fault];
}

/* Is it on for @unit? Without an argument it is on for all. */
bool injected_for(const struct gpu *gpu, enum fault fault, const char *unit)
{
	const struct injected *i = injected(gpu, fault);

	return i->on && (!i->arg || !strcmp(i->arg, unit));
}

/* The argument as a number; without one it has no end */
unsigned long injected_number(const struct gpu *gpu, enum fault fault)
{
	const struct injected *i = injected(gpu, fault);

	if (!i->on)
		return 0;
	return i->arg ? strtoul(i->arg, NULL, 0) : ULONG_MAX;
}

/* @text: NAME or NAME=ARG, of which @faults keeps ARG; false if there is no such fault */
bool fault_parse(char *text, struct injected *faults)
{
	char *name = strsep(&text, "=");

	for (unsigned int i = 0; i < FAULTS; i++) {
		if (strcmp(name, fault_names[i]))
			continue;
		if (i == PSP_REFUSES_NTH && !text)
			break;
		faults[i] = (struct injected){ true, text };
		return true;
	}
	return false;
}

void faults_log(const struct injected *faults)
{
	for (unsigned int i = 0; i < FAULTS; i++)
		if (faults[i].on)
			event("fault-injected", "name=%s arg=%s", fault_names[i],
			      faults[i].arg ?: "all");
}

static unsigned int number_in(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned int number = 0;

	if (!file || fscanf(file, "%u", &number) != 1)
		errx(2, "%s: no number", path);
	fclose(file);
	return number;
}

void inject_later(struct gpu *gpu)
{
	const struct injected *nth = &gpu->options.later[PSP_REFUSES_NTH];

	if (nth->on)
		gpu->refuse_in = number_in(nth->arg);
	faults_log(gpu->options.later);
	gpu->vf.ignored = 0;
	for (unsigned int i = 0; i < FAULTS; i++)
		if (gpu->options.later[i].on)
			gpu->options.now[i] = gpu->options.later[i];
	gpu->dev.gone = injected(gpu, CONFIG_GONE)->on;
}
