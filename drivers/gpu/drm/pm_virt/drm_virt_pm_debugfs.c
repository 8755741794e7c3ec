// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/export.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <kunit/visibility.h>

#include "drm_virt_pm_internal.h"

/**
 * DOC: debugfs
 *
 * ``dri/N/virt_pm`` describes one device in lines of *key: value*, as a debugging
 * aid.
 *
 * state
 *	``running``, ``down`` or ``lost``, the latter with the reason.
 * epoch
 *	Number of resets, counted from 1.
 * failures
 *	Number of failed attempts to resume since the last suspend.
 * objects
 *	How many are tracked, how often one was restored, how many were lost,
 *	and which one last.
 * suspend, hibernate
 *	``possible``, or ``refused`` with the reason, asked at the time of
 *	reading.
 * transition
 *	``none``, ``suspend``, ``hibernate`` or ``restore``.
 * refusal
 *	The last refusal, or ``none``.
 *
 * A driver can add lines, see &drm_virt_pm_ops.show.
 */

#ifdef CONFIG_DEBUG_FS
static const char *drm_virt_pm_state_name(enum drm_virt_pm_state state)
{
	switch (state) {
	case DRM_VIRT_PM_RUNNING:
		return "running";
	case DRM_VIRT_PM_DOWN:
		return "down";
	case DRM_VIRT_PM_LOST:
		return "lost";
	}

	return "unknown";
}

static void drm_virt_pm_show_check(struct seq_file *m, struct drm_virt_pm *vpm,
				   enum drm_virt_pm_transition transition)
{
	const char *name = drm_virt_pm_transition_name(transition);
	char why[sizeof(vpm->refusal)];

	if (drm_virt_pm_ask(vpm, transition, why, sizeof(why)))
		seq_printf(m, "%s: refused: %s\n", name, why);
	else
		seq_printf(m, "%s: possible\n", name);
}

VISIBLE_IF_KUNIT int drm_virt_pm_debugfs_show(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct drm_virt_pm *vpm = entry->file.data;

	spin_lock(&vpm->lock);
	seq_printf(m, "state: %s", drm_virt_pm_state_name(vpm->state));
	if (vpm->state == DRM_VIRT_PM_LOST)
		seq_printf(m, " (%s)", vpm->reason);
	seq_printf(m, "\nepoch: %u\nfailures: %u\n", vpm->epoch, vpm->failures);

	seq_printf(m, "objects: %d tracked, %lld restored, %u lost",
		   atomic_read(&vpm->tracked), atomic64_read(&vpm->restored),
		   vpm->num_lost);
	if (vpm->num_lost)
		seq_printf(m, " (last: %u)", vpm->last_lost);
	seq_printf(m, "\nrefusal: %s\n", *vpm->refusal ? vpm->refusal : "none");
	spin_unlock(&vpm->lock);

	drm_virt_pm_show_check(m, vpm, DRM_VIRT_PM_SUSPEND);
	drm_virt_pm_show_check(m, vpm, DRM_VIRT_PM_HIBERNATE);
	seq_printf(m, "transition: %s\n",
		   drm_virt_pm_transition_name(drm_virt_pm_get_transition()));
	if (vpm->ops->show)
		vpm->ops->show(vpm, m);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(drm_virt_pm_debugfs_show);

void drm_virt_pm_debugfs_init(struct drm_virt_pm *vpm)
{
	drm_debugfs_add_file(vpm->drm, "virt_pm", drm_virt_pm_debugfs_show, vpm);
}
#else
void drm_virt_pm_debugfs_init(struct drm_virt_pm *vpm)
{
}
#endif
