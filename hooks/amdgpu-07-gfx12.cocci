// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: restoring the partition mode in a resume leaves KFD alone, as that of GFX 9
// does: it is locked by then.
//
//# when drivers/gpu/drm/amd/amdgpu/soc_v1_0.c soc_v1_0_switch_partition_mode
//# file drivers/gpu/drm/amd/amdgpu/soc_v1_0.c
//# add 1 !adev->in_suspend

@flags@
identifier adev;
statement S;
@@
 soc_v1_0_switch_partition_mode(...)
 {
 	<...
-	if (adev->kfd.init_complete && !amdgpu_in_reset(adev)) S
+	if (adev->kfd.init_complete && !amdgpu_in_reset(adev) &&
+	    !adev->in_suspend) S
 	...>
 }
