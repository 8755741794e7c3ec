// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: to reset the state of KMS needs no memory in a resume.
//
//# file drivers/gpu/drm/virtio/virtgpu_display.c
//# add 1 drm_virt_pm_crtc_reset
//# add 1 drm_virt_pm_connector_reset
//# file drivers/gpu/drm/virtio/virtgpu_plane.c
//# add 1 drm_virt_pm_plane_reset

@crtc@
@@
-drm_atomic_helper_crtc_reset
+drm_virt_pm_crtc_reset

@connector@
@@
-drm_atomic_helper_connector_reset
+drm_virt_pm_connector_reset

@plane@
@@
-drm_atomic_helper_plane_reset
+drm_virt_pm_plane_reset
