// SPDX-License-Identifier: GPL-2.0-only
/* Where the registers of the memory hub of an AID are. */
#include <stdio.h>

#include "mi300x.h"
#include "hub_registers.h"
#include "soc15_ih_clientid.h"
#include "mmhub/mmhub_1_8_0_offset.h"

#define HUB_REG(name)	REG(gpu, MMHUB, aid, name)

void mmhub_init(struct gpu *gpu, struct hub *hub, unsigned int aid)
{
	snprintf(hub->name, sizeof(hub->name), "mmhub%u", aid);
	hub->client = SOC15_IH_CLIENTID_VMC;
	hub->node = aid * 4;
	hub->reg = HUB_REGISTERS(HUB_REG);
}
