/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_VIRT_PM_EXAMPLE_H_
#define _DRM_VIRT_PM_EXAMPLE_H_

#include <linux/pm.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_virt_pm.h>

/*
 * The driver that Documentation/gpu/drm-virt-pm.rst adopts drm_virt_pm with. Its
 * device, the toy, has one queue, buffers that it knows by number, and a screen.
 */

#define TOY_BUFFERS	16
#define TOY_RING	32

enum toy_command_type {
	TOY_PING,
	TOY_CREATE,
	TOY_DESTROY,
	TOY_SHOW,
};

struct toy_command {
	enum toy_command_type type;
	u32 id;
	u32 pixels;
};

/* The host counts an error for each buffer that it does not know */
struct toy_host {
	bool known[TOY_BUFFERS];
	u32 pixels[TOY_BUFFERS];
	u32 screen;
	unsigned int commands;
	unsigned int errors;
	bool hangs;
	unsigned int failing_starts;
};

/* adopt: embed */
struct toy {
	struct drm_device drm;
	struct drm_virt_pm pm;
	struct drm_virt_pm_queue queue;

	spinlock_t lock;	/* protects the members up to @progress */
	struct toy_command ring[TOY_RING];
	unsigned int queued, answered;
	bool stopped;
	wait_queue_head_t progress;

	struct toy_buffer *shown;
	unsigned int decoders;	/* in use; only the host has their state */

	struct work_struct host_work;
	struct toy_host host;
};

struct toy_buffer {
	struct drm_virt_pm_object object;
	struct toy *toy;
	u32 pixels;
};

/* adopt: end */

extern const struct drm_driver toy_driver;
extern const struct dev_pm_ops toy_dev_pm_ops;

int toy_probe(struct toy *toy);
void toy_remove(struct toy *toy);
struct toy_buffer *toy_buffer_create(struct toy *toy, u32 id, u32 pixels);
int toy_buffer_show_wait(struct toy_buffer *buffer);
void toy_buffer_free(struct toy_buffer *buffer);

#endif
