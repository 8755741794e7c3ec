// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI: identity, BARs, capabilities, and what the BARs lead to.
 *
 * BAR 0: VRAM; BAR 2: doorbells; BAR 5: registers, and behind them the MSI-X
 * table, which QEMU keeps itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/pci_regs.h>

#include "mi300x.h"

#define VENDOR			0x1002
#define DEVICE			0x74a1
#define VF_DEVICE		0x74b5
#define CLASS_ACCELERATOR	0x12

#define CAP_PM			0x50
#define CAP_EXPRESS		0x64
#define CAP_MSI			0xa0
#define CAP_MSIX		0xc0

#define VRAM_BAR		VFIO_PCI_BAR0_REGION_INDEX
#define DOORBELL_BAR		VFIO_PCI_BAR2_REGION_INDEX
#define REGISTER_BAR		VFIO_PCI_BAR5_REGION_INDEX
#define REGISTER_BYTES		(REGISTER_DWORDS * 4ull)
#define MSIX_VECTORS		4
#define MSIX_TABLE		(REGISTER_BYTES - 2 * PAGE)
#define MSIX_PENDING		(REGISTER_BYTES - PAGE)

static void put16(struct gpu *gpu, unsigned int offset, uint16_t value)
{
	memcpy(gpu->dev.config + offset, &value, sizeof(value));
}

