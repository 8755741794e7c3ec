// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSP: the bootloader's mailbox, the one of the secure OS, and the GPCOM ring.
 * Whatever it is given to load or to run, it says that it has done so, but it looks
 * at the order, and whether firmware is there. Of trusted applications there is only
 * that of XGMI.
 */
#include "mi300x.h"
#include "kernel.h"
#include "psp_gfx_if.h"
#include "mp/mp_13_0_6_offset.h"

#define READY			GFX_FLAG_RESPONSE
#define COMMAND_MASK		0x00ff0000
#define BL_LOAD_SOSDRV		0x00020000	/* PSP_BL__LOAD_SOSDRV of amdgpu_psp.h */
/* the driver of a VF takes a command that is not supported for done */
#define STATUS_REFUSED(vf)	((vf) ? TEE_ERROR_CANCEL : TEE_ERROR_NOT_SUPPORTED)
#define SESSION			1
#define FRAME_DWORDS		(sizeof(struct psp_gfx_rb_frame) / 4)
#define VF_RING_BYTES		4096		/* what psp_ring_init() allocates */
#define REGISTER_IH_RB_CNTL	0		/* PSP_REG_IH_RB_CNTL of amdgpu_psp.h */

#define C2PMSG(gpu, n)		REG(gpu, MP0, 0, MP0_SMN_C2PMSG_##n)

static const char *command_name(uint32_t id)
{
	static const char * const names[] = {
		[GFX_CMD_ID_LOAD_TA] = "load-ta",
		[GFX_CMD_ID_UNLOAD_TA] = "unload-ta",
		[GFX_CMD_ID_INVOKE_CMD] = "invoke",
		[GFX_CMD_ID_LOAD_ASD] = "load-asd",
		[GFX_CMD_ID_SETUP_TMR] = "setup-tmr",
		[GFX_CMD_ID_LOAD_IP_FW] = "load-firmware",
		[GFX_CMD_ID_DESTROY_TMR] = "destroy-tmr",
		[GFX_CMD_ID_PROG_REG] = "program-register",
		[GFX_CMD_ID_LOAD_TOC] = "load-toc",
		[GFX_CMD_ID_AUTOLOAD_RLC] = "autoload-rlc",
		[GFX_CMD_ID_BOOT_CFG] = "boot-config",
		[GFX_CMD_ID_SRIOV_SPATIAL_PART] = "partition",
	};

	return id < ARRAY_SIZE(names) && names[id] ? names[id] : "other";
}

static uint32_t command_argument(const struct psp_gfx_cmd_resp *command)
{
	switch (command->cmd_id) {
	case GFX_CMD_ID_LOAD_IP_FW:
		return command->cmd.cmd_load_ip_fw.fw_type;
	case GFX_CMD_ID_SRIOV_SPATIAL_PART:
		return command->cmd.cmd_spatial_part.mode;
	case GFX_CMD_ID_PROG_REG:
		return command->cmd.cmd_setup_reg_prog.reg_id;
	case GFX_CMD_ID_INVOKE_CMD:
		return command->cmd.cmd_invoke_cmd.ta_cmd_id;
	default:
		return 0;
	}
}

static void load_firmware(struct gpu *gpu, const struct requester *by,
			  const struct psp_gfx_cmd_load_ip_fw *load)
{
	uint64_t at = (uint64_t)load->fw_phy_addr_hi << 32 | load->fw_phy_addr_lo;

	if (!load->fw_size)
		event("psp-order", "why=firmware-without-size");
	if (gmc_is_poison(gpu, gmc_read(gpu, by, at)))
		event("poison-fetch", "hub=%s by=psp va=0x%lx what=firmware", by->hub->name, at);
	gpu->psp.firmware++;
}

static void set_partitions(struct gpu *gpu, unsigned int partitions)
{
	/* the mode decides what the firmware of CP and RLC works on */
	if (!gpu->psp.firmware)
		event("psp-order", "why=partition-before-firmware");
	partition_apply(gpu, partitions);
}

