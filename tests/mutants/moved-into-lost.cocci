// SPDX-License-Identifier: GPL-2.0-only
//! what TTM moves page tables into the VRAM of a lost GPU when a process ends
//! caught amdgpu_other_address after-loss|written
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_ttm.c
//# gone amdgpu_virt_pm_is_lost(adev)
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_amdkfd_gpuvm.c
//# gone amdgpu_virt_pm_is_lost(adev)

@@
symbol adev, new_mem;
@@
 amdgpu_bo_move(...)
 {
 	<...
-	if (new_mem->mem_type == TTM_PL_VRAM && amdgpu_virt_pm_is_lost(adev))
-		return -ENODEV;
 	...>
 }

@@
symbol adev;
@@
 vm_validate_pt_pd_bos(...)
 {
 	<...
-	if (amdgpu_virt_pm_is_lost(adev))
-		return 0;
 	...>
 }
