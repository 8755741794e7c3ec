// SPDX-License-Identifier: GPL-2.0-only
// qxl: a resume has to know whether the picture was drawn.
//
//# file drivers/gpu/drm/qxl/qxl_draw.c
//# add 2 qdev->pm.not_drawn = true;

@draw@
identifier qdev, release, ret;
@@
 qxl_draw_dirty_fb(struct qxl_device *qdev, ...)
 {
 	...
 	ret = alloc_drawable(qdev, &release);
-	if (ret)
+	if (ret) {
+		qdev->pm.not_drawn = true;
 		return;
+	}
 	<...
-	if (ret)
-		free_drawable(qdev, release);
+	if (ret) {
+		qdev->pm.not_drawn = true;
+		free_drawable(qdev, release);
+	}
 	...>
 }
