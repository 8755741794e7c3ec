// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: Debian's 7.2 renamed struct drm_atomic_state.
//
//# when include/drm/drm_atomic.h drm_atomic_commit_put
//# file drivers/gpu/drm/virtio/virtgpu_pm_kms.c
//# gone struct drm_atomic_state
//# gone drm_atomic_state_put

@type@
@@
-struct drm_atomic_state
+struct drm_atomic_commit

@put@
expression e;
@@
-drm_atomic_state_put(e);
+drm_atomic_commit_put(e);
