// SPDX-License-Identifier: GPL-2.0-only
/* CP, the packets: PM4 as the driver emits it on KIQ, compute queues and HIQ. */
#include <string.h>

#include "mi300x.h"
#include "kernel.h"
#include "soc15d.h"
#include "soc15_ih_clientid.h"
#include "v9_structs.h"
#include "gc/gc_9_4_3_offset.h"
#include "gc/gc_9_4_3_sh_mask.h"

#define SOURCE_EOP		181	/* GFX_9_0__SRCID__CP_EOP_INTERRUPT */
#define MAX_DEPTH		4
#define FIRST_USER_VMID		8		/* of KFD's, as it tells by SET_RESOURCES */
#define MQD_HEADER		0xc0310800	/* of a compute queue's */
#define NOP_ONE_DWORD		0x3fff	/* a count that means none */
/* Of packets that soc15d.h does not have */
#define PACKET3_MAP_PROCESS	0xa1
#define PACKET3_RUN_LIST	0xa5

/* A packet, with what it needs to run */
struct packet {
	struct gpu *gpu;
	struct queue *queue;
	struct stream *stream;
	uint32_t count;		/* of dwords after the first of the body */
};

static uint32_t arg(const struct packet *p, uint32_t n)
{
	return stream_peek(p->gpu, p->stream, n);
}

static uint64_t arg64(const struct packet *p, uint32_t n)
{
	return stream_peek64(p->gpu, p->stream, n);
}

/* Registers: offsets of this XCC's have 16 bits, see ip.c */

static uint32_t packet_register(const struct packet *p, uint32_t reg)
{
	bool own = (reg >= 0x2000 && reg < 0x3400) || (reg >= 0xa000 && reg < 0x10000);

	return own ? reg + p->gpu->xcc[p->queue->xcc].window : reg;
}

static void write_register(const struct packet *p, uint32_t reg, uint32_t value)
{
	reg_write(p->gpu, packet_register(p, reg), value, p->stream->by.name);
}

static uint32_t read_register(const struct packet *p, uint32_t reg)
{
	return reg_read(p->gpu, packet_register(p, reg));
}

static bool set_registers(const struct packet *p, uint32_t start)
{
	uint32_t first = start + (arg(p, 1) & 0xffff);

	for (uint32_t i = 0; i < p->count; i++)
		write_register(p, first + i, arg(p, 2 + i));
	return true;
}

static bool set_uconfig_reg(const struct packet *p)
{
	return set_registers(p, PACKET3_SET_UCONFIG_REG_START);
}

static bool set_sh_reg(const struct packet *p)
{
	return set_registers(p, PACKET3_SET_SH_REG_START);
}

/* Data */

static bool write_data(const struct packet *p)
{
	uint32_t control = arg(p, 1);
	uint32_t words = p->count > 2 ? p->count - 2 : 0;
	bool one_address = control & WR_ONE_ADDR;
	uint64_t to = arg64(p, 2);

	for (uint32_t i = 0; i < words; i++) {
		uint32_t step = one_address ? 0 : i;

		if ((control >> 8 & 0xf) == 0)
			write_register(p, (uint32_t)to + step, arg(p, 4 + i));
		else
			gmc_write(p->gpu, &p->stream->by, to + 4 * step, arg(p, 4 + i));
	}
	return true;
}

static bool copy_data(const struct packet *p)
{
	uint32_t from = arg(p, 1) & 0xf, to = arg(p, 1) >> 8 & 0xf;
	uint32_t value;

	if (from == 0)			/* register */
		value = read_register(p, arg(p, 2));
	else if (from == 5)		/* immediate */
		value = arg(p, 2);
	else
		value = gmc_read(p->gpu, &p->stream->by, arg64(p, 2));
	if (to == 0)
		write_register(p, arg(p, 4), value);
	else
		gmc_write(p->gpu, &p->stream->by, arg64(p, 4), value);
	return true;
}

