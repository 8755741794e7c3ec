// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: one work at a time asks for the outputs and announces changes. An
// answer with an EDID must not come while a connector is probed.
//
//# file drivers/gpu/drm/virtio/virtgpu_kms.c
//# add 1 mutex_lock(&vgdev->pm.refresh_lock);
//# add 1 mutex_unlock(&vgdev->pm.refresh_lock);

@event@
identifier vgdev;
@@
 virtio_gpu_config_changed_work_func(...)
 {
 	struct virtio_gpu_device *vgdev = ...;
 	...
+	mutex_lock(&vgdev->pm.refresh_lock);
+	/* do not take an answer to a resume for one to this event */
+	wait_event_timeout(vgdev->resp_wq, !vgdev->display_info_pending,
+			   drm_virt_pm_timeout(&vgdev->pm.base));
+
 	virtio_cread_le(...);
 	...
 	virtio_cwrite_le(...);
+	mutex_unlock(&vgdev->pm.refresh_lock);
 }
