// SPDX-License-Identifier: GPL-2.0-only
//! what arming the page fault interrupt takes a reference that is never dropped
//! caught amdgpu_s4 0 of 5 hubs had their fault interrupt armed
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# add 1 amdgpu_irq_get(adev, fault, 0)

@@
identifier adev;
symbol fault, r;
@@
 amdgpu_virt_pm_arm_fault_irq(struct amdgpu_device *adev)
 {
 	<...
-	r = fault->funcs->set(...);
+	spin_unlock_irqrestore(&adev->irq.lock, flags);
+	return amdgpu_irq_get(adev, fault, 0);
 	...>
 }
