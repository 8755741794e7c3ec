// SPDX-License-Identifier: GPL-2.0-only
/* Where the registers of the memory hub of an XCC are. */
#include <stdio.h>

#include "mi300x.h"
#include "hub_registers.h"
#include "soc15_ih_clientid.h"
#include "gc/gc_9_4_3_offset.h"
#include "gc/gc_9_4_3_sh_mask.h"

#define HUB_REG(name)	REG(gpu, GC, xcc, name)

void gfxhub_init(struct gpu *gpu, struct hub *hub, unsigned int xcc)
{
	snprintf(hub->name, sizeof(hub->name), "gfxhub%u", xcc);
	hub->client = SOC15_IH_CLIENTID_UTCL2;
	/* XCDs of an AID are its nodes 1 and 2 */
	hub->node = xcc / 2 * 4 + 1 + xcc % 2;
	hub->reg = HUB_REGISTERS(HUB_REG);
}

/* Of a GPU that is linked: which part of the memory of all is its own */
void gfxhub_reset(struct gpu *gpu)
{
	const struct options *o = &gpu->options;

	for (unsigned int xcc = 0; o->hive_nodes && xcc < o->xccs; xcc++) {
		reg_set(gpu, REG(gpu, GC, xcc, MC_VM_XGMI_LFB_CNTL),
			(o->hive_nodes - 1) << MC_VM_XGMI_LFB_CNTL__PF_MAX_REGION__SHIFT |
			o->hive_node << MC_VM_XGMI_LFB_CNTL__PF_LFB_REGION__SHIFT);
		reg_set(gpu, REG(gpu, GC, xcc, MC_VM_XGMI_LFB_SIZE), o->vram_size >> 24);
	}
}
