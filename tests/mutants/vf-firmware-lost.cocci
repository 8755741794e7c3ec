// SPDX-License-Identifier: GPL-2.0-only
//! what the firmware of a VF is not copied into VRAM again
//! caught amdgpu_vf_s3 poison-fetch
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_psp.c
//# add 1 ret = 0;

@@
identifier adev;
symbol ret;
@@
 psp_resume(...)
 {
 	<...
-	ret = amdgpu_ucode_init_bo(adev);
+	ret = 0;
 	...>
 }
