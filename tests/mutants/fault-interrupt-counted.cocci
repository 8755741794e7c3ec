// SPDX-License-Identifier: GPL-2.0-only
//! what arming the page fault interrupt takes a reference that nobody gives back
//! caught amdgpu_s4 0 of 5 hubs had their fault interrupt armed
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# add 1 amdgpu_irq_get(adev, fault, 0)

@@
identifier adev, flags;
symbol fault;
@@
 arm_fault_interrupt(...)
 {
 	<...
+	if (fault->funcs)
+		return amdgpu_irq_get(adev, fault, 0);
 	spin_lock_irqsave(&adev->irq.lock, flags);
 	...>
 }
