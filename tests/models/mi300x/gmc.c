// SPDX-License-Identifier: GPL-2.0-only
/*
 * GMC 9: what an address of the GPU means, and what happens if it means
 * nothing. There is a hub per XCC and one per AID; each has its own registers
 * for the 16 contexts (VMIDs).
 */
#include <string.h>

#include "mi300x.h"
#include "gc/gc_9_4_3_sh_mask.h"	/* the same fields in MMHUB */

#define ADDRESS_BITS		0xffffffffffffull
#define INVALIDATE_ENGINES	18

/* Entries, as AMDGPU_PTE_* in amdgpu_vm.h, which cannot be included here */
#define ENTRY_VALID		(1ull << 0)
#define ENTRY_SYSTEM		(1ull << 1)
#define ENTRY_READABLE		(1ull << 5)
#define ENTRY_WRITEABLE		(1ull << 6)
#define ENTRY_ADDRESS		0xfffffffff000ull
#define ENTRY_PDE_ADDRESS	0xffffffffffc0ull
#define ENTRY_PDE_IS_PTE	(1ull << 54)
#define ENTRY_TRANSLATE_FURTHER	(1ull << 56)

#define FAULT_ENABLES ( \
	VM_CONTEXT0_CNTL__RANGE_PROTECTION_FAULT_ENABLE_INTERRUPT_MASK | \
	VM_CONTEXT0_CNTL__DUMMY_PAGE_PROTECTION_FAULT_ENABLE_INTERRUPT_MASK | \
	VM_CONTEXT0_CNTL__PDE0_PROTECTION_FAULT_ENABLE_INTERRUPT_MASK | \
	VM_CONTEXT0_CNTL__VALID_PROTECTION_FAULT_ENABLE_INTERRUPT_MASK | \
	VM_CONTEXT0_CNTL__READ_PROTECTION_FAULT_ENABLE_INTERRUPT_MASK | \
	VM_CONTEXT0_CNTL__WRITE_PROTECTION_FAULT_ENABLE_INTERRUPT_MASK | \
	VM_CONTEXT0_CNTL__EXECUTE_PROTECTION_FAULT_ENABLE_INTERRUPT_MASK)

/* The registers of the 16 contexts follow one another */
static uint32_t context_cntl(const struct gpu *gpu, const struct hub *hub, unsigned int vmid)
{
	return reg_get(gpu, hub->reg.context0_cntl + vmid);
}

static bool is_armed(uint32_t cntl)
{
	return (cntl & FAULT_ENABLES) == FAULT_ENABLES;
}

/* Faults */

static void raise_fault(struct gpu *gpu, const struct requester *by, uint64_t va,
			enum access access)
{
	const struct hub *hub = by->hub;
	struct interrupt interrupt = {
		.client = hub->client,
		.vmid = by->vmid,
		.node = hub->node,
		.data = { va >> 12, (va >> 44 & 0xf) | (access == WRITE ? 0x20 : 0) },
	};

	reg_set(gpu, hub->reg.fault_status,
		1 << VM_L2_PROTECTION_FAULT_STATUS__PERMISSION_FAULTS__SHIFT |
		(access == WRITE) << VM_L2_PROTECTION_FAULT_STATUS__RW__SHIFT |
		by->vmid << VM_L2_PROTECTION_FAULT_STATUS__VMID__SHIFT);
	reg_set(gpu, hub->reg.fault_addr_lo, va >> 12);
	reg_set(gpu, hub->reg.fault_addr_hi, va >> 44);
	ih_raise(gpu, &interrupt);
}

static void *fault(struct gpu *gpu, const struct requester *by, uint64_t va,
		   enum access access, const char *reason, uint64_t entry, int level)
{
	struct hub *hub = by->hub;
	bool told = is_armed(context_cntl(gpu, hub, by->vmid));
	bool stray = !strcmp(by->name, "stray");

