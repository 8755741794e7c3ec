// SPDX-License-Identifier: GPL-2.0-only
//! what a GPU that is lost does not give its share of the lock of KFD back
//! caught amdgpu_two_lost kfd-check|does not
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# gone amdgpu_virt_pm_release_kfd(pm);

@@
@@
 amdgpu_virt_pm_op_unplug(...)
 {
 	...
-	amdgpu_virt_pm_release_kfd(pm);
 }

@@
@@
 amdgpu_virt_pm_remove(...)
 {
 	<...
-	amdgpu_virt_pm_release_kfd(pm);
 	...>
 }
