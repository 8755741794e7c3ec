// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: a suspend whose second eviction fails undoes its work, as in later kernels.
//
//# unless drivers/gpu/drm/amd/amdgpu/amdgpu_device.c unwind_userq
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_device.c
//# add 1 static void amdgpu_device_stay_awake(
//# add 1 amdgpu_device_stay_awake(adev, fbcon);

@evict@
identifier adev, dev, r, fbcon;
@@
 amdgpu_device_suspend(struct drm_device *dev, bool fbcon)
 {
 	...
 	struct amdgpu_device *adev = ...;
 	<...
 	r = amdgpu_device_evict_resources(adev);
-	if (r)
+	if (r) {
+		amdgpu_device_stay_awake(adev, fbcon);
 		return r;
+	}
 	...>
 }

@unwind depends on evict@
@@
+/* Nothing but displays and KFD is down yet. */
+static void amdgpu_device_stay_awake(struct amdgpu_device *adev, bool fbcon)
+{
+	if (!adev->in_s0ix && amdgpu_amdkfd_resume(adev, adev->in_runpm))
+		return;
+	if (amdgpu_device_ip_resume_phase3(adev))
+		return;
+
+	if (fbcon)
+		drm_fb_helper_set_suspend_unlocked(adev_to_drm(adev)->fb_helper, false);
+	amdgpu_ras_resume(adev);
+
+	adev->in_suspend = false;
+	adev->in_s0ix = false;
+	adev->in_s3 = false;
+}
+
 int amdgpu_device_suspend(...) { ... }
