// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host of a virtual function: the mailbox, who has exclusive access, what the
 * guest may do without it, and the pages in VRAM that both write.
 *
 * The order of messages is that of AMD's host driver: a VF that has no driver cannot
 * be finished, a VF that has one is reset when it is to be initialised, and a request
 * waits while access is granted. Without access the guest's CPU writes to the mailbox,
 * VRAM and doorbells; other registers can be read, and take nothing.
 *
 * NOT modelled: interrupts of the mailbox, so the host never resets the VF on its own;
 * a limit of the time that the guest has access; time slices and other VFs; bad pages;
 * RAS messages.
 */
#include <string.h>
#include <time.h>

#include "mi300x.h"
#include "kernel.h"
#include "amdgv_sriovmsg.h"
#include "mxgpu_nv.h"
#include "nbio/nbio_7_9_0_offset.h"
#include <linux/pci_regs.h>

/* since 7.2, where the host may put the pages elsewhere */
#ifdef AMD_SRIOV_MSG_PF2VF_OFFSET_KB_V1
#define AMD_SRIOV_MSG_VBIOS_OFFSET	AMD_SRIOV_MSG_VBIOS_OFFSET_V1
#define AMD_SRIOV_MSG_PF2VF_OFFSET_KB	AMD_SRIOV_MSG_PF2VF_OFFSET_KB_V1
#define AMD_SRIOV_MSG_VF2PF_OFFSET_KB	AMD_SRIOV_MSG_VF2PF_OFFSET_KB_V1
#endif

/* Bits of MAILBOX_CONTROL; a byte for each direction */
#define GUEST_VALID		0x001
#define GUEST_ACK		0x002
#define HOST_VALID		0x100
#define HOST_ACK		0x200

#define IDENTIFIER_VF		0x80000001	/* SR-IOV is on, and this is a VF */
#define OPEN_PAGE		(PAGE / 4)	/* of registers, in dwords */
#define UPDATE_MS		1000		/* of the guest's page */

#define MAILBOX(gpu, name)	REG(gpu, NBIF, 0, BIF_BX_PF0_MAILBOX_##name)

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static const char *request_name(uint32_t request)
{
	switch (request) {
	case IDH_REQ_GPU_INIT_ACCESS:
		return "request-init";
	case IDH_REL_GPU_INIT_ACCESS:
		return "release-init";
	case IDH_REQ_GPU_FINI_ACCESS:
		return "request-fini";
	case IDH_REL_GPU_FINI_ACCESS:
		return "release-fini";
	case IDH_REQ_GPU_RESET_ACCESS:
		return "request-reset";
	case IDH_REQ_GPU_INIT_DATA:
		return "request-data";
	default:
		return "other";
	}
}

/* What both write in VRAM */

static uint32_t checksum(const void *data, size_t size, uint32_t without)
{
	const uint8_t *byte = data;
	uint32_t sum = 0;

	while (size--)
		sum += *byte++;
	for (unsigned int shift = 0; shift < 32; shift += 8)
		sum -= without >> shift & 0xff;
	return sum;
}

void vf_upload(struct gpu *gpu)
{
	struct amd_sriov_msg_pf2vf_info info = {
		.header = { sizeof(info), AMD_SRIOV_MSG_FW_VRAM_PF2VF_VER, { } },
		.feature_flags.flags.reg_indirect_acc = 1,
		.reg_access_flags.flags = { .vf_reg_access_ih = 1, .vf_reg_access_gc = 1 },
		.vf2pf_update_interval_ms = UPDATE_MS,
		.uuid = 0x300,
		.pcie_atomic_ops_support_flags = PCI_EXP_DEVCAP2_ATOMIC_COMP32 |
						 PCI_EXP_DEVCAP2_ATOMIC_COMP64,
	};

	info.checksum = checksum(&info, sizeof(info), 0);
	memcpy(gpu->vram + (AMD_SRIOV_MSG_VBIOS_OFFSET << 10), gpu->rom, sizeof(gpu->rom));
	memcpy(gpu->vram + (AMD_SRIOV_MSG_PF2VF_OFFSET_KB << 10), &info, sizeof(info));
}

static void check_page_of_guest(const struct gpu *gpu)
{
	const struct amd_sriov_msg_vf2pf_info *info =
		(const void *)(gpu->vram + (AMD_SRIOV_MSG_VF2PF_OFFSET_KB << 10));
	bool valid = info->header.size == sizeof(*info) &&
		     info->checksum == checksum(info, sizeof(*info), info->checksum);

	event("vf-page", "valid=%d version=%u used=%u", valid, info->header.version,
	      info->fb_usage);
	if (!valid)
		event("vf-misuse", "what=page by=mmio");
}

/* Whoever writes it again, with the same content, has changed it */
void vf_spoil_page(struct gpu *gpu)
{
	if (gpu->options.vf)
		memset(gpu->vram + (AMD_SRIOV_MSG_VF2PF_OFFSET_KB << 10), gpu->options.poison,
		       sizeof(struct amd_sriov_msg_vf2pf_info));
}

/* Messages */

