// SPDX-License-Identifier: GPL-2.0-only
/* The IP discovery binary, which the driver reads from the end of VRAM. */
#include <string.h>

#include "mi300x.h"
#include "kernel.h"
#include "soc15_hw_ip.h"

/* Its table ids are called like IP blocks. */
#define GC			GC_TABLE
#include "discovery.h"
#undef GC

#define ALIGN8(x)		(((x) + 7) & ~7u)

static uint16_t checksum(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint16_t sum = 0;

	while (size--)
		sum += *byte++;
	return sum;
}

/* Fills in the binary's entry for a table; returns the table's end */
static uint32_t finish_table(uint8_t *to, unsigned int id, uint32_t offset, uint32_t size)
{
	table_info *info = &((binary_header *)to)->table_list[id];

	info->offset = offset;
	info->size = size;
	info->checksum = checksum(to + offset, size);
	return ALIGN8(offset + size);
}

static uint32_t write_ip(uint8_t *to, const struct ip_block *ip)
{
	ip_v4 *entry = (ip_v4 *)to;

	entry->hw_id = ip->hw_id;
	entry->instance_number = ip->instance;
	entry->num_base_address = ip->base_count;
	entry->major = ip->major;
	entry->minor = ip->minor;
	entry->revision = ip->revision;
	/* a VF takes the revision of the chip from here, and 7.2 refuses the first one */
	entry->sub_revision = ip->hw_id == NBIF_HWID;
	memcpy(to + sizeof(*entry), ip->bases, ip->base_count * sizeof(uint32_t));
	return sizeof(*entry) + ip->base_count * sizeof(uint32_t);
}

static uint32_t write_ips(const struct gpu *gpu, uint8_t *to, uint32_t offset)
{
	ip_discovery_header *header = (ip_discovery_header *)(to + offset);
	uint32_t at = offset + sizeof(*header);
	die_header *die = (die_header *)(to + at);

	header->signature = DISCOVERY_TABLE_SIGNATURE;
	header->version = 4;
	header->num_dies = 1;
	header->die_info[0].die_offset = at;
	die->num_ips = gpu->ip_count;
	at += sizeof(*die);
	for (unsigned int i = 0; i < gpu->ip_count; i++)
		at += write_ip(to + at, &gpu->ips[i]);
	header->size = at - offset;
	return finish_table(to, IP_DISCOVERY, offset, at - offset);
}

/* A small shader array: what is in it does not matter to what is tested. */
static uint32_t write_gc_info(uint8_t *to, uint32_t offset)
{
	static const struct gc_info_v2_1 info = {
		.header = {
			.table_id = GC_TABLE_ID,
			.version_major = 2,
			.version_minor = 1,
			.size = sizeof(info),
		},
		.gc_num_se = 4,
		.gc_num_cu_per_sh = 10,
		.gc_num_sh_per_se = 1,
		.gc_num_rb_per_se = 4,
		.gc_num_tccs = 16,
		.gc_num_gprs = 16,
		.gc_num_max_gs_thds = 32,
		.gc_wave_size = 64,
		.gc_max_waves_per_simd = 32,
		.gc_max_scratch_slots_per_cu = 1024,
		.gc_lds_size = 64,
		.gc_num_sc_per_se = 2,
		.gc_num_packer_per_sc = 2,
		.gc_num_tcp_per_sh = 16,
		.gc_tcp_size_per_cu = 32,
		.gc_num_sdp_interface = 16,
		.gc_num_cu_per_sqc = 2,
		.gc_instruction_cache_size_per_sqc = 64,
		.gc_scalar_data_cache_size_per_sqc = 16,
		.gc_tcc_size = 4096,
	};

	memcpy(to + offset, &info, sizeof(info));
	return finish_table(to, GC_TABLE, offset, sizeof(info));
}

static uint32_t write_harvest(const struct gpu *gpu, uint8_t *to, uint32_t offset)
{
	harvest_table *table = (harvest_table *)(to + offset);

	table->header.signature = HARVEST_TABLE_SIGNATURE;
	if (gpu->options.harvest)
		table->list[0].hw_id = VCN_HWID;
	return finish_table(to, HARVEST_INFO, offset, sizeof(*table));
}

void discovery_write(const struct gpu *gpu, uint8_t *to)
{
	binary_header *header = (binary_header *)to;
	const size_t summed = offsetof(binary_header, binary_checksum) +
			      sizeof(header->binary_checksum);
	uint32_t end;

	memset(to, 0, DISCOVERY_SIZE);
	header->binary_signature = BINARY_SIGNATURE;
	header->version_major = 1;
	end = write_ips(gpu, to, ALIGN8(sizeof(*header)));
	end = write_gc_info(to, end);
	end = write_harvest(gpu, to, end);
	header->binary_size = end;
	header->binary_checksum = checksum(to + summed, end - summed);
}
