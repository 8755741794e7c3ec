// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: a queue can be stopped.
//
// The queue's pointer is read, and the stop looked at, under the queue's lock.
// What is refused is completed: fences are signalled, references dropped. Who
// waits for room leaves when the queue is stopped.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# add 1 struct drm_virt_pm_queue pm;
//# file drivers/gpu/drm/virtio/virtgpu_kms.c
//# add 1 virtio_gpu_pm_init_queues(vgdev)
//# file drivers/gpu/drm/virtio/virtgpu_drv.c
//# have virtio_gpu_pm_unplug(dev->dev_private);
//# gone drm_dev_unplug(dev)
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 2 drm_virt_pm_queue_stopped(
//# add 2 virtio_gpu_pm_wait_room(
//# add 4 virtio_gpu_pm_refuse(
//# add 2 rcu_read_lock();
//# add 2 rcu_read_unlock();
//# gone wait_event(vgdev->ctrlq.ack_queue, vq->num_free
//# gone wait_event(vgdev->cursorq.ack_queue, vq->num_free

@queue@
@@
 struct virtio_gpu_queue {
 	...
 	uint32_t seqno;
+	struct drm_virt_pm_queue pm;
 };

@init@
identifier vgdev;
@@
 virtio_gpu_init_vq(&vgdev->cursorq, virtio_gpu_dequeue_cursor_func);
+virtio_gpu_pm_init_queues(vgdev);

// once, and after those who wait for room were let go
@unplug@
identifier dev;
@@
-drm_dev_unplug(dev);
+virtio_gpu_pm_unplug(dev->dev_private);

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

@read_vq@
identifier f = { virtio_gpu_queue_ctrl_sgs, virtio_gpu_queue_cursor };
identifier vgdev, q;
@@
 f(struct virtio_gpu_device *vgdev, ...)
 {
 	<...
-	struct virtqueue *vq = vgdev->q.vq;
+	struct virtqueue *vq;
 	...>
 }

@unplugged@
identifier vgdev, vbuf, fence, idx;
@@
 virtio_gpu_queue_ctrl_sgs(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_vbuffer *vbuf, struct virtio_gpu_fence *fence, ...)
 {
 	<...
 	if (!drm_dev_enter(vgdev->ddev, &idx)) {
-		if (fence && vbuf->objs)
-			virtio_gpu_array_unlock_resv(vbuf->objs);
+		virtio_gpu_pm_refuse(vgdev, vbuf, fence);
 		free_vbuf(vgdev, vbuf);
 		return -ENODEV;
 	}
 	...>
 }

@stopped@
identifier vgdev, vbuf, fence, vq, elemcnt;
@@
 virtio_gpu_queue_ctrl_sgs(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_vbuffer *vbuf, struct virtio_gpu_fence *fence,
	int elemcnt, ...)
 {
 	<...
 	spin_lock(&vgdev->ctrlq.qlock);
+
+	if (drm_virt_pm_queue_stopped(&vgdev->ctrlq.pm)) {
+		spin_unlock(&vgdev->ctrlq.qlock);
+		virtio_gpu_pm_refuse(vgdev, vbuf, fence);
+		free_vbuf(vgdev, vbuf);
+		drm_dev_exit(idx);
+		return -ENODEV;
+	}
+	vq = vgdev->ctrlq.vq;
+
 	if (vq->num_free < elemcnt) { ... }
 	...>
 }

@room@
identifier vgdev, vq, q, n;
@@
(
-	wait_event(vgdev->q.ack_queue, vq->num_free >= n);
+	virtio_gpu_pm_wait_room(vgdev, &vgdev->q, n);
|
-	wait_event(vgdev->q.ack_queue,
-		   vq->num_free >= n || vgdev->vqs_released);
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
identifier vgdev, vbuf, vq, ret;
@@
 virtio_gpu_queue_cursor(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_vbuffer *vbuf)
 {
 	<...
+	if (drm_virt_pm_queue_stopped(&vgdev->cursorq.pm)) {
+		spin_unlock(&vgdev->cursorq.qlock);
+		virtio_gpu_pm_refuse(vgdev, vbuf, NULL);
+		free_vbuf(vgdev, vbuf);
+		drm_dev_exit(idx);
+		return;
+	}
+	vq = vgdev->cursorq.vq;
+
 	ret = virtqueue_add_sgs(vq, ...);
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
