// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: a queue can be stopped.
//
// The queue's pointer and the stop are read under the queue's lock. A refused
// command is completed: its fence is signalled, its references are dropped. Tasks
// that wait for room return when the queue is stopped.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# add 1 struct drm_virt_pm_queue pm;
//# add 1 bool stopped;
//# add 1 u32 epoch;
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 1 vbuf->epoch = vgdev->pm.base.epoch;
//# add 2 virtio_gpu_pm_queue_stopped(
//# add 2 virtio_gpu_pm_wait_room(
//# have virtio_gpu_pm_refuse(vgdev, vbuf, fence);
//# add 2 virtio_gpu_pm_refuse(vgdev, vbuf, NULL);
//# gone virtio_gpu_refuse_fence
//# gone if (virtqueue_is_broken(
//# add 2 rcu_read_lock();
//# add 2 rcu_read_unlock();
//# gone wait_event(vgdev->ctrlq.ack_queue
//# gone wait_event(vgdev->cursorq.ack_queue

@queue@
@@
 struct virtio_gpu_queue {
 	...
 	uint32_t seqno;
+	struct drm_virt_pm_queue pm;
+
+	/* commands are refused; protected by qlock */
+	bool stopped;
 };

@vbuffer@
typedef uint32_t;
@@
 struct virtio_gpu_vbuffer {
 	...
 	uint32_t seqno;
+
+	/* reset epoch in which it was built */
+	u32 epoch;
+
+	/* creates again, or frees, a resource of before the last reset */
+	bool restore;
 	...
 };

@epoch@
identifier vgdev, vbuf;
expression e;
@@
 virtio_gpu_get_vbuf(struct virtio_gpu_device *vgdev, ...)
 {
 	...
 	vbuf = kmem_cache_zalloc(vgdev->vbufs, e);
+	vbuf->epoch = vgdev->pm.base.epoch;
 	...
 }

@old_refuse@
@@
-static void virtio_gpu_refuse_fence(...) { ... }

// virtio_gpu_pm_queue_stopped() looks at that
@old_broken@
@@
-if (virtqueue_is_broken(...)) { ... }

@refused@
symbol vgdev, vbuf, fence;
@@
-if (fence && vbuf->objs)
-	virtio_gpu_array_unlock_resv(vbuf->objs);
-if (fence)
-	virtio_gpu_refuse_fence(fence);
-if (vbuf->objs)
-	virtio_gpu_array_put_free(vbuf->objs);
+virtio_gpu_pm_refuse(vgdev, vbuf, fence);

// an interrupt that comes late finds no queue
@dequeue@
identifier f = { virtio_gpu_dequeue_ctrl_func, virtio_gpu_dequeue_cursor_func };
identifier vgdev, q;
@@
 f(...)
 {
 	<...
 	spin_lock(&vgdev->q.qlock);
+	if (!vgdev->q.vq) {
+		spin_unlock(&vgdev->q.qlock);
+		return;
+	}
 	...>
 }

@stopped@
identifier vgdev, vbuf, fence, vq;
@@
 virtio_gpu_queue_ctrl_sgs(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_vbuffer *vbuf, struct virtio_gpu_fence *fence, ...)
 {
 	<...
 	spin_lock(&vgdev->ctrlq.qlock);
+
+	if (virtio_gpu_pm_queue_stopped(vgdev, &vgdev->ctrlq, vbuf)) {
+		spin_unlock(&vgdev->ctrlq.qlock);
+		virtio_gpu_pm_refuse(vgdev, vbuf, fence);
+		free_vbuf(vgdev, vbuf);
+		drm_dev_exit(idx);
+		return -ENODEV;
+	}
 	vq = vgdev->ctrlq.vq;
 	...>
 }

@room@
identifier vgdev, q, n;
@@
(
-	wait_event(vgdev->q.ack_queue, vgdev->q.vq->num_free >= n);
+	virtio_gpu_pm_wait_room(vgdev, &vgdev->q, n);
|
-	wait_event(vgdev->q.ack_queue,
-		   vgdev->q.vq->num_free >= n || vgdev->vqs_released);
+	virtio_gpu_pm_wait_room(vgdev, &vgdev->q, n);
)

@kick@
identifier vgdev, notify;
@@
 void virtio_gpu_notify(struct virtio_gpu_device *vgdev)
 {
 	bool notify;
+	struct virtqueue *vq;
 	...
+	rcu_read_lock();
+	/* the queue is deleted a grace period after its pointer was cleared */
 	spin_lock(&vgdev->ctrlq.qlock);
 	atomic_set(&vgdev->pending_commands, 0);
-	notify = virtqueue_kick_prepare(vgdev->ctrlq.vq);
+	vq = vgdev->ctrlq.vq;
+	notify = vq && virtqueue_kick_prepare(vq);
 	spin_unlock(&vgdev->ctrlq.qlock);
 	if (notify)
-		virtqueue_notify(vgdev->ctrlq.vq);
+		virtqueue_notify(vq);
+	rcu_read_unlock();
 }

@cursor_unplugged@
identifier vgdev, vbuf, idx;
@@
 virtio_gpu_queue_cursor(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_vbuffer *vbuf)
 {
 	<...
 	if (!drm_dev_enter(vgdev->ddev, &idx)) {
+		virtio_gpu_pm_refuse(vgdev, vbuf, NULL);
 		free_vbuf(vgdev, vbuf);
 		return;
 	}
 	...>
 }

@cursor_stopped@
identifier vgdev, vbuf, vq;
@@
 virtio_gpu_queue_cursor(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_vbuffer *vbuf)
 {
 	<...
+	if (virtio_gpu_pm_queue_stopped(vgdev, &vgdev->cursorq, vbuf)) {
+		spin_unlock(&vgdev->cursorq.qlock);
+		virtio_gpu_pm_refuse(vgdev, vbuf, NULL);
+		free_vbuf(vgdev, vbuf);
+		drm_dev_exit(idx);
+		return;
+	}
 	vq = vgdev->cursorq.vq;
 	...>
 }

@cursor_kick@
identifier vgdev, vq, notify;
@@
 virtio_gpu_queue_cursor(struct virtio_gpu_device *vgdev, ...)
 {
 	<...
+	/* see virtio_gpu_notify() */
+	rcu_read_lock();
 	spin_unlock(&vgdev->cursorq.qlock);
 	if (notify)
 		virtqueue_notify(vq);
+	rcu_read_unlock();
 	...>
 }
