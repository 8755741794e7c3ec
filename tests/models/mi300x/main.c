// SPDX-License-Identifier: GPL-2.0-only
/* The model as a program: options, power-on, and the account at the end. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mi300x.h"

static const char usage[] =
"usage: mi300x --socket PATH [options]\n"
"\n"
"A model of a function of an MI300X for QEMU's vfio-user-pci: serves one\n"
"QEMU process on a unix socket and ends with it. Start it before QEMU; a\n"
"restart of the machine is another process of both.\n"
"\n"
"  --socket PATH          where QEMU connects\n"
"  --log FILE             the event log (default: standard output); see events.h\n"
"  --trace                log every register access, doorbell and interrupt too\n"
"  --xcc N                accelerator dies, 1, 2, 4 or 8 (default 4)\n"
"  --sdma N               SDMA engines (default 4 for each AID)\n"
"  --partition MODE       compute partition mode at power-on: SPX, DPX, TPX, QPX,\n"
"                         CPX (default SPX)\n"
"  --direct-firmware      no PSP: amdgpu ip_block_mask=0x1f fw_load_type=0 dpm=0\n"
"                         ras_enable=0 (with it, ip_block_mask=0x6f dpm=0 ras_enable=0)\n"
"  --vram-size MB         a power of two, 512 or more (default 1024)\n"
"  --poison BYTE          what VRAM is filled with at power-on (default 0xa4; 0:\n"
"                         nothing; even, so that as a page table it is not valid)\n"
"  --msix                 MSI-X instead of MSI\n"
"  --reset-when-down      when the driver has turned off the last memory hub, reset\n"
"                         the device and fill VRAM as at power-on\n"
"  --fb-location N        where the hubs see VRAM, in units of 16 MB (default 0x8000)\n"
"  --hive NODE/NODES      node NODE, counted from 0, of so many that are linked\n"
"  --nps N                memory partition mode, 1, 2 or 4: only what registers say\n"
"  --harvest              a VCN is missing in the discovery table\n"
"  --vf                   a virtual function of SR-IOV, with its host\n"
"  --fault NAME[=WHERE]   a fault from the start; more than one may be given\n"
"  --fault-later NAME[=WHERE]   the same from the first SIGUSR1 on\n"
"\n"
"Faults:\n"
"  partition-write-ignored[=gfxhubN]  CP_HYP_XCP_CTL keeps its value\n"
"  psp-refuses[=COMMAND]       commands (of the log's psp-command name=) fail\n"
"  psp-silent[=COMMAND]        they are never answered\n"
"  invalidate-never-acked[=HUB]       TLB invalidations are not acknowledged\n"
"  ring-test-fails[=kiqN|cpN|sdmaN]   the engine fetches nothing\n"
"  interrupt-lost              the IH ring fills, but no message is sent\n"
"  psp-refuses-once[=COMMAND]  one command fails, then all are taken\n"
"  psp-refuses-nth=FILE        only the n-th from here fails; FILE has n, and is read\n"
"                              with each SIGUSR1\n"
"  ib-lost[=cpN|sdmaN]         the engine skips indirect buffers\n"
"  stray-access                mmhub0 reads an address that is not mapped, whenever the\n"
"                              ring of the PSP was made\n"
"  mmio-dead                   registers read as ones and take nothing\n"
"  config-gone                 so do all of them, and config space: off the bus\n"
"  host-late=SECONDS           the host of a VF grants access so long after a request\n"
"  host-ignores[=N]            the host does not answer N requests (default: all)\n"
"\n"
"NOT modelled: stale TLB entries, HDP and cache flushes, shaders and AQL dispatch,\n"
"waves of a user queue that is preempted, the GFX pipe, SDMA paging and user queues,\n"
"SMU, RAS, VCN, JPEG, displays, links of a hive, a VF that its host resets unasked, what memory\n"
"partitions other than NPS1 do, GPU resets other than the above, what firmware does, timing. Whatever\n"
"the model does not know is plain memory. A pass means that the driver agrees with\n"
"this model, not with silicon.\n";

static struct gpu mi300x;

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list args;

	fputs("mi300x: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

/* Options */

static unsigned long to_number(const char *name, const char *text)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || end == text || *end)
		die("--%s %s is not a number", name, text);
	return value;
}

