// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: since 7.2 KFD's processes are evicted before the host of a VF is asked for
// access. They go on, too.
//
//# when drivers/gpu/drm/amd/amdgpu/amdgpu_amdkfd.h amdgpu_amdkfd_resume_process
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_device.c
//# add 1 amdgpu_amdkfd_resume_process(adev);

@suspend@
identifier adev, r;
@@
 amdgpu_device_suspend(...)
 {
 	<...
 	r = amdgpu_device_suspend_vf(adev);
 	if (r) {
+		if (!adev->in_runpm)
+			amdgpu_amdkfd_resume_process(adev);
 		...
 	}
 	...>
 }