static void send(struct gpu *gpu, uint32_t message, uint32_t first, uint32_t second)
{
	uint32_t control = MAILBOX(gpu, CONTROL);

	reg_set(gpu, MAILBOX(gpu, MSGBUF_RCV_DW0), message);
	reg_set(gpu, MAILBOX(gpu, MSGBUF_RCV_DW1), first);
	reg_set(gpu, MAILBOX(gpu, MSGBUF_RCV_DW2), second);
	reg_set(gpu, control, reg_get(gpu, control) | HOST_VALID);
}

static void grant(struct gpu *gpu)
{
	uint32_t request = gpu->vf.waiting;

	gpu->vf.waiting = 0;
	gpu->vf.access = request;
	event("vf-access", "granted=%s active=%d", request_name(request), gpu->vf.active);
	/* nobody has said that this driver has gone, or it asks for it */
	if (request != IDH_REQ_GPU_FINI_ACCESS && gpu->vf.active) {
		gpu->vf.active = false;
		gpu_lose_content(gpu, "host");
	}
	send(gpu, IDH_READY_TO_ACCESS_GPU, 0, 0);
}

static void out_of_order(const char *why)
{
	event("vf-order", "why=%s", why);
}

static void request_access(struct gpu *gpu, uint32_t request)
{
	struct vf *vf = &gpu->vf;

	if (request == IDH_REQ_GPU_FINI_ACCESS && !vf->active) {
		out_of_order("fini-while-inactive");
		return;
	}
	if (vf->access)
		out_of_order("request-with-access");
	if (vf->ignored < injected_number(gpu, HOST_IGNORES)) {
		vf->ignored++;
		return;
	}
	if (vf->waiting != request)
		vf->since = now();
	vf->waiting = request;
}

static void release_access(struct gpu *gpu, uint32_t request)
{
	struct vf *vf = &gpu->vf;
	bool fini = request == IDH_REL_GPU_FINI_ACCESS;
	bool was_fini = vf->access == IDH_REQ_GPU_FINI_ACCESS;

	if (!vf->access || fini != was_fini) {
		out_of_order(vf->access ? "release-of-another" : "release-without-access");
		return;
	}
	vf->access = 0;
	vf->active = !fini;
	if (fini)
		gpu_down(gpu);
	else
		check_page_of_guest(gpu);
}

static void receive(struct gpu *gpu)
{
	uint32_t request = reg_get(gpu, MAILBOX(gpu, MSGBUF_TRN_DW0));

	event("vf-mailbox", "message=%s number=%u", request_name(request), request);
	send(gpu, IDH_CLR_MSG_BUF, 0, 0);
	switch (request) {
	case IDH_REQ_GPU_INIT_DATA:
		vf_upload(gpu);
		send(gpu, IDH_REQ_GPU_INIT_DATA_READY, 1, 0);
		break;
	case IDH_REQ_GPU_INIT_ACCESS:
	case IDH_REQ_GPU_FINI_ACCESS:
	case IDH_REQ_GPU_RESET_ACCESS:
		request_access(gpu, request);
		break;
	case IDH_REL_GPU_INIT_ACCESS:
	case IDH_REL_GPU_FINI_ACCESS:
		release_access(gpu, request);
		break;
	}
}

static void on_control(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	bool valid = value & GUEST_VALID;
	bool is_new = valid && !gpu->vf.valid;

	(void)arg;
	gpu->vf.valid = valid;
	if (value & HOST_ACK)
		value &= ~HOST_VALID;
	reg_set(gpu, reg, value & (GUEST_VALID | HOST_VALID));
	if (!is_new)
		return;
	receive(gpu);
	/* last: a reset has cleared it */
	reg_set(gpu, reg, reg_get(gpu, reg) | GUEST_VALID | GUEST_ACK);
}

void vf_tick(struct gpu *gpu)
{
	const struct vf *vf = &gpu->vf;
	unsigned long delay = injected_number(gpu, HOST_LATE);

	if (vf->waiting && !vf->access && now() >= vf->since + delay)
		grant(gpu);
}

/* Access */

static bool is_open(const struct gpu *gpu, uint32_t reg)
{
	return reg / OPEN_PAGE == MAILBOX(gpu, CONTROL) / OPEN_PAGE ||
	       reg == REG(gpu, NBIF, 0,
			  BIF_BX_DEV0_EPF0_VF0_HDP_MEM_COHERENCY_FLUSH_CNTL);
}

/* Whether a register takes what the guest's CPU writes */
bool vf_may_write(struct gpu *gpu, uint32_t reg)
{
	struct vf *vf = &gpu->vf;

	if (!gpu->options.vf || vf->access || is_open(gpu, reg))
		return true;
	if (vf->complained != reg)
		event("register-without-access", "what=0x%x by=mmio", reg);
	vf->complained = reg;
	return false;
}

/* The hypervisor has reset the VF: its driver is gone, whatever it has said */
void vf_gone(struct gpu *gpu)
{
	gpu->vf = (struct vf){ .ignored = gpu->vf.ignored };
}

void vf_reset(struct gpu *gpu)
{
	if (gpu->options.vf)
		reg_set(gpu, REG(gpu, NBIF, 0, RCC_DEV0_EPF0_RCC_IOV_FUNC_IDENTIFIER),
			IDENTIFIER_VF);
}

void vf_init(struct gpu *gpu)
{
	reg_on_write(MAILBOX(gpu, CONTROL), on_control, NULL);
}