static bool release_mem(const struct packet *p)
{
	const struct queue *q = p->queue;
	uint32_t data_sel = arg(p, 2) >> 29, int_sel = arg(p, 2) >> 24 & 7;
	struct interrupt interrupt = {
		.client = SOC15_IH_CLIENTID_GRBM_CP,
		.source = SOURCE_EOP,
		.ring = q->me << 2 | q->pipe | q->index << 4,
		.vmid = p->stream->by.vmid,
		.node = p->gpu->xcc[q->xcc].hub->node,
	};

	if (data_sel == 1)
		gmc_write(p->gpu, &p->stream->by, arg64(p, 3), arg(p, 5));
	else if (data_sel)
		gmc_write64(p->gpu, &p->stream->by, arg64(p, 3), arg64(p, 5));
	if (int_sel)
		ih_raise(p->gpu, &interrupt);
	return true;
}

static bool compare(uint32_t function, uint32_t value, uint32_t reference)
{
	switch (function) {
	case 1:
		return value < reference;
	case 2:
		return value <= reference;
	case 3:
		return value == reference;
	case 4:
		return value != reference;
	case 5:
		return value >= reference;
	case 6:
		return value > reference;
	default:
		return true;
	}
}

static bool wait_reg_mem(const struct packet *p)
{
	uint32_t control = arg(p, 1), reference = arg(p, 4), mask = arg(p, 5);
	bool write_first = (control >> 6 & 3) == 1;
	bool memory = control >> 4 & 1;
	uint32_t value;

	if (write_first && !p->queue->stuck)	/* only once */
		write_register(p, arg(p, 2), reference);
	if (memory)
		value = gmc_read(p->gpu, &p->stream->by, arg64(p, 2));
	else
		value = read_register(p, arg(p, write_first ? 3 : 2));
	if (write_first)
		reference &= mask;
	if (compare(control & 7, value & mask, reference))
		return true;
	if (!p->queue->stuck)
		event("queue-stuck", "engine=%u kind=%s waiting-for=%s", p->queue->xcc,
		      p->stream->by.name, memory ? "memory" : "register");
	p->queue->stuck = true;
	return false;
}

/* Of packets in the ring only: to skip what an IB should not do */
static bool cond_exec(const struct packet *p)
{
	uint32_t skip = arg(p, 4) & 0x3fff;

	if (!gmc_read(p->gpu, &p->stream->by, arg64(p, 1)))
		p->stream->position += skip;
	return true;
}

static bool indirect_buffer(const struct packet *p)
{
	uint32_t control = arg(p, 3);
	uint32_t vmid = control >> 24 & 0xf;
	struct stream ib = {
		.by = { p->stream->by.hub, vmid ?: p->stream->by.vmid, p->stream->by.name },
		.base = arg64(p, 1) & 0xfffffffffffcull,
		.end = control & 0xfffff,
		.mask = ~0ull,
		.depth = p->stream->depth + 1,
	};

	if (injected_for(p->gpu, IB_LOST, ib.by.name)) {
		event("ib-lost", "engine=%s", ib.by.name);
		return true;
	}
	return ib.depth > MAX_DEPTH || pm4_run(p->gpu, p->queue, &ib);
}

/* Queues */

