// SPDX-License-Identifier: GPL-2.0-only
/*
 * The register file: memory, with handlers where a register does something,
 * and the two indirect ways into it (and into VRAM) that the driver uses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mi300x.h"
#include "nbio/nbio_7_9_0_offset.h"
#include "mp/mp_13_0_6_offset.h"
#include "smuio/smuio_13_0_3_offset.h"

/* Fixed since long before there were discovery tables */
#define MM_INDEX		0x0
#define MM_DATA			0x1
#define MM_INDEX_HI		0x6
#define MM_INDEX_VRAM		0x80000000

struct handler {
	reg_write_fn write;
	void *write_arg;
	reg_read_fn read;
	void *read_arg;
};

/* handler_of[] is an index into handlers[], 0 for none */
static uint16_t *handler_of;
static struct handler *handlers;
static unsigned int handler_count = 1;
static const struct register_name **names;
static unsigned int *name_instances;

static struct handler *handler(uint32_t reg)
{
	if (!handler_of[reg]) {
		handlers = realloc(handlers, (handler_count + 1) * sizeof(*handlers));
		if (!handlers)
			abort();
		memset(&handlers[handler_count], 0, sizeof(*handlers));
		handler_of[reg] = handler_count++;
	}
	return &handlers[handler_of[reg]];
}

void reg_on_write(uint32_t reg, reg_write_fn fn, void *arg)
{
	struct handler *h = handler(reg);

	h->write = fn;
	h->write_arg = arg;
}

void reg_on_read(uint32_t reg, reg_read_fn fn, void *arg)
{
	struct handler *h = handler(reg);

	h->read = fn;
	h->read_arg = arg;
}

static void trace(const char *what, uint32_t reg, uint32_t value, const char *actor)
{
	if (names[reg])
		event(what, "name=%s%u.%s value=0x%x by=%s", names[reg]->ip,
		      name_instances[reg], names[reg]->name, value, actor);
	else
		event(what, "name=0x%x value=0x%x by=%s", reg, value, actor);
}

uint32_t reg_read(struct gpu *gpu, uint32_t reg)
{
	uint32_t value;

	if (reg >= REGISTER_DWORDS)
		return 0;
	value = gpu->registers[reg];
	if (handler_of[reg] && handlers[handler_of[reg]].read)
		value = handlers[handler_of[reg]].read(gpu, handlers[handler_of[reg]].read_arg,
						       reg);
	if (gpu->options.trace)
		trace("reg-read", reg, value, "mmio");
	return value;
}

void reg_write(struct gpu *gpu, uint32_t reg, uint32_t value, const char *actor)
{
	const char *before = gpu->actor;

	if (reg >= REGISTER_DWORDS)
		return;
	if (gpu->options.trace)
		trace("reg-write", reg, value, actor);
	gpu->registers[reg] = value;
	gpu->actor = actor;
	if (handler_of[reg] && handlers[handler_of[reg]].write)
		handlers[handler_of[reg]].write(gpu, handlers[handler_of[reg]].write_arg,
						reg, value);
	gpu->actor = before;
}

/*
 * PCIE_INDEX2/DATA2: an address in bytes; beyond the file there is nothing, and
 * with an upper half it is a register of another AID that has no name here.
 */

static bool is_of_other_aid(const struct gpu *gpu)
{
	return reg_get(gpu, REG(gpu, NBIF, 0, BIF_BX0_PCIE_INDEX2_HI)) & 0xff;
}

static uint32_t pcie_data_read(struct gpu *gpu, void *arg, uint32_t reg)
{
	(void)arg;
	return is_of_other_aid(gpu) ? 0 : reg_read(gpu, reg_get(gpu, reg - 1) / 4);
}

static void pcie_data_write(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	(void)arg;
	if (!is_of_other_aid(gpu))
		reg_write(gpu, reg_get(gpu, reg - 1) / 4, value, gpu->actor);
}

/* MM_INDEX/DATA: VRAM, where the driver cannot or will not use its BAR */