static bool load_application(struct gpu *gpu, const struct requester *by,
			     const struct psp_gfx_cmd_load_ta *load)
{
	return xgmi_load(gpu, by,
			 (uint64_t)load->app_phy_addr_hi << 32 | load->app_phy_addr_lo,
			 (uint64_t)load->cmd_buf_phy_addr_hi << 32 | load->cmd_buf_phy_addr_lo);
}

static bool is_refused(struct gpu *gpu, const char *name)
{
	if (gpu->refuse_in && !--gpu->refuse_in)
		return true;
	if (injected_for(gpu, PSP_REFUSES_ONCE, name)) {
		gpu->options.now[PSP_REFUSES_ONCE].on = false;
		return true;
	}
	return injected_for(gpu, PSP_REFUSES, name);
}

static uint32_t execute(struct gpu *gpu, const struct requester *by,
			const struct psp_gfx_cmd_resp *command)
{
	bool good = true;

	if (is_refused(gpu, command_name(command->cmd_id)))
		return STATUS_REFUSED(gpu->options.vf);
	switch (command->cmd_id) {
	case GFX_CMD_ID_LOAD_IP_FW:
		load_firmware(gpu, by, &command->cmd.cmd_load_ip_fw);
		break;
	case GFX_CMD_ID_SRIOV_SPATIAL_PART:
		set_partitions(gpu, command->cmd.cmd_spatial_part.mode);
		break;
	/* those of the other rings are not modelled */
	case GFX_CMD_ID_PROG_REG:
		if (command->cmd.cmd_setup_reg_prog.reg_id == REGISTER_IH_RB_CNTL)
			reg_write(gpu, gpu->ih.cntl,
				  command->cmd.cmd_setup_reg_prog.reg_value, "psp");
		break;
	case GFX_CMD_ID_LOAD_TA:
		good = load_application(gpu, by, &command->cmd.cmd_load_ta);
		break;
	case GFX_CMD_ID_UNLOAD_TA:
		good = command->cmd.cmd_unload_ta.session_id == SESSION && xgmi_unload(gpu);
		break;
	case GFX_CMD_ID_INVOKE_CMD:
		good = command->cmd.cmd_invoke_cmd.session_id == SESSION &&
		       xgmi_invoke(gpu, by, command->cmd.cmd_invoke_cmd.ta_cmd_id);
		break;
	}
	return good ? TEE_SUCCESS : STATUS_REFUSED(gpu->options.vf);
}

static void answer(struct gpu *gpu, const struct requester *by, uint64_t at, uint32_t status)
{
	at += offsetof(struct psp_gfx_cmd_resp, resp);
	gmc_write(gpu, by, at + offsetof(struct psp_gfx_resp, status), status);
	gmc_write(gpu, by, at + offsetof(struct psp_gfx_resp, session_id), SESSION);
}

static void run_frame(struct gpu *gpu, const struct requester *by, uint64_t address)
{
	struct psp_gfx_cmd_resp command;
	struct psp_gfx_rb_frame frame;
	uint32_t status;
	uint64_t at;
	bool silent;

	gmc_copy_in(gpu, by, &frame, address, sizeof(frame));
	if (gmc_is_poison(gpu, frame.cmd_buf_addr_lo))
		event("poison-fetch", "hub=%s by=psp va=0x%lx what=frame", by->hub->name, address);
	at = (uint64_t)frame.cmd_buf_addr_hi << 32 | frame.cmd_buf_addr_lo;
	gmc_copy_in(gpu, by, &command, at, sizeof(command));
	silent = injected_for(gpu, PSP_SILENT, command_name(command.cmd_id));
	status = silent ? 0 : execute(gpu, by, &command);
	event("psp-command", "id=0x%x name=%s arg=0x%x status=0x%x answered=%d", command.cmd_id,
	      command_name(command.cmd_id), command_argument(&command), status, !silent);
	if (silent)
		return;
	answer(gpu, by, at, status);
	gmc_write(gpu, by, (uint64_t)frame.fence_addr_hi << 32 | frame.fence_addr_lo,
		  frame.fence_value);
}

