// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: a VF whose suspend is refused goes on as before. Its host takes access back
// only with the VF given up, so nothing that can fail comes after it was granted.
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_device.c
//# add 1 static int amdgpu_device_suspend_vf(
//# add 1 r = amdgpu_device_suspend_vf(adev);
//# add 1 if (r && amdgpu_sriov_vf(adev))

@suspend@
identifier adev, r;
@@
 amdgpu_device_suspend(...)
 {
 	<...
-	amdgpu_virt_fini_data_exchange(adev);
-	r = amdgpu_virt_request_full_gpu(adev, false);
-	if (r)
+	r = amdgpu_device_suspend_vf(adev);
+	if (r) {
+		adev->in_suspend = false;
+		adev->in_s0ix = false;
+		adev->in_s3 = false;
 		return r;
+	}
 	...>
 }

@half_way depends on suspend@
identifier adev, r;
@@
 amdgpu_device_suspend(...)
 {
 	<...
 	r = amdgpu_device_evict_resources(adev);
+	if (r && amdgpu_sriov_vf(adev))
+		return r;
 	...>
 }

@begin depends on suspend@
@@
+/*
+ * The host gives a VF up when it releases this access, and answers no other request
+ * before. So content that cannot be moved refuses the suspend here.
+ */
+static int amdgpu_device_suspend_vf(struct amdgpu_device *adev)
+{
+	int r;
+
+	r = amdgpu_device_evict_resources(adev);
+	if (r)
+		return r;
+
+	amdgpu_virt_fini_data_exchange(adev);
+	r = amdgpu_virt_request_full_gpu(adev, false);
+	if (r) {
+		/* the GPU was not touched */
+		adev->no_hw_access = false;
+		amdgpu_virt_init_data_exchange(adev);
+	}
+
+	return r;
+}
+
 int amdgpu_device_suspend(...) { ... }
