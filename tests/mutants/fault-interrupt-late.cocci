// SPDX-License-Identifier: GPL-2.0-only
//! what the page fault interrupt is armed as late as upstream arms it
//! caught amdgpu_s4 0 of 5 hubs had their fault interrupt armed
//! caught amdgpu_faults_heard the stray access was not reported
//
//# file drivers/gpu/drm/amd/amdgpu/gmc_v9_0.c
//# add 1 r = 0;

@@
symbol r;
@@
 gmc_v9_0_resume(...)
 {
 	<...
-	r = gmc_v9_0_vm_fault_interrupt_state(...);
+	r = 0;
 	...>
 }