	gpu->count.faults++;
	hub->faults++;
	/* an engine goes through a page dword by dword */
	if ((va & ~(PAGE - 1)) == hub->last_fault)
		return NULL;
	hub->last_fault = va & ~(PAGE - 1);
	event(stray ? "stray-fault" : "gpu-fault",
	      "hub=%s by=%s vmid=%u va=0x%lx access=%s reason=%s entry=0x%lx level=%d interrupt=%d",
	      hub->name, by->name, by->vmid, va, access == WRITE ? "write" : "read", reason,
	      entry, level, told);
	if (told)
		raise_fault(gpu, by, va, access);
	return NULL;
}

/* Translation */

/* What the other GPUs of a hive have is not reached */
static void *physical(struct gpu *gpu, const struct requester *by, uint64_t entry,
		      uint64_t address, size_t size)
{
	uint64_t own = gpu->options.hive_node * gpu->options.vram_size;

	if (entry & ENTRY_SYSTEM)
		return pci_memory(gpu, by->name, address, size);
	if (address < own || address - own + size > gpu->options.vram_size)
		return NULL;
	return gpu->vram + (address - own);
}

/* The shape of a context's page table: @depth levels of directories over tables */
struct shape {
	int depth;
	int table_bits;
	bool further;	/* an entry of the lowest directory is a page unless it says no */
};

static struct shape context_shape(uint32_t cntl)
{
	struct shape shape = {
		.depth = FIELD(cntl, VM_CONTEXT1_CNTL, PAGE_TABLE_DEPTH),
		.table_bits = 9 + FIELD(cntl, VM_CONTEXT1_CNTL, PAGE_TABLE_BLOCK_SIZE),
	};

	/*
	 * amdgpu's translate_further: the driver declares the lowest directory
	 * and its tables to be tables of twice as many bits.
	 */
	if (shape.table_bits == 18) {
		shape.further = true;
		shape.table_bits = 9;
		shape.depth++;
	}
	return shape;
}

static bool is_leaf(uint64_t entry, int level, const struct shape *shape)
{
	if (!level)
		return true;
	if (level == 1 && shape->further)
		return !(entry & ENTRY_TRANSLATE_FURTHER);
	return entry & ENTRY_PDE_IS_PTE;
}

/* From the context's root down; @va counts from the context's start */
static void *walk(struct gpu *gpu, const struct requester *by, uint64_t va, uint64_t start,
		  enum access access)
{
	const struct hub *hub = by->hub;
	const struct shape shape = context_shape(context_cntl(gpu, hub, by->vmid));
	uint32_t base = hub->reg.page_table_base0 + 2 * by->vmid;
	uint64_t entry = reg_get64(gpu, base, base + 1) | ENTRY_VALID;
	uint64_t offset = va - start;
	int level = shape.depth, shift;

	for (;; level--) {
		uint64_t index, *slot;

		shift = level ? 12 + shape.table_bits + 9 * (level - 1) : 12;
		index = offset >> shift;
		if (level < shape.depth)
			index &= level ? 0x1ff : (1ull << shape.table_bits) - 1;
		slot = physical(gpu, by, entry, (entry & ENTRY_PDE_ADDRESS) + 8 * index, 8);
		if (!slot)
			return fault(gpu, by, va, access, "table-outside", entry, level);
		entry = *slot;
		if (!(entry & ENTRY_VALID))
			return fault(gpu, by, va, access, "invalid", entry, level);
		if (is_leaf(entry, level, &shape))
			break;
	}
	if (by->vmid && !(entry & (access == WRITE ? ENTRY_WRITEABLE : ENTRY_READABLE)))
		return fault(gpu, by, va, access, "permission", entry, level);
	offset &= (1ull << shift) - 1;
	return physical(gpu, by, entry, (entry & ENTRY_ADDRESS) + offset, 4) ?:
	       fault(gpu, by, va, access, "page-outside", entry, level);
}

static uint64_t range_register(const struct gpu *gpu, uint32_t lo, uint32_t hi)
{
	return reg_get64(gpu, lo, hi) << 12;
}

