// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compute partitions. What counts is CP_HYP_XCP_CTL of each XCC, whoever wrote
 * it: the driver itself, or the PSP at its request. NBIF shows the result.
 */
#include <strings.h>

#include "mi300x.h"
#include "gc/gc_9_4_3_offset.h"
#include "gc/gc_9_4_3_sh_mask.h"
#include "nbio/nbio_7_9_0_offset.h"
#include "nbio/nbio_7_9_0_sh_mask.h"

#define STATUS_MODE_SHIFT	BIF_BX_PF0_PARTITION_COMPUTE_STATUS__PARTITION_MODE__SHIFT

static const char * const names[] = { "SPX", "DPX", "TPX", "QPX", "CPX" };

const char *partition_name(enum partition_mode mode)
{
	return mode < ARRAY_SIZE(names) ? names[mode] : "mixed";
}

bool partition_parse(const char *name, enum partition_mode *mode)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(name, names[i]))
			continue;
		*mode = i;
		return true;
	}
	return false;
}

/* How many partitions; 0 if the mode does not go with the number of XCCs */
unsigned int partition_count(const struct gpu *gpu, enum partition_mode mode)
{
	unsigned int count = mode == CPX ? gpu->options.xccs : mode + 1;

	return gpu->options.xccs % count ? 0 : count;
}

static uint32_t xcp_ctl(const struct gpu *gpu, unsigned int xcc, unsigned int partitions)
{
	unsigned int per = gpu->options.xccs / partitions;

	return per << CP_HYP_XCP_CTL__NUM_XCC_IN_XCP__SHIFT |
	       xcc % per << CP_HYP_XCP_CTL__VIRTUAL_XCC_ID__SHIFT;
}

/* With one XCC everything is SPX; one XCC per partition is CPX. */
static enum partition_mode mode_of_registers(const struct gpu *gpu)
{
	uint32_t first = reg_get(gpu, gpu->xcc[0].xcp_ctl);
	unsigned int per = FIELD(first, CP_HYP_XCP_CTL, NUM_XCC_IN_XCP);

	if (!per || gpu->options.xccs % per)
		return MIXED;
	for (unsigned int xcc = 0; xcc < gpu->options.xccs; xcc++)
		if (reg_get(gpu, gpu->xcc[xcc].xcp_ctl) !=
		    xcp_ctl(gpu, xcc, gpu->options.xccs / per))
			return MIXED;
	if (per == 1 && gpu->options.xccs > 1)
		return CPX;
	return gpu->options.xccs / per - 1;
}

/* While the registers are being written, one by one, there is no mode. */
static void update_mode(struct gpu *gpu)
{
	uint32_t status = reg_get(gpu, gpu->compute_status) &
			  ~BIF_BX_PF0_PARTITION_COMPUTE_STATUS__PARTITION_MODE_MASK;

	gpu->mode = mode_of_registers(gpu);
	reg_set(gpu, gpu->compute_status, status | gpu->mode << STATUS_MODE_SHIFT);
	if (gpu->mode == MIXED || gpu->mode == gpu->last_mode)
		return;
	event("partition-mode", "mode=%s before=%s", partition_name(gpu->mode),
	      partition_name(gpu->last_mode));
	gpu->last_mode = gpu->mode;
}

/* The handler of each register; the file has the new value already */
static void on_xcp_ctl(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	struct xcc *xcc = arg;
	bool ignored = injected_for(gpu, PARTITION_WRITE_IGNORED, xcc->hub->name) ||
		       gpu->options.vf;

	event("partition-write",
	      "xcc=%lu value=0x%x per-partition=%lu virtual-xcc=%lu applied=%d by=%s",
	      xcc - gpu->xcc, value, FIELD(value, CP_HYP_XCP_CTL, NUM_XCC_IN_XCP),
	      FIELD(value, CP_HYP_XCP_CTL, VIRTUAL_XCC_ID), !ignored, gpu->actor);
	if (gpu->options.vf)
		event("vf-misuse", "what=partition by=%s", gpu->actor);
	if (ignored)
		reg_set(gpu, reg, xcc->xcp_applied);
	else
		xcc->xcp_applied = value;
	update_mode(gpu);
}

void partition_apply(struct gpu *gpu, unsigned int partitions)
{
	if (!partitions || gpu->options.xccs % partitions)
		return;
	for (unsigned int xcc = 0; xcc < gpu->options.xccs; xcc++)
		reg_write(gpu, gpu->xcc[xcc].xcp_ctl, xcp_ctl(gpu, xcc, partitions), "psp");
}

void partition_init(struct gpu *gpu)
{
	gpu->compute_status = REG(gpu, NBIF, 0, BIF_BX_PF0_PARTITION_COMPUTE_STATUS);
	for (unsigned int xcc = 0; xcc < gpu->options.xccs; xcc++) {
		gpu->xcc[xcc].xcp_ctl = REG(gpu, GC, xcc, CP_HYP_XCP_CTL);
		reg_on_write(gpu->xcc[xcc].xcp_ctl, on_xcp_ctl, &gpu->xcc[xcc]);
	}
}

/* As the firmware leaves it at power-on: nobody's write, so no event */
void partition_reset(struct gpu *gpu)
{
	unsigned int partitions = partition_count(gpu, gpu->options.mode);

	for (unsigned int i = 0; i < gpu->options.xccs; i++) {
		struct xcc *xcc = &gpu->xcc[i];

		xcc->xcp_applied = xcp_ctl(gpu, i, partitions);
		reg_set(gpu, xcc->xcp_ctl, xcc->xcp_applied);
	}
	gpu->last_mode = mode_of_registers(gpu);
	update_mode(gpu);
}
