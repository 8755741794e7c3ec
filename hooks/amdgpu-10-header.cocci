// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: a pointer is all that the device needs. It is beside the SR-IOV state,
// not at the end: since 7.2 the last member ends in a flexible array.
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu.h
//# lines 3
//# add 1 struct amdgpu_virt_pm *virt_pm;

@device@
@@
 struct amdgpu_device {
 	...
 	struct amdgpu_virt virt;
+
+	/* sleep states of a passed-through GPU, NULL for others */
+	struct amdgpu_virt_pm *virt_pm;
 	...
 };