/* VMID 0 sees VRAM of the whole hive at the FB location, and the GART where context 0 says so. */
static void *kernel_address(struct gpu *gpu, const struct requester *by, uint64_t va,
			    enum access access)
{
	const struct hub *hub = by->hub;
	uint64_t fb = (uint64_t)(reg_get(gpu, hub->reg.fb_base) & 0xffffff) << 24;
	uint64_t fb_end = (uint64_t)((reg_get(gpu, hub->reg.fb_top) & 0xffffff) + 1) << 24;
	uint64_t start = range_register(gpu, hub->reg.start_lo, hub->reg.start_hi);
	uint64_t end = range_register(gpu, hub->reg.end_lo, hub->reg.end_hi) + PAGE;

	if (va >= fb && va < fb_end)
		return physical(gpu, by, 0, va - fb, 4) ?:
		       fault(gpu, by, va, access, "vram-end", 0, 0);
	if (!(context_cntl(gpu, hub, 0) & VM_CONTEXT0_CNTL__ENABLE_CONTEXT_MASK))
		return fault(gpu, by, va, access, "context-off", 0, 0);
	if (va >= start && va < end)
		return walk(gpu, by, va, start, access);
	return fault(gpu, by, va, access, "range", 0, 0);
}

static void log_first_access(struct gpu *gpu, const struct requester *by, uint64_t va)
{
	struct hub *hub = by->hub;
	uint32_t cntl = context_cntl(gpu, hub, 0);

	hub->seen = true;
	event("first-access", "hub=%s by=%s va=0x%lx vmid=%u armed=%d context0=0x%x mode=%s",
	      hub->name, by->name, va, by->vmid, is_armed(cntl), cntl,
	      partition_name(gpu->mode));
}

/* Where @va is; good to the end of its page of 4 KiB. NULL: a fault was logged. */
void *gmc_page(struct gpu *gpu, const struct requester *by, uint64_t va, enum access access)
{
	va &= ADDRESS_BITS;
	if (!by->hub->seen)
		log_first_access(gpu, by, va);
	if (access == WRITE)
		by->hub->writes++;
	else
		by->hub->reads++;
	return by->vmid ? walk(gpu, by, va, 0, access) : kernel_address(gpu, by, va, access);
}

uint32_t gmc_read(struct gpu *gpu, const struct requester *by, uint64_t va)
{
	volatile uint32_t *at = gmc_page(gpu, by, va & ~3ull, READ);

	return at ? *at : 0;
}

void gmc_write(struct gpu *gpu, const struct requester *by, uint64_t va, uint32_t value)
{
	volatile uint32_t *at = gmc_page(gpu, by, va & ~3ull, WRITE);

	if (at)
		*at = value;
}

void gmc_write64(struct gpu *gpu, const struct requester *by, uint64_t va, uint64_t value)
{
	gmc_write(gpu, by, va, value);
	gmc_write(gpu, by, va + 4, value >> 32);
}

void gmc_copy_in(struct gpu *gpu, const struct requester *by, void *to, uint64_t va,
		 size_t size)
{
	uint32_t *dword = to;

	for (size_t i = 0; i < size / 4; i++)
		dword[i] = gmc_read(gpu, by, va + 4 * i);
}

void gmc_copy_out(struct gpu *gpu, const struct requester *by, uint64_t va, const void *from,
		  size_t size)
{
	const uint32_t *dword = from;

	for (size_t i = 0; i < size / 4; i++)
		gmc_write(gpu, by, va + 4 * i, dword[i]);
}

bool gmc_is_poison(const struct gpu *gpu, uint32_t value)
{
	return gpu->options.poison && value == gpu->options.poison * 0x01010101u;
}

/* Registers */

static bool all_off(const struct gpu *gpu)
{
	for (unsigned int i = 0; i < gpu->hub_count; i++)
		if (gpu->hubs[i].on)
			return false;
	return true;
}

