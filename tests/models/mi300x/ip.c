// SPDX-License-Identifier: GPL-2.0-only
/* The IP blocks of the device, and where the segments of their registers lie. */
#include <stdio.h>
#include <stdlib.h>

#include "mi300x.h"
#include "soc15_hw_ip.h"

/*
 * The driver finds out by the discovery table where registers are, so any place
 * would do, but for two things. Some are used before the table is read (NBIF,
 * MP0). And packets name a register of "this XCC" by the lower 16 bits of its
 * offset: an offset whose lower bits lie in GC's two windows, 0x2000-0x33ff and
 * 0xa000-0xffff, is taken for one of GC whatever the upper bits are.
 */
#define FIRST_BLOCK		0x60000
#define BLOCK			0x10000
#define NBIF_LARGE_SEGMENT	0x200000
#define GC_WINDOW(xcc)		((xcc) ? 0x300000 + (xcc) * BLOCK : 0)

/* Segments of 0x2000 that stay clear of the windows */
static uint32_t new_segment(void)
{
	static const uint32_t clear[] = { 0, 0x4000, 0x6000, 0x8000 };
	static unsigned int number;
	uint32_t segment = FIRST_BLOCK + number / ARRAY_SIZE(clear) * BLOCK +
			   clear[number % ARRAY_SIZE(clear)];

	number++;
	if (segment >= NBIF_LARGE_SEGMENT)
		abort();
	return segment;
}

/* @bases: fixed ones, or NULL for any */
static struct ip_block *add(struct gpu *gpu, enum ip_id id, const char *name, uint16_t hw_id,
			    unsigned int instance, unsigned int segments,
			    const uint32_t *bases)
{
	struct ip_block *ip = &gpu->ips[gpu->ip_count++];

	if (gpu->ip_count > ARRAY_SIZE(gpu->ips))
		abort();
	ip->id = id;
	ip->name = name;
	ip->hw_id = hw_id;
	ip->instance = instance;
	ip->base_count = segments;
	for (unsigned int i = 0; i < segments; i++)
		ip->bases[i] = bases ? bases[i] : new_segment();
	return ip;
}

static void version(struct ip_block *ip, uint8_t major, uint8_t minor, uint8_t revision)
{
	ip->major = major;
	ip->minor = minor;
	ip->revision = revision;
}

static void add_plain(struct gpu *gpu, const char *name, uint16_t hw_id,
		      unsigned int segments, uint8_t major, uint8_t minor, uint8_t revision)
{
	version(add(gpu, OTHER_IP, name, hw_id, 0, segments, NULL), major, minor, revision);
}

static void add_nbif(struct gpu *gpu)
{
	static const uint32_t first[] = {
		0, 0x14, 0xd20, 0x10400, 0x40000, 0x44000, 0, 0, NBIF_LARGE_SEGMENT,
	};

	for (unsigned int aid = 0; aid < gpu->options.aids; aid++)
		version(add(gpu, NBIF, "NBIF", NBIF_HWID, aid, ARRAY_SIZE(first),
			    aid ? NULL : first), 7, 9, 0);
}

/*
 * Versions of the two firmware processors are what makes the driver choose a
 * path. Without a PSP some kernels trip over 13.0.6, and 6.12 trips over an
 * SMU that it knows but was told to leave alone.
 */
static void add_processors(struct gpu *gpu)
{
	const uint32_t bases[] = { 0x16000, new_segment() };

	version(add(gpu, MP0, "MP0", MP0_HWID, 0, 2, bases), 13, 0, gpu->options.psp ? 6 : 2);
	version(add(gpu, OTHER_IP, "MP1", MP1_HWID, 0, 2, bases), 9, 0, 0);
}

static void add_xccs(struct gpu *gpu)
{
	for (unsigned int xcc = 0; xcc < gpu->options.xccs; xcc++) {
		const uint32_t bases[] = { GC_WINDOW(xcc) + 0x2000, GC_WINDOW(xcc) + 0xa000 };

		version(add(gpu, GC, "GC", GC_HWID, xcc, 2, bases), 9, 4, 3);
	}
}

void ip_init(struct gpu *gpu)
{
	unsigned int per_aid = gpu->options.sdmas / gpu->options.aids;

	add_nbif(gpu);
	add_processors(gpu);
	add_xccs(gpu);
	add_plain(gpu, "HDP", HDP_HWID, 1, 4, 4, 2);
	for (unsigned int aid = 0; aid < gpu->options.aids; aid++)
		version(add(gpu, MMHUB, "MMHUB", MMHUB_HWID, aid, 2, NULL), 1, 8, 0);
	add_plain(gpu, "ATHUB", ATHUB_HWID, 2, 1, 8, 0);
	version(add(gpu, OSSSYS, "OSSSYS", OSSSYS_HWID, 0, 1, NULL), 4, 4, 2);
	for (unsigned int i = 0; i < gpu->options.sdmas; i++)
		version(add(gpu, SDMA0, "SDMA0", SDMA0_HWID,
			    i / per_aid * SDMA_PER_AID + i % per_aid, 1, NULL), 4, 4, 2);
	version(add(gpu, SMUIO, "SMUIO", SMUIO_HWID, 0, 3, NULL), 13, 0, 3);
	add_plain(gpu, "DF", DF_HWID, 2, 4, 6, 2);
	add_plain(gpu, "THM", THM_HWID, 2, 13, 0, 6);
	add_plain(gpu, "UMC", UMC_HWID, 2, 12, 0, 0);
	add_plain(gpu, "CLKA", CLKA_HWID, 2, 13, 0, 6);
	/* without a VCN the driver refuses the chip; it is masked in the tests */
	add_plain(gpu, "VCN", VCN_HWID, 2, 4, 0, 3);
	if (gpu->options.hive_nodes)
		add_plain(gpu, "XGMI", XGMI_HWID, 2, 6, 4, 0);
}

uint32_t ip_base(const struct gpu *gpu, enum ip_id id, unsigned int instance,
		 unsigned int segment)
{
	for (unsigned int i = 0; i < gpu->ip_count; i++)
		if (gpu->ips[i].id == id && gpu->ips[i].instance == instance &&
		    segment < gpu->ips[i].base_count)
			return gpu->ips[i].bases[segment];
	fprintf(stderr, "mi300x: no IP %d.%u segment %u\n", id, instance, segment);
	abort();
}
