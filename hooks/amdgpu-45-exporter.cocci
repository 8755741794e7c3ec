// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: an importer gets an error from a GPU that is suspended, rather than a buffer
// that is moved by engines that do not run. What it pins in VRAM is counted.
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_dma_buf.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 return amdgpu_virt_pm_pin(bo,
//# add 1 amdgpu_virt_pm_unpin(bo)

@inc@
@@
 #include "amdgpu.h"
+#include "amdgpu_virt_pm.h"

@pin@
identifier bo;
expression domains;
@@
 amdgpu_dma_buf_pin(...)
 {
 	<...
-	return amdgpu_bo_pin(bo, domains);
+	return amdgpu_virt_pm_pin(bo, domains);
 	...>
 }

@unpin@
identifier bo;
@@
 amdgpu_dma_buf_unpin(...)
 {
 	<...
-	amdgpu_bo_unpin(bo);
+	amdgpu_virt_pm_unpin(bo);
 	...>
 }
