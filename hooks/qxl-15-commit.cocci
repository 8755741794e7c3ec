// SPDX-License-Identifier: GPL-2.0-only
// qxl: Debian's 7.2 renamed struct drm_atomic_state.
//
//# when include/drm/drm_atomic.h drm_atomic_commit_put
//# file drivers/gpu/drm/qxl/qxl_pm.c
//# gone struct drm_atomic_state
//# gone drm_atomic_state_

@type@
@@
-struct drm_atomic_state
+struct drm_atomic_commit

@get@
expression e;
@@
-drm_atomic_state_get(e);
+drm_atomic_commit_get(e);

@put@
expression e;
@@
-drm_atomic_state_put(e);
+drm_atomic_commit_put(e);
