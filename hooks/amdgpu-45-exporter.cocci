// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: an importer gets an error from a GPU that is suspended, rather than one
// that is moved by engines that do not run. What it pins in VRAM is counted.
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_dma_buf.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 if (amdgpu_virt_pm_is_down(
//# add 1 amdgpu_virt_pm_count_pin(bo, 1)
//# add 1 amdgpu_virt_pm_count_pin(bo, -1)

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

@count_pin@
identifier bo;
expression domains;
@@
 amdgpu_dma_buf_pin(...)
 {
 	...
 	struct amdgpu_bo *bo = ...;
+	int ret;
 	<...
-	return amdgpu_bo_pin(bo, domains);
+	ret = amdgpu_bo_pin(bo, domains);
+	if (!ret)
+		amdgpu_virt_pm_count_pin(bo, 1);
+
+	return ret;
 	...>
 }

@count_unpin@
identifier bo;
@@
 amdgpu_dma_buf_unpin(...)
 {
 	<...
+	amdgpu_virt_pm_count_pin(bo, -1);
 	amdgpu_bo_unpin(bo);
 	...>
 }
