// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: ioctls and opens wait for a suspended GPU, jobs and sysfs files of a lost
// one fail, and gmc_v9_0_flush_gpu_tlb() reports an invalidation that was not
// acknowledged.
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_ioc32.c
//# add 1 #include <drm/drm_file.h>
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 amdgpu_virt_pm_wait_running(
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_kms.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 amdgpu_virt_pm_wait_running(dev)
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_job.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 if (amdgpu_virt_pm_is_lost(adev))
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_gfx.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 2 if (amdgpu_virt_pm_is_down(adev))
//# file drivers/gpu/drm/amd/amdgpu/gmc_v9_0.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 amdgpu_virt_pm_set_error(adev,

@inc depends on !(file in "amdgpu_ioc32.c")@
@@
 #include "amdgpu.h"
+#include "amdgpu_virt_pm.h"

@inc_ioc32@
@@
+#include <drm/drm_file.h>
 #include <drm/drm_ioctl.h>

@inc_ioc32_own@
@@
 #include "amdgpu_drv.h"
+#include "amdgpu_virt_pm.h"

@compat@
identifier filp, cmd, arg;
@@
 amdgpu_kms_compat_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
 {
 	unsigned int nr = DRM_IOCTL_NR(cmd);
+	struct drm_file *file_priv = filp->private_data;
+	int ret;

-	if (nr < DRM_COMMAND_BASE)
-		return drm_compat_ioctl(filp, cmd, arg);
+	if (nr < DRM_COMMAND_BASE) {
+		ret = amdgpu_virt_pm_wait_running(file_priv->minor->dev);
+		if (ret)
+			return ret;
+		return drm_compat_ioctl(filp, cmd, arg);
+	}
 	...
 }

// it clears page tables with SDMA
@open@
identifier dev, r;
@@
 amdgpu_driver_open_kms(struct drm_device *dev, ...)
 {
 	<...
+	r = amdgpu_virt_pm_wait_running(dev);
+	if (r)
+		return r;
+
 	r = pm_runtime_get_sync(dev->dev);
 	...>
 }

// drm_sched_job_arm() does not survive if no ring of the scheduler is ready
@job@
identifier adev, num_ibs;
@@
 amdgpu_job_alloc(struct amdgpu_device *adev, ...)
 {
 	<...
+	if (amdgpu_virt_pm_is_lost(adev))
+		return -ENODEV;
+
 	if (num_ibs == 0)
 		return -EINVAL;
 	...>
 }

@partition@
identifier f = { amdgpu_gfx_get_current_compute_partition, amdgpu_gfx_set_compute_partition };
identifier adev, mode, num_xcc;
@@
 f(...)
 {
 	...
 	struct amdgpu_device *adev = ...;
 	<...
(
+	if (amdgpu_virt_pm_is_down(adev))
+		return amdgpu_virt_pm_is_lost(adev) ? -ENODEV : -EBUSY;
+
 	mode = amdgpu_xcp_query_partition_mode(...);
|
+	if (amdgpu_virt_pm_is_down(adev))
+		return amdgpu_virt_pm_is_lost(adev) ? -ENODEV : -EBUSY;
+
 	num_xcc = NUM_XCC(...);
)
 	...>
 }

@trouble@
identifier adev, j;
@@
 gmc_v9_0_flush_gpu_tlb(struct amdgpu_device *adev, ...)
 {
 	<...
 	if (j < adev->usec_timeout)
 		return;
+
+	amdgpu_virt_pm_set_error(adev, "TLB invalidation not acknowledged");
 	...>
 }
