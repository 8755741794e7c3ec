// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: an importer gets an error from a GPU that is suspended, rather than one
// that is moved by engines that do not run.
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_dma_buf.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 if (amdgpu_virt_pm_is_down(

@inc@
@@
 #include "amdgpu.h"
+#include "amdgpu_virt_pm.h"

@pin@
identifier bo;
@@
 amdgpu_dma_buf_pin(...)
 {
 	...
 	struct amdgpu_bo *bo = ...;
 	...
(
+	if (amdgpu_virt_pm_is_down(amdgpu_ttm_adev(bo->tbo.bdev)))
+		return -EBUSY;
+
 	return amdgpu_bo_pin(bo, ...);
|
+	if (amdgpu_virt_pm_is_down(amdgpu_ttm_adev(bo->tbo.bdev)))
+		return -EBUSY;
+
 	dma_resv_assert_held(...);
 	...
)
 }
