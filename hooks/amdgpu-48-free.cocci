// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: a process that ends, or an unbind, frees what it has on a lost GPU, which stays
// suspended until it is unbound.
//
//# format
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_object.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 WARN_ON(amdgpu_ttm_adev((*bo)->tbo.bdev)->in_suspend &&
//# add 1 !amdgpu_virt_pm_is_lost(amdgpu_ttm_adev((*bo)->tbo.bdev)));

@@
@@
 #include "amdgpu.h"
+#include "amdgpu_virt_pm.h"

@@
identifier bo;
@@
 amdgpu_bo_free_kernel(...)
 {
 	<...
-	WARN_ON(amdgpu_ttm_adev((*bo)->tbo.bdev)->in_suspend);
+	WARN_ON(amdgpu_ttm_adev((*bo)->tbo.bdev)->in_suspend &&
+		!amdgpu_virt_pm_is_lost(amdgpu_ttm_adev((*bo)->tbo.bdev)));
 	...>
 }
