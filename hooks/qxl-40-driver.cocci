// SPDX-License-Identifier: GPL-2.0-only
// qxl: PM callbacks, ioctls and unplug with drm_virt_pm.
//
//# file drivers/gpu/drm/qxl/qxl_drv.c
//# add 1 .fops = &qxl_pm_fops,
//# add 1 drm_virt_pm_unplug(&to_qxl(dev)->pm.base);
//# gone qxl_pm_thaw
//# gone qxl_drm_freeze
//# gone qxl_drm_resume
//# gone drm_dev_unregister
//# gone DEFINE_DRM_GEM_FOPS

// the ones that take their place are qxl_pm_ops
@old_ops@
@@
-static const struct dev_pm_ops qxl_pm_ops = { ... };

@old_functions@
identifier f = {
	qxl_drm_freeze, qxl_drm_resume, qxl_pm_suspend, qxl_pm_resume,
	qxl_pm_thaw, qxl_pm_freeze, qxl_pm_restore
};
type T;
parameter list ps;
@@
-T f(ps) { ... }

@fops@
declarer name DEFINE_DRM_GEM_FOPS;
@@
-DEFINE_DRM_GEM_FOPS(qxl_fops);

@use_fops@
@@
 struct drm_driver qxl_driver = {
-	.fops = &qxl_fops,
+	.fops = &qxl_pm_fops,
 };

@ops@
@@
 struct pci_driver qxl_pci_driver = {
-	.driver.pm = &qxl_pm_ops,
+	.driver.pm = pm_sleep_ptr(&qxl_pm_ops),
 };

@unplug@
identifier dev;
@@
 qxl_pci_remove(...)
 {
 	...
-	drm_dev_unregister(dev);
+	drm_virt_pm_unplug(&to_qxl(dev)->pm.base);
 	...
 }
