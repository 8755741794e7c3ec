// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/device.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/seq_buf.h>

#include <drm/drm_kunit_helpers.h>
#include <kunit/device.h>
#include <kunit/resource.h>

#include "drm_virt_pm_mock.h"

/* As short as a timeout can be that has to happen, in milliseconds. */
#define GATE_TIMEOUT_MS	20

void vpm_mock_log(struct vpm_mock *mock, const char *fmt, ...)
{
	size_t len;
	va_list args;

	spin_lock(&mock->lock);
	len = strlen(mock->log);
	if (len)
		len += scnprintf(mock->log + len, sizeof(mock->log) - len, " ");
	va_start(args, fmt);
	vscnprintf(mock->log + len, sizeof(mock->log) - len, fmt, args);
	va_end(args);
	spin_unlock(&mock->lock);
}

void vpm_mock_log_clear(struct vpm_mock *mock)
{
	spin_lock(&mock->lock);
	mock->log[0] = '\0';
	spin_unlock(&mock->lock);
}

static int mock_step(struct drm_virt_pm *vpm, enum vpm_mock_step step,
		     const char *name, bool up)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);
	int ret = up ? mock->up_ret[step] : mock->down_ret[step];

	vpm_mock_log(mock, "%c%s%s", up ? '+' : '-', name, ret ? "!" : "");
	if (!ret && mock->in_step)
		mock->in_step(mock);

	return ret;
}

static int queues_up(struct drm_virt_pm *vpm)
{
	return mock_step(vpm, VPM_MOCK_QUEUES, "queues", true);
}

static int queues_down(struct drm_virt_pm *vpm)
{
	return mock_step(vpm, VPM_MOCK_QUEUES, "queues", false);
}

static int reset_up(struct drm_virt_pm *vpm)
{
	return mock_step(vpm, VPM_MOCK_RESET, "reset", true);
}

static int reset_down(struct drm_virt_pm *vpm)
{
	int ret = mock_step(vpm, VPM_MOCK_RESET, "reset", false);

	if (!ret)
		drm_virt_pm_device_reset(vpm);
	return ret;
}

static int gate_up(struct drm_virt_pm *vpm)
{
	int ret = mock_step(vpm, VPM_MOCK_GATE, "gate", true);

	if (!ret)
		drm_virt_pm_gate_open(vpm);
	return ret;
}

static int gate_down(struct drm_virt_pm *vpm)
{
	int ret = mock_step(vpm, VPM_MOCK_GATE, "gate", false);

	return ret ?: drm_virt_pm_gate_close(vpm, GATE_TIMEOUT_MS);
}

static int kms_up(struct drm_virt_pm *vpm)
{
	return mock_step(vpm, VPM_MOCK_KMS, "kms", true);
}

static int kms_down(struct drm_virt_pm *vpm)
{
	return mock_step(vpm, VPM_MOCK_KMS, "kms", false);
}

static const struct drm_virt_pm_step mock_steps[VPM_MOCK_STEPS] = {
	[VPM_MOCK_QUEUES] = {
		.name = "queues",
		.up = queues_up,
		.down = queues_down,
	},
	[VPM_MOCK_RESET] = {
		.name = "reset",
		.up = reset_up,
		.down = reset_down,
		.flags = DRM_VIRT_PM_STEP_FINAL,
	},
	[VPM_MOCK_GATE] = {
		.name = "gate",
		.up = gate_up,
		.down = gate_down,
	},
	[VPM_MOCK_KMS] = {
		.name = "kms",
		.up = kms_up,
		.down = kms_down,
		.flags = DRM_VIRT_PM_STEP_OPTIONAL,
	},
};

/* Until the test lets go; the limit only ends a hang. */
static void mock_hold(struct vpm_mock *mock)
{
	if (READ_ONCE(mock->hold))
		wait_for_completion_timeout(&mock->proceed, 10 * HZ);
}

