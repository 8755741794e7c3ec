// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: a VF whose suspend is refused goes on as before. Its host takes access back
// only with the VF given up, so what fails after it was granted gives the access back
// and undoes nothing.
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_device.c
//# add 1 static int amdgpu_device_suspend_vf(
//# add 1 r = amdgpu_device_suspend_vf(adev);
//# add 1 amdgpu_virt_release_full_gpu(adev, false);
//# gone failed to reinitialize sriov

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

// 7.2 and later
@fails depends on suspend@
identifier adev, r;
identifier l = { unwind_smartshift, unwind_ip_phase1, unwind_userq, unwind_evict };
@@
 amdgpu_device_suspend(struct drm_device *dev, ...)
 {
 	...
 	struct amdgpu_device *adev = ...;
 	<...
+	if (r && amdgpu_sriov_vf(adev))
+		goto unwind_sriov;
 	if (r)
 		goto l;
 	...>
 }

@unwind depends on suspend@
identifier adev, r, rec;
@@
 amdgpu_device_suspend(...)
 {
 	<...
 	if (amdgpu_sriov_vf(adev)) {
-		rec = amdgpu_virt_request_full_gpu(adev, true);
-		if (rec) {
-			...
-			return r;
-		}
+		/* there is no way back, and other VFs wait for this one */
+		amdgpu_virt_release_full_gpu(adev, false);
+		return r;
 	}
 	...>
 }

// before 7.2 no other error is looked at
@evict depends on suspend@
identifier adev, r;
@@
 amdgpu_device_suspend(...)
 {
 	<...
 	r = amdgpu_device_evict_resources(adev);
+	if (r && amdgpu_sriov_vf(adev)) {
+		/* there is no way back, and other VFs wait for this one */
+		amdgpu_virt_release_full_gpu(adev, false);
+		return r;
+	}
 	if (r) {
 		amdgpu_device_stay_awake(...);
 		return r;
 	}
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
