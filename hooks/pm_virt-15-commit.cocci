// SPDX-License-Identifier: GPL-2.0-only
// drm_virt_pm: Debian's 7.2 renamed struct drm_atomic_state.
//
//# when include/drm/drm_atomic.h drm_atomic_commit_put
//# file drivers/gpu/drm/pm_virt/drm_virt_pm_kms.c
//# gone struct drm_atomic_state
//# gone drm_atomic_state_put
//# file include/drm/drm_virt_pm.h
//# gone struct drm_atomic_state

@type@
@@
-struct drm_atomic_state
+struct drm_atomic_commit

@put@
expression e;
@@
-drm_atomic_state_put(e);
+drm_atomic_commit_put(e);