static int mock_check(struct drm_virt_pm *vpm,
		      enum drm_virt_pm_transition transition,
		      struct seq_buf *why)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);

	vpm_mock_log(mock, "check:%s", drm_virt_pm_transition_name(transition));
	if (mock->in_check)
		mock->in_check(mock);
	mock_hold(mock);

	if (mock->why)
		seq_buf_puts(why, mock->why);
	return mock->check_ret;
}

static int mock_reserve(struct drm_virt_pm *vpm)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);
	unsigned int i;
	int ret;

	vpm_mock_log(mock, "reserve");
	for (i = 0; i < ARRAY_SIZE(mock->need) && mock->need[i]; i++) {
		ret = drm_virt_pm_reserve(vpm, mock->need[i]);
		if (ret)
			return ret;
	}

	return 0;
}

static struct vpm_mock_object *to_mock_object(struct drm_virt_pm_object *obj)
{
	return container_of(obj, struct vpm_mock_object, base);
}

static int mock_object_restore(struct drm_virt_pm *vpm,
			       struct drm_virt_pm_object *base)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);
	struct vpm_mock_object *obj = to_mock_object(base);
	int ret = 0;

	if (atomic_inc_return(&obj->restoring) > 1)
		atomic_inc(&obj->overlaps);
	atomic_inc(&obj->restores);
	vpm_mock_log(mock, "restore:%u", base->id);
	mock_hold(mock);

	if (obj->failures > 0) {
		obj->failures--;
		ret = obj->err;
	}
	atomic_dec(&obj->restoring);

	return ret;
}

static bool mock_object_get(struct drm_virt_pm_object *base)
{
	struct vpm_mock_object *obj = to_mock_object(base);

	if (!obj->refs)
		return false;
	obj->refs++;
	return true;
}

static void mock_object_put(struct drm_virt_pm_object *base)
{
	might_sleep();
	to_mock_object(base)->refs--;
}

static int mock_resume_deferred(struct drm_virt_pm *vpm)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);

	device_lock_assert(vpm->drm->dev);
	vpm_mock_log(mock, "deferred");
	if (mock->deferred_resumes)
		return drm_virt_pm_resume(vpm);

	return mock->deferred_ret;
}

static void mock_lost(struct drm_virt_pm *vpm)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);

	lockdep_assert_not_held(&vpm->drm->dev->mutex);
	mock->lost_in_work = current->flags & PF_WQ_WORKER;
	atomic_inc(&mock->lost_calls);
}

static bool mock_owns(struct drm_virt_pm *vpm, struct dma_buf *buf)
{
	return to_vpm_mock(vpm)->owned == buf;
}

static const struct drm_virt_pm_ops mock_ops = {
	.check = mock_check,
	.reserve = mock_reserve,
	.object_restore = mock_object_restore,
	.object_get = mock_object_get,
	.object_put = mock_object_put,
	.resume_deferred = mock_resume_deferred,
	.lost = mock_lost,
	.owns = mock_owns,
};

/* End every wait of the device's callbacks and users. */
void vpm_mock_let_go(struct vpm_mock *mock)
{
	WRITE_ONCE(mock->hold, false);
	complete_all(&mock->proceed);
}

static void mock_fini(void *data)
{
	struct vpm_mock *mock = data;

	vpm_mock_let_go(mock);
	drm_virt_pm_fini(&mock->base);
	vpm_mock_resume_elsewhere(mock);
}

/* End it before the test does. */
void vpm_mock_fini(struct vpm_mock *mock)
{
	kunit_release_action(mock->test, mock_fini, mock);
}

/*
 * A mock device of its own name in @test, with other callbacks and steps than
 * the usual ones.
 */
