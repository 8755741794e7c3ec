/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registers of a memory hub have the same names in the kernel's headers for
 * GC and for MMHUB, so only one of these can be included: the file that does says
 * by @at where a register is.
 */
#ifndef MI300X_HUB_REGISTERS_H
#define MI300X_HUB_REGISTERS_H

#define HUB_REGISTERS(at) ((struct hub_registers){				\
	.context0_cntl = at(VM_CONTEXT0_CNTL),					\
	.page_table_base0 = at(VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_LO32),		\
	.start_lo = at(VM_CONTEXT0_PAGE_TABLE_START_ADDR_LO32),			\
	.start_hi = at(VM_CONTEXT0_PAGE_TABLE_START_ADDR_HI32),			\
	.end_lo = at(VM_CONTEXT0_PAGE_TABLE_END_ADDR_LO32),			\
	.end_hi = at(VM_CONTEXT0_PAGE_TABLE_END_ADDR_HI32),			\
	.fb_base = at(MC_VM_FB_LOCATION_BASE),					\
	.fb_top = at(MC_VM_FB_LOCATION_TOP),					\
	.invalidate_req0 = at(VM_INVALIDATE_ENG0_REQ),				\
	.invalidate_ack0 = at(VM_INVALIDATE_ENG0_ACK),				\
	.invalidate_sem0 = at(VM_INVALIDATE_ENG0_SEM),				\
	.fault_status = at(VM_L2_PROTECTION_FAULT_STATUS),			\
	.fault_addr_lo = at(VM_L2_PROTECTION_FAULT_ADDR_LO32),			\
	.fault_addr_hi = at(VM_L2_PROTECTION_FAULT_ADDR_HI32),			\
})

#endif