static void put32(struct gpu *gpu, unsigned int offset, uint32_t value)
{
	memcpy(gpu->dev.config + offset, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

/* Config space */

static uint8_t *capability(struct gpu *gpu, unsigned int *link, unsigned int at, uint8_t id)
{
	gpu->dev.config[*link] = at;
	gpu->dev.config[at] = id;
	*link = at + PCI_CAP_LIST_NEXT;
	return gpu->dev.config + at;
}

static void init_capabilities(struct gpu *gpu)
{
	unsigned int link = PCI_CAPABILITY_LIST;

	capability(gpu, &link, CAP_PM, PCI_CAP_ID_PM);
	put16(gpu, CAP_PM + PCI_PM_PMC, 3);
	capability(gpu, &link, CAP_EXPRESS, PCI_CAP_ID_EXP);
	put16(gpu, CAP_EXPRESS + PCI_EXP_FLAGS, 2);
	put32(gpu, CAP_EXPRESS + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER | 1);
	/* 16 GT/s, 16 lanes */
	put32(gpu, CAP_EXPRESS + PCI_EXP_LNKCAP, 4 | 16 << 4);
	put16(gpu, CAP_EXPRESS + PCI_EXP_LNKSTA, 4 | 16 << 4);
	if (gpu->options.msix) {
		capability(gpu, &link, CAP_MSIX, PCI_CAP_ID_MSIX);
		put16(gpu, CAP_MSIX + PCI_MSIX_FLAGS, MSIX_VECTORS - 1);
		put32(gpu, CAP_MSIX + PCI_MSIX_TABLE, MSIX_TABLE | 5);
		put32(gpu, CAP_MSIX + PCI_MSIX_PBA, MSIX_PENDING | 5);
		gpu->dev.vectors[VFIO_PCI_MSIX_IRQ_INDEX] = MSIX_VECTORS;
	} else {
		capability(gpu, &link, CAP_MSI, PCI_CAP_ID_MSI);
		put16(gpu, CAP_MSI + PCI_MSI_FLAGS, PCI_MSI_FLAGS_64BIT);
		gpu->dev.vectors[VFIO_PCI_MSI_IRQ_INDEX] = 1;
	}
}

static uint32_t bar_flags(unsigned int bar)
{
	return bar == 5 ? 0 : PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH;
}

static void write_bar(struct gpu *gpu, unsigned int bar, uint32_t value)
{
	/* the upper half of a 64-bit one belongs to the BAR before */
	bool upper = bar == 1 || bar == 3;
	uint64_t size = gpu->dev.regions[upper ? bar - 1 : bar].size;
	uint64_t mask = size ? ~(size - 1) : 0;

	value &= upper ? mask >> 32 : mask;
	if (!upper && size)
		value |= bar_flags(bar);
	put32(gpu, PCI_BASE_ADDRESS_0 + 4 * bar, value);
}

static void write_rom_bar(struct gpu *gpu, uint32_t value)
{
	uint64_t size = gpu->dev.regions[VFIO_PCI_ROM_REGION_INDEX].size;
	uint32_t mask = size ? ~(uint32_t)(size - 1) : 0;

	put32(gpu, PCI_ROM_ADDRESS, value & (mask | PCI_ROM_ADDRESS_ENABLE));
}

/* Bus mastering */

/* Four sums side by side: a single one waits for each multiplication */
static uint64_t checksum(const uint64_t *word, uint64_t count)
{
	uint64_t sum[4] = { 0 };

	for (uint64_t i = 0; i < count; i += 4)
		for (unsigned int lane = 0; lane < 4; lane++)
			sum[lane] = (sum[lane] ^ word[i + lane]) * 0x9e3779b97f4a7c15ull;
	return sum[0] ^ sum[1] << 1 ^ sum[2] << 2 ^ sum[3] << 3;
}

static uint64_t chunk_checksum(const struct gpu *gpu, unsigned int chunk)
{
	uint64_t size = gpu->options.vram_size / VRAM_CHUNKS;

	return checksum((const uint64_t *)(gpu->vram + chunk * size), size / 8);
}

static void misuse(struct gpu *gpu, enum misuse kind, const char *what, const char *by)
{
	static const char * const names[] = {
		"dma-while-off", "register-written-while-off", "doorbell-while-off",
	};

	if (gpu->bus.off && !gpu->bus.complained[kind])
		event(names[kind], "what=%s by=%s", what, by);
	gpu->bus.complained[kind] = gpu->bus.off;
}

/* The guest's memory, if the device may access it */
void *pci_memory(struct gpu *gpu, const char *by, uint64_t address, size_t size)
{
	if (gpu->bus.master)
		return vfu_memory(&gpu->dev, address, size);
	misuse(gpu, DMA, "memory", by);
	return NULL;
}

/* While nobody may use the device nobody does; the CPU's way to VRAM is not seen here */
void pci_check(struct gpu *gpu)
{
	uint64_t size = gpu->options.vram_size / VRAM_CHUNKS;

	for (unsigned int i = 0; gpu->bus.off && i < VRAM_CHUNKS; i++)
		if (chunk_checksum(gpu, i) != gpu->bus.vram[i])
			event("vram-written-while-off", "by=mmio from=0x%lx size=0x%lx",
			      i * size, size);
	gpu->bus.off = false;
}

static void update_master(struct gpu *gpu)
{
	uint16_t command;
	bool master;

	memcpy(&command, gpu->dev.config + PCI_COMMAND, sizeof(command));
	master = command & PCI_COMMAND_MASTER;
	if (master == gpu->bus.master)
		return;
	event("bus-master", "on=%d", master);
	pci_check(gpu);
	gpu->bus = (struct bus){ .master = master, .off = !master };
	if (!master)
		vf_spoil_page(gpu);
	for (unsigned int i = 0; !master && i < VRAM_CHUNKS; i++)
		gpu->bus.vram[i] = chunk_checksum(gpu, i);
}

static void config_write(struct vfu_device *dev, uint64_t offset, const void *data, size_t size)
{
	struct gpu *gpu = dev->private;

	if (offset >= PCI_BASE_ADDRESS_0 && offset < PCI_CARDBUS_CIS) {
		if (!(offset & 3) && size == 4)
			write_bar(gpu, (offset - PCI_BASE_ADDRESS_0) / 4, get32(data));
		return;
	}
	if (offset == PCI_ROM_ADDRESS && size == 4) {
		write_rom_bar(gpu, get32(data));
		return;
	}
	if (offset < PCI_COMMAND || (offset >= PCI_CLASS_REVISION &&
				     offset < PCI_CACHE_LINE_SIZE))
		return;
	memcpy(dev->config + offset, data, size);
	if (offset < PCI_COMMAND + 2)
		update_master(gpu);
}

static void init_config(struct gpu *gpu)
{
	uint16_t device = gpu->options.vf ? VF_DEVICE : DEVICE;

	put16(gpu, PCI_VENDOR_ID, VENDOR);
	put16(gpu, PCI_DEVICE_ID, device);
	put16(gpu, PCI_STATUS, PCI_STATUS_CAP_LIST);
	gpu->dev.config[PCI_CLASS_DEVICE + 1] = CLASS_ACCELERATOR;
	put16(gpu, PCI_SUBSYSTEM_VENDOR_ID, VENDOR);
	put16(gpu, PCI_SUBSYSTEM_ID, device);
	gpu->dev.config[PCI_INTERRUPT_PIN] = 1;
	for (unsigned int bar = 0; bar < 6; bar++)
		write_bar(gpu, bar, 0);
	init_capabilities(gpu);
}

/* BARs */

/* How much of an access is in the register at @offset */
static size_t in_register(uint64_t offset, size_t size)
{
	size_t most = 4 - offset % 4;

	return size < most ? size : most;
}

static void read_registers(struct gpu *gpu, uint64_t offset, void *data, size_t size)
{
	for (size_t done = 0, step; done < size; done += step, offset += step) {
		uint32_t value = ~0u;

		step = in_register(offset, size - done);
		if (!injected(gpu, MMIO_DEAD)->on)
			value = reg_read(gpu, offset / 4);
		gpu->count.register_reads++;
		memcpy(data + done, (uint8_t *)&value + offset % 4, step);
	}
}

static void write_registers(struct gpu *gpu, uint64_t offset, const void *data, size_t size)
{
	char name[24];

	snprintf(name, sizeof(name), "0x%lx", offset / 4);
	misuse(gpu, REGISTER, name, "mmio");
	if (injected(gpu, MMIO_DEAD)->on)
		return;
	for (size_t done = 0, step; done < size; done += step, offset += step) {
		uint32_t value;

		step = in_register(offset, size - done);
		gpu->count.register_writes++;
		if (!vf_may_write(gpu, offset / 4))
			continue;
		/* the driver writes bytes of a mailbox's register */
		value = step < 4 ? reg_get(gpu, offset / 4) : 0;
		memcpy((uint8_t *)&value + offset % 4, data + done, step);
		reg_write(gpu, offset / 4, value, "mmio");
	}
}

static void doorbell(struct gpu *gpu, uint64_t offset, const void *data, size_t size)
{
	uint64_t value = 0;

	misuse(gpu, DOORBELL, "doorbell", "mmio");
	if (injected(gpu, MMIO_DEAD)->on)
		return;
	memcpy(&value, data, size < 8 ? size : 8);
	gpu->count.doorbells++;
	if (gpu->options.trace)
		event("doorbell", "index=%lu value=0x%lx", offset / 4, value);
	if (!cp_doorbell(gpu, offset / 4, value))
		sdma_doorbell(gpu, offset / 4, value);
}

static bool within(uint64_t offset, size_t size, uint64_t limit)
{
	return offset <= limit && size <= limit - offset;
}

static void region_read(struct vfu_device *dev, unsigned int region, uint64_t offset,
			void *data, size_t size)
{
	struct gpu *gpu = dev->private;

	if (!within(offset, size, dev->regions[region].size))
		return;
	if (region == REGISTER_BAR)
		read_registers(gpu, offset, data, size);
	else if (region == VRAM_BAR)
		memcpy(data, gpu->vram + offset, size);
	else if (region == VFIO_PCI_ROM_REGION_INDEX)
		memcpy(data, gpu->rom + offset, size);
}

static void region_write(struct vfu_device *dev, unsigned int region, uint64_t offset,
			 const void *data, size_t size)
{
	struct gpu *gpu = dev->private;

	if (!within(offset, size, dev->regions[region].size))
		return;
	if (region == REGISTER_BAR)
		write_registers(gpu, offset, data, size);
	else if (region == VRAM_BAR)
		memcpy(gpu->vram + offset, data, size);
	else if (region == DOORBELL_BAR)
		doorbell(gpu, offset, data, size);
}

/* An engine that waits in memory that it cannot reach waits for ever */
static void tick(struct vfu_device *dev)
{
	struct gpu *gpu = dev->private;

	vf_tick(gpu);
	if (!gpu->bus.master)
		return;
	cp_tick(gpu);
	sdma_tick(gpu);
}

static void reset(struct vfu_device *dev)
{
	struct gpu *gpu = dev->private;

	pci_check(gpu);
	gpu_reset(gpu);
	vf_gone(gpu);
	event("reset", "by=bus mode=%s", partition_name(gpu->mode));
}

static void on_signal(struct vfu_device *dev)
{
	inject_later(dev->private);
}

static const struct vfu_ops ops = {
	.read = region_read,
	.write = region_write,
	.config_write = config_write,
	.reset = reset,
	.tick = tick,
	.signal = on_signal,
};

void pci_init(struct gpu *gpu)
{
	struct vfu_region *regions = gpu->dev.regions;

	for (unsigned int i = 0; i < VFIO_PCI_NUM_REGIONS; i++)
		regions[i].fd = -1;
	regions[VRAM_BAR] = (struct vfu_region){ gpu->options.vram_size, gpu->vram_fd };
	regions[DOORBELL_BAR].size = DOORBELL_BYTES;
	regions[REGISTER_BAR].size = REGISTER_BYTES;
	if (!gpu->options.vf)
		regions[VFIO_PCI_ROM_REGION_INDEX].size = sizeof(gpu->rom);
	gpu->dev.ops = &ops;
	gpu->dev.private = gpu;
	init_config(gpu);
}
