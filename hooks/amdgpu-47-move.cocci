// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: nothing is moved into VRAM of a lost GPU. TTM would copy it with the CPU.
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_ttm.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 if (new_mem->mem_type == TTM_PL_VRAM && amdgpu_virt_pm_is_lost(adev))
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_amdkfd_gpuvm.c
//# add 1 if (amdgpu_virt_pm_is_lost(adev))

@inc@
@@
 #include "amdgpu.h"
+#include "amdgpu_virt_pm.h"

@move@
identifier adev, new_mem;
@@
 amdgpu_bo_move(..., struct ttm_resource *new_mem, ...)
 {
 	<...
 	adev = amdgpu_ttm_adev(...);
+	if (new_mem->mem_type == TTM_PL_VRAM && amdgpu_virt_pm_is_lost(adev))
+		return -ENODEV;
 	...>
 }

// KFD validates them to unmap the buffers of a process that ends
@validate@
identifier adev, ret;
@@
 vm_validate_pt_pd_bos(...)
 {
 	...
 	struct amdgpu_device *adev = ...;
 	<...
+	if (amdgpu_virt_pm_is_lost(adev))
+		return 0;
+
 	ret = amdgpu_vm_validate(...);
 	...>
 }
