// SPDX-License-Identifier: GPL-2.0-only
//! what the second try forgets that bus mastering is off
//! caught amdgpu_fault_psp_refuses_once amdgpu was given up|while-off
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# gone pci_set_master

@@
expression E;
@@
 amdgpu_virt_pm_restart(...)
 {
 	<...
-	pci_set_master(E);
 	...>
 }
