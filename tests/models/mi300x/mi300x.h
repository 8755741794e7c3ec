/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of a physical or virtual function of an AMD Instinct MI300X, as far as the
 * kernel's amdgpu drives it: enough for the unmodified driver to probe, to run
 * submissions, to hibernate and to resume on another instance of the model.
 *
 * Modelled: PCI config space, BARs, MSI or MSI-X; the IP discovery table; a
 * VBIOS that has been posted; the register file; GMC 9: VRAM, the VMID 0
 * aperture and GART, page walks of the other VMIDs, invalidation, page faults
 * with their interrupt; the IH ring; CP: KIQ and compute queues by MQD, run lists
 * of KFD with the user queues on them, the PM4 packets that the driver emits;
 * SDMA 4.4.2: the kernel's queue and its packets; PSP: bootloader mailbox and
 * GPCOM ring; the trusted application of XGMI, which is told of a hive; compute partition
 * modes. With --vf, of which vf.c says more: the mailbox and its host, exclusive access,
 * PF2VF and VF2PF, registers by RLC and PSP.
 *
 * NOT modelled, so a pass says nothing about it: stale TLB entries (every
 * access walks), HDP and cache flushes, shaders and AQL dispatch, running waves of
 * a user queue that is preempted, the GFX pipe, SDMA paging and user
 * queues, the SMU, RAS, VCN and JPEG, displays, the links of a hive (a GPU of one is
 * told who belongs to it, but cannot reach the memory of another: that is a fault, and
 * links are neither trained nor do they fail), a VF that its host resets unasked,
 * what memory partitions other than NPS1 do, GPU resets (mode-1 or
 * other: a new process, a bus reset, and with --reset-when-down the end of a
 * suspend clear it), firmware (accepted and ignored), trusted applications that outlive
 * the ring of the PSP, timing, the banking of HQD
 * registers (only the KIQ is set up through them). Whatever the model does not
 * know is plain memory.
 *
 * Offsets, fields and structures come from the headers of the kernel tree that
 * the model is built against, never from a copy. gc_*.h and mmhub_*.h define
 * the same names: a file includes one of them.
 */