static void check_options(struct options *o)
{
	unsigned int per_aid;

	o->aids = o->sdmas ? (o->sdmas + SDMA_PER_AID - 1) / SDMA_PER_AID : 1;
	if (o->aids > MAX_AID)
		die("1 to %d AIDs", MAX_AID);
	if (!o->sdmas)
		o->sdmas = o->aids * SDMA_PER_AID;
	per_aid = o->sdmas / o->aids;
	if (o->sdmas % o->aids || (per_aid != 2 && per_aid != SDMA_PER_AID))
		die("2 or 4 SDMA engines for each AID");
	if (o->xccs != 1 && o->xccs != 2 && o->xccs != 4 && o->xccs != MAX_XCC)
		die("1, 2, 4 or 8 XCCs");
	if (!partition_count(&mi300x, o->mode))
		die("%u XCCs cannot be partitioned so", o->xccs);
	if (o->vram_size < 512 * MB || o->vram_size & (o->vram_size - 1))
		die("VRAM has 512 MB or more, a power of two as its BAR is");
	if (o->hive_nodes > 8 || (o->hive_nodes && o->hive_node >= o->hive_nodes))
		die("a hive has up to 8 nodes, counted from 0");
	if (o->nps != 1 && o->nps != 2 && o->nps != 4)
		die("NPS1, NPS2 or NPS4");
	if (o->vf && !o->psp)
		die("a VF has its firmware loaded by the PSP");
	if (o->poison & 1)
		die("the poison must be even");
}

enum { SOCKET = 256, LOG, TRACE, XCC, SDMA, PARTITION, DIRECT, VRAM, POISON, MSIX,
	RESET_WHEN_DOWN, FB_LOCATION, HIVE, NPS, HARVEST, VF, FAULT, FAULT_LATER, HELP };

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, SOCKET },
	{ "log", required_argument, NULL, LOG },
	{ "trace", no_argument, NULL, TRACE },
	{ "xcc", required_argument, NULL, XCC },
	{ "sdma", required_argument, NULL, SDMA },
	{ "partition", required_argument, NULL, PARTITION },
	{ "direct-firmware", no_argument, NULL, DIRECT },
	{ "vram-size", required_argument, NULL, VRAM },
	{ "poison", required_argument, NULL, POISON },
	{ "msix", no_argument, NULL, MSIX },
	{ "reset-when-down", no_argument, NULL, RESET_WHEN_DOWN },
	{ "fb-location", required_argument, NULL, FB_LOCATION },
	{ "hive", required_argument, NULL, HIVE },
	{ "nps", required_argument, NULL, NPS },
	{ "harvest", no_argument, NULL, HARVEST },
	{ "vf", no_argument, NULL, VF },
	{ "fault", required_argument, NULL, FAULT },
	{ "fault-later", required_argument, NULL, FAULT_LATER },
	{ "help", no_argument, NULL, HELP },
	{ }
};

struct paths {
	const char *socket, *log;
};

static void parse_number(struct options *o, int option, const char *name)
{
	unsigned long value = to_number(name, optarg);

	switch (option) {
	case XCC:
		o->xccs = value;
		break;
	case SDMA:
		o->sdmas = value;
		break;
	case VRAM:
		o->vram_size = value * MB;
		break;
	case POISON:
		o->poison = value;
		break;
	case FB_LOCATION:
		o->fb_location = value;
		break;
	case NPS:
		o->nps = value;
		break;
	}
}

static void parse_hive(struct options *o, char *text)
{
	char *node = strsep(&text, "/");

	if (!text)
		die("--hive wants NODE/NODES");
	o->hive_node = to_number("hive", node);
	o->hive_nodes = to_number("hive", text);
}

static void add_fault(char *text, struct injected *faults)
{
	if (!fault_parse(text, faults))
		die("no fault \"%s\"; see --help", text);
}

static void parse_option(struct options *o, struct paths *paths, int option, const char *name)
{
	switch (option) {
	case SOCKET:
		paths->socket = optarg;
		break;
	case LOG:
		paths->log = optarg;
		break;
	case TRACE:
		o->trace = true;
		break;
	case PARTITION:
		if (!partition_parse(optarg, &o->mode))
			die("no partition mode \"%s\"", optarg);
		break;
	case DIRECT:
		o->psp = false;
		break;
	case MSIX:
		o->msix = true;
		break;
	case RESET_WHEN_DOWN:
		o->reset_when_down = true;
		break;
	case HARVEST:
		o->harvest = true;
		break;
	case VF:
		o->vf = true;
		break;
	case HIVE:
		parse_hive(o, optarg);
		break;
	case FAULT:
		add_fault(optarg, o->now);
		break;
	case FAULT_LATER:
		add_fault(optarg, o->later);
		break;
	case HELP:
		fputs(usage, stdout);
		exit(0);
	default:
		parse_number(o, option, name);
	}
}

static struct paths parse_options(struct options *o, int argc, char **argv)
{
	struct paths paths = { NULL, "-" };
	int option, index = 0;

	while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (option == '?')
			exit(2);
		parse_option(o, &paths, option, long_options[index].name);
	}
	if (optind < argc || !paths.socket)
		die("--socket PATH, and nothing but options; see --help");
	check_options(o);
	return paths;
}

