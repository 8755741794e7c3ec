/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM drm_virt_pm

#if !defined(_DRM_VIRT_PM_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _DRM_VIRT_PM_TRACE_H_

#include <linux/device.h>
#include <linux/tracepoint.h>
#include <linux/types.h>

#include <drm/drm_device.h>
#include <drm/drm_virt_pm.h>

/**
 * DOC: tracepoints
 *
 * All events are in the group *drm_virt_pm* and begin with the name of the
 * device.
 *
 * drm_virt_pm_state
 *	The device changed its state; *from* and *to* are values of
 *	&enum drm_virt_pm_state.
 * drm_virt_pm_reset
 *	The device was reset; the new epoch.
 * drm_virt_pm_drain
 *	A queue was drained: how many entries are left, and the result.
 * drm_virt_pm_object
 *	An object was restored or lost: its id and the result.
 * drm_virt_pm_refused
 *	A transition was refused, with the reason in words.
 */

TRACE_EVENT(drm_virt_pm_state,
	    TP_PROTO(struct drm_virt_pm *vpm, enum drm_virt_pm_state from,
		     enum drm_virt_pm_state to),
	    TP_ARGS(vpm, from, to),
	    TP_STRUCT__entry(__string(dev, dev_name(vpm->drm->dev))
			     __field(int, from)
			     __field(int, to)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->from = from;
			   __entry->to = to;),
	    TP_printk("%s from=%d to=%d", __get_str(dev), __entry->from,
		      __entry->to)
);

TRACE_EVENT(drm_virt_pm_reset,
	    TP_PROTO(struct drm_virt_pm *vpm, u32 epoch),
	    TP_ARGS(vpm, epoch),
	    TP_STRUCT__entry(__string(dev, dev_name(vpm->drm->dev))
			     __field(u32, epoch)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->epoch = epoch;),
	    TP_printk("%s epoch=%u", __get_str(dev), __entry->epoch)
);

TRACE_EVENT(drm_virt_pm_drain,
	    TP_PROTO(struct drm_virt_pm *vpm, const char *name,
		     unsigned int pending, int ret),
	    TP_ARGS(vpm, name, pending, ret),
	    TP_STRUCT__entry(__string(dev, dev_name(vpm->drm->dev))
			     __string(name, name)
			     __field(unsigned int, pending)
			     __field(int, ret)),
	    TP_fast_assign(__assign_str(dev);
			   __assign_str(name);
			   __entry->pending = pending;
			   __entry->ret = ret;),
	    TP_printk("%s %s pending=%u ret=%d", __get_str(dev),
		      __get_str(name), __entry->pending, __entry->ret)
);

TRACE_EVENT(drm_virt_pm_object,
	    TP_PROTO(struct drm_virt_pm *vpm, u32 id, int ret),
	    TP_ARGS(vpm, id, ret),
	    TP_STRUCT__entry(__string(dev, dev_name(vpm->drm->dev))
			     __field(u32, id)
			     __field(int, ret)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->id = id;
			   __entry->ret = ret;),
	    TP_printk("%s id=%u ret=%d", __get_str(dev), __entry->id,
		      __entry->ret)
);

TRACE_EVENT(drm_virt_pm_refused,
	    TP_PROTO(struct drm_virt_pm *vpm, int ret, const char *reason),
	    TP_ARGS(vpm, ret, reason),
	    TP_STRUCT__entry(__string(dev, dev_name(vpm->drm->dev))
			     __field(int, ret)
			     __string(reason, reason)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->ret = ret;
			   __assign_str(reason);),
	    TP_printk("%s ret=%d %s", __get_str(dev), __entry->ret,
		      __get_str(reason))
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE drm_virt_pm_trace
#include <trace/define_trace.h>
