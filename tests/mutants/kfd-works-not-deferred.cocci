// SPDX-License-Identifier: GPL-2.0-only
//! what KFD restores a process while its GPU waits for a second try
//! caught amdgpu_fault_psp_refuses_once written|while-off|after-loss
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# gone queue_delayed_work(wq, work,

@@
symbol wq, work;
@@
 amdgpu_virt_pm_defer_kfd(...)
 {
 	<...
-	queue_delayed_work(wq, work, ...);
-	return true;
+	return false;
 	...>
 }