static void consume(struct gpu *gpu, uint32_t wptr)
{
	const struct requester by = { gpu->mmhub[0], 0, "psp" };
	const struct psp *psp = &gpu->psp;

	if (!psp->ring)
		event("psp-order", "why=no-ring");
	if (!psp->size || psp->size % FRAME_DWORDS || wptr >= psp->size || wptr % FRAME_DWORDS)
		return;
	while (psp->wptr != wptr) {
		run_frame(gpu, &by, psp->base + 4ull * psp->wptr);
		gpu->psp.wptr = (psp->wptr + FRAME_DWORDS) % psp->size;
	}
}

/* The ring's write pointer, in dwords */
static void on_wptr(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	(void)arg;
	(void)reg;
	consume(gpu, value);
}

static void create_ring(struct gpu *gpu, uint64_t base, uint32_t bytes)
{
	gpu->psp = (struct psp){ .base = base, .size = bytes / 4, .ring = true };
	gpu->xgmi = (struct xgmi){ };
	event("psp-ring", "base=0x%lx size=%u", base, bytes);
	if (injected(gpu, STRAY_ACCESS)->on)
		gmc_stray(gpu);
}

static void on_bootloader(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	(void)arg;
	reg_set(gpu, reg, READY);
	if (value == BL_LOAD_SOSDRV)
		reg_set(gpu, C2PMSG(gpu, 81), 1);	/* it is alive */
}

static void on_control(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	(void)arg;
	reg_set(gpu, reg, READY | (value & COMMAND_MASK));
	if ((value & COMMAND_MASK) == GFX_CTRL_CMD_ID_DESTROY_RINGS)
		gpu->psp.ring = false;
	if ((value & COMMAND_MASK) != GFX_CTRL_CMD_ID_INIT_GPCOM_RING)
		return;
	reg_set(gpu, C2PMSG(gpu, 67), 0);
	reg_set(gpu, C2PMSG(gpu, 81), 1);
	create_ring(gpu, reg_get64(gpu, C2PMSG(gpu, 69), C2PMSG(gpu, 70)),
		    reg_get(gpu, C2PMSG(gpu, 71)));
}

/* A VF has one register for the ring's address and for its write pointer */
static void on_vf_control(struct gpu *gpu, void *arg, uint32_t reg, uint32_t value)
{
	(void)arg;
	reg_set(gpu, reg, READY);
	switch (value & COMMAND_MASK) {
	case GFX_CTRL_CMD_ID_INIT_GPCOM_RING:
		create_ring(gpu, reg_get64(gpu, C2PMSG(gpu, 102), C2PMSG(gpu, 103)),
			    VF_RING_BYTES);
		reg_set(gpu, C2PMSG(gpu, 102), 0);
		break;
	case GFX_CTRL_CMD_ID_CONSUME_CMD:
		consume(gpu, reg_get(gpu, C2PMSG(gpu, 102)));
		break;
	case GFX_CTRL_CMD_ID_DESTROY_GPCOM_RING:
		gpu->psp.ring = false;
		break;
	}
}

void psp_init(struct gpu *gpu)
{
	if (gpu->options.vf) {
		reg_on_write(C2PMSG(gpu, 101), on_vf_control, NULL);
		return;
	}
	reg_on_write(C2PMSG(gpu, 35), on_bootloader, NULL);
	reg_on_write(C2PMSG(gpu, 64), on_control, NULL);
	reg_on_write(C2PMSG(gpu, 67), on_wptr, NULL);
}

void psp_reset(struct gpu *gpu)
{
	gpu->psp = (struct psp){ };
	gpu->xgmi = (struct xgmi){ };
	reg_set(gpu, C2PMSG(gpu, 35), READY);
	reg_set(gpu, C2PMSG(gpu, 64), READY);
}
