// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/export.h>
#include <linux/ktime.h>

#include <drm/drm_print.h>

#include "drm_virt_pm_internal.h"
#include "drm_virt_pm_trace.h"

/**
 * DOC: order
 *
 * Two primitives keep the order of a suspend and a resume.
 *
 * A *sequence* is a const table of steps (&struct drm_virt_pm_step) that the
 * library runs: backwards to suspend, forwards to resume, and it unwinds what
 * was done when a step fails. One step is the point of no return of a suspend:
 * before it everything may fail, after it nothing does.
 *
 * *Milestones* are for drivers that own their order, with phases shared with
 * reset paths that cannot be moved into a table. The driver tells which point
 * its resume has reached; one that is reached out of order, or required and
 * not there, is reported by name and refused.
 *
 * Both leave the same trail in debugfs and the same tracepoints.
 */

static void trail_reset(struct drm_virt_pm *vpm, struct drm_virt_pm_trail *trail)
{
	spin_lock(&vpm->lock);
	trail->count = 0;
	spin_unlock(&vpm->lock);
}

static void trail_add(struct drm_virt_pm *vpm, struct drm_virt_pm_trail *trail,
		      const char *name, bool up, int ret, s64 us)
{
	trace_drm_virt_pm_step(vpm, name, up, ret, us);

	spin_lock(&vpm->lock);
	if (trail->count < ARRAY_SIZE(trail->entry)) {
		trail->entry[trail->count].name = name;
		trail->entry[trail->count].up = up;
		trail->entry[trail->count].ret = ret;
		trail->entry[trail->count].us = us;
		trail->count++;
	}
	spin_unlock(&vpm->lock);
}

static int run_step(struct drm_virt_pm *vpm, struct drm_virt_pm_trail *trail,
		    const struct drm_virt_pm_step *step, bool up)
{
	int (*fn)(struct drm_virt_pm *) = up ? step->up : step->down;
	ktime_t start = ktime_get();
	int ret;

	if (!fn)
		return 0;

	ret = fn(vpm);
	trail_add(vpm, trail, step->name, up, ret,
		  ktime_us_delta(ktime_get(), start));
	return ret;
}

/* Bring up @from to @end - 1; a failing one takes down what this call brought up. */
static int steps_up(struct drm_virt_pm *vpm, struct drm_virt_pm_trail *trail,
		    unsigned int from)
{
	unsigned int i;
	int ret;

	for (i = from; i < vpm->num_steps; i++) {
		ret = run_step(vpm, trail, &vpm->steps[i], true);
		if (!ret)
			continue;

		drm_warn(vpm->drm, "resume step %s failed (%d)\n",
			 vpm->steps[i].name, ret);
		if (!(vpm->steps[i].flags & DRM_VIRT_PM_STEP_OPTIONAL))
			goto err_down;
	}

	return 0;

err_down:
	while (i-- > from)
		run_step(vpm, trail, &vpm->steps[i], false);
	return ret;
}

/*
 * Take all steps down.
 *
 * Context: PM callback, may sleep.
 *
 * Return: 0, or the error of the step that refused; all steps are up then, or
 * the device is lost.
 */
int drm_virt_pm_sequence_down(struct drm_virt_pm *vpm)
{
	bool final = false;
	unsigned int i;
	int ret;

	trail_reset(vpm, &vpm->last_down);

	for (i = vpm->num_steps; i-- > 0;) {
		final |= vpm->steps[i].flags & DRM_VIRT_PM_STEP_FINAL;

		ret = run_step(vpm, &vpm->last_down, &vpm->steps[i], false);
		if (!ret)
			continue;

		if (!final) {
			/* the failing step has undone its own work */
			if (steps_up(vpm, &vpm->last_down, i + 1))
				drm_virt_pm_device_lost(vpm, "suspend refused, but not undone");
			return ret;
		}

		drm_warn(vpm->drm, "suspend step %s failed (%d), going on\n",
			 vpm->steps[i].name, ret);
	}

	return 0;
}

/*
 * Bring all steps up.
 *
 * Context: PM callback, may sleep.
 *
 * Return: 0, or the error of the fatal step; all steps are down then.
 */
int drm_virt_pm_sequence_up(struct drm_virt_pm *vpm)
{
	trail_reset(vpm, &vpm->last_up);

	return steps_up(vpm, &vpm->last_up, 0);
}

