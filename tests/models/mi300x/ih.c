// SPDX-License-Identifier: GPL-2.0-only
/* IH: interrupts go into a ring in memory; then, if enabled, a message is sent. */
#include <string.h>

#include "mi300x.h"
#include "oss/osssys_4_4_2_offset.h"
#include "oss/osssys_4_4_2_sh_mask.h"

#define ENTRY_BYTES	32
#define SPACE_GPU	4	/* of IH_RB_CNTL.MC_SPACE: an address of VMID 0 */

static void *ring_memory(struct gpu *gpu, uint64_t address, size_t size)
{
	const struct requester by = { gpu->mmhub[0], 0, "ih" };
	uint32_t cntl = reg_get(gpu, gpu->ih.cntl);

	if (FIELD(cntl, IH_RB_CNTL, MC_SPACE) == SPACE_GPU)
		return gmc_page(gpu, &by, address, WRITE);
	return pci_memory(gpu, by.name, address, size);
}

static void write_pointer(struct gpu *gpu, uint32_t wptr)
{
	uint64_t address = reg_get64(gpu, gpu->ih.wptr_lo, gpu->ih.wptr_hi) & 0xffffffffffffull;
	volatile uint32_t *copy = ring_memory(gpu, address, 4);

	reg_set(gpu, gpu->ih.wptr, wptr);
	if (copy)
		*copy = wptr;
}

static bool put(struct gpu *gpu, const struct interrupt *i)
{
	uint32_t cntl = reg_get(gpu, gpu->ih.cntl);
	uint64_t base = (uint64_t)reg_get(gpu, gpu->ih.base) << 8 |
			(uint64_t)(reg_get(gpu, gpu->ih.base_hi) & 0xff) << 40;
	uint32_t mask = (4u << FIELD(cntl, IH_RB_CNTL, RB_SIZE)) - 1;
	uint32_t wptr = reg_get(gpu, gpu->ih.wptr) & mask & ~(ENTRY_BYTES - 1u);
	uint32_t entry[ENTRY_BYTES / 4] = {
		i->client | i->source << 8 | i->ring << 16 | i->vmid << 24,
		0, 0, i->node << 16, i->data[0], i->data[1], i->data[2], i->data[3],
	};
	void *to = ring_memory(gpu, base + wptr, sizeof(entry));

	if (!to)
		return false;
	memcpy(to, entry, sizeof(entry));
	write_pointer(gpu, (wptr + ENTRY_BYTES) & mask);
	return true;
}

void ih_raise(struct gpu *gpu, const struct interrupt *i)
{
	uint32_t cntl = reg_get(gpu, gpu->ih.cntl);
	const char *why = NULL;

	gpu->count.interrupts++;
	if (gpu->options.trace)
		event("interrupt", "client=0x%x src=%u ring=0x%x node=%u vmid=%u", i->client,
		      i->source, i->ring, i->node, i->vmid);
	if (!(cntl & IH_RB_CNTL__RB_ENABLE_MASK))
		why = "ring-off";
	else if (!put(gpu, i))
		why = "no-memory";
	if (why)
		event("interrupt-dropped", "client=0x%x src=%u why=%s", i->client, i->source, why);
	else if (injected(gpu, INTERRUPT_LOST)->on)
		event("interrupt-lost", "client=0x%x src=%u", i->client, i->source);
	else if (cntl & IH_RB_CNTL__ENABLE_INTR_MASK)
		vfu_interrupt(&gpu->dev, 0);
}

void ih_init(struct gpu *gpu)
{
	gpu->ih.cntl = REG(gpu, OSSSYS, 0, IH_RB_CNTL);
	gpu->ih.base = REG(gpu, OSSSYS, 0, IH_RB_BASE);
	gpu->ih.base_hi = REG(gpu, OSSSYS, 0, IH_RB_BASE_HI);
	gpu->ih.wptr = REG(gpu, OSSSYS, 0, IH_RB_WPTR);
	gpu->ih.wptr_lo = REG(gpu, OSSSYS, 0, IH_RB_WPTR_ADDR_LO);
	gpu->ih.wptr_hi = REG(gpu, OSSSYS, 0, IH_RB_WPTR_ADDR_HI);
}
