// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: the points of a resume, between the calls of amdgpu_device_resume() and
// amdgpu_device_ip_resume(). The phases themselves belong to GPU reset as well.
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_device.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 amdgpu_virt_pm_init(adev)
//# add 1 amdgpu_virt_pm_identify(adev)
//# add 1 amdgpu_virt_pm_memory_up(adev)
//# add 1 amdgpu_virt_pm_firmware_up(adev)
//# add 1 amdgpu_virt_pm_engines_up(adev)
//# add 1 amdgpu_virt_pm_before_clients(adev)
//# add 1 amdgpu_virt_pm_clients_up(adev)

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

@memory@
identifier adev, r;
statement S;
@@
 amdgpu_device_ip_resume(struct amdgpu_device *adev)
 {
 	<...
 	r = amdgpu_device_ip_resume_phase1(adev);
 	if (r) S
+
+	r = amdgpu_virt_pm_memory_up(adev);
+	if (r)
+		return r;
 	...>
 }

@firmware@
identifier adev, r;
statement S;
@@
 amdgpu_device_ip_resume(struct amdgpu_device *adev)
 {
 	<...
 	r = amdgpu_device_fw_loading(adev);
 	if (r) S
+
+	r = amdgpu_virt_pm_firmware_up(adev);
+	if (r)
+		return r;
 	...>
 }

@engines@
identifier adev;
@@
 amdgpu_device_ip_resume(struct amdgpu_device *adev)
 {
 	<...
+	r = amdgpu_virt_pm_engines_up(adev);
+	if (r)
+		return r;
+
 	amdgpu_fence_driver_hw_init(adev);
 	...>
 }

// the first access to a register is further down
@identify@
identifier adev;
@@
 amdgpu_device_resume(...)
 {
 	<...
+	r = amdgpu_virt_pm_identify(adev);
+	if (r)
+		goto exit;
+
 	if (adev->in_s0ix)
 		amdgpu_dpm_gfx_state_change(adev, sGpuChangeState_D0Entry);
 	...>
 }

@before_clients@
identifier adev, r;
@@
 amdgpu_device_resume(...)
 {
 	<...
 	r = amdgpu_device_ip_resume(adev);
 	if (r) {
 		...
 	}
+
+	r = amdgpu_virt_pm_before_clients(adev);
+	if (r)
+		goto exit;
 	...>
 }

@clients@
identifier adev, r;
statement S;
@@
 amdgpu_device_resume(...)
 {
 	<...
 	r = amdgpu_device_ip_late_init(adev);
 	if (r) S
+
+	r = amdgpu_virt_pm_clients_up(adev);
+	if (r)
+		goto exit;
 	...>
 }
