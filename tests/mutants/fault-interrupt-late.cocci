// SPDX-License-Identifier: GPL-2.0-only
//! what the page fault interrupt is armed as late as upstream arms it
//! caught amdgpu_s4 0 of 5 hubs had their fault interrupt armed
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# gone fault->funcs->set(

@@
symbol fault, r;
@@
 amdgpu_virt_pm_arm_fault_irq(...)
 {
 	<...
-	r = fault->funcs->set(...);
+	r = 0;
 	...>
 }
