/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_VIRT_PM_INTERNAL_H_
#define _DRM_VIRT_PM_INTERNAL_H_

#include <linux/types.h>

#include <drm/drm_virt_pm.h>

/*
 * What the core uses of the parts. The parts use each other through the public
 * header only.
 */

/* drm_virt_pm_sequence.c */
int drm_virt_pm_sequence_down(struct drm_virt_pm *vpm);
int drm_virt_pm_sequence_up(struct drm_virt_pm *vpm);

/* drm_virt_pm_gate.c */
void drm_virt_pm_gate_init(struct drm_virt_pm *vpm);
void drm_virt_pm_gate_wake(struct drm_virt_pm *vpm);

/* drm_virt_pm_notifier.c */
void drm_virt_pm_notifier_add(struct drm_virt_pm *vpm);
void drm_virt_pm_notifier_del(struct drm_virt_pm *vpm);
int drm_virt_pm_notifier_init(void);
void drm_virt_pm_notifier_exit(void);
const char *drm_virt_pm_transition_name(enum drm_virt_pm_transition transition);

/* drm_virt_pm_debugfs.c */
void drm_virt_pm_debugfs_init(struct drm_virt_pm *vpm);
const char *drm_virt_pm_state_name(enum drm_virt_pm_state state);

/* static but for the tests */
#if IS_ENABLED(CONFIG_KUNIT)
struct seq_file;

extern unsigned int drm_virt_pm_drain_timeout_ms;

int drm_virt_pm_notify(unsigned long event);
void *drm_virt_pm_alloc_reserved(struct drm_virt_pm *vpm, size_t size);
int drm_virt_pm_debugfs_show(struct seq_file *m, void *unused);
#endif

#endif
