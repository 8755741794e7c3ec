// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/device.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/seq_buf.h>

#include <drm/drm_drv.h>
#include <drm/drm_kunit_helpers.h>
#include <kunit/device.h>
#include <kunit/resource.h>
#include <kunit/static_stub.h>

#include "drm_virt_pm_mock.h"

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

/* Until the test lets go; the limit only ends a hang */
static void vpm_mock_wait(struct vpm_mock *mock)
{
	if (READ_ONCE(mock->hold))
		wait_for_completion_timeout(&mock->proceed, 10 * HZ);
}

/* While this is set, the work leaves the device to the PM core */
static void vpm_mock_set_is_suspended(struct vpm_mock *mock, bool is_suspended)
{
	mock->drm.dev->power.is_suspended = is_suspended;
}

static int vpm_mock_op_suspend(struct drm_virt_pm *vpm)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);
	int ret = mock->refuse_ret;

	vpm_mock_log(mock, "suspend%s", ret ? "!" : "");
	if (mock->in_suspend)
		mock->in_suspend(mock);
	vpm_mock_wait(mock);
	if (ret)
		return ret;

	if (!mock->no_reset)
		drm_virt_pm_reset(vpm);
	return mock->suspend_ret;
}

static int vpm_mock_op_resume(struct drm_virt_pm *vpm)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);
	bool fails = mock->resume_failures;

	vpm_mock_log(mock, "resume%s", fails ? "!" : "");
	if (mock->in_resume)
		mock->in_resume(mock);
	vpm_mock_wait(mock);
	if (fails) {
		mock->resume_failures--;
		/* the second try waits for the test */
		vpm_mock_set_is_suspended(mock, true);
	}

	return fails ? -EIO : 0;
}

static void vpm_mock_op_quiesce(struct drm_virt_pm *vpm)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);

	might_sleep();
	vpm_mock_log(mock, "quiesce");
	vpm_mock_wait(mock);
}

static int vpm_mock_op_recover(struct drm_virt_pm *vpm)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);

	device_lock_assert(vpm->drm->dev);
	vpm_mock_log(mock, "recover");
	if (mock->bus_fails) {
		vpm_mock_set_is_suspended(mock, true);
		return mock->recover_ret;
	}

	return drm_virt_pm_resume(vpm);
}

static void vpm_mock_op_unplug(struct drm_virt_pm *vpm)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);

	lockdep_assert_not_held(&vpm->drm->dev->mutex);
	vpm_mock_log(mock, "%s%s",
		     current->flags & PF_WQ_WORKER ? "work:" : "",
		     drm_dev_is_unplugged(vpm->drm) ? "again" : "unplug");
}

static int vpm_mock_op_check(struct drm_virt_pm *vpm,
			     enum drm_virt_pm_transition transition,
			     struct seq_buf *why)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);

	vpm_mock_log(mock, "check:%s", drm_virt_pm_transition_name(transition));
	if (mock->in_check)
		mock->in_check(mock);
	vpm_mock_wait(mock);

	if (mock->why)
		seq_buf_puts(why, mock->why);
	return mock->check_ret;
}

static struct vpm_mock_object *to_mock_object(struct drm_virt_pm_object *obj)
{
	return container_of(obj, struct vpm_mock_object, base);
}

static int vpm_mock_object_fails(struct vpm_mock_object *obj)
{
	if (obj->failures <= 0)
		return 0;

	obj->failures--;
	return obj->err;
}

static int vpm_mock_op_save(struct drm_virt_pm *vpm,
			    struct drm_virt_pm_object *base)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);

	might_sleep();
	vpm_mock_log(mock, "save:%u", base->id);
	vpm_mock_wait(mock);

	return vpm_mock_object_fails(to_mock_object(base));
}

static int vpm_mock_op_restore(struct drm_virt_pm *vpm,
			       struct drm_virt_pm_object *base)
{
	struct vpm_mock *mock = to_vpm_mock(vpm);
	struct vpm_mock_object *obj = to_mock_object(base);
	int ret;

	might_sleep();
	if (atomic_inc_return(&obj->restoring) > 1)
		atomic_inc(&obj->overlaps);
	atomic_inc(&obj->restores);
	vpm_mock_log(mock, "restore:%u", base->id);
	if (mock->in_restore)
		mock->in_restore(mock);
	vpm_mock_wait(mock);

	ret = vpm_mock_object_fails(obj);
	if (!ret && !obj->unpublished)
		drm_virt_pm_object_restored(vpm, base);
	if (mock->restored)
		mock->restored(mock);
	atomic_dec(&obj->restoring);

	return ret;
}

const struct drm_virt_pm_ops vpm_mock_ops = {
	.suspend = vpm_mock_op_suspend,
	.resume = vpm_mock_op_resume,
	.quiesce = vpm_mock_op_quiesce,
	.unplug = vpm_mock_op_unplug,
	.check = vpm_mock_op_check,
	.save = vpm_mock_op_save,
	.restore = vpm_mock_op_restore,
};

