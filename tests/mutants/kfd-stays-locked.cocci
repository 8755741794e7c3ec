// SPDX-License-Identifier: GPL-2.0-only
//! what KFD is not resumed
//! caught amdgpu_s4 kfd-check 0: E(AGAIN|INVAL)
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_device.c
//# gone r = amdgpu_amdkfd_resume(

@@
identifier r, adev;
@@
 amdgpu_device_resume(...)
 {
 	<...
-	r = amdgpu_amdkfd_resume(adev, ...);
+	r = 0;
 	...>
 }
