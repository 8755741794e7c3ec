/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_VIRT_PM_MOCK_H_
#define _DRM_VIRT_PM_MOCK_H_

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <kunit/test.h>

#include <drm/drm_device.h>

#include "../drm_virt_pm_internal.h"

struct task_struct;

/**
 * DOC: mock device
 *
 * A virtual GPU without a host. It implements the callbacks that a driver gives
 * to the library and writes each call into a log, a line of words. A word with an
 * exclamation mark is a callback that failed, because the test told it to.
 *
 * The test owns time: the host answers and a callback ends when the test says
 * so. A test waits for a state that it brought about, never for a number of
 * milliseconds, unless a timeout itself is tested.
 */

/**
 * struct vpm_mock - the mock device
 */
struct vpm_mock {
	/** @base: The device under test. */
	struct drm_virt_pm base;

	/** @drm: The DRM device. */
	struct drm_device drm;

	/** @test: The test that it belongs to. */
	struct kunit *test;

	/** @lock: Protects @log. */
	spinlock_t lock;

	/** @log: What was called, in order. */
	char log[256];

	/** @refuse_ret: What &drm_virt_pm_ops.suspend returns before the reset. */
	int refuse_ret;

	/** @suspend_ret: What it returns after the reset. */
	int suspend_ret;

	/** @no_reset: It does not call drm_virt_pm_reset(). */
	bool no_reset;

	/** @resume_failures: How many resumes fail from now on. */
	unsigned int resume_failures;

	/** @recover_ret: What &drm_virt_pm_ops.recover returns. */
	int recover_ret;

	/** @bus_fails: &drm_virt_pm_ops.recover does not call the driver. */
	bool bus_fails;

	/** @in_suspend: Called by &drm_virt_pm_ops.suspend before the reset. */
	void (*in_suspend)(struct vpm_mock *mock);

	/** @in_resume: Called by &drm_virt_pm_ops.resume. */
	void (*in_resume)(struct vpm_mock *mock);

	/** @in_check: Called by &drm_virt_pm_ops.check. */
	void (*in_check)(struct vpm_mock *mock);

	/** @in_restore: Called by &drm_virt_pm_ops.restore before it publishes. */
	void (*in_restore)(struct vpm_mock *mock);

	/** @restored: Called by &drm_virt_pm_ops.restore after it published. */
	void (*restored)(struct vpm_mock *mock);

	/** @check_ret: What &drm_virt_pm_ops.check returns. */
	int check_ret;

	/** @why: What it gives as a reason; NULL for none. */
	const char *why;

	/**
	 * @hold: The callbacks suspend, resume, quiesce, check and restore wait
	 * for @proceed.
	 */
	bool hold;

	/** @proceed: Completed by the test. */
	struct completion proceed;

	/** @partner: For the callbacks of a test. */
	void *partner;

	/** @seen: For the callbacks of a test. */
	int seen[2];
};

static inline struct vpm_mock *to_vpm_mock(struct drm_virt_pm *vpm)
{
	return container_of(vpm, struct vpm_mock, base);
}

extern const struct drm_virt_pm_ops vpm_mock_ops;
extern const struct drm_virt_pm_ops vpm_mock_bus_ops;

struct vpm_mock *vpm_mock_create(struct kunit *test, const char *name);
struct vpm_mock *vpm_mock_create_with(struct kunit *test, const char *name,
				      const struct drm_virt_pm_ops *ops);
int vpm_mock_test_init(struct kunit *test);
void vpm_mock_unbind(struct vpm_mock *mock);
int vpm_mock_suspend(struct vpm_mock *mock);
int vpm_mock_resume(struct vpm_mock *mock);
void vpm_mock_run_work(struct vpm_mock *mock);
void vpm_mock_thaw(struct vpm_mock *mock);
bool vpm_mock_work_busy(struct vpm_mock *mock);
void vpm_mock_let_go(struct vpm_mock *mock);
void vpm_mock_set_stall_ms(struct kunit *test, unsigned int ms);
void vpm_mock_expect_misuse(struct vpm_mock *mock);
int vpm_mock_pm_references(struct vpm_mock *mock);

