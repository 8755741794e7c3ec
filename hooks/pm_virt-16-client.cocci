// SPDX-License-Identifier: GPL-2.0-only
// drm_virt_pm: later kernels have other clients than fbdev that are suspended.
//
//# when include/drm/drm_client_event.h void drm_client_dev_resume(struct drm_device *dev);
//# file drivers/gpu/drm/pm_virt/drm_virt_pm_kms.c
//# gone drm_fb_helper
//# add 1 drm_client_dev_resume(vpm->drm);

@include@
@@
-#include <drm/drm_fb_helper.h>

@client depends on include@
@@
 #include <drm/drm_atomic_state_helper.h>
+#include <drm/drm_client_event.h>

@resume@
expression drm;
@@
-drm_fb_helper_set_suspend_unlocked(drm->fb_helper, 0);
+drm_client_dev_resume(drm);