/* A device that its bus has to resume */
const struct drm_virt_pm_ops vpm_mock_bus_ops = {
	.suspend = vpm_mock_op_suspend,
	.resume = vpm_mock_op_resume,
	.quiesce = vpm_mock_op_quiesce,
	.recover = vpm_mock_op_recover,
};

/* End every wait in a callback of the device */
void vpm_mock_let_go(struct vpm_mock *mock)
{
	WRITE_ONCE(mock->hold, false);
	complete_all(&mock->proceed);
}

static void vpm_mock_end(void *data)
{
	struct vpm_mock *mock = data;

	vpm_mock_let_go(mock);
	drm_virt_pm_unplug(&mock->base);
	vpm_mock_set_is_suspended(mock, false);
}

/* As a driver that is unbound */
void vpm_mock_unbind(struct vpm_mock *mock)
{
	device_lock(mock->drm.dev);
	drm_virt_pm_unplug(&mock->base);
	device_unlock(mock->drm.dev);
}

/* A mock device of its own name in @test, with other callbacks */
struct vpm_mock *vpm_mock_create_with(struct kunit *test, const char *name,
				      const struct drm_virt_pm_ops *ops)
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
	KUNIT_ASSERT_EQ(test, 0, drmm_virt_pm_init(&mock->base, &mock->drm, ops));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, vpm_mock_end, mock));
	/* from 7.2 on drm_dev_unplug() warns about a device that is not */
	KUNIT_ASSERT_EQ(test, 0, drm_dev_register(&mock->drm, 0));

	return mock;
}

struct vpm_mock *vpm_mock_create(struct kunit *test, const char *name)
{
	return vpm_mock_create_with(test, name, &vpm_mock_ops);
}

/* For &kunit_suite.init: one mock device in &kunit.priv */
int vpm_mock_test_init(struct kunit *test)
{
	test->priv = vpm_mock_create(test, "mock");
	return 0;
}

/* As the PM core suspends a device */
int vpm_mock_suspend(struct vpm_mock *mock)
{
	int ret;

	device_lock(mock->drm.dev);
	ret = drm_virt_pm_suspend(&mock->base);
	if (!ret)
		vpm_mock_set_is_suspended(mock, true);
	device_unlock(mock->drm.dev);

	return ret;
}

/* As the PM core resumes a device */
int vpm_mock_resume(struct vpm_mock *mock)
{
	int ret;

	device_lock(mock->drm.dev);
	vpm_mock_set_is_suspended(mock, false);
	ret = drm_virt_pm_resume(&mock->base);
	device_unlock(mock->drm.dev);

	return ret;
}

static void vpm_mock_note_misuse(struct drm_virt_pm *vpm, const char *what)
{
	vpm_mock_log(to_vpm_mock(vpm), "misused:%.*s",
		     (int)strcspn(what, "("), what);
}

/* From now on a warning about the driver goes to the log of the mock device */
void vpm_mock_expect_misuse(struct vpm_mock *mock)
{
	kunit_activate_static_stub(mock->test, drm_virt_pm_misused,
				   vpm_mock_note_misuse);
}

/* Run the work now if it is queued, and wait for its end */
void vpm_mock_run_work(struct vpm_mock *mock)
{
	flush_delayed_work(&mock->base.work);
	/* one that ran already may have looked too early, and queued itself */
	flush_delayed_work(&mock->base.work);
}

/* The PM core is through, and tasks run again */
void vpm_mock_thaw(struct vpm_mock *mock)
{
	device_lock(mock->drm.dev);
	vpm_mock_set_is_suspended(mock, false);
	device_unlock(mock->drm.dev);
	vpm_mock_run_work(mock);
}

/* Whether the work is queued or runs */
bool vpm_mock_work_busy(struct vpm_mock *mock)
{
	return work_busy(&mock->base.work.work);
}

/* Runtime PM references of the device */
int vpm_mock_pm_references(struct vpm_mock *mock)
{
	return atomic_read(&mock->drm.dev->power.usage_count);
}

static void vpm_mock_reset_stall_ms(void *data)
{
	WRITE_ONCE(drm_virt_pm_drain_timeout_ms, (uintptr_t)data);
}

/* Another drain_timeout_ms for the rest of the test */
void vpm_mock_set_stall_ms(struct kunit *test, unsigned int ms)
{
	uintptr_t old = drm_virt_pm_drain_timeout_ms;

	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, vpm_mock_reset_stall_ms,
						  (void *)old));
	WRITE_ONCE(drm_virt_pm_drain_timeout_ms, ms);
}