void vpm_mock_log(struct vpm_mock *mock, const char *fmt, ...) __printf(2, 3);
void vpm_mock_log_clear(struct vpm_mock *mock);

/* What was called since the last look */
#define VPM_MOCK_EXPECT_LOG(mock__, expected__)				\
do {									\
	struct vpm_mock *logged__ = (mock__);				\
									\
	KUNIT_EXPECT_STREQ(logged__->test, logged__->log, expected__);	\
	vpm_mock_log_clear(logged__);					\
} while (0)

/* Wait for what the test has brought about; the limit only ends a hang */
#define VPM_MOCK_AWAIT(test__, cond__)					\
do {									\
	unsigned long limit__ = jiffies + 5 * HZ;			\
	bool late__, met__;						\
									\
	do {								\
		late__ = time_after(jiffies, limit__);			\
		met__ = (cond__);					\
		if (!met__)						\
			usleep_range(1000, 2000);			\
	} while (!met__ && !late__);					\
	KUNIT_ASSERT_TRUE_MSG(test__, met__, "waited for " #cond__);	\
} while (0)

/**
 * struct vpm_mock_object - an object on the mock device
 */
struct vpm_mock_object {
	/** @base: The object under test. */
	struct drm_virt_pm_object base;

	/** @mock: The device. */
	struct vpm_mock *mock;

	/** @failures: How many callbacks fail from now on. */
	int failures;

	/** @err: What they return. */
	int err;

	/** @unpublished: The restore does not call drm_virt_pm_object_restored(). */
	bool unpublished;

	/** @restores: Number of restores that were tried. */
	atomic_t restores;

	/** @restoring: Number of restores that run now. */
	atomic_t restoring;

	/** @overlaps: Number of restores that met another one. */
	atomic_t overlaps;
};

struct vpm_mock_object *vpm_mock_object_create(struct vpm_mock *mock, u32 id);
void vpm_mock_object_free(struct vpm_mock_object *obj);
bool vpm_mock_object_resident(struct vpm_mock *mock, struct vpm_mock_object *obj);

/**
 * struct vpm_mock_queue - a queue of the mock device
 */
struct vpm_mock_queue {
	/** @base: The queue under test. */
	struct drm_virt_pm_queue base;

	/** @lock: Protects the members below, as a driver's lock would. */
	spinlock_t lock;

	/** @progress: Woken when entries came back. */
	wait_queue_head_t progress;

	/** @queued: Number of entries queued since probe. */
	unsigned int queued;

	/** @pending: Number of entries that the host has. */
	unsigned int pending;

	/** @answers: How many more the host gives back, one at each look. */
	unsigned int answers;

	/** @busy: Another entry is queued for each that comes back. */
	bool busy;

	/** @queued_in_kick: Number of entries that are queued during the kick. */
	unsigned int queued_in_kick;

	/** @overdue_after: The total limit is over when so many are left; or 0. */
	unsigned int overdue_after;
};

struct vpm_mock_queue *vpm_mock_queue_create(struct vpm_mock *mock);
void vpm_mock_queue_answer(struct vpm_mock_queue *queue, unsigned int count);

/**
 * struct vpm_mock_task - a task that uses the mock device
 *
 * Ends before the device does, also when the test fails.
 */
struct vpm_mock_task {
	/** @mock: The device. */
	struct vpm_mock *mock;

	/** @fn: What it does. */
	int (*fn)(struct vpm_mock_task *task);

	/** @arg: For @fn. */
	void *arg;

	/** @ret: What @fn returned. */
	int ret;

	/** @started: Completed before @fn is called. */
	struct completion started;

	/** @done: Completed after @fn has returned. */
	struct completion done;

	/** @thread: The task. */
	struct task_struct *thread;
};

struct vpm_mock_task *
vpm_mock_task_start(struct vpm_mock *mock,
		    int (*fn)(struct vpm_mock_task *task), void *arg);
void vpm_mock_task_signal(struct vpm_mock_task *task);
int vpm_mock_task_result(struct vpm_mock_task *task);
bool vpm_mock_task_runs(struct vpm_mock_task *task);
bool vpm_mock_task_sleeps(struct vpm_mock_task *task, unsigned int state);
unsigned int vpm_mock_sleepers(wait_queue_head_t *wait);

#endif