/* Of a queue that its MQD describes; false if that is none */
static bool read_mqd(const struct packet *p, uint64_t address, struct queue *queue)
{
	struct v9_mqd mqd;

	gmc_copy_in(p->gpu, &p->stream->by, &mqd, address, sizeof(mqd));
	if (gmc_is_poison(p->gpu, mqd.header))
		event("poison-fetch", "hub=%s by=%s va=0x%lx what=mqd", p->stream->by.hub->name,
		      p->stream->by.name, address);
	queue->doorbell = FIELD(mqd.cp_hqd_pq_doorbell_control, CP_HQD_PQ_DOORBELL_CONTROL,
				DOORBELL_OFFSET);
	queue->base = (uint64_t)mqd.cp_hqd_pq_base_hi << 40 |
		      (uint64_t)mqd.cp_hqd_pq_base_lo << 8;
	queue->mask = (2ull << FIELD(mqd.cp_hqd_pq_control, CP_HQD_PQ_CONTROL, QUEUE_SIZE)) - 1;
	queue->report = (uint64_t)mqd.cp_hqd_pq_rptr_report_addr_hi << 32 |
			mqd.cp_hqd_pq_rptr_report_addr_lo;
	queue->rptr = mqd.cp_hqd_pq_rptr;
	queue->wptr = queue->rptr;
	queue->mqd = address;
	if (mqd.header == MQD_HEADER && queue->base && queue->doorbell)
		return true;
	event("bad-mqd", "engine=%s va=0x%lx header=0x%x base=0x%lx doorbell=0x%x",
	      p->stream->by.name, address, mqd.header, queue->base, queue->doorbell);
	return false;
}

static bool map_queues(const struct packet *p)
{
	uint32_t control = arg(p, 1);
	struct queue queue = {
		.kind = control >> 26 & 7 ? HIQ : COMPUTE,
		.xcc = p->queue->xcc,
		.me = (control >> 18 & 1) + 1,
		.pipe = control >> 16 & 3,
		.index = control >> 13 & 7,
	};

	if (read_mqd(p, arg64(p, 3), &queue))
		cp_map(p->gpu, &queue);
	return true;
}

/* The run list of KFD: a process, its queues, the next process */

static void map_user_queue(const struct packet *list, unsigned int vmid)
{
	struct queue queue = { .kind = USER, .xcc = list->queue->xcc, .vmid = vmid };
	const struct requester user = { list->stream->by.hub, vmid, list->stream->by.name };
	uint64_t mqd = arg64(list, 3);
	uint64_t wptr;

	if (!read_mqd(list, mqd, &queue))
		return;
	/* a slot of its own: the hardware scheduler finds one */
	queue.index = queue.doorbell;
	/* rung while it was not mapped */
	wptr = gmc_read(list->gpu, &list->stream->by,
			mqd + offsetof(struct v9_mqd, cp_hqd_pq_wptr_poll_addr_lo)) |
	       (uint64_t)gmc_read(list->gpu, &list->stream->by,
			mqd + offsetof(struct v9_mqd, cp_hqd_pq_wptr_poll_addr_hi)) << 32;
	queue.wptr = gmc_read(list->gpu, &user, wptr);
	xgmi_check_ready(list->gpu);
	cp_map(list->gpu, &queue);
}

static bool run_list(const struct packet *p)
{
	struct gpu *gpu = p->gpu;
	const struct hub *hub = p->stream->by.hub;
	unsigned int vmid = FIRST_USER_VMID - 1;
	struct stream stream = {
		.by = p->stream->by,
		.base = arg64(p, 1) & 0xfffffffffffcull,
		.end = arg(p, 3) & 0xfffff,
		.mask = ~0ull,
		.depth = 1,
	};
	struct packet list = { gpu, p->queue, &stream, 0 };

	cp_unmap_users(gpu, &p->stream->by, p->queue->xcc);
	while (stream.position < stream.end) {
		uint32_t header = stream_peek(gpu, &stream, 0);
		uint32_t op = CP_PACKET3_GET_OPCODE(header);

		if (stream_is_poison(gpu, &stream, header))
			break;
		if (op == PACKET3_MAP_PROCESS && vmid < VMIDS - 1) {
			uint32_t base = hub->reg.page_table_base0 + 2 * ++vmid;

			reg_write(gpu, base, arg(&list, 2), stream.by.name);
			reg_write(gpu, base + 1, arg(&list, 3), stream.by.name);
		} else if (op == PACKET3_MAP_QUEUES) {
			map_user_queue(&list, vmid);
		}
		stream.position += CP_PACKET_GET_COUNT(header) + 2;
	}
	return true;
}

