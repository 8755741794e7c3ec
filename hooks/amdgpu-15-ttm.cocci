// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: 6.12 has one function with a flag for what 7.2 has two for.
//
//# unless drivers/gpu/drm/amd/amdgpu/amdgpu_ttm.h amdgpu_ttm_disable_buffer_funcs
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_ttm.h
//# lines 5
//# add 1 static inline void amdgpu_ttm_disable_buffer_funcs(

@funcs@
@@
+static inline void amdgpu_ttm_disable_buffer_funcs(struct amdgpu_device *adev)
+{
+	amdgpu_ttm_set_buffer_funcs_status(adev, false);
+}
+
 int amdgpu_copy_buffer(...);
