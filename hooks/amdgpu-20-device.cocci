// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: what is done in amdgpu_device_ip_resume() for a passed-through GPU. The
// phases themselves belong to GPU reset as well.
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_device.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 amdgpu_virt_pm_init(adev)
//# add 1 amdgpu_virt_pm_check_identity(adev)
//# add 2 amdgpu_virt_pm_set_error(adev,
//# add 1 amdgpu_virt_pm_check_error(adev)
//# add 1 amdgpu_virt_pm_check_engines(adev)

@inc@
@@
 #include "amdgpu.h"
+#include "amdgpu_virt_pm.h"

@init@
identifier adev;
@@
 amdgpu_device_init(struct amdgpu_device *adev, ...)
 {
 	<...
+	r = amdgpu_virt_pm_init(adev);
+	if (r)
+		goto failed;
+
 	adev->pm_nb.notifier_call = amdgpu_device_pm_notifier;
 	...>
 }

@identity@
identifier adev, r;
statement S;
@@
 amdgpu_device_ip_resume(struct amdgpu_device *adev)
 {
 	<...
+	r = amdgpu_virt_pm_check_identity(adev);
+	if (r)
+		return r;
+
 	r = amdgpu_device_ip_resume_phase1(adev);
 	if (r) S
+
+	r = amdgpu_virt_pm_check_error(adev);
+	if (r)
+		return r;
 	...>
 }

@partition@
identifier adev, r;
@@
 amdgpu_device_ip_resume(struct amdgpu_device *adev)
 {
 	<...
 	r = amdgpu_xcp_restore_partition_mode(adev->xcp_mgr);
-	if (r)
+	if (r) {
+		amdgpu_virt_pm_set_error(adev, "the partition mode is not restored");
 		return r;
+	}
 	...>
 }

@ib_tests@
identifier adev, r;
statement S;
@@
 amdgpu_device_delayed_init_work_handler(...)
 {
 	...
 	struct amdgpu_device *adev = ...;
 	<...
 	r = amdgpu_ib_ring_tests(adev);
+	if (r)
+		amdgpu_virt_pm_set_error(adev, "an IB test failed");
 	if (r) S
 	...>
 }

@check_engines@
identifier adev;
@@
 amdgpu_device_ip_resume(struct amdgpu_device *adev)
 {
 	<...
+	r = amdgpu_virt_pm_check_engines(adev);
+	if (r)
+		return r;
+
 	amdgpu_fence_driver_hw_init(adev);
 	...>
 }