/* Life */

/* Registers and engines, but not VRAM */
void gpu_reset(struct gpu *gpu)
{
	registers_reset(gpu);
	vf_reset(gpu);
	gmc_reset(gpu);
	cp_reset(gpu);
	sdma_reset(gpu);
	psp_reset(gpu);
	partition_reset(gpu);
}

/* As it is at power-on: what the firmware puts there, and nothing else */
static void fill_vram(struct gpu *gpu)
{
	uint64_t size = gpu->options.vram_size;

	if (gpu->options.poison)
		memset(gpu->vram, gpu->options.poison, size);
	discovery_write(gpu, gpu->vram + size - DISCOVERY_SIZE);
	if (gpu->options.vf)
		vf_upload(gpu);
}

void gpu_lose_content(struct gpu *gpu, const char *by)
{
	gpu_reset(gpu);
	fill_vram(gpu);
	event("reset", "by=%s mode=%s", by, partition_name(gpu->mode));
}

/* The driver has turned off all memory hubs, or given a VF back: the last it does */
void gpu_down(struct gpu *gpu)
{
	if (gpu->options.reset_when_down)
		gpu_lose_content(gpu, "down");
}

static void make_vram(struct gpu *gpu)
{
	uint64_t size = gpu->options.vram_size;

	gpu->vram_fd = memfd_create("vram", MFD_CLOEXEC);
	if (gpu->vram_fd < 0 || ftruncate(gpu->vram_fd, size))
		die("VRAM: %s", strerror(errno));
	gpu->vram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, gpu->vram_fd, 0);
	if (gpu->vram == MAP_FAILED)
		die("VRAM: %s", strerror(errno));
	fill_vram(gpu);
}

static void power_on(struct gpu *gpu)
{
	const struct options *o = &gpu->options;

	event("power-on", "xcc=%u sdma=%u aid=%u mode=%s firmware=%s vram=0x%lx poison=0x%x",
	      o->xccs, o->sdmas, o->aids, partition_name(o->mode), o->psp ? "psp" : "direct",
	      o->vram_size, o->poison);
	faults_log(o->now);
	ip_init(gpu);
	vbios_write(gpu->rom, sizeof(gpu->rom), o->vf);
	make_vram(gpu);
	registers_init(gpu);
	gmc_init(gpu);
	ih_init(gpu);
	cp_init(gpu);
	sdma_init(gpu);
	psp_init(gpu);
	partition_init(gpu);
	if (o->vf) {
		vf_init(gpu);
		rlcg_init(gpu);
	}
	pci_init(gpu);
	gpu->dev.gone = injected(gpu, CONFIG_GONE)->on;
	gpu_reset(gpu);
}

static void account(const struct gpu *gpu)
{
	for (unsigned int i = 0; i < gpu->hub_count; i++)
		event("hub-count", "hub=%s reads=%lu writes=%lu faults=%lu invalidations=%lu",
		      gpu->hubs[i].name, gpu->hubs[i].reads, gpu->hubs[i].writes,
		      gpu->hubs[i].faults, gpu->hubs[i].invalidations);
	for (unsigned int i = 0; i < gpu->options.xccs; i++)
		event("engine-count", "engine=%s packets=%lu", gpu->xcc[i].cp_name,
		      gpu->xcc[i].packets);
	for (unsigned int i = 0; i < gpu->options.sdmas; i++)
		event("engine-count", "engine=%s packets=%lu bytes-copied=%lu poison-copied=%lu",
		      gpu->sdma[i].name, gpu->sdma[i].packets, gpu->sdma[i].bytes,
		      gpu->sdma[i].poison_bytes);
	event("count",
	      "register-reads=%lu register-writes=%lu doorbells=%lu interrupts=%lu faults=%lu",
	      gpu->count.register_reads, gpu->count.register_writes, gpu->count.doorbells,
	      gpu->count.interrupts, gpu->count.faults);
}

int main(int argc, char **argv)
{
	struct paths paths;
	int result;

	mi300x.options = (struct options){
		.xccs = 4,
		.psp = true,
		.vram_size = 1024 * MB,
		.fb_location = 0x8000,
		.nps = 1,
		.poison = 0xa4,
	};
	paths = parse_options(&mi300x.options, argc, argv);
	if (events_open(paths.log))
		die("%s: %s", paths.log, strerror(errno));
	power_on(&mi300x);
	if (vfu_listen(&mi300x.dev, paths.socket))
		die("%s: %s", paths.socket, strerror(errno));
	result = vfu_run(&mi300x.dev);
	pci_check(&mi300x);
	account(&mi300x);
	events_close();
	unlink(paths.socket);
	return result ? 1 : 0;
}
