// SPDX-License-Identifier: GPL-2.0-only
/* SDMA 4.4.2: the kernel's queue of each instance, and the packets on it. */
#include <stdio.h>
#include <string.h>

#include "mi300x.h"
#include "kernel.h"
#include "soc15_ih_clientid.h"
#include "vega10_sdma_pkt_open.h"
#include "sdma/sdma_4_4_2_offset.h"
#include "sdma/sdma_4_4_2_sh_mask.h"

#define SOURCE_TRAP	224	/* SDMA0_4_0__SRCID__SDMA_TRAP */
#define COUNT_30_BITS	0x3fffffff	/* 4.4.2 has more of them than vega10's header */
#define PTE_COUNT_MASK	0x7ffff
#define MAX_DEPTH	2

static uint32_t arg(struct gpu *gpu, const struct stream *s, uint32_t n)
{
	return stream_peek(gpu, s, n);
}

static uint64_t arg64(struct gpu *gpu, const struct stream *s, uint32_t n)
{
	return stream_peek64(gpu, s, n);
}

/* Packets: each returns its length in dwords, or 0 if it has to wait */

static uint64_t to_page_end(uint64_t va)
{
	return PAGE - (va & (PAGE - 1));
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

static void count_poison(struct gpu *gpu, struct sdma *sdma, const uint8_t *from, uint64_t size)
{
	if (gpu->options.poison && *from == gpu->options.poison &&
	    !memcmp(from, from + 1, size - 1))
		sdma->poison_bytes += size;
}

static uint32_t copy_linear(struct gpu *gpu, struct sdma *sdma, struct stream *s)
{
	uint64_t left = (arg(gpu, s, 1) & COUNT_30_BITS) + 1ull;
	uint64_t from = arg64(gpu, s, 3), to = arg64(gpu, s, 5);

	sdma->bytes += left;
	while (left) {
		uint64_t size = at_most(left, at_most(to_page_end(from), to_page_end(to)));
		void *source = gmc_page(gpu, &s->by, from, READ);
		void *target = gmc_page(gpu, &s->by, to, WRITE);

		if (source && target) {
			count_poison(gpu, sdma, source, size);
			memmove(target, source, size);
		}
		from += size;
		to += size;
		left -= size;
	}
	return 7;
}

static uint32_t write_linear(struct gpu *gpu, struct stream *s)
{
	uint32_t count = (arg(gpu, s, 3) & SDMA_PKT_WRITE_UNTILED_DW_3_count_mask) + 1;
	uint64_t to = arg64(gpu, s, 1);

	for (uint32_t i = 0; i < count; i++)
		gmc_write(gpu, &s->by, to + 4ull * i, arg(gpu, s, 4 + i));
	return 4 + count;
}

static uint32_t fill(struct gpu *gpu, struct stream *s)
{
	uint64_t left = (arg(gpu, s, 4) & COUNT_30_BITS) + 1ull;
	uint64_t to = arg64(gpu, s, 1) & ~3ull;
	uint32_t value = arg(gpu, s, 3);

	while (left) {
		uint64_t size = at_most(left, to_page_end(to));
		uint32_t *target = gmc_page(gpu, &s->by, to, WRITE);

		for (uint64_t i = 0; target && i < size / 4; i++)
			target[i] = value;
		to += size;
		left -= size;
	}
	return 5;
}

static uint32_t write_page_table(struct gpu *gpu, struct stream *s)
{
	uint64_t to = arg64(gpu, s, 1), flags = arg64(gpu, s, 3), value = arg64(gpu, s, 5);
	uint32_t step = arg(gpu, s, 7);
	uint32_t count = (arg(gpu, s, 9) & PTE_COUNT_MASK) + 1;

	for (uint32_t i = 0; i < count; i++, value += step)
		gmc_write64(gpu, &s->by, to + 8ull * i, value | flags);
	return 10;
}

static uint32_t fence(struct gpu *gpu, struct stream *s)
{
	gmc_write(gpu, &s->by, arg64(gpu, s, 1), arg(gpu, s, 3));
	return 4;
}

static uint32_t trap(struct gpu *gpu, struct sdma *sdma, struct stream *s)
{
	const struct interrupt interrupt = {
		.client = sdma->client,
		.source = SOURCE_TRAP,
		.node = sdma->node,
		.data = { arg(gpu, s, 1) },
	};

	ih_raise(gpu, &interrupt);
	return 2;
}

static bool poll_holds(struct gpu *gpu, struct stream *s, uint32_t header)
{
	uint32_t reference = arg(gpu, s, 3), mask = arg(gpu, s, 4);
	uint32_t function = header >> 28 & 7;
	uint32_t value;

	if (header >> 31)
		value = gmc_read(gpu, &s->by, arg64(gpu, s, 1)) & mask;
	else
		value = reg_read(gpu, arg(gpu, s, 1) >> 2) & mask;
	return function == 5 ? value >= reference : function == 3 ? value == reference : true;
}

static uint32_t poll(struct gpu *gpu, struct sdma *sdma, struct stream *s, uint32_t header)
{
	bool is_hdp_flush = header & 1 << 26;

	if (is_hdp_flush || poll_holds(gpu, s, header))
		return 6;
	if (!sdma->stuck)
		event("queue-stuck", "engine=%u kind=%s waiting-for=%s", sdma->instance,
		      sdma->name, header >> 31 ? "memory" : "register");
	sdma->stuck = true;
	return 0;
}

static uint32_t cond_exe(struct gpu *gpu, struct stream *s)
{
	bool skip = gmc_read(gpu, &s->by, arg64(gpu, s, 1)) != arg(gpu, s, 3);

	return 5 + (skip ? arg(gpu, s, 4) & 0x3fff : 0);
}

static bool run_stream(struct gpu *gpu, struct sdma *sdma, struct stream *s);

static uint32_t indirect(struct gpu *gpu, struct sdma *sdma, struct stream *s, uint32_t header)
{
	struct stream ib = {
		.by = { s->by.hub, header >> 16 & 0xf, s->by.name },
		.base = arg64(gpu, s, 1) & ~31ull,
		.end = arg(gpu, s, 3) & 0xfffff,
		.mask = ~0ull,
		.depth = s->depth + 1,
	};

	if (injected_for(gpu, IB_LOST, sdma->name)) {
		event("ib-lost", "engine=%s", sdma->name);
		return 6;
	}
	return ib.depth > MAX_DEPTH || run_stream(gpu, sdma, &ib) ? 6 : 0;
}

static uint32_t write_register(struct gpu *gpu, struct stream *s)
{
	reg_write(gpu, arg(gpu, s, 1), arg(gpu, s, 2), s->by.name);
	return 3;
}

static uint32_t run_packet(struct gpu *gpu, struct sdma *sdma, struct stream *s, uint32_t header)
{
	switch (header & 0xff) {
	case SDMA_OP_NOP:
		return 1 + (header >> 16 & 0x3fff);
	case SDMA_OP_COPY:
		return copy_linear(gpu, sdma, s);
	case SDMA_OP_WRITE:
		return write_linear(gpu, s);
	case SDMA_OP_INDIRECT:
		return indirect(gpu, sdma, s, header);
	case SDMA_OP_FENCE:
		return fence(gpu, s);
	case SDMA_OP_TRAP:
		return trap(gpu, sdma, s);
	case SDMA_OP_POLL_REGMEM:
		return poll(gpu, sdma, s, header);
	case SDMA_OP_COND_EXE:
		return cond_exe(gpu, s);
	case SDMA_OP_CONST_FILL:
		return fill(gpu, s);
	case SDMA_OP_PTEPDE:
		return write_page_table(gpu, s);
	case SDMA_OP_SRBM_WRITE:
		return write_register(gpu, s);
	default:
		event("bad-packet", "engine=%u kind=%s op=0x%x", sdma->instance, sdma->name,
		      header & 0xff);
		return 1;
	}
}

/* Running */

static bool run_stream(struct gpu *gpu, struct sdma *sdma, struct stream *s)
{
	while (s->position < s->end) {
		uint32_t header = stream_peek(gpu, s, 0);
		uint32_t length;

		if (stream_is_poison(gpu, s, header))
			break;
		sdma->packets++;
		length = run_packet(gpu, sdma, s, header);
		if (!length)
			return false;
		s->position += length;
	}
	return true;
}

static void report_rptr(struct gpu *gpu, const struct sdma *sdma)
{
	const struct requester by = { sdma->hub, 0, sdma->name };
	uint64_t bytes = sdma->rptr << 2;

	reg_set(gpu, sdma->reg.rptr, bytes);
	reg_set(gpu, sdma->reg.rptr_hi, bytes >> 32);
	gmc_write64(gpu, &by, reg_get64(gpu, sdma->reg.report, sdma->reg.report_hi), bytes);
}

static void run(struct gpu *gpu, struct sdma *sdma)
{
	uint32_t size = FIELD(reg_get(gpu, sdma->reg.cntl), SDMA_GFX_RB_CNTL, RB_SIZE);
	struct stream stream = {
		.by = { sdma->hub, 0, sdma->name },
		.base = reg_get64(gpu, sdma->reg.base, sdma->reg.base_hi) << 8,
		.position = sdma->rptr,
		.end = sdma->wptr,
		.mask = (1ull << size) - 1,
	};

	if (!sdma->on || injected_for(gpu, RING_TEST_FAILS, sdma->name))
		return;
	run_stream(gpu, sdma, &stream);
	if (stream.position == sdma->rptr)
		return;
	sdma->rptr = stream.position;
	sdma->stuck = false;
	report_rptr(gpu, sdma);
}

bool sdma_doorbell(struct gpu *gpu, uint32_t index, uint64_t value)
{
	for (unsigned int i = 0; i < gpu->options.sdmas; i++) {
		struct sdma *sdma = &gpu->sdma[i];
		uint32_t offset = FIELD(reg_get(gpu, sdma->reg.doorbell_offset),
					SDMA_GFX_DOORBELL_OFFSET, OFFSET);

		if (!(reg_get(gpu, sdma->reg.doorbell) & SDMA_GFX_DOORBELL__ENABLE_MASK) ||
		    offset != index)
			continue;
		sdma->wptr = value >> 2;
		run(gpu, sdma);
		return true;
	}
	return false;
}

void sdma_tick(struct gpu *gpu)
{
	for (unsigned int i = 0; i < gpu->options.sdmas; i++)
		if (gpu->sdma[i].rptr < gpu->sdma[i].wptr)
			run(gpu, &gpu->sdma[i]);
}

/* Registers */

static void on_cntl(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	struct sdma *sdma = arg;
	bool on = value & SDMA_GFX_RB_CNTL__RB_ENABLE_MASK;
	uint32_t doorbell = FIELD(reg_get(gpu, sdma->reg.doorbell_offset),
				  SDMA_GFX_DOORBELL_OFFSET, OFFSET);

	(void)reg;
	if (on == sdma->on)
		return;
	sdma->on = on;
	event(on ? "queue-map" : "queue-unmap",
	      "kind=sdma engine=%u me=0 pipe=0 queue=0 doorbell=0x%x base=0x%lx mode=%s",
	      sdma->instance, doorbell, reg_get64(gpu, sdma->reg.base, sdma->reg.base_hi) << 8,
	      partition_name(gpu->mode));
}

static void on_rptr(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	struct sdma *sdma = arg;

	(void)gpu;
	(void)reg;
	sdma->rptr = value >> 2;
	sdma->wptr = sdma->rptr;
	sdma->stuck = false;
}

static void init_instance(struct gpu *gpu, struct sdma *sdma)
{
	static const unsigned int clients[SDMA_PER_AID] = {
		SOC15_IH_CLIENTID_SDMA0, SOC15_IH_CLIENTID_SDMA1,
		SOC15_IH_CLIENTID_SDMA2, SOC15_IH_CLIENTID_SDMA3,
	};
	unsigned int n = sdma->instance, aid = n / SDMA_PER_AID;

	snprintf(sdma->name, sizeof(sdma->name), "sdma%u", n);
	sdma->hub = gpu->mmhub[aid];
	sdma->client = clients[n % SDMA_PER_AID];
	sdma->node = sdma->hub->node;
	sdma->reg.cntl = REG(gpu, SDMA0, n, SDMA_GFX_RB_CNTL);
	sdma->reg.base = REG(gpu, SDMA0, n, SDMA_GFX_RB_BASE);
	sdma->reg.base_hi = REG(gpu, SDMA0, n, SDMA_GFX_RB_BASE_HI);
	sdma->reg.rptr = REG(gpu, SDMA0, n, SDMA_GFX_RB_RPTR);
	sdma->reg.rptr_hi = REG(gpu, SDMA0, n, SDMA_GFX_RB_RPTR_HI);
	sdma->reg.report = REG(gpu, SDMA0, n, SDMA_GFX_RB_RPTR_ADDR_LO);
	sdma->reg.report_hi = REG(gpu, SDMA0, n, SDMA_GFX_RB_RPTR_ADDR_HI);
	sdma->reg.doorbell = REG(gpu, SDMA0, n, SDMA_GFX_DOORBELL);
	sdma->reg.doorbell_offset = REG(gpu, SDMA0, n, SDMA_GFX_DOORBELL_OFFSET);
	reg_on_write(sdma->reg.cntl, on_cntl, sdma);
	reg_on_write(sdma->reg.rptr, on_rptr, sdma);
}

void sdma_init(struct gpu *gpu)
{
	unsigned int per_aid = gpu->options.sdmas / gpu->options.aids;

	for (unsigned int i = 0; i < gpu->options.sdmas; i++) {
		gpu->sdma[i].instance = i / per_aid * SDMA_PER_AID + i % per_aid;
		init_instance(gpu, &gpu->sdma[i]);
	}
}

void sdma_reset(struct gpu *gpu)
{
	for (unsigned int i = 0; i < gpu->options.sdmas; i++) {
		gpu->sdma[i].on = false;
		gpu->sdma[i].stuck = false;
		gpu->sdma[i].rptr = 0;
		gpu->sdma[i].wptr = 0;
	}
}
