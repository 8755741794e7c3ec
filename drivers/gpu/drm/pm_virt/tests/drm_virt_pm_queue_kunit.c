// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Queues: draining against hosts of all kinds, and stopping. */

#include <linux/limits.h>

#include "drm_virt_pm_mock.h"

#define NEVER_MS	10000
#define STALL_MS	20

static int queue_test_init(struct kunit *test)
{
	test->priv = vpm_mock_queue_create(vpm_mock_create(test, "mock"));
	return 0;
}

static struct vpm_mock *mock_of(struct vpm_mock_queue *queue)
{
	return to_vpm_mock(queue->base.vpm);
}

struct drain_param {
	const char *name;
	unsigned int queued;
	unsigned int pending;
	unsigned int answers;
	bool busy;
	int ret;
	const char *log;
};

static const struct drain_param drain_params[] = {
	{
		.name = "nothing was ever queued",
		.log = "kick flush:0",
	},
	{
		.name = "an empty ring",
		.queued = 7,
		.log = "kick flush:0",
	},
	{
		.name = "a host that answers",
		.queued = 7,
		.pending = 5,
		.answers = UINT_MAX,
		.log = "kick flush:0",
	},
	{
		.name = "a counter that wraps",
		.queued = 1,
		.pending = 3,
		.answers = UINT_MAX,
		.log = "kick flush:0",
	},
	{
		.name = "a counter that wraps meanwhile",
		.queued = UINT_MAX,
		.pending = 2,
		.answers = 2,
		.busy = true,
		.log = "kick flush:2",
	},
	{
		.name = "a host that is silent",
		.queued = 7,
		.pending = 2,
		.ret = -ETIMEDOUT,
		.log = "kick flush:2",
	},
	{
		.name = "a host that stalls half-way",
		.queued = 7,
		.pending = 5,
		.answers = 3,
		.ret = -ETIMEDOUT,
		.log = "kick flush:2",
	},
	{
		.name = "others who go on queuing",
		.queued = 7,
		.pending = 3,
		.answers = UINT_MAX,
		.busy = true,
		.log = "kick flush:3",
	},
};

KUNIT_ARRAY_PARAM_DESC(drain, drain_params, name);

static void drm_virt_pm_test_queue_drain(struct kunit *test)
{
	const struct drain_param *param = test->param_value;
	struct vpm_mock_queue *queue = test->priv;

	/*
	 * Draining kicks, waits for what was pending as long as some of it
	 * comes back, and at last has what came back handled, whether or not
	 * it was all.
	 */
	queue->queued = param->queued;
	queue->pending = param->pending;
	queue->answers = param->answers;
	queue->busy = param->busy;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_queue_drain(&queue->base, STALL_MS),
			param->ret);
	VPM_MOCK_EXPECT_LOG(mock_of(queue), param->log);
}

static void drm_virt_pm_test_queue_no_kick(struct kunit *test)
{
	struct vpm_mock_queue *queue = test->priv;
	struct drm_virt_pm_queue_ops ops = *queue->base.ops;

	/* A queue whose entries are notified at once needs no kick. */
	ops.kick = NULL;
	queue->base.ops = &ops;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_queue_drain(&queue->base, STALL_MS), 0);
	VPM_MOCK_EXPECT_LOG(mock_of(queue), "flush:0");
}

static int drain(struct vpm_mock_task *task)
{
	struct vpm_mock_queue *queue = task->arg;

	return drm_virt_pm_queue_drain(&queue->base, NEVER_MS);
}

static void drm_virt_pm_test_queue_drain_sleeps(struct kunit *test)
{
	struct vpm_mock_queue *queue = test->priv;
	struct vpm_mock_task *task;

	/* Draining sleeps until the host answers, and to the last entry. */
	queue->queued = 3;
	queue->pending = 3;
	task = vpm_mock_task_start(mock_of(queue), drain, queue);
	VPM_MOCK_AWAIT(test, vpm_mock_sleepers(&queue->progress) == 1);
	vpm_mock_queue_answer(queue, 2);
	usleep_range(1000, 2000);
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(task));

	vpm_mock_queue_answer(queue, 1);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(task), 0);
	VPM_MOCK_EXPECT_LOG(mock_of(queue), "kick flush:0");
}

static bool stopped(struct vpm_mock_queue *queue)
{
	bool ret;

	spin_lock(&queue->lock);
	ret = drm_virt_pm_queue_stopped(&queue->base);
	spin_unlock(&queue->lock);

	return ret;
}

/* As a driver's submission waits for room in the ring. */
static int submit(struct vpm_mock_task *task)
{
	struct vpm_mock_queue *queue = task->arg;
	int ret;

	ret = wait_event_interruptible(queue->progress, stopped(queue));

	return ret ?: -ENODEV;
}

static void drm_virt_pm_test_queue_stop(struct kunit *test)
{
	struct vpm_mock_queue *queue = test->priv;
	struct vpm_mock_task *tasks[2];

	/* Stopping a queue wakes those who wait for room in it. */
	KUNIT_EXPECT_FALSE(test, stopped(queue));
	tasks[0] = vpm_mock_task_start(mock_of(queue), submit, queue);
	tasks[1] = vpm_mock_task_start(mock_of(queue), submit, queue);
	VPM_MOCK_AWAIT(test, vpm_mock_sleepers(&queue->progress) == 2);

	drm_virt_pm_queue_stop(&queue->base);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(tasks[0]), -ENODEV);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(tasks[1]), -ENODEV);
	KUNIT_EXPECT_TRUE(test, stopped(queue));

	drm_virt_pm_queue_start(&queue->base);
	KUNIT_EXPECT_FALSE(test, stopped(queue));
}

static struct kunit_case drm_virt_pm_queue_cases[] = {
	KUNIT_CASE_PARAM(drm_virt_pm_test_queue_drain, drain_gen_params),
	KUNIT_CASE(drm_virt_pm_test_queue_no_kick),
	KUNIT_CASE(drm_virt_pm_test_queue_drain_sleeps),
	KUNIT_CASE(drm_virt_pm_test_queue_stop),
	{}
};

static struct kunit_suite drm_virt_pm_queue_suite = {
	.name = "drm_virt_pm_queue",
	.init = queue_test_init,
	.test_cases = drm_virt_pm_queue_cases,
};

kunit_test_suite(drm_virt_pm_queue_suite);
