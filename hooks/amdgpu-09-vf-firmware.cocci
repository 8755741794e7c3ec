// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: a VF has its copy of the firmware in VRAM, where it is pinned. A resume copies
// it again, as 7.2 does.
//
//# unless drivers/gpu/drm/amd/amdgpu/amdgpu_psp.c amdgpu_bo_fb_aper_addr
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_psp.c
//# lines 4
//# add 1 ret = amdgpu_ucode_init_bo(adev);

@resume@
identifier adev, ret;
statement S;
@@
 psp_resume(...)
 {
 	...
 	struct amdgpu_device *adev = ...;
 	<...
+	ret = amdgpu_ucode_init_bo(adev);
+	if (ret)
+		goto failed;
+
 	ret = psp_hw_start(...);
 	if (ret) S
 	...>
 }