static void vpm_mock_object_end(void *data)
{
	struct vpm_mock_object *obj = data;

	drm_virt_pm_object_keep(&obj->mock->base, &obj->base, false);
	drm_virt_pm_object_fini(&obj->mock->base, &obj->base);
}

/* End it before the test does */
void vpm_mock_object_free(struct vpm_mock_object *obj)
{
	kunit_release_action(obj->mock->test, vpm_mock_object_end, obj);
}

/* An object that the device knows */
struct vpm_mock_object *vpm_mock_object_create(struct vpm_mock *mock, u32 id)
{
	struct vpm_mock_object *obj;

	obj = kunit_kzalloc(mock->test, sizeof(*obj), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(mock->test, obj);

	obj->mock = mock;
	drm_virt_pm_object_init(&mock->base, &obj->base, id);
	drm_virt_pm_object_restored(&mock->base, &obj->base);
	KUNIT_ASSERT_EQ(mock->test, 0,
			kunit_add_action_or_reset(mock->test,
						  vpm_mock_object_end, obj));

	return obj;
}

bool vpm_mock_object_resident(struct vpm_mock *mock, struct vpm_mock_object *obj)
{
	return drm_virt_pm_object_resident(&mock->base, &obj->base);
}

static struct vpm_mock_queue *to_mock_queue(struct drm_virt_pm_queue *base)
{
	return container_of(base, struct vpm_mock_queue, base);
}

static void vpm_mock_queue_count(struct drm_virt_pm_queue *base,
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
	if (queue->overdue_after && queue->pending <= queue->overdue_after)
		WRITE_ONCE(base->vpm->deadline, jiffies - 1);
	spin_unlock(&queue->lock);
}

static void vpm_mock_queue_kick(struct drm_virt_pm_queue *base)
{
	struct vpm_mock_queue *queue = to_mock_queue(base);

	might_sleep();
	vpm_mock_log(to_vpm_mock(base->vpm), "kick");

	spin_lock(&queue->lock);
	queue->queued += queue->queued_in_kick;
	queue->pending += queue->queued_in_kick;
	spin_unlock(&queue->lock);
}

static void vpm_mock_queue_flush(struct drm_virt_pm_queue *base)
{
	might_sleep();
	vpm_mock_log(to_vpm_mock(base->vpm), "flush:%u",
		     to_mock_queue(base)->pending);
}

static const struct drm_virt_pm_queue_ops vpm_mock_queue_ops = {
	.count = vpm_mock_queue_count,
	.kick = vpm_mock_queue_kick,
	.flush = vpm_mock_queue_flush,
};

struct vpm_mock_queue *vpm_mock_queue_create(struct vpm_mock *mock)
{
	struct vpm_mock_queue *queue;

	queue = kunit_kzalloc(mock->test, sizeof(*queue), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(mock->test, queue);

	spin_lock_init(&queue->lock);
	init_waitqueue_head(&queue->progress);
	queue->base = (struct drm_virt_pm_queue){
		.vpm = &mock->base,
		.name = "mock",
		.ops = &vpm_mock_queue_ops,
		.progress = &queue->progress,
	};

	return queue;
}

/* The host gives entries back now */
void vpm_mock_queue_answer(struct vpm_mock_queue *queue, unsigned int count)
{
	spin_lock(&queue->lock);
	queue->pending -= count;
	spin_unlock(&queue->lock);
	wake_up_all(&queue->progress);
}

static int vpm_mock_task_main(void *data)
{
	struct vpm_mock_task *task = data;

	allow_signal(SIGUSR1);
	complete_all(&task->started);
	task->ret = task->fn(task);
	complete_all(&task->done);

	return 0;
}

static void vpm_mock_task_stop(void *data)
{
	struct vpm_mock_task *task = data;

	if (vpm_mock_task_runs(task)) {
		vpm_mock_let_go(task->mock);
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
	task->thread = kthread_create(vpm_mock_task_main, task,
				      "drm_virt_pm_kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task->thread);

	get_task_struct(task->thread);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, vpm_mock_task_stop, task));
	wake_up_process(task->thread);
	wait_for_completion(&task->started);

	return task;
}

void vpm_mock_task_signal(struct vpm_mock_task *task)
{
	send_sig(SIGUSR1, task->thread, 1);
}

/* Wait for the end of a task that has nothing left to wait for */
int vpm_mock_task_result(struct vpm_mock_task *task)
{
	VPM_MOCK_AWAIT(task->mock->test, completion_done(&task->done));

	return task->ret;
}

bool vpm_mock_task_runs(struct vpm_mock_task *task)
{
	return !completion_done(&task->done);
}

/* Whether a task sleeps in a state with these bits, as TASK_INTERRUPTIBLE */
bool vpm_mock_task_sleeps(struct vpm_mock_task *task, unsigned int state)
{
	return (READ_ONCE(task->thread->__state) & state) == state;
}

/* How many tasks wait here */
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
