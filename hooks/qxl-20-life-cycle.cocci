// SPDX-License-Identifier: GPL-2.0-only
// qxl: set up drm_virt_pm.
//
//# file drivers/gpu/drm/qxl/qxl_drv.h
//# add 1 #include "qxl_pm.h"
//# add 1 struct qxl_pm pm;
//# file drivers/gpu/drm/qxl/qxl_kms.c
//# add 1 qxl_pm_init(qdev);
//# add 1 qxl_pm_fini(qdev);

@inc@
@@
 #include "qxl_dev.h"
+#include "qxl_pm.h"

@device@
@@
 struct qxl_device {
 	...
 	struct work_struct gc_work;
+	struct qxl_pm pm;
 	...
 };

// the device answers from here on
@init@
identifier qdev;
@@
 qxl_device_init(struct qxl_device *qdev, ...)
 {
 	<...
 	INIT_WORK(&qdev->gc_work, qxl_gc_work);
+
+	r = qxl_pm_init(qdev);
+	if (r) {
+		free_irq(to_pci_dev(qdev->ddev.dev)->irq, &qdev->ddev);
+		goto release_ring_free;
+	}
 	...>
 }

@fini@
identifier qdev;
@@
 qxl_device_fini(struct qxl_device *qdev)
 {
 	...
 	if (!qdev->gc_work.func)
 		return;
+
+	qxl_pm_fini(qdev);
 	...
 }
