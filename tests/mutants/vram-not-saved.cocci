// SPDX-License-Identifier: GPL-2.0-only
//! what the buffers in VRAM are not moved to memory
//! caught amdgpu_s4 dwords are wrong
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_device.c
//# add 1 return 0;

@@
identifier adev, ret;
@@
 amdgpu_device_evict_resources(struct amdgpu_device *adev)
 {
 	int ret;
+
+	return 0;
 	...
 }
