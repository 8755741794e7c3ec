// SPDX-License-Identifier: GPL-2.0-only
// qxl, a fix that stands alone: count each release that is allocated.
//
//# file drivers/gpu/drm/qxl/qxl_release.c
//# add 1 atomic_inc(&qdev->release_count);

// where it is not counted by the caller, who may be one of two
@move@
identifier qdev, idr_ret;
@@
 qxl_alloc_release_reserved(...)
 {
 	<...
-	atomic_inc(&qdev->release_count);
 	...>
 }

@count depends on move@
identifier qdev, release, handle;
@@
 qxl_release_alloc(struct qxl_device *qdev, ...)
 {
 	<...
 	release->id = handle;
+	atomic_inc(&qdev->release_count);
 	...>
 }
