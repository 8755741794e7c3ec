// SPDX-License-Identifier: GPL-2.0-only
// qxl, a fix that stands alone: the first picture after probe and resume.
//
//# file drivers/gpu/drm/qxl/qxl_display.c
//# lines 1
//# add 1 qdev->monitors_config->max_allowed = qxl_num_crtc;

@create@
identifier qdev;
expression size;
@@
 qxl_create_monitors_object(...)
 {
 	...
 	memset(qdev->monitors_config, 0, size);
+	qdev->monitors_config->max_allowed = qxl_num_crtc;
 	...
 }