static bool unmap_queues(const struct packet *p)
{
	struct queue *queue = cp_find(p->gpu, p->queue->xcc, arg(p, 2) >> 2 & 0x3ffffff);

	/* not one by its doorbell, but those of a process or all */
	if (p->queue->kind == HIQ && (arg(p, 1) >> 4 & 3)) {
		cp_unmap_users(p->gpu, &p->stream->by, p->queue->xcc);
		return true;
	}
	if (queue && queue->kind != KIQ)
		cp_unmap(p->gpu, queue);
	return true;
}

static bool query_status(const struct packet *p)
{
	gmc_write64(p->gpu, &p->stream->by, arg64(p, 3), arg64(p, 5));
	return true;
}

static bool nothing(const struct packet *p)
{
	(void)p;
	return true;
}

/* false: the packet has to wait */
static bool (* const handlers[256])(const struct packet *p) = {
	[PACKET3_NOP] = nothing,
	[PACKET3_CLEAR_STATE] = nothing,
	[PACKET3_CONTEXT_CONTROL] = nothing,
	[PACKET3_DISPATCH_DIRECT] = nothing,
	[PACKET3_PFP_SYNC_ME] = nothing,
	[PACKET3_EVENT_WRITE] = nothing,
	[PACKET3_ACQUIRE_MEM] = nothing,
	[PACKET3_SWITCH_BUFFER] = nothing,
	[PACKET3_FRAME_CONTROL] = nothing,
	[PACKET3_INVALIDATE_TLBS] = nothing,
	[PACKET3_SET_RESOURCES] = nothing,
	[PACKET3_RUN_LIST] = run_list,
	[PACKET3_COND_EXEC] = cond_exec,
	[PACKET3_WRITE_DATA] = write_data,
	[PACKET3_COPY_DATA] = copy_data,
	[PACKET3_RELEASE_MEM] = release_mem,
	[PACKET3_WAIT_REG_MEM] = wait_reg_mem,
	[PACKET3_INDIRECT_BUFFER] = indirect_buffer,
	[PACKET3_SET_UCONFIG_REG] = set_uconfig_reg,
	[PACKET3_SET_SH_REG] = set_sh_reg,
	[PACKET3_MAP_QUEUES] = map_queues,
	[PACKET3_UNMAP_QUEUES] = unmap_queues,
	[PACKET3_QUERY_STATUS] = query_status,
};

/* How far to go on from a packet of type 3; 0 if it has to wait */
static uint64_t run_packet(struct packet *p, uint32_t header)
{
	uint32_t op = CP_PACKET3_GET_OPCODE(header);

	p->count = CP_PACKET_GET_COUNT(header);
	if (op == PACKET3_NOP && p->count == NOP_ONE_DWORD)
		return 1;
	if (!handlers[op])
		event("bad-packet", "engine=%u kind=%s op=0x%x", p->queue->xcc,
		      p->stream->by.name, op);
	else if (!handlers[op](p))
		return 0;
	return p->count + 2;
}

/* To the end of the stream, or to where something has to be waited for (false) */
bool pm4_run(struct gpu *gpu, struct queue *queue, struct stream *stream)
{
	struct packet packet = { gpu, queue, stream, 0 };

	while (stream->position < stream->end && queue->active) {
		uint32_t header = stream_peek(gpu, stream, 0);
		uint64_t length = 1;

		if (stream_is_poison(gpu, stream, header))
			break;
		gpu->xcc[queue->xcc].packets++;
		if (CP_PACKET_GET_TYPE(header) == PACKET_TYPE3)
			length = run_packet(&packet, header);
		if (!length)
			return false;
		stream->position += length;
		if (stream->position > stream->end)
			stream->position = stream->end;
	}
	return true;
}
