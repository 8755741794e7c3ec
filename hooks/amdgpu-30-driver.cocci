// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: the PM callbacks of the system's sleep states, unbinding, and the ioctl
// entry. Runtime PM and vga_switcheroo keep calling amdgpu_device_suspend() and
// amdgpu_device_resume().
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_drv.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 3 amdgpu_virt_pm_suspend(drm_dev)
//# add 3 amdgpu_virt_pm_resume(drm_dev)
//# add 3 if (amdgpu_virt_pm_is_down(adev))
//# add 1 if (amdgpu_virt_pm_is_lost(adev))
//# add 1 if (amdgpu_virt_pm_is_lost(adev) || adev->no_hw_access)
//# add 1 amdgpu_virt_pm_remove(adev)
//# add 1 amdgpu_virt_pm_unplug(adev)
//# add 1 amdgpu_virt_pm_wait_running(dev)
//# gone amdgpu_device_suspend(drm_dev, true)
//# gone amdgpu_device_resume(drm_dev, true)
//# gone drm_dev_unplug(
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_xcp.c
//# add 1 if (!drm_dev_is_unplugged(p_ddev))

@inc@
@@
 #include "amdgpu_reset.h"
+#include "amdgpu_virt_pm.h"

@suspend@
identifier f = {amdgpu_pmops_suspend, amdgpu_pmops_freeze, amdgpu_pmops_poweroff};
expression drm_dev;
@@
 f(...)
 {
 	<...
-	amdgpu_device_suspend(drm_dev, true)
+	amdgpu_virt_pm_suspend(drm_dev)
 	...>
 }

@resume@
identifier f = {amdgpu_pmops_resume, amdgpu_pmops_thaw, amdgpu_pmops_restore};
expression drm_dev;
@@
 f(...)
 {
 	<...
-	amdgpu_device_resume(drm_dev, true)
+	amdgpu_virt_pm_resume(drm_dev)
 	...>
 }

@prepare@
identifier adev;
expression drm_dev;
@@
 amdgpu_pmops_prepare(...)
 {
 	...
 	struct amdgpu_device *adev = drm_to_adev(drm_dev);
+
+	if (amdgpu_virt_pm_is_down(adev))
+		return 0;
 	...
 }

// the reset of a GPU that is suspended: not one that was stopped, whose registers are
// not read
@noirq@
identifier adev, drm_dev;
@@
 amdgpu_pmops_suspend_noirq(...)
 {
 	...
 	struct amdgpu_device *adev = drm_to_adev(drm_dev);
 	<...
 	if (drm_dev->switch_power_state == DRM_SWITCH_POWER_OFF)
 		return 0;
+
+	if (amdgpu_virt_pm_is_lost(adev) || adev->no_hw_access)
+		return 0;
 	...>
 }

// not reset: a GPU that stayed suspended after the last freeze, which reset it, and
// one that was lost in this one
@freeze@
identifier adev, r;
statement S;
@@
 amdgpu_pmops_freeze(...)
 {
 	...
 	struct amdgpu_device *adev = ...;
 	<...
+	if (amdgpu_virt_pm_is_down(adev))
+		return 0;
+
 	r = amdgpu_virt_pm_suspend(...);
 	if (r) S
+
+	if (amdgpu_virt_pm_is_lost(adev))
+		return 0;
+
 	...>
 }

@shutdown@
identifier adev;
@@
 amdgpu_pci_shutdown(...)
 {
 	...
 	struct amdgpu_device *adev = ...;
 	<...
 	if (amdgpu_ras_intr_triggered())
 		return;
+
+	if (amdgpu_virt_pm_is_down(adev))
+		return;
 	...>
 }

@remove@
identifier adev;
@@
 amdgpu_pci_remove(...)
 {
 	<...
+	amdgpu_virt_pm_remove(adev);
 	amdgpu_xcp_dev_unplug(adev);
 	...>
 }

@unplug@
identifier adev, dev;
@@
 amdgpu_pci_remove(...)
 {
 	...
 	struct amdgpu_device *adev = drm_to_adev(dev);
 	<...
-	drm_dev_unplug(dev);
+	amdgpu_virt_pm_unplug(adev);
 	...>
 }

// those of a lost GPU are unplugged already, and 7.x does not survive a second time
@unplug_partitions@
identifier p_ddev;
@@
 amdgpu_xcp_dev_unplug(...)
 {
 	<...
-	drm_dev_unplug(p_ddev);
+	if (!drm_dev_is_unplugged(p_ddev))
+		drm_dev_unplug(p_ddev);
 	...>
 }

@ioctl@
identifier dev, ret;
@@
 amdgpu_drm_ioctl(...)
 {
 	<...
+	ret = amdgpu_virt_pm_wait_running(dev);
+	if (ret)
+		return ret;
+
 	ret = pm_runtime_get_sync(dev->dev);
 	...>
 }
