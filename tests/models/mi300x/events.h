/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event log: what the model saw, for assertions to read.
 *
 * One line per event, "NUMBER SECONDS NAME key=value ...". NUMBER counts from
 * 1; SECONDS is the time since the model started. Names and keys do not
 * change; new ones may be added, keys at the end of a line. Addresses and
 * register values are hexadecimal with 0x, everything else is decimal or a
 * word. hub= is gfxhubN (N: XCC) or mmhubN (N: AID); by= is who did it: mmio
 * (the guest's CPU), rlc (for it), kiqN, cpN (N: XCC), sdmaN, psp, ih.
 *
 * power-on xcc= sdma= aid= mode= firmware=psp|direct vram= poison=
 * reset by=bus|down|host mode= the client reset the device: registers and engines
 *      are as at power-on, no fault interrupt is armed; VRAM stays as it is. by=down:
 *      --reset-when-down, VRAM is as at power-on as well; by=host: the same of a VF
 *      whose driver asks for access and has not released it
 * bus-master on=0|1            of PCI_COMMAND. While it is off nobody should use the
 *      device, and what is seen of that is logged once each time:
 *      dma-while-off what=memory by=, register-written-while-off what= by=,
 *      doorbell-while-off what=doorbell by=, and when that ends vram-written-while-off
 *      by= from= size=, one for each part of VRAM
 * fault-injected name= arg=    an option's fault is on from here on
 *
 * fault-interrupt hub= armed=0|1 context0=
 *      the page-fault interrupt enables of VM_CONTEXT0_CNTL changed: armed if
 *      all that gmc_v9_0 uses are set
 * page-table-base hub= vmid= base= by=
 *      VM_CONTEXTn_PAGE_TABLE_BASE_ADDR was written (on the upper half)
 * tlb-invalidate hub= engine= vmids= acked=0|1 by=
 * first-access hub= by= va= vmid= armed=0|1 context0= mode=
 *      the first memory access through a hub since power-on, since a reset and
 *      since its context 0 was last off (the driver turns it off when it suspends
 *      and on when it resumes), with the state of its fault interrupt and the
 *      partition mode
 * gpu-fault hub= by= vmid= va= access=read|write reason= entry= level= interrupt=0|1
 *      a translation failed; interrupt=1 if the guest was told
 * stray-fault (the same keys)  that of the fault stray-access
 * poison-fetch hub= by= va= what=ring|mqd|ib|frame
 *      an engine was given poison to execute: memory that nobody restored
 *
 * partition-write xcc= value= per-partition= virtual-xcc= applied=0|1 by=
 * partition-mode mode= before=     all XCCs agree on another mode than before
 * psp-command id= name= arg= status= answered=0|1
 * psp-ring base= size=
 * xgmi-command command= nodes= status=
 *      the trusted application of XGMI was asked; nodes= of those with a topology
 * xgmi-wrong why= command=     what it was told is not true of the hive, or not due yet;
 *      why=topology-not-set command=none: a process has a queue before
 *
 * queue-map kind=kiq|compute|hiq|user|sdma engine= me= pipe= queue= doorbell= base=
 *      mode=                       engine= is the XCC, for sdma the instance
 * queue-unmap (the same keys up to doorbell=)
 * queue-stuck engine= kind= waiting-for=
 *      a packet waits for what does not come; once per packet
 * bad-packet engine= kind= op=
 * bad-mqd engine= va= header= base= doorbell=      such a queue is not mapped
 * ib-lost engine=              not executed because that fault is injected
 * psp-order why=               a command that is not due yet
 * interrupt-lost client= src=  not delivered because that fault is injected
 * interrupt-dropped client= src= why=ring-off|no-memory
 *
 * With --vf:
 * vf-mailbox message= number=  the guest sent it
 * vf-access granted= active=   the host grants exclusive access; active=1: the guest
 *      has a driver on the VF
 * vf-page valid= version= used=        VF2PF when the driver is up, used= is in MB
 * vf-order why=                a message that is not due
 * vf-misuse what=page|partition by=    VF2PF is not valid; the mode was written
 * register-without-access what= by=
 *      the guest's CPU wrote it; once for one register
 *
 * with --trace: reg-read, reg-write name= value= by=, doorbell index= value=,
 *      interrupt client= src= ring= node= vmid=
 *
 * At exit, and only if the model ended in good order:
 * hub-count hub= reads= writes= faults= invalidations=
 * engine-count engine= packets=    for sdma also bytes-copied= poison-copied=
 * count register-reads= register-writes= doorbells= interrupts= faults=
 * end
 */
#ifndef MI300X_EVENTS_H
#define MI300X_EVENTS_H

#include <stdbool.h>

struct gpu;

int events_open(const char *path);
void event(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void events_close(void);

#endif