static uint32_t *mm_vram(struct gpu *gpu)
{
	uint64_t address = (uint64_t)gpu->registers[MM_INDEX_HI] << 31 |
			   (gpu->registers[MM_INDEX] & ~MM_INDEX_VRAM);

	if (!(gpu->registers[MM_INDEX] & MM_INDEX_VRAM) ||
	    address + 4 > gpu->options.vram_size)
		return NULL;
	return (uint32_t *)(gpu->vram + address);
}

static uint32_t mm_data_read(struct gpu *gpu, void *arg, uint32_t reg)
{
	uint32_t *vram = mm_vram(gpu);

	(void)arg;
	(void)reg;
	return vram ? *vram : 0;
}

static void mm_data_write(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	uint32_t *vram = mm_vram(gpu);

	(void)arg;
	(void)reg;
	if (vram)
		*vram = value;
}

/* Flushes are done as soon as they are asked for */
static void hdp_flush(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	(void)arg;
	reg_set(gpu, reg + regBIF_BX_PF0_GPU_HDP_FLUSH_DONE - regBIF_BX_PF0_GPU_HDP_FLUSH_REQ,
		value);
}

static void name_registers(struct gpu *gpu)
{
	for (unsigned int i = 0; i < gpu->ip_count; i++) {
		const struct ip_block *ip = &gpu->ips[i];

		for (unsigned int n = 0; n < register_name_count; n++) {
			const struct register_name *name = &register_names[n];
			uint64_t reg;

			if (name->segment >= ip->base_count || strcmp(name->ip, ip->name))
				continue;
			reg = (uint64_t)ip->bases[name->segment] + name->offset;
			if (reg < REGISTER_DWORDS && !names[reg]) {
				names[reg] = name;
				name_instances[reg] = ip->instance;
			}
		}
	}
}

void registers_init(struct gpu *gpu)
{
	gpu->registers = calloc(REGISTER_DWORDS, sizeof(*gpu->registers));
	handler_of = calloc(REGISTER_DWORDS, sizeof(*handler_of));
	if (!gpu->registers || !handler_of)
		abort();
	if (gpu->options.trace) {
		names = calloc(REGISTER_DWORDS, sizeof(*names));
		name_instances = calloc(REGISTER_DWORDS, sizeof(*name_instances));
		if (!names || !name_instances)
			abort();
		name_registers(gpu);
	}
	gpu->actor = "mmio";
	reg_on_read(MM_DATA, mm_data_read, NULL);
	reg_on_write(MM_DATA, mm_data_write, NULL);
	reg_on_read(REG(gpu, NBIF, 0, BIF_BX0_PCIE_DATA2), pcie_data_read, NULL);
	reg_on_write(REG(gpu, NBIF, 0, BIF_BX0_PCIE_DATA2), pcie_data_write, NULL);
	reg_on_write(REG(gpu, NBIF, 0, BIF_BX_PF0_GPU_HDP_FLUSH_REQ), hdp_flush, NULL);
}

/* What a posted device says about itself */
void registers_reset(struct gpu *gpu)
{
	memset(gpu->registers, 0, REGISTER_DWORDS * sizeof(*gpu->registers));
	reg_set(gpu, REG(gpu, NBIF, 0, RCC_DEV0_EPF0_RCC_CONFIG_MEMSIZE),
		gpu->options.vram_size / MB);
	/* "function enabled", in the bit that tells it from a virtual one */
	reg_set(gpu, REG(gpu, NBIF, 0, RCC_STRAP0_RCC_DEV0_EPF0_STRAP0), 1u << 24 | 0x74a1);
	/* a bit for each of NPS1, NPS2, NPS4 */
	reg_set(gpu, REG(gpu, NBIF, 0, BIF_BX_PF0_PARTITION_MEM_STATUS),
		1u << (gpu->options.nps - 1) << 4);
	reg_set(gpu, REG(gpu, NBIF, 0, BIF_BX_PF0_PARTITION_MEM_CAP), 1 << 0);
	/* the firmware has initialised the device: the driver waits for it */
	reg_set(gpu, REG(gpu, MP0, 0, MP0_SMN_C2PMSG_33), 0x80000000);
}
