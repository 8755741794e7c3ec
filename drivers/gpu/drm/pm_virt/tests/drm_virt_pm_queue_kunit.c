// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Draining queues, with hosts of all kinds. */

#include <linux/limits.h>

#include "drm_virt_pm_mock.h"

#define NEVER_MS	10000
#define STALL_MS	20

static int queue_test_init(struct kunit *test)
{
	test->priv = vpm_mock_queue_create(vpm_mock_create(test, "mock"));
	vpm_mock_set_stall_ms(test, STALL_MS);

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
		.name = "a queue that others go on using",
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
	 * Draining kicks, and waits for what is pending as long as some of it
	 * comes back. At last it has handled what came back, after a stall too.
	 */
	queue->queued = param->queued;
	queue->pending = param->pending;
	queue->answers = param->answers;
	queue->busy = param->busy;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_queue_drain(&queue->base), param->ret);
	VPM_MOCK_EXPECT_LOG(mock_of(queue), param->log);
}

static void drm_virt_pm_test_queue_target(struct kunit *test)
{
	struct vpm_mock_queue *queue = test->priv;

	/*
	 * What is queued during the call is not waited for. It might not have
	 * been notified, and then the host would never answer.
	 */
	queue->queued = 3;
	queue->pending = 3;
	queue->answers = 3;
	queue->queued_in_kick = 2;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_queue_drain(&queue->base), 0);
	VPM_MOCK_EXPECT_LOG(mock_of(queue), "kick flush:2");
}

static void drm_virt_pm_test_queue_plain(struct kunit *test)
{
	struct vpm_mock_queue *queue = test->priv;
	struct drm_virt_pm_queue_ops ops = *queue->base.ops;

	/* A queue whose entries are notified at once needs no kick. */
	ops.kick = NULL;
	queue->base.ops = &ops;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_queue_drain(&queue->base), 0);
	VPM_MOCK_EXPECT_LOG(mock_of(queue), "flush:0");

	/* one whose answers are handled as they come needs no flush */
	ops.flush = NULL;
	queue->queued = 3;
	queue->pending = 3;
	queue->answers = 3;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_queue_drain(&queue->base), 0);
	VPM_MOCK_EXPECT_LOG(mock_of(queue), "");
}

static int drain(struct vpm_mock_task *task)
{
	struct vpm_mock_queue *queue = task->arg;

	return drm_virt_pm_queue_drain(&queue->base);
}

static void drm_virt_pm_test_queue_drain_sleeps(struct kunit *test)
{
	struct vpm_mock_queue *queue = test->priv;
	struct vpm_mock_task *task;

	/* Draining sleeps until the host answers, up to the last entry. */
	vpm_mock_set_stall_ms(test, NEVER_MS);
	queue->queued = 3;
	queue->pending = 3;
	task = vpm_mock_task_start(mock_of(queue), drain, queue);
	VPM_MOCK_AWAIT(test, vpm_mock_sleepers(&queue->progress) == 1);
	vpm_mock_queue_answer(queue, 2);
	VPM_MOCK_AWAIT(test, vpm_mock_sleepers(&queue->progress) == 1 &&
		       vpm_mock_task_sleeps(task, TASK_UNINTERRUPTIBLE));
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(task));

	vpm_mock_queue_answer(queue, 1);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(task), 0);
	VPM_MOCK_EXPECT_LOG(mock_of(queue), "kick flush:0");
}

static void drain_in_callback(struct vpm_mock *mock)
{
	struct vpm_mock_queue *queue = mock->partner;

	mock->seen[0] = drm_virt_pm_queue_drain(&queue->base);
}

struct total_param {
	const char *name;
	unsigned int overdue_after;
	int ret;
	const char *log;
};

static const struct total_param total_params[] = {
	{ "in time", 0, 0, "suspend kick flush:0" },
	{ "over with four entries left", 4, -ETIMEDOUT, "suspend kick flush:4" },
	{ "over with the last answer", UINT_MAX, 0, "suspend kick flush:0" },
};

KUNIT_ARRAY_PARAM_DESC(total, total_params, name);

static void drm_virt_pm_test_queue_total_limit(struct kunit *test)
{
	const struct total_param *param = test->param_value;
	struct vpm_mock_queue *queue = test->priv;
	struct vpm_mock *mock = mock_of(queue);

	/*
	 * A host that answers each entry just in time cannot draw out a suspend
	 * for ever. If all is back when the limit is over, nothing is wrong.
	 */
	vpm_mock_set_stall_ms(test, NEVER_MS);
	queue->queued = 9;
	queue->pending = param->overdue_after == UINT_MAX ? 1 : 9;
	queue->answers = UINT_MAX;
	queue->overdue_after = param->overdue_after;
	mock->partner = queue;
	mock->in_suspend = drain_in_callback;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, mock->seen[0], param->ret);
	VPM_MOCK_EXPECT_LOG(mock, param->log);
}

static struct kunit_case drm_virt_pm_queue_cases[] = {
	KUNIT_CASE_PARAM(drm_virt_pm_test_queue_drain, drain_gen_params),
	KUNIT_CASE(drm_virt_pm_test_queue_target),
	KUNIT_CASE(drm_virt_pm_test_queue_plain),
	KUNIT_CASE(drm_virt_pm_test_queue_drain_sleeps),
	KUNIT_CASE_PARAM(drm_virt_pm_test_queue_total_limit, total_gen_params),
	{}
};

static struct kunit_suite drm_virt_pm_queue_suite = {
	.name = "drm_virt_pm_queue",
	.init = queue_test_init,
	.test_cases = drm_virt_pm_queue_cases,
};

kunit_test_suite(drm_virt_pm_queue_suite);
