// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: small allocations of a commit do not fail.
//
// An atomic_update cannot fail: it returns without uploading, and the screen
// keeps what it had, which is nothing after a reset. Like the commands
// themselves an array of one object is waited for. User space chooses the size
// of longer arrays, which may fail.
//
//# file drivers/gpu/drm/virtio/virtgpu_gem.c
//# add 1 __GFP_NOFAIL

@array_alloc@
identifier objs, nents;
typedef u32;
@@
 virtio_gpu_array_alloc(u32 nents)
 {
 	...
(
-	objs = kmalloc(struct_size(objs, objs, nents), GFP_KERNEL);
+	objs = kmalloc(struct_size(objs, objs, nents),
+		       nents == 1 ? GFP_KERNEL | __GFP_NOFAIL : GFP_KERNEL);
|
-	objs = kmalloc_flex(*objs, objs, nents);
+	objs = kmalloc_flex(*objs, objs, nents,
+			    nents == 1 ? GFP_KERNEL | __GFP_NOFAIL : GFP_KERNEL);
)
 	...
 }
