// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: a resume restores the compute partition mode where a GPU reset does, before
// any engine is set up, and both look whether the device is in that mode.
//
//# file drivers/gpu/drm/amd/amdgpu/aqua_vanjaram.c
//# add 1 ret = adev->gfx.funcs->switch_partition_mode(
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_xcp.c
//# add 1 static int amdgpu_xcp_check_mode(
//# add 1 xcp_mgr->mode = mode;
//# file drivers/gpu/drm/amd/amdgpu/gfx_v9_4_3.c
//# gone amdgpu_xcp_restore_partition_mode
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_device.c
//# add 1 r = amdgpu_xcp_restore_partition_mode(adev->xcp_mgr);

@use_result@
identifier xcp_mgr, adev, ret, flags, num_xcc_per_xcp;
identifier pre = { __aqua_vanjaram_pre_partition_switch, amdgpu_xcp_pre_partition_switch };
identifier post = { __aqua_vanjaram_post_partition_switch, amdgpu_xcp_post_partition_switch };
@@
 aqua_vanjaram_switch_partition_mode(struct amdgpu_xcp_mgr *xcp_mgr, ...)
 {
 	<...
 	ret = pre(xcp_mgr, flags);
 	...
-	if (adev->gfx.funcs->switch_partition_mode)
-		adev->gfx.funcs->switch_partition_mode(xcp_mgr->adev, num_xcc_per_xcp);
+	if (adev->gfx.funcs->switch_partition_mode) {
+		ret = adev->gfx.funcs->switch_partition_mode(adev, num_xcc_per_xcp);
+		if (ret) {
+			/* KFD goes on in the old mode */
+			post(xcp_mgr, flags);
+			goto unlock;
+		}
+	}
 	...
 	ret = post(xcp_mgr, flags);
 	...>
 }

@restore@
identifier xcp_mgr;
@@
 amdgpu_xcp_restore_partition_mode(struct amdgpu_xcp_mgr *xcp_mgr)
 {
+	int mode;
+	int r;
+
 	if (...)
 		return 0;
-	return __amdgpu_xcp_switch_partition_mode(xcp_mgr, xcp_mgr->mode);
+	mode = xcp_mgr->mode;
+	r = __amdgpu_xcp_switch_partition_mode(xcp_mgr, mode);
+	if (!r)
+		r = amdgpu_xcp_check_mode(xcp_mgr, mode);
+	/* what the next reset or resume restores */
+	if (r)
+		xcp_mgr->mode = mode;
+
+	return r;
 }

@check depends on restore@
@@
+/* Also of a VF, whose mode the host sets. */
+static int amdgpu_xcp_check_mode(struct amdgpu_xcp_mgr *xcp_mgr, int wanted)
+{
+	int mode;
+
+	if (!xcp_mgr->funcs || !xcp_mgr->funcs->query_partition_mode)
+		return 0;
+
+	mutex_lock(&xcp_mgr->xcp_lock);
+	mode = xcp_mgr->funcs->query_partition_mode(xcp_mgr);
+	mutex_unlock(&xcp_mgr->xcp_lock);
+	if (mode == wanted)
+		return 0;
+
+	dev_err(xcp_mgr->adev->dev, "compute partition mode is %s, not %s\n",
+		amdgpu_gfx_compute_mode_desc(mode),
+		amdgpu_gfx_compute_mode_desc(wanted));
+	return -EIO;
+}
+
 int amdgpu_xcp_restore_partition_mode(...) { ... }

@cp_resume@
identifier adev;
statement S;
@@
 gfx_v9_4_3_cp_resume(struct amdgpu_device *adev)
 {
 	<...
-	if (adev->in_suspend)
-		amdgpu_xcp_restore_partition_mode(adev->xcp_mgr);
-	else
 	S
 	...>
 }

@device@
identifier adev, r;
statement S;
@@
 amdgpu_device_ip_resume(struct amdgpu_device *adev)
 {
 	<...
 	r = amdgpu_device_fw_loading(adev);
 	if (r) S
+
+	r = amdgpu_xcp_restore_partition_mode(adev->xcp_mgr);
+	if (r)
+		return r;
 	...>
 }
