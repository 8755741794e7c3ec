// SPDX-License-Identifier: GPL-2.0-only
/*
 * CP, the queues: the KIQ of each XCC is set up through registers, all others by
 * packets on it. A doorbell makes a queue run; packets that have to wait are
 * tried again at every tick.
 */
#include <stdio.h>
#include <string.h>

#include "mi300x.h"
#include "v9_structs.h"
#include "gc/gc_9_4_3_offset.h"
#include "gc/gc_9_4_3_sh_mask.h"

const char *cp_name(const struct gpu *gpu, const struct queue *queue)
{
	const struct xcc *xcc = &gpu->xcc[queue->xcc];

	return queue->kind == KIQ ? xcc->kiq_name : xcc->cp_name;
}

static const char *kind_name(enum queue_kind kind)
{
	static const char * const names[] = { "kiq", "compute", "hiq", "user" };

	return names[kind];
}

struct queue *cp_find(struct gpu *gpu, unsigned int xcc, uint32_t doorbell)
{
	for (unsigned int i = 0; i < MAX_QUEUES; i++) {
		struct queue *queue = &gpu->queues[i];

		if (queue->active && queue->xcc == xcc && queue->doorbell == doorbell)
			return queue;
	}
	return NULL;
}

/* Which queue GRBM_GFX_CNTL points the HQD registers at */
static struct queue selection(const struct gpu *gpu, const struct xcc *xcc)
{
	uint32_t select = reg_get(gpu, xcc->reg.grbm_gfx_cntl);

	return (struct queue){
		.xcc = xcc - gpu->xcc,
		.me = FIELD(select, GRBM_GFX_CNTL, MEID),
		.pipe = FIELD(select, GRBM_GFX_CNTL, PIPEID),
		.index = FIELD(select, GRBM_GFX_CNTL, QUEUEID),
	};
}

static struct queue *find_slot(struct gpu *gpu, const struct queue *like)
{
	for (unsigned int i = 0; i < MAX_QUEUES; i++) {
		struct queue *queue = &gpu->queues[i];

		if (queue->active && queue->xcc == like->xcc && queue->me == like->me &&
		    queue->pipe == like->pipe && queue->index == like->index)
			return queue;
	}
	return NULL;
}

static void log_queue(const struct gpu *gpu, const char *name, const struct queue *q)
{
	event(name, "kind=%s engine=%u me=%u pipe=%u queue=%u doorbell=0x%x base=0x%lx mode=%s",
	      kind_name(q->kind), q->xcc, q->me, q->pipe, q->index, q->doorbell, q->base,
	      partition_name(gpu->mode));
}

void cp_map(struct gpu *gpu, const struct queue *queue)
{
	struct queue *slot = find_slot(gpu, queue);

	for (unsigned int i = 0; !slot && i < MAX_QUEUES; i++)
		if (!gpu->queues[i].active)
			slot = &gpu->queues[i];
	if (!slot)
		return;
	*slot = *queue;
	slot->active = true;
	log_queue(gpu, "queue-map", slot);
}

void cp_unmap(struct gpu *gpu, struct queue *queue)
{
	queue->active = false;
	log_queue(gpu, "queue-unmap", queue);
}

/* Their state goes where the next run list finds it */
void cp_unmap_users(struct gpu *gpu, const struct requester *by, unsigned int xcc)
{
	for (unsigned int i = 0; i < MAX_QUEUES; i++) {
		struct queue *queue = &gpu->queues[i];

		if (!queue->active || queue->kind != USER || queue->xcc != xcc)
			continue;
		gmc_write(gpu, by, queue->mqd + offsetof(struct v9_mqd, cp_hqd_pq_rptr),
			  queue->rptr);
		cp_unmap(gpu, queue);
	}
}

/* Running */

static void report_rptr(struct gpu *gpu, const struct queue *queue)
{
	const struct requester by = { gpu->xcc[queue->xcc].hub, queue->vmid,
				      cp_name(gpu, queue) };

	if (queue->report)
		gmc_write(gpu, &by, queue->report, queue->rptr & queue->mask);
}

void cp_run(struct gpu *gpu, struct queue *queue)
{
	struct stream stream = {
		.by = { gpu->xcc[queue->xcc].hub, queue->vmid, cp_name(gpu, queue) },
		.base = queue->base,
		.position = queue->rptr,
		.end = queue->wptr,
		.mask = queue->mask,
	};

	if (injected_for(gpu, RING_TEST_FAILS, stream.by.name))
		return;		/* the engine is dead */
	pm4_run(gpu, queue, &stream);
	if (stream.position == queue->rptr)
		return;
	queue->rptr = stream.position;
	queue->stuck = false;
	if (queue->active)
		report_rptr(gpu, queue);
}

