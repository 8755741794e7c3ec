// SPDX-License-Identifier: GPL-2.0-only
/* Where the registers of the memory hub of an AID are. */
#include <stdio.h>

#include "mi300x.h"
#include "soc15_ih_clientid.h"
#include "mmhub/mmhub_1_8_0_offset.h"

#define HUB_REG(name)	REG(gpu, MMHUB, aid, name)

void mmhub_init(struct gpu *gpu, struct hub *hub, unsigned int aid)
{
	snprintf(hub->name, sizeof(hub->name), "mmhub%u", aid);
	hub->client = SOC15_IH_CLIENTID_VMC;
	hub->node = aid * 4;
	hub->reg.context0_cntl = HUB_REG(VM_CONTEXT0_CNTL);
	hub->reg.page_table_base0 = HUB_REG(VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_LO32);
	hub->reg.start_lo = HUB_REG(VM_CONTEXT0_PAGE_TABLE_START_ADDR_LO32);
	hub->reg.start_hi = HUB_REG(VM_CONTEXT0_PAGE_TABLE_START_ADDR_HI32);
	hub->reg.end_lo = HUB_REG(VM_CONTEXT0_PAGE_TABLE_END_ADDR_LO32);
	hub->reg.end_hi = HUB_REG(VM_CONTEXT0_PAGE_TABLE_END_ADDR_HI32);
	hub->reg.fb_base = HUB_REG(MC_VM_FB_LOCATION_BASE);
	hub->reg.fb_top = HUB_REG(MC_VM_FB_LOCATION_TOP);
	hub->reg.invalidate_req0 = HUB_REG(VM_INVALIDATE_ENG0_REQ);
	hub->reg.invalidate_ack0 = HUB_REG(VM_INVALIDATE_ENG0_ACK);
	hub->reg.invalidate_sem0 = HUB_REG(VM_INVALIDATE_ENG0_SEM);
	hub->reg.fault_status = HUB_REG(VM_L2_PROTECTION_FAULT_STATUS);
	hub->reg.fault_addr_lo = HUB_REG(VM_L2_PROTECTION_FAULT_ADDR_LO32);
	hub->reg.fault_addr_hi = HUB_REG(VM_L2_PROTECTION_FAULT_ADDR_HI32);
}
