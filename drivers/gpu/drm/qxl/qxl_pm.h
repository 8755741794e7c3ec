/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef QXL_PM_H
#define QXL_PM_H

#include <linux/fs.h>
#include <linux/pm.h>
#include <linux/types.h>

#include <drm/drm_virt_pm.h>

struct qxl_device;

/**
 * struct qxl_pm - suspend and resume of the device
 */
struct qxl_pm {
	/** @base: The library's part. */
	struct drm_virt_pm base;

	/** @commands: The command ring. */
	struct drm_virt_pm_queue commands;

	/** @cursors: The cursor ring. */
	struct drm_virt_pm_queue cursors;

	/** @io: I/O commands, of which there is one at a time. */
	struct drm_virt_pm_queue io;

	/** @stopped: Nothing may be queued, and nothing is waited for. */
	bool stopped;

	/**
	 * @bounded: A PM callback stops or starts KMS, so that a wait for room
	 * in a ring has a limit.
	 */
	bool bounded;

	/** @not_drawn: A picture was not drawn since the resume began. */
	bool not_drawn;
};

extern const struct file_operations qxl_pm_fops;
extern const struct dev_pm_ops qxl_pm_ops;

int qxl_pm_init(struct qxl_device *qdev);
void qxl_pm_fini(struct qxl_device *qdev);
bool qxl_pm_gives_up(struct qxl_device *qdev);
bool qxl_pm_lock_io(struct qxl_device *qdev);
void qxl_pm_unlock_io(struct qxl_device *qdev);

#endif