bool cp_doorbell(struct gpu *gpu, uint32_t index, uint64_t value)
{
	bool found = false;

	for (unsigned int i = 0; i < MAX_QUEUES; i++) {
		struct queue *queue = &gpu->queues[i];

		if (!queue->active || queue->doorbell != index)
			continue;
		queue->wptr = value;
		cp_run(gpu, queue);
		found = true;
	}
	return found;
}

void cp_tick(struct gpu *gpu)
{
	for (unsigned int i = 0; i < MAX_QUEUES; i++)
		if (gpu->queues[i].active && gpu->queues[i].rptr < gpu->queues[i].wptr)
			cp_run(gpu, &gpu->queues[i]);
}

/* Registers */

static void on_active(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	struct xcc *xcc = arg;
	struct queue queue = selection(gpu, xcc);

	(void)reg;
	if (!(value & CP_HQD_ACTIVE__ACTIVE_MASK))
		return;
	queue.kind = KIQ;
	queue.doorbell = FIELD(reg_get(gpu, xcc->reg.pq_doorbell), CP_HQD_PQ_DOORBELL_CONTROL,
			       DOORBELL_OFFSET);
	queue.base = reg_get64(gpu, xcc->reg.pq_base, xcc->reg.pq_base_hi) << 8;
	queue.mask = (2ull << FIELD(reg_get(gpu, xcc->reg.pq_control), CP_HQD_PQ_CONTROL,
				    QUEUE_SIZE)) - 1;
	queue.report = reg_get64(gpu, xcc->reg.pq_report, xcc->reg.pq_report_hi);
	cp_map(gpu, &queue);
}

static uint32_t read_active(struct gpu *gpu, void *arg, uint32_t reg)
{
	const struct queue queue = selection(gpu, arg);

	(void)reg;
	return find_slot(gpu, &queue) ? CP_HQD_ACTIVE__ACTIVE_MASK : 0;
}

static void on_dequeue(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	const struct queue like = selection(gpu, arg);
	struct queue *queue = find_slot(gpu, &like);

	reg_set(gpu, reg, 0);
	if (value && queue)
		cp_unmap(gpu, queue);
}

/* RLC: the command is taken as soon as it is written */
static void on_safe_mode(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	(void)arg;
	reg_set(gpu, reg, value & ~RLC_SAFE_MODE__CMD_MASK);
}

static void init_xcc(struct gpu *gpu, unsigned int i)
{
	struct xcc *xcc = &gpu->xcc[i];

	snprintf(xcc->kiq_name, sizeof(xcc->kiq_name), "kiq%u", i);
	snprintf(xcc->cp_name, sizeof(xcc->cp_name), "cp%u", i);
	xcc->hub = gpu->gfxhub[i];
	xcc->window = REG(gpu, GC, i, GRBM_CNTL) - REG(gpu, GC, 0, GRBM_CNTL);
	xcc->reg.grbm_gfx_cntl = REG(gpu, GC, i, GRBM_GFX_CNTL);
	xcc->reg.hqd_active = REG(gpu, GC, i, CP_HQD_ACTIVE);
	xcc->reg.hqd_dequeue = REG(gpu, GC, i, CP_HQD_DEQUEUE_REQUEST);
	xcc->reg.pq_base = REG(gpu, GC, i, CP_HQD_PQ_BASE);
	xcc->reg.pq_base_hi = REG(gpu, GC, i, CP_HQD_PQ_BASE_HI);
	xcc->reg.pq_control = REG(gpu, GC, i, CP_HQD_PQ_CONTROL);
	xcc->reg.pq_doorbell = REG(gpu, GC, i, CP_HQD_PQ_DOORBELL_CONTROL);
	xcc->reg.pq_report = REG(gpu, GC, i, CP_HQD_PQ_RPTR_REPORT_ADDR);
	xcc->reg.pq_report_hi = REG(gpu, GC, i, CP_HQD_PQ_RPTR_REPORT_ADDR_HI);
	reg_on_write(xcc->reg.hqd_active, on_active, xcc);
	reg_on_read(xcc->reg.hqd_active, read_active, xcc);
	reg_on_write(xcc->reg.hqd_dequeue, on_dequeue, xcc);
	reg_on_write(REG(gpu, GC, i, RLC_SAFE_MODE), on_safe_mode, xcc);
}

void cp_init(struct gpu *gpu)
{
	for (unsigned int i = 0; i < gpu->options.xccs; i++)
		init_xcc(gpu, i);
}

void cp_reset(struct gpu *gpu)
{
	memset(gpu->queues, 0, sizeof(gpu->queues));
}