#ifndef MI300X_H
#define MI300X_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../vfio-user/vfio_user.h"
#include "events.h"

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define FIELD(value, reg, field) \
	(((value) & (reg##__##field##_MASK)) >> (reg##__##field##__SHIFT))

#define MB			(1ull << 20)
#define PAGE			4096ull

#define MAX_XCC			8
#define MAX_AID			4
#define SDMA_PER_AID		4
#define MAX_SDMA		(MAX_AID * SDMA_PER_AID)
#define MAX_HUBS		(MAX_XCC + MAX_AID)
#define MAX_QUEUES		256
#define VMIDS			16

#define REGISTER_DWORDS		0x400000u	/* a BAR of 16 MB: all are direct */
#define DOORBELL_BYTES		(2 * MB)

/* The IPs of which there is more than a line in the discovery table */
enum ip_id {
	NBIF, GC, MMHUB, OSSSYS, SDMA0, MP0, SMUIO, OTHER_IP,
};

/**
 * struct ip_block - an instance of an IP block
 * @name: as the kernel's headers have it
 * @id: which of those that the model uses, or OTHER_IP
 * @hw_id: of soc15_hw_ip.h
 * @instance: hardware instance
 * @major: version, as @minor and @revision
 * @bases: of its register segments, in dwords
 */
struct ip_block {
	const char *name;
	enum ip_id id;
	uint16_t hw_id;
	uint8_t instance, major, minor, revision;
	uint8_t base_count;
	uint32_t bases[9];
};

enum partition_mode { SPX, DPX, TPX, QPX, CPX, MIXED = 15 };

/* Faults that can be injected; each with an optional argument */
enum fault {
	PARTITION_WRITE_IGNORED,
	PSP_REFUSES,
	PSP_SILENT,
	INVALIDATE_NEVER_ACKED,
	RING_TEST_FAILS,
	INTERRUPT_LOST,
	PSP_REFUSES_ONCE,
	PSP_REFUSES_NTH,
	IB_LOST,
	STRAY_ACCESS,
	MMIO_DEAD,
	CONFIG_GONE,
	HOST_LATE,
	HOST_IGNORES,
	FAULTS,
};

struct injected {
	bool on;
	const char *arg;	/* NULL: all */
};

struct options {
	unsigned int xccs, sdmas, aids;
	enum partition_mode mode;
	bool psp, msix, trace, reset_when_down, harvest, vf;
	uint64_t vram_size;
	unsigned int fb_location;	/* of VRAM, in units of 16 MB */
	unsigned int nps;
	unsigned int hive_nodes, hive_node;	/* none: not linked */
	uint8_t poison;
	struct injected now[FAULTS], later[FAULTS];
};

struct gpu;

typedef void (*reg_write_fn)(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value);
typedef uint32_t (*reg_read_fn)(struct gpu *gpu, void *arg, uint32_t reg);

/**
 * struct hub - the memory hub of an XCC (gfxhub) or an AID (mmhub)
 * @name: for the log
 * @client: interrupt client of its faults
 * @node: node id of its interrupts
 * @reg: registers, by name of what they hold
 * @on: its context 0 is
 * @armed: the fault interrupt, as last logged
 * @seen: the first access since power-on, reset or context 0 off was logged
 */
struct hub_registers {
	uint32_t context0_cntl, page_table_base0, start_lo, start_hi, end_lo, end_hi;
	uint32_t fb_base, fb_top;
	uint32_t invalidate_req0, invalidate_ack0, invalidate_sem0;
	uint32_t fault_status, fault_addr_lo, fault_addr_hi;
};

struct hub {
	char name[12];
	unsigned int client, node;
	struct hub_registers reg;
	bool on, armed, seen;
	uint64_t last_fault;
	unsigned long reads, writes, faults, invalidations;
};

/* Who accesses memory, and how */
struct requester {
	struct hub *hub;
	unsigned int vmid;
	const char *name;
};

enum access { READ, WRITE };

struct ih {
	uint32_t cntl, base, base_hi, wptr, wptr_lo, wptr_hi;
};

enum queue_kind { KIQ, COMPUTE, HIQ, USER };

/**
 * struct queue - a mapped queue of the CP
 * @rptr: in dwords, never wraps; as @wptr
 * @mask: of a position in the ring
 * @report: where the read pointer is written
 * @vmid: of USER: whose addresses these are
 * @mqd: of USER: where its state is kept while it is not mapped
 * @stuck: the log knows that the packet at @rptr waits
 */
struct queue {
	bool active, stuck;
	enum queue_kind kind;
	unsigned int xcc, me, pipe, index;
	uint32_t doorbell;
	unsigned int vmid;
	uint64_t base, rptr, wptr, mask, report, mqd;
};

struct xcc {
	char kiq_name[12], cp_name[12];
	struct hub *hub;
	uint32_t window;	/* what the packets' 16-bit offsets are relative to */
	uint32_t xcp_ctl;	/* the register, and what is in force */
	uint32_t xcp_applied;
	struct {
		uint32_t grbm_gfx_cntl, hqd_active, hqd_dequeue, pq_base, pq_base_hi;
		uint32_t pq_control, pq_doorbell, pq_report, pq_report_hi;
	} reg;
	unsigned long packets;
};

struct sdma {
	char name[12];
	struct hub *hub;
	unsigned int instance, client, node;
	bool on, stuck;
	uint64_t rptr, wptr;	/* in dwords */
	struct {
		uint32_t cntl, base, base_hi, rptr, rptr_hi, report, report_hi;
		uint32_t doorbell, doorbell_offset;
	} reg;
	unsigned long packets, bytes, poison_bytes;
};

/**
 * struct psp - the secure processor
 * @base: of the ring
 * @size: of the ring in dwords
 * @wptr: up to where the ring was read, in dwords
 * @ring: there is one
 * @firmware: how many images were loaded through it
 */
struct psp {
	uint64_t base;
	uint32_t size, wptr;
	bool ring;
	unsigned int firmware;
};

/**
 * struct vf - what the host knows of its virtual function
 * @access: the request for exclusive access that it granted, 0: none
 * @waiting: the one that it has not granted yet, 0: none
 * @since: when that one came
 * @ignored: how many it did not answer because of that fault
 * @active: the guest has a driver on it
 * @valid: the guest's message, as MAILBOX_CONTROL says
 * @complained: the register of the last register-without-access
 */
struct vf {
	uint32_t access, waiting;
	double since;
	unsigned long ignored;
	bool active, valid;
	uint32_t complained;
};

/**
 * struct xgmi - the trusted application of XGMI
 * @loaded: there is a session
 * @initialized: it was told to begin
 * @shared: where its commands are
 * @nodes: how many it was told of, 0 for not yet
 */
struct xgmi {
	bool loaded, initialized;
	uint64_t shared;
	unsigned int nodes;
};

#define VRAM_CHUNKS 256

/**
 * struct bus - what the model makes of PCI_COMMAND
 * @master: it may access the guest's memory
 * @off: it no longer may: nobody should use it
 * @vram: checksums of parts of VRAM at that moment
 * @complained: of what was seen while @off, in the order of enum misuse
 */
enum misuse { DMA, REGISTER, DOORBELL, MISUSES };

struct bus {
	bool master, off;
	uint64_t vram[VRAM_CHUNKS];
	bool complained[MISUSES];
};

struct gpu {
	struct vfu_device dev;
	struct options options;
	uint8_t *vram;
	int vram_fd;
	uint8_t rom[64 << 10];

	struct ip_block ips[96];
	unsigned int ip_count;

	uint32_t *registers;
	const char *actor;		/* who writes registers now */

	struct hub hubs[MAX_HUBS];
	unsigned int hub_count;
	struct hub *gfxhub[MAX_XCC], *mmhub[MAX_AID];
	struct ih ih;
	struct xcc xcc[MAX_XCC];
	struct queue queues[MAX_QUEUES];
	struct sdma sdma[MAX_SDMA];
	struct psp psp;
	struct vf vf;
	struct xgmi xgmi;
	unsigned int refuse_in;		/* so many commands of the PSP; 0: none */
	struct bus bus;
	enum partition_mode mode, last_mode;	/* the last that was not MIXED */
	uint32_t compute_status;		/* register */

	struct {
		unsigned long register_reads, register_writes, doorbells, interrupts, faults;
	} count;
};

/* ip.c: which IPs there are, and where their registers lie */
void ip_init(struct gpu *gpu);
uint32_t ip_base(const struct gpu *gpu, enum ip_id id, unsigned int instance,
		 unsigned int segment);

#define REG(gpu, ip, instance, name) \
	(ip_base(gpu, ip, instance, reg##name##_BASE_IDX) + reg##name)

/* registers.c */
void registers_init(struct gpu *gpu);
void registers_reset(struct gpu *gpu);
static inline uint32_t reg_get(const struct gpu *gpu, uint32_t reg)
{
	return gpu->registers[reg];
}

static inline void reg_set(struct gpu *gpu, uint32_t reg, uint32_t value)
{
	gpu->registers[reg] = value;
}

/* A 64-bit value in two registers */
static inline uint64_t reg_get64(const struct gpu *gpu, uint32_t lo, uint32_t hi)
{
	return (uint64_t)gpu->registers[hi] << 32 | gpu->registers[lo];
}

void reg_on_write(uint32_t reg, reg_write_fn fn, void *arg);
void reg_on_read(uint32_t reg, reg_read_fn fn, void *arg);
uint32_t reg_read(struct gpu *gpu, uint32_t reg);
void reg_write(struct gpu *gpu, uint32_t reg, uint32_t value, const char *actor);

/* names.c, generated: only for --trace */
struct register_name {
	const char *ip;
	unsigned int segment;
	uint32_t offset;
	const char *name;
};

extern const struct register_name register_names[];
extern const unsigned int register_name_count;

/* pci.c */
void pci_init(struct gpu *gpu);
void pci_check(struct gpu *gpu);
void *pci_memory(struct gpu *gpu, const char *by, uint64_t address, size_t size);

/* discovery.c, vbios.c: what the device has in VRAM and ROM from the start */
#define DISCOVERY_SIZE		(64 << 10)	/* at the end of VRAM */
void discovery_write(const struct gpu *gpu, uint8_t *to);
void vbios_write(uint8_t *rom, size_t size, bool vf);

/* gmc.c, and gfxhub.c and mmhub.c for where the registers are */
void gfxhub_init(struct gpu *gpu, struct hub *hub, unsigned int xcc);
void gfxhub_reset(struct gpu *gpu);
void mmhub_init(struct gpu *gpu, struct hub *hub, unsigned int aid);
void gmc_init(struct gpu *gpu);
void gmc_reset(struct gpu *gpu);
void *gmc_page(struct gpu *gpu, const struct requester *by, uint64_t va, enum access access);
uint32_t gmc_read(struct gpu *gpu, const struct requester *by, uint64_t va);
void gmc_write(struct gpu *gpu, const struct requester *by, uint64_t va, uint32_t value);
void gmc_write64(struct gpu *gpu, const struct requester *by, uint64_t va, uint64_t value);
void gmc_copy_in(struct gpu *gpu, const struct requester *by, void *to, uint64_t va,
		 size_t size);
void gmc_copy_out(struct gpu *gpu, const struct requester *by, uint64_t va, const void *from,
		  size_t size);
void gmc_stray(struct gpu *gpu);
bool gmc_is_poison(const struct gpu *gpu, uint32_t value);

/* stream.c: rings and indirect buffers */
struct stream {
	struct requester by;
	uint64_t base, position, end, mask;	/* in dwords, but base */
	unsigned int depth;
};

static inline uint32_t stream_peek(struct gpu *gpu, const struct stream *s, uint32_t n)
{
	return gmc_read(gpu, &s->by, s->base + 4 * ((s->position + n) & s->mask));
}

static inline uint64_t stream_peek64(struct gpu *gpu, const struct stream *s, uint32_t n)
{
	return stream_peek(gpu, s, n) | (uint64_t)stream_peek(gpu, s, n + 1) << 32;
}

bool stream_is_poison(struct gpu *gpu, struct stream *s, uint32_t header);

/* ih.c */
struct interrupt {
	unsigned int client, source, ring, vmid, node;
	uint32_t data[4];
};

void ih_init(struct gpu *gpu);
void ih_raise(struct gpu *gpu, const struct interrupt *interrupt);

/* cp.c: queues; pm4.c: packets */
void cp_init(struct gpu *gpu);
void cp_reset(struct gpu *gpu);
bool cp_doorbell(struct gpu *gpu, uint32_t index, uint64_t value);
void cp_tick(struct gpu *gpu);
void cp_map(struct gpu *gpu, const struct queue *queue);
void cp_unmap(struct gpu *gpu, struct queue *queue);
void cp_unmap_users(struct gpu *gpu, const struct requester *by, unsigned int xcc);
void cp_run(struct gpu *gpu, struct queue *queue);
struct queue *cp_find(struct gpu *gpu, unsigned int xcc, uint32_t doorbell);
const char *cp_name(const struct gpu *gpu, const struct queue *queue);
bool pm4_run(struct gpu *gpu, struct queue *queue, struct stream *stream);

/* sdma.c */
void sdma_init(struct gpu *gpu);
void sdma_reset(struct gpu *gpu);
bool sdma_doorbell(struct gpu *gpu, uint32_t index, uint64_t value);
void sdma_tick(struct gpu *gpu);

/* psp.c */
void psp_init(struct gpu *gpu);
void psp_reset(struct gpu *gpu);

/* xgmi.c: each returns whether PSP has nothing against it */
bool xgmi_load(struct gpu *gpu, const struct requester *by, uint64_t image, uint64_t shared);
bool xgmi_unload(struct gpu *gpu);
bool xgmi_invoke(struct gpu *gpu, const struct requester *by, uint32_t command);
void xgmi_check_ready(struct gpu *gpu);

/* partition.c */
const char *partition_name(enum partition_mode mode);
bool partition_parse(const char *name, enum partition_mode *mode);
void partition_init(struct gpu *gpu);
void partition_reset(struct gpu *gpu);
void partition_apply(struct gpu *gpu, unsigned int partitions);
unsigned int partition_count(const struct gpu *gpu, enum partition_mode mode);

/* vf.c: the host of a virtual function; rlcg.c: registers by way of RLC */
void vf_init(struct gpu *gpu);
void vf_reset(struct gpu *gpu);
void vf_gone(struct gpu *gpu);
void vf_upload(struct gpu *gpu);
void vf_spoil_page(struct gpu *gpu);
bool vf_may_write(struct gpu *gpu, uint32_t reg);
void vf_tick(struct gpu *gpu);
void rlcg_init(struct gpu *gpu);

/* faults.c */
bool fault_parse(char *text, struct injected *faults);
void faults_log(const struct injected *faults);
void inject_later(struct gpu *gpu);
const struct injected *injected(const struct gpu *gpu, enum fault fault);
bool injected_for(const struct gpu *gpu, enum fault fault, const char *unit);
unsigned long injected_number(const struct gpu *gpu, enum fault fault);

/* main.c */
void gpu_reset(struct gpu *gpu);
void gpu_down(struct gpu *gpu);
void gpu_lose_content(struct gpu *gpu, const char *by);

#endif