/**
 * drm_virt_pm_milestones_init - name the points of a driver's resume
 * @vpm: the device
 * @names: their names, in the order in which they have to be reached; kept by
 *	reference
 * @count: number of @names, at most %DRM_VIRT_PM_MAX_STEPS
 *
 * Context: After drm_virt_pm_init(), before the device can be suspended.
 */
void drm_virt_pm_milestones_init(struct drm_virt_pm *vpm,
				 const char * const *names, unsigned int count)
{
	if (drm_WARN_ON(vpm->drm, count > DRM_VIRT_PM_MAX_STEPS))
		count = DRM_VIRT_PM_MAX_STEPS;

	vpm->milestones.names = names;
	vpm->milestones.count = count;
	vpm->milestones.reached = 0;
	vpm->milestones.active = false;
}
EXPORT_SYMBOL(drm_virt_pm_milestones_init);

/**
 * drm_virt_pm_milestones_begin - a resume of the system begins
 * @vpm: the device
 *
 * From here to drm_virt_pm_milestones_end() milestones are recorded and can be
 * required. Outside, in runtime PM or a GPU reset that pass the same code,
 * both are no-ops that succeed.
 *
 * Context: PM callback; calls for one device do not run concurrently.
 */
void drm_virt_pm_milestones_begin(struct drm_virt_pm *vpm)
{
	struct drm_virt_pm_milestones *ms = &vpm->milestones;

	trail_reset(vpm, &vpm->last_up);
	ms->reached = 0;
	ms->last_ns = ktime_get_ns();
	ms->active = true;
}
EXPORT_SYMBOL(drm_virt_pm_milestones_begin);

/**
 * drm_virt_pm_milestones_end - the resume is over, for good or bad
 * @vpm: the device
 *
 * Context: As drm_virt_pm_milestones_begin().
 */
void drm_virt_pm_milestones_end(struct drm_virt_pm *vpm)
{
	vpm->milestones.active = false;
}
EXPORT_SYMBOL(drm_virt_pm_milestones_end);

/**
 * drm_virt_pm_milestone_reach - record that the resume got this far
 * @vpm: the device
 * @milestone: index into the names given to drm_virt_pm_milestones_init()
 *
 * Context: The task that resumes the device.
 *
 * Return: 0, also when no resume is being recorded or when it was reached
 * before; -EPROTO if an earlier milestone is missing, which is reported by
 * name; -EINVAL for one that does not exist.
 */
int drm_virt_pm_milestone_reach(struct drm_virt_pm *vpm, unsigned int milestone)
{
	struct drm_virt_pm_milestones *ms = &vpm->milestones;
	s64 now;

	if (!ms->active)
		return 0;
	if (drm_WARN_ON(vpm->drm, milestone >= ms->count))
		return -EINVAL;
	if (milestone < ms->reached)
		return 0;

	now = ktime_get_ns();
	if (milestone > ms->reached) {
		drm_err(vpm->drm, "resume reached %s, but %s is missing\n",
			ms->names[milestone], ms->names[ms->reached]);
		trail_add(vpm, &vpm->last_up, ms->names[milestone], true,
			  -EPROTO, (now - ms->last_ns) / NSEC_PER_USEC);
		return -EPROTO;
	}

	trail_add(vpm, &vpm->last_up, ms->names[milestone], true, 0,
		  (now - ms->last_ns) / NSEC_PER_USEC);
	ms->last_ns = now;
	ms->reached = milestone + 1;
	return 0;
}
EXPORT_SYMBOL(drm_virt_pm_milestone_reach);

/**
 * drm_virt_pm_milestone_require - refuse to go on before a milestone
 * @vpm: the device
 * @milestone: index into the names given to drm_virt_pm_milestones_init()
 *
 * Context: The task that resumes the device.
 *
 * Return: 0 if @milestone was reached in this resume or no resume is being
 * recorded; -EPROTO if it is missing, which is reported by name; -EINVAL for
 * one that does not exist.
 */
int drm_virt_pm_milestone_require(struct drm_virt_pm *vpm,
				  unsigned int milestone)
{
	struct drm_virt_pm_milestones *ms = &vpm->milestones;

	if (!ms->active)
		return 0;
	if (drm_WARN_ON(vpm->drm, milestone >= ms->count))
		return -EINVAL;
	if (milestone < ms->reached)
		return 0;

	drm_err(vpm->drm, "resume needs %s, which is missing\n",
		ms->names[milestone]);
	return -EPROTO;
}
EXPORT_SYMBOL(drm_virt_pm_milestone_require);
