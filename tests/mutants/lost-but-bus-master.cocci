// SPDX-License-Identifier: GPL-2.0-only
//! what a lost GPU keeps on doing DMA
//! caught amdgpu_lost_compute is still a bus master
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# gone pci_clear_master(

@@
expression E;
@@
 amdgpu_virt_pm_op_quiesce(...)
 {
 	<...
-	pci_clear_master(E);
 	...>
 }
