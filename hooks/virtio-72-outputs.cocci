// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: after a reset the host may have fewer outputs than at probe. Those
// that are gone are not named to it. A cursor is told to it again.
//
//# file drivers/gpu/drm/virtio/virtgpu_plane.c
//# add 2 virtio_gpu_pm_cursor_changed(plane, old_state)
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 2 !virtio_gpu_pm_has_output(vgdev, scanout_id)
//# add 1 !virtio_gpu_pm_has_output(vgdev, output->index)
//# add 1 if (!virtio_gpu_pm_has_output(vgdev, scanout))

@set_scanout@
identifier f = { virtio_gpu_cmd_set_scanout, virtio_gpu_cmd_set_scanout_blob };
identifier vgdev, scanout_id, cmd_p, vbuf;
@@
 f(struct virtio_gpu_device *vgdev, uint32_t scanout_id, ...)
 {
 	...
+	if (!virtio_gpu_pm_has_output(vgdev, scanout_id))
+		return;
+
 	cmd_p = virtio_gpu_alloc_cmd(vgdev, &vbuf, sizeof(*cmd_p));
 	...
 }

@ping@
identifier vgdev, output;
@@
 virtio_gpu_cursor_ping(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_output *output)
 {
 	...
+	if (!virtio_gpu_pm_has_output(vgdev, output->index))
+		return;
+
 	output->cursor.pos.scanout_id = cpu_to_le32(output->index);
 	...
 }

@get_edids@
identifier vgdev, resp_buf;
expression e;
symbol scanout;
statement S;
@@
 virtio_gpu_cmd_get_edids(struct virtio_gpu_device *vgdev)
 {
 	<...
+	if (!virtio_gpu_pm_has_output(vgdev, scanout))
+		continue;
+
 	resp_buf = e;
 	if (!resp_buf) S
 	...>
 }

@cursor@
identifier plane, old_state;
@@
 virtio_gpu_cursor_plane_update(struct drm_plane *plane, ...)
 {
 	<...
(
-	(plane->state->fb != old_state->fb)
+	virtio_gpu_pm_cursor_changed(plane, old_state)
|
-	plane->state->fb != old_state->fb
+	virtio_gpu_pm_cursor_changed(plane, old_state)
)
 	...>
 }
