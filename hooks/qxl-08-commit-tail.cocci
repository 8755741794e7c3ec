// SPDX-License-Identifier: GPL-2.0-only
// qxl, a fix that stands alone: a commit does not wait for a vblank after others
// may have changed its outputs.
//
//# file drivers/gpu/drm/qxl/qxl_display.c
//# add 1 qxl_commit_tail(struct
//# add 1 .atomic_commit_tail = qxl_commit_tail,
//# add 1 .helper_private = &qxl_mode_helpers;

// struct drm_atomic_state, which has another name since 7.2
@named@
type T;
identifier crtc, state;
@@
 qxl_crtc_atomic_flush(struct drm_crtc *crtc, T *state) { ... }

@tail@
type named.T;
@@
+static void qxl_commit_tail(T *state)
+{
+	struct drm_device *dev = state->dev;
+
+	drm_atomic_helper_commit_modeset_disables(dev, state);
+	drm_atomic_helper_commit_planes(dev, state, 0);
+	drm_atomic_helper_commit_modeset_enables(dev, state);
+	drm_atomic_helper_fake_vblank(state);
+	drm_atomic_helper_commit_hw_done(state);
+	/* not for a vblank: after hw_done the next commit may free the states */
+	drm_atomic_helper_wait_for_flip_done(dev, state);
+	drm_atomic_helper_cleanup_planes(dev, state);
+}
+
 static const struct drm_mode_config_funcs qxl_mode_funcs = { ... };

@helpers@
@@
+static const struct drm_mode_config_helper_funcs qxl_mode_helpers = {
+	.atomic_commit_tail = qxl_commit_tail,
+};
+
 static const struct drm_mode_config_funcs qxl_mode_funcs = { ... };

@use@
expression qdev;
@@
 qxl_modeset_init(...)
 {
 	...
 	qdev->ddev.mode_config.funcs = (void *)&qxl_mode_funcs;
+	qdev->ddev.mode_config.helper_private = &qxl_mode_helpers;
 	...
 }
