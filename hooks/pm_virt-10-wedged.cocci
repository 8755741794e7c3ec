// SPDX-License-Identifier: GPL-2.0-only
// drm_virt_pm: tell user space of a lost device before it is unplugged.
//
//# when include/drm/drm_drv.h drm_dev_wedged_event
//# file drivers/gpu/drm/pm_virt/drm_virt_pm_device.c
//# add 1 drm_dev_wedged_event(vpm->drm,
//# add 1 DRM_WEDGE_RECOVERY_REBIND | DRM_WEDGE_RECOVERY_BUS_RESET,
//# lines 3

@lost@
identifier vpm;
@@
 drm_virt_pm_unplug_lost(struct drm_virt_pm *vpm)
 {
 	...
 	vpm->unplugged = true;
+	drm_dev_wedged_event(vpm->drm, DRM_WEDGE_RECOVERY_REBIND |
+				       DRM_WEDGE_RECOVERY_BUS_RESET, NULL);
 	...
 }
