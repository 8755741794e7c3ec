// SPDX-License-Identifier: GPL-2.0-only
//! what a resume does not tell the PSP which GPUs are linked
//! caught amdgpu_hive_s4 xgmi-wrong why=topology-not-set
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm_hive.c
//# gone r = amdgpu_virt_pm_set_topology(adev);

@@
identifier r;
@@
 amdgpu_virt_pm_join_resets(...)
 {
 	<...
-	r = amdgpu_virt_pm_set_topology(adev);
+	r = 0;
 	...>
 }

@@
@@
-static int amdgpu_virt_pm_set_topology(...) { ... }
