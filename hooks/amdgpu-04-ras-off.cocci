// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: a GPU reset while RAS is off does not use lists that amdgpu_ras_init() has not
// made. 7.3 does not have this any more.
//
//# when drivers/gpu/drm/amd/amdgpu/amdgpu_ras.c r = amdgpu_mca_reset(adev);
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_ras.c
//# lines 1
//# add 1 (adev) && amdgpu_ras_get_context(adev)) {

@@
identifier adev;
identifier in_reset = { amdgpu_in_reset, amdgpu_reset_in_recovery };
@@
 amdgpu_ras_late_init(struct amdgpu_device *adev)
 {
 	<...
-	if (in_reset(adev))
+	if (in_reset(adev) && amdgpu_ras_get_context(adev))
 	{ ... }
 	...>
 }
