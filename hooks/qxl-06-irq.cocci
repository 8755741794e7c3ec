// SPDX-License-Identifier: GPL-2.0-only
// qxl, a fix that stands alone: release the interrupt.
//
//# file drivers/gpu/drm/qxl/qxl_kms.c
//# add 1 free_irq(to_pci_dev(qdev->ddev.dev)->irq, &qdev->ddev);
//# add 1 cancel_work_sync(&qdev->client_monitors_config_work);
//# add 1 #include <linux/interrupt.h>

@inc@
@@
+#include <linux/interrupt.h>
 #include <linux/io-mapping.h>

@fini@
identifier qdev;
@@
 qxl_device_fini(struct qxl_device *qdev)
 {
 	...
 	qxl_gem_fini(qdev);
+	free_irq(to_pci_dev(qdev->ddev.dev)->irq, &qdev->ddev);
+	cancel_work_sync(&qdev->client_monitors_config_work);
 	...
 }
