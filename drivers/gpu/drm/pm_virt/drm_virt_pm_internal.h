/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_VIRT_PM_INTERNAL_H_
#define _DRM_VIRT_PM_INTERNAL_H_

#include <linux/jiffies.h>
#include <linux/types.h>

#include <drm/drm_virt_pm.h>

/* Whether the total limit of the running suspend or resume is over */
static inline bool drm_virt_pm_overdue(const struct drm_virt_pm *vpm)
{
	unsigned long deadline = READ_ONCE(vpm->deadline);

	return deadline && time_after(jiffies, deadline);
}

/* drm_virt_pm_device.c */
void drm_virt_pm_misused(struct drm_virt_pm *vpm, const char *what);

/* drm_virt_pm_check.c */
void drm_virt_pm_check_add(struct drm_virt_pm *vpm);
void drm_virt_pm_check_del(struct drm_virt_pm *vpm);
int drm_virt_pm_check_init(void);
void drm_virt_pm_check_exit(void);
unsigned int drm_virt_pm_stall_ms(void);
int drm_virt_pm_ask(struct drm_virt_pm *vpm,
		    enum drm_virt_pm_transition transition, char *why,
		    size_t size);
const char *drm_virt_pm_transition_name(enum drm_virt_pm_transition transition);

/* drm_virt_pm_kms.c */
void drm_virt_pm_kms_last_try(struct drm_virt_pm *vpm);

/* drm_virt_pm_object.c */
void drm_virt_pm_object_lockdep(void);

/* drm_virt_pm_debugfs.c */
void drm_virt_pm_debugfs_init(struct drm_virt_pm *vpm);

/* static but for the tests */
#if IS_ENABLED(CONFIG_KUNIT)
struct kernel_param;
struct seq_file;

extern unsigned int drm_virt_pm_drain_timeout_ms;

int drm_virt_pm_set_drain_timeout(const char *val,
				  const struct kernel_param *kp);
int drm_virt_pm_notify(unsigned long event);
int drm_virt_pm_debugfs_show(struct seq_file *m, void *unused);
#endif

#endif