static void on_context0(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	struct hub *hub = arg;
	bool was_on = hub->on;

	(void)reg;
	hub->on = value & VM_CONTEXT0_CNTL__ENABLE_CONTEXT_MASK;
	if (!hub->on)
		hub->seen = false;	/* whoever turns it on again begins anew */
	if (is_armed(value) != hub->armed) {
		hub->armed = is_armed(value);
		event("fault-interrupt", "hub=%s armed=%d context0=0x%x", hub->name,
		      hub->armed, value);
	}
	/* the host of a VF decides when it is reset */
	if (was_on && all_off(gpu) && !gpu->options.vf)
		gpu_down(gpu);
}

static void on_page_table_base(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	struct hub *hub = arg;
	unsigned int vmid = (reg - hub->reg.page_table_base0) / 2;

	(void)value;
	event("page-table-base", "hub=%s vmid=%u base=0x%lx by=%s", hub->name, vmid,
	      reg_get64(gpu, reg - 1, reg), gpu->actor);
}

static void on_invalidate(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	struct hub *hub = arg;
	unsigned int engine = reg - hub->reg.invalidate_req0;
	bool acked = !injected_for(gpu, INVALIDATE_NEVER_ACKED, hub->name);

	hub->invalidations++;
	hub->last_fault = ~0ull;
	reg_set(gpu, hub->reg.invalidate_ack0 + engine, acked ? value & 0xffff : 0);
	event("tlb-invalidate", "hub=%s engine=%u vmids=0x%x acked=%d by=%s", hub->name, engine,
	      value & 0xffff, acked, gpu->actor);
}

/* Nobody competes for it */
static uint32_t read_semaphore(struct gpu *gpu, void *arg, uint32_t reg)
{
	(void)gpu;
	(void)arg;
	(void)reg;
	return 1;
}

static void init_hub(struct hub *hub)
{
	reg_on_write(hub->reg.context0_cntl, on_context0, hub);
	for (unsigned int vmid = 0; vmid < VMIDS; vmid++)
		reg_on_write(hub->reg.page_table_base0 + 2 * vmid + 1,
			     on_page_table_base, hub);
	for (unsigned int engine = 0; engine < INVALIDATE_ENGINES; engine++) {
		reg_on_write(hub->reg.invalidate_req0 + engine, on_invalidate, hub);
		reg_on_read(hub->reg.invalidate_sem0 + engine, read_semaphore, hub);
	}
}

void gmc_init(struct gpu *gpu)
{
	struct hub *hub = gpu->hubs;

	for (unsigned int xcc = 0; xcc < gpu->options.xccs; xcc++, hub++) {
		gpu->gfxhub[xcc] = hub;
		gfxhub_init(gpu, hub, xcc);
		init_hub(hub);
	}
	for (unsigned int aid = 0; aid < gpu->options.aids; aid++, hub++) {
		gpu->mmhub[aid] = hub;
		mmhub_init(gpu, hub, aid);
		init_hub(hub);
	}
	gpu->hub_count = hub - gpu->hubs;
}

/* An access that no table knows, in the GART where nothing is ever mapped */
void gmc_stray(struct gpu *gpu)
{
	struct hub *hub = gpu->mmhub[0];
	const struct requester by = { hub, 0, "stray" };

	gmc_read(gpu, &by, range_register(gpu, hub->reg.end_lo, hub->reg.end_hi));
}

void gmc_reset(struct gpu *gpu)
{
	const struct options *o = &gpu->options;
	uint64_t size = o->vram_size * (o->hive_nodes ?: 1);

	gfxhub_reset(gpu);
	for (unsigned int i = 0; i < gpu->hub_count; i++) {
		struct hub *hub = &gpu->hubs[i];

		hub->on = false;
		hub->seen = false;
		hub->armed = false;
		hub->last_fault = ~0ull;
		/* where the firmware has put VRAM; the end is inclusive */
		reg_set(gpu, hub->reg.fb_base, o->fb_location);
		reg_set(gpu, hub->reg.fb_top, o->fb_location + (size >> 24) - 1);
	}
}
