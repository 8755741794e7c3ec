// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: what is done in amdgpu_device_ip_resume() for a passed-through GPU. The
// phases themselves belong to GPU reset as well.
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_device.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 amdgpu_virt_pm_init(adev)
//# add 1 amdgpu_virt_pm_arm_fault_irq(adev)
//# add 1 amdgpu_virt_pm_restore_partition(adev)
//# add 1 amdgpu_virt_pm_check_error(adev)

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

@fault_irq@
identifier adev, r;
statement S;
@@
 amdgpu_device_ip_resume(struct amdgpu_device *adev)
 {
 	<...
 	r = amdgpu_device_ip_resume_phase1(adev);
 	if (r) S
+
+	r = amdgpu_virt_pm_arm_fault_irq(adev);
+	if (r)
+		return r;
 	...>
 }

@partition@
identifier adev, r;
statement S;
@@
 amdgpu_device_ip_resume(struct amdgpu_device *adev)
 {
 	<...
 	r = amdgpu_device_fw_loading(adev);
 	if (r) S
+
+	r = amdgpu_virt_pm_restore_partition(adev);
+	if (r)
+		return r;
 	...>
 }

@check_error@
identifier adev;
@@
 amdgpu_device_ip_resume(struct amdgpu_device *adev)
 {
 	<...
+	r = amdgpu_virt_pm_check_error(adev);
+	if (r)
+		return r;
+
 	amdgpu_fence_driver_hw_init(adev);
 	...>
 }
