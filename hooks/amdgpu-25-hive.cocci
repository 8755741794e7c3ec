// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: a GPU reset leaves GPUs alone that are suspended or lost. Until 6.12 the list of
// those to be reset is made in amdgpu_device_gpu_recover(), since 7.2 in
// amdgpu_device_recovery_prepare().
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_device.c
//# add 1 if (amdgpu_virt_pm_is_lost(adev) || amdgpu_virt_pm_has_left_resets(adev)) {
//# add 1 if (amdgpu_virt_pm_has_left_resets(tmp_adev))
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_xgmi.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 if (!amdgpu_virt_pm_has_left_resets(adev))

// after the lock of the hive was taken
@refuse@
identifier adev;
@@
 amdgpu_device_gpu_recover(struct amdgpu_device *adev, ...)
 {
 	<...
 	reset_context->hive = hive;
+
+	if (amdgpu_virt_pm_is_lost(adev) || amdgpu_virt_pm_has_left_resets(adev)) {
+		r = -ENODEV;
+		goto end_reset;
+	}
+
 	...>
 }

@skip@
identifier f = { amdgpu_device_gpu_recover, amdgpu_device_recovery_prepare };
identifier tmp_adev, hive;
iterator name list_for_each_entry;
@@
 f(...)
 {
 	<...
 	list_for_each_entry(tmp_adev, &hive->device_list, gmc.xgmi.head) {
+		if (amdgpu_virt_pm_has_left_resets(tmp_adev))
+			continue;
+
 		...
 	}
 	...>
 }

@barrier@
identifier adev, hive;
@@
 amdgpu_xgmi_remove_device(struct amdgpu_device *adev)
 {
 	<...
-	task_barrier_rem_task(&hive->tb);
+	if (!amdgpu_virt_pm_has_left_resets(adev))
+		task_barrier_rem_task(&hive->tb);
 	...>
 }

@inc depends on barrier@
@@
 #include "amdgpu.h"
+#include "amdgpu_virt_pm.h"
