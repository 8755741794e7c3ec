// SPDX-License-Identifier: GPL-2.0-only
/*
 * RLC reads and writes registers of GC for a VF that has exclusive access: a command
 * and a value in the scratch registers of an XCC. An address has 20 bits on silicon;
 * those of this device need more, and the bits above are free.
 */
#include <string.h>

#include "mi300x.h"
#include "gc/gc_9_4_3_offset.h"

/* As in amdgpu_virt.h, which cannot be included here */
#define COMMAND(value)		((value) >> 28)
#define COMMAND_READ		1
#define ADDRESS(value)		((value) & 0xffffff)

/* Other writers use the same registers for tests of rings */
static bool is_guest(const struct gpu *gpu)
{
	return !strcmp(gpu->actor, "mmio");
}

static void on_command(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	const struct xcc *xcc = arg;
	uint32_t data = REG(gpu, GC, xcc - gpu->xcc, SCRATCH_REG0);

	if (!is_guest(gpu) || !ADDRESS(value))
		return;
	if (COMMAND(value) == COMMAND_READ)
		reg_set(gpu, data, reg_read(gpu, ADDRESS(value)));
	else
		reg_write(gpu, ADDRESS(value), reg_get(gpu, data), "rlc");
	reg_set(gpu, reg, 0);
}

/* What the next commands are for */
static void on_select(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	const struct xcc *xcc = arg;

	(void)reg;
	if (is_guest(gpu))
		reg_write(gpu, xcc->reg.grbm_gfx_cntl, value, "rlc");
}

void rlcg_init(struct gpu *gpu)
{
	for (unsigned int xcc = 0; xcc < gpu->options.xccs; xcc++) {
		reg_on_write(REG(gpu, GC, xcc, SCRATCH_REG1), on_command, &gpu->xcc[xcc]);
		reg_on_write(REG(gpu, GC, xcc, SCRATCH_REG2), on_select, &gpu->xcc[xcc]);
	}
}
