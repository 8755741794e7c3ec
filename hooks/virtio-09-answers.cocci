// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, a fix that stands alone: a host that refuses to tell its outputs has not
// lost them.
//
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 1 VIRTIO_GPU_RESP_OK_DISPLAY_INFO;
//# add 1 VIRTIO_GPU_RESP_OK_EDID)

@outputs@
identifier vgdev, vbuf, resp, i;
statement loop;
@@
 virtio_gpu_cmd_get_display_info_cb(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_vbuffer *vbuf)
 {
 	struct virtio_gpu_resp_display_info *resp = ...;
+	bool told;
 	int i;
+
+	told = le32_to_cpu(resp->hdr.type) == VIRTIO_GPU_RESP_OK_DISPLAY_INFO;
 	spin_lock(&vgdev->display_info_lock);
-	for (i = 0; i < vgdev->num_scanouts; i++)
+	for (i = 0; told && i < vgdev->num_scanouts; i++)
 		loop
 	...
 }

@edid@
identifier vgdev, vbuf, resp, scanout;
@@
 virtio_gpu_cmd_get_edid_cb(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_vbuffer *vbuf)
 {
 	...
 	struct virtio_gpu_resp_edid *resp = ...;
 	...
 	if (scanout >= vgdev->num_scanouts)
 		return;
+	if (le32_to_cpu(resp->hdr.type) != VIRTIO_GPU_RESP_OK_EDID)
+		return;
 	...
 }
