// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/export.h>
#include <linux/seq_file.h>
#include <linux/string_choices.h>

#include <drm/drm_debugfs.h>
#include <kunit/visibility.h>

#include "drm_virt_pm_internal.h"

/**
 * DOC: debugfs
 *
 * ``dri/N/virt_pm`` tells about one device in lines of *key: value*. Keys are
 * stable, their order is not; new ones may be added.
 *
 * state
 *	``running``, ``suspending``, ``down``, ``resuming`` or ``lost``, the
 *	latter followed by the reason.
 * epoch
 *	Number of resets, counted from 1.
 * gate
 *	``open`` or ``closed``, and the number of tasks inside.
 * objects
 *	How many are tracked, resident, stale and lost, and how many restores
 *	there were.
 * lost-object
 *	One line for each of the last objects that were lost: id and errno.
 * reserve
 *	Bytes set aside, and how many allocations were served from there.
 * transition
 *	``none``, ``suspend``, ``hibernate`` or ``restore``.
 * refusal
 *	The last refusal in words, or ``none``.
 * suspend, resume
 *	One line for each step of the last suspend and resume, in the order in
 *	which they ran: name, direction, result and duration.
 */

const char *drm_virt_pm_state_name(enum drm_virt_pm_state state)
{
	switch (state) {
	case DRM_VIRT_PM_RUNNING:
		return "running";
	case DRM_VIRT_PM_SUSPENDING:
		return "suspending";
	case DRM_VIRT_PM_DOWN:
		return "down";
	case DRM_VIRT_PM_RESUMING:
		return "resuming";
	case DRM_VIRT_PM_LOST:
		return "lost";
	}

	return "unknown";
}

#ifdef CONFIG_DEBUG_FS
static void show_trail(struct seq_file *m, struct drm_virt_pm *vpm,
		       const char *key, const struct drm_virt_pm_trail *trail)
{
	unsigned int i;

	lockdep_assert_held(&vpm->lock);

	for (i = 0; i < trail->count; i++)
		seq_printf(m, "%s: %s %s %d %lld us\n", key,
			   trail->entry[i].name,
			   str_up_down(trail->entry[i].up),
			   trail->entry[i].ret, trail->entry[i].us);
}

VISIBLE_IF_KUNIT int drm_virt_pm_debugfs_show(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct drm_virt_pm *vpm = entry->file.data;
	int tracked, resident;
	unsigned int i, lost;

	spin_lock(&vpm->lock);
	seq_printf(m, "state: %s", drm_virt_pm_state_name(vpm->state));
	if (vpm->state == DRM_VIRT_PM_LOST)
		seq_printf(m, " (%s)", vpm->lost_reason);
	seq_printf(m, "\nepoch: %u\n", vpm->epoch);
	seq_printf(m, "gate: %s, %d inside\n",
		   vpm->gate.closed ? "closed" : "open",
		   atomic_read(&vpm->gate.users));

	tracked = atomic_read(&vpm->tracked);
	resident = atomic_read(&vpm->resident);
	lost = atomic_read(&vpm->num_lost);
	seq_printf(m, "objects: %d tracked, %d resident, %d stale, %u lost, %lld restored\n",
		   tracked, resident, tracked - resident, lost,
		   atomic64_read(&vpm->restored));
	for (i = 0; i < min_t(unsigned int, lost, ARRAY_SIZE(vpm->lost_objects)); i++)
		seq_printf(m, "lost-object: %u (%d)\n",
			   vpm->lost_objects[i].id, vpm->lost_objects[i].err);

	seq_printf(m, "reserve: %zu bytes, %u used\n", vpm->reserve_bytes,
		   vpm->reserve_used);
	seq_printf(m, "transition: %s\n",
		   drm_virt_pm_transition_name(drm_virt_pm_get_transition()));
	seq_printf(m, "refusal: %s\n", *vpm->refusal ? vpm->refusal : "none");
	show_trail(m, vpm, "suspend", &vpm->last_down);
	show_trail(m, vpm, "resume", &vpm->last_up);
	spin_unlock(&vpm->lock);

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
