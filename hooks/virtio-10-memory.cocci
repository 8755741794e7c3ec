// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: small allocations of a commit do not fail.
//
// An atomic_update has no way to fail: it returns without uploading, and the
// screen keeps what it had, after a reset nothing. As for the commands
// themselves, order 0 is waited for. User space chooses the size of longer
// arrays; those may fail.
//
//# file drivers/gpu/drm/virtio/virtgpu_gem.c
//# add 1 __GFP_NOFAIL
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 2 __GFP_NOFAIL

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

@sgt_alloc@
identifier sgt;
@@
 vmalloc_to_sgt(...)
 {
 	...
(
-	sgt = kmalloc(sizeof(*sgt), GFP_KERNEL);
+	sgt = kmalloc(sizeof(*sgt), GFP_KERNEL | __GFP_NOFAIL);
|
-	sgt = kmalloc_obj(*sgt);
+	sgt = kmalloc_obj(*sgt, GFP_KERNEL | __GFP_NOFAIL);
)
 	...
 }

@table_alloc@
expression sgt, n;
@@
 vmalloc_to_sgt(...)
 {
 	<...
 	sg_alloc_table(sgt, n,
-		GFP_KERNEL
+		GFP_KERNEL | __GFP_NOFAIL
 	)
 	...>
 }