struct vpm_mock *vpm_mock_create_with(struct kunit *test, const char *name,
				      const struct drm_virt_pm_ops *ops,
				      const struct drm_virt_pm_step *steps,
				      unsigned int num_steps)
{
	struct drm_device *drm;
	struct vpm_mock *mock;
	struct device *dev;

	dev = kunit_device_register(test, name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	drm = __drm_kunit_helper_alloc_drm_device(test, dev, sizeof(*mock),
						  offsetof(struct vpm_mock, drm),
						  0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);

	mock = container_of(drm, struct vpm_mock, drm);
	mock->test = test;
	spin_lock_init(&mock->lock);
	init_completion(&mock->proceed);
	KUNIT_ASSERT_EQ(test, 0, drm_virt_pm_init(&mock->base, &mock->drm, ops,
						  steps, num_steps));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, mock_fini, mock));

	return mock;
}

struct vpm_mock *vpm_mock_create(struct kunit *test, const char *name)
{
	return vpm_mock_create_with(test, name, &mock_ops, mock_steps,
				    ARRAY_SIZE(mock_steps));
}

/* For &kunit_suite.init: one mock device in &kunit.priv. */
int vpm_mock_test_init(struct kunit *test)
{
	test->priv = vpm_mock_create(test, "mock");
	return 0;
}

static void set_is_suspended(struct vpm_mock *mock, bool is_suspended)
{
	mock->drm.dev->power.is_suspended = is_suspended;
}

/* As the PM core suspends a device. */
int vpm_mock_suspend(struct vpm_mock *mock)
{
	int ret;

	device_lock(mock->drm.dev);
	ret = drm_virt_pm_suspend(&mock->base);
	if (!ret)
		set_is_suspended(mock, true);
	device_unlock(mock->drm.dev);

	return ret;
}

/* As the PM core resumes a device. */
int vpm_mock_resume(struct vpm_mock *mock)
{
	int ret;

	device_lock(mock->drm.dev);
	set_is_suspended(mock, false);
	ret = drm_virt_pm_resume(&mock->base);
	device_unlock(mock->drm.dev);

	return ret;
}

/* As the PM core does when the bus gives up before it calls the driver. */
void vpm_mock_resume_elsewhere(struct vpm_mock *mock)
{
	device_lock(mock->drm.dev);
	set_is_suspended(mock, false);
	device_unlock(mock->drm.dev);
}

/* Tasks run again: what was put off until now happens. */
void vpm_mock_run_later(struct vpm_mock *mock)
{
	flush_delayed_work(&mock->base.work);
}

static void restore_stall_ms(void *data)
{
	WRITE_ONCE(drm_virt_pm_drain_timeout_ms, (uintptr_t)data);
}

/* Another drain_timeout_ms for the rest of the test. */
void vpm_mock_set_stall_ms(struct kunit *test, unsigned int ms)
{
	uintptr_t old = drm_virt_pm_drain_timeout_ms;

	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, restore_stall_ms,
						  (void *)old));
	WRITE_ONCE(drm_virt_pm_drain_timeout_ms, ms);
}

struct vpm_mock_object *vpm_mock_object_create(struct vpm_mock *mock, u32 id)
{
	struct vpm_mock_object *obj;

	obj = kunit_kzalloc(mock->test, sizeof(*obj), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(mock->test, obj);

	obj->refs = 1;
	drm_virt_pm_object_init(&obj->base);
	drm_virt_pm_object_created(&mock->base, &obj->base, id);

	return obj;
}

static struct vpm_mock_queue *to_mock_queue(struct drm_virt_pm_queue *base)
{
	return container_of(base, struct vpm_mock_queue, base);
}

static void mock_queue_count(struct drm_virt_pm_queue *base,
			     unsigned int *queued, unsigned int *pending)
{
	struct vpm_mock_queue *queue = to_mock_queue(base);

	spin_lock(&queue->lock);
	*queued = queue->queued;
	*pending = queue->pending;
	if (queue->answers && queue->pending) {
		queue->answers--;
		queue->queued += queue->busy;
		queue->pending -= !queue->busy;
	}
	spin_unlock(&queue->lock);
}

static void mock_queue_kick(struct drm_virt_pm_queue *base)
{
	might_sleep();
	vpm_mock_log(to_vpm_mock(base->vpm), "kick");
}

static void mock_queue_flush(struct drm_virt_pm_queue *base)
{
	might_sleep();
	vpm_mock_log(to_vpm_mock(base->vpm), "flush:%u",
		     to_mock_queue(base)->pending);
}

static const struct drm_virt_pm_queue_ops mock_queue_ops = {
	.count = mock_queue_count,
	.kick = mock_queue_kick,
	.flush = mock_queue_flush,
};

struct vpm_mock_queue *vpm_mock_queue_create(struct vpm_mock *mock)
{
	struct vpm_mock_queue *queue;

