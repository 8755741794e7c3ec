// SPDX-License-Identifier: GPL-2.0-only
//! what arming the page fault interrupt takes a reference that is never dropped
//! caught amdgpu_s4 0 of 5 hubs had their fault interrupt armed
//
//# file drivers/gpu/drm/amd/amdgpu/gmc_v9_0.c
//# add 1 amdgpu_irq_get(adev, &adev->gmc.vm_fault, 0)

@@
symbol r;
identifier adev;
@@
 gmc_v9_0_resume(...)
 {
 	...
 	struct amdgpu_device *adev = ...;
 	<...
-	r = gmc_v9_0_vm_fault_interrupt_state(...);
+	r = amdgpu_irq_get(adev, &adev->gmc.vm_fault, 0);
 	...>
 }
