// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, since 7.3: take out what is left of its own hibernation code.
//
// It keeps a list of all objects, walks it in thaw and in restore, and decides
// by a flag that a PM notifier sets; drm_virt_pm does all of this differently.
//
//# when drivers/gpu/drm/virtio/virtgpu_drv.h obj_restore_list
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# gone restore_
//# gone bool hibernated
//# gone pm_nb
//# gone no_cb
//# file drivers/gpu/drm/virtio/virtgpu_kms.c
//# gone pm_nb
//# gone restore_
//# gone hibernat
//# file drivers/gpu/drm/virtio/virtgpu_object.c
//# gone restore_
//# gone params =
//# file drivers/gpu/drm/virtio/virtgpu_prime.c
//# gone restore_list
//# gone restore_node
//# gone resubmit
//# file drivers/gpu/drm/virtio/virtgpu_vram.c
//# gone restore_
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# gone no_cb
//# gone virtio_gpu_wait_queue

@functions@
identifier f = {
	virtio_gpu_pm_notifier, virtio_gpu_wait_queue,
	virtio_gpu_remove_from_restore_list,
	virtio_gpu_add_object_to_restore_list,
	virtio_gpu_object_restore_all, virtio_gpu_object_unref_all,
	virtgpu_dma_buf_obj_resubmit
};
type T;
parameter list ps;
@@
-T f(ps) { ... }

@declarations@
identifier f = {
	virtio_gpu_wait_queue,
	virtio_gpu_remove_from_restore_list,
	virtio_gpu_add_object_to_restore_list,
	virtio_gpu_object_restore_all, virtio_gpu_object_unref_all,
	virtgpu_dma_buf_obj_resubmit
};
type T;
parameter list ps;
@@
-T f(ps);

// removing the first prototype of a file takes its heading along
@heading depends on declarations@
identifier bo;
@@
+
+/* virtgpu_object.c */
 void virtio_gpu_cleanup_object(struct virtio_gpu_object *bo);

@notifier@
identifier vgdev, ret, label;
@@
-vgdev->pm_nb.notifier_call = virtio_gpu_pm_notifier;
-ret = register_pm_notifier(&vgdev->pm_nb);
-if (ret)
-	goto label;

@calls@
identifier vgdev;
expression e;
@@
(
-unregister_pm_notifier(&vgdev->pm_nb);
|
-INIT_LIST_HEAD(&vgdev->obj_restore_list);
|
-mutex_init(&vgdev->obj_restore_lock);
|
-mutex_destroy(&vgdev->obj_restore_lock);
|
-virtio_gpu_remove_from_restore_list(e);
|
-INIT_LIST_HEAD(&e->restore_node);
|
-INIT_LIST_HEAD(&e.restore_node);
)

@store@
expression bo, p, vgdev;
@@
(
-if (!p->virgl) {
-	bo->params = *p;
-	virtio_gpu_add_object_to_restore_list(vgdev, bo);
-}
|
-bo->params = p;
-virtio_gpu_add_object_to_restore_list(vgdev, bo);
)

@device@
@@
 struct virtio_gpu_device {
 	...
-	bool hibernated;
 	...
-	struct mutex obj_restore_lock;
-	struct list_head obj_restore_list;
 	...
-	struct notifier_block pm_nb;
 	...
 };

@object@
@@
 struct virtio_gpu_object {
 	...
-	struct list_head restore_node;
 	...
 };

@unref_definition@
identifier vgdev, bo, no_cb;
expression alloc;
@@
 virtio_gpu_cmd_unref_resource(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_object *bo
-	, bool no_cb
	)
 {
 	...
-	if (no_cb) { ... } else {
 		alloc;
-	}
 	...
 }

@unref_prototype@
identifier vgdev, bo, no_cb;
@@
 void virtio_gpu_cmd_unref_resource(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_object *bo
-	, bool no_cb
	);

@unref_call@
expression vgdev, bo;
@@
 virtio_gpu_cmd_unref_resource(vgdev, bo
-	, false
 )