	queue = kunit_kzalloc(mock->test, sizeof(*queue), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(mock->test, queue);

	spin_lock_init(&queue->lock);
	init_waitqueue_head(&queue->progress);
	drm_virt_pm_queue_init(&queue->base, &mock->base, "mock",
			       &mock_queue_ops, &queue->lock, &queue->progress);

	return queue;
}

/* The host gives entries back now. */
void vpm_mock_queue_answer(struct vpm_mock_queue *queue, unsigned int count)
{
	spin_lock(&queue->lock);
	queue->pending -= count;
	spin_unlock(&queue->lock);
	wake_up_all(&queue->progress);
}

static int task_main(void *data)
{
	struct vpm_mock_task *task = data;

	allow_signal(SIGUSR1);
	complete_all(&task->started);
	task->ret = task->fn(task);
	complete_all(&task->done);

	return 0;
}

static void task_stop(void *data)
{
	struct vpm_mock_task *task = data;

	if (vpm_mock_task_runs(task)) {
		vpm_mock_let_go(task->mock);
		drm_virt_pm_gate_open(&task->mock->base);
		vpm_mock_task_signal(task);
	}
	kthread_stop_put(task->thread);
}

struct vpm_mock_task *
vpm_mock_task_start(struct vpm_mock *mock,
		    int (*fn)(struct vpm_mock_task *task), void *arg)
{
	struct kunit *test = mock->test;
	struct vpm_mock_task *task;

	task = kunit_kzalloc(test, sizeof(*task), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, task);

	task->mock = mock;
	task->fn = fn;
	task->arg = arg;
	init_completion(&task->started);
	init_completion(&task->done);
	task->thread = kthread_create(task_main, task, "drm_virt_pm_kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task->thread);

	get_task_struct(task->thread);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, task_stop, task));
	wake_up_process(task->thread);
	wait_for_completion(&task->started);

	return task;
}

void vpm_mock_task_signal(struct vpm_mock_task *task)
{
	send_sig(SIGUSR1, task->thread, 1);
}

/* Wait for the end of a task that has nothing left to wait for. */
int vpm_mock_task_result(struct vpm_mock_task *task)
{
	VPM_MOCK_AWAIT(task->mock->test, completion_done(&task->done));

	return task->ret;
}

bool vpm_mock_task_runs(struct vpm_mock_task *task)
{
	return !completion_done(&task->done);
}

/* How many tasks wait here. */
unsigned int vpm_mock_sleepers(wait_queue_head_t *wait)
{
	unsigned long flags;
	unsigned int count;

	spin_lock_irqsave(&wait->lock, flags);
	count = list_count_nodes(&wait->head);
	spin_unlock_irqrestore(&wait->lock, flags);

	return count;
}

MODULE_DESCRIPTION("KUnit tests of the helpers for virtual GPUs");
MODULE_LICENSE("Dual MIT/GPL");
/* MODULE_IMPORT_NS() takes a token up to 6.12 and a string since */
MODULE_INFO(import_ns, "EXPORTED_FOR_KUNIT_TESTING");
