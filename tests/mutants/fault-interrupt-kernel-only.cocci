// SPDX-License-Identifier: GPL-2.0-only
//! what page faults of user processes are not reported
//! caught amdgpu_faults_heard a fault of VMID .* is not reported
//
//# file drivers/gpu/drm/amd/amdgpu/gmc_v9_0.c
//# add 2 i < 1;

@@
symbol i;
@@
 gmc_v9_0_vm_fault_interrupt_state(...)
 {
 	<...
-	i < 16
+	i < 1
 	...>
 }
