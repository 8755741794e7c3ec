// SPDX-License-Identifier: GPL-2.0-only
// qxl, a fix that stands alone: whether a release has a fence is read from its flags.
//
//# when drivers/gpu/drm/qxl/qxl_release.c dma_fence_was_initialized
//# file drivers/gpu/drm/qxl/qxl_release.c
//# lines 1
//# add 1 kzalloc(size, GFP_KERNEL)

@alloc@
@@
 qxl_release_alloc(...)
 {
 	...
-	release = kmalloc(size, GFP_KERNEL);
+	release = kzalloc(size, GFP_KERNEL);
 	...
 }
