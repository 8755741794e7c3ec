// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Tracked objects: epochs, restoring on first use, losing, eager ones. */

#include <linux/limits.h>

#include "drm_virt_pm_mock.h"

#define TASKS	4

struct object_counts {
	int tracked;
	int resident;
	int lost;
	int restored;
};

static void expect_counts(struct vpm_mock *mock, struct object_counts counts)
{
	struct drm_virt_pm *vpm = &mock->base;
	struct kunit *test = mock->test;

	KUNIT_EXPECT_EQ(test, atomic_read(&vpm->tracked), counts.tracked);
	KUNIT_EXPECT_EQ(test, atomic_read(&vpm->resident), counts.resident);
	KUNIT_EXPECT_EQ(test, atomic_read(&vpm->num_lost), counts.lost);
	KUNIT_EXPECT_EQ(test, atomic64_read(&vpm->restored), counts.restored);
}

#define EXPECT_COUNTS(mock__, ...) \
	expect_counts(mock__, (struct object_counts){ __VA_ARGS__ })

static bool is_resident(struct vpm_mock *mock, struct vpm_mock_object *obj)
{
	return drm_virt_pm_object_is_resident(&mock->base, &obj->base);
}

static void drm_virt_pm_test_object_new(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm_object never = {};
	struct vpm_mock_object *obj;

	/* What was never put on the device is not there; what was just put is. */
	drm_virt_pm_object_init(&never);
	KUNIT_EXPECT_FALSE(test, drm_virt_pm_object_is_resident(&mock->base, &never));
	obj = vpm_mock_object_create(mock, 7);
	KUNIT_EXPECT_TRUE(test, is_resident(mock, obj));
	KUNIT_EXPECT_EQ(test, obj->base.id, 7);
	EXPECT_COUNTS(mock, .tracked = 1, .resident = 1);
}

static void drm_virt_pm_test_object_use_resident(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);

	/* Using what is on the device costs nothing, also after a look at it. */
	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(&mock->base, &obj->base), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_restore(&mock->base, &obj->base), 0);
	VPM_MOCK_EXPECT_LOG(mock, "");
	EXPECT_COUNTS(mock, .tracked = 1, .resident = 1);
}

static void drm_virt_pm_test_object_reset(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *used = vpm_mock_object_create(mock, 1);
	struct vpm_mock_object *unused = vpm_mock_object_create(mock, 2);

	/* A reset loses all at once; only what is used comes back, once. */
	drm_virt_pm_device_reset(&mock->base);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, used));
	EXPECT_COUNTS(mock, .tracked = 2);
	VPM_MOCK_EXPECT_LOG(mock, "");

	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(&mock->base, &used->base), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(&mock->base, &used->base), 0);
	VPM_MOCK_EXPECT_LOG(mock, "restore:1");
	KUNIT_EXPECT_TRUE(test, is_resident(mock, used));
	KUNIT_EXPECT_FALSE(test, is_resident(mock, unused));
	EXPECT_COUNTS(mock, .tracked = 2, .resident = 1, .restored = 1);
}

static void drm_virt_pm_test_object_suspend(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);

	/* Resuming walks over no object. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, obj));
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 0);

	/* a refused suspend loses nothing */
	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(&mock->base, &obj->base), 0);
	mock->down_ret[VPM_MOCK_GATE] = -EBUSY;
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), -EBUSY);
	KUNIT_EXPECT_TRUE(test, is_resident(mock, obj));
}

static void drm_virt_pm_test_object_epoch_wraps(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm_object never = {};
	struct vpm_mock_object *obj;

	/* No epoch is 0, which is that of objects that never were there. */
	mock->base.epoch = U32_MAX;
	obj = vpm_mock_object_create(mock, 1);
	KUNIT_EXPECT_TRUE(test, is_resident(mock, obj));
	drm_virt_pm_object_init(&never);

	drm_virt_pm_device_reset(&mock->base);
	KUNIT_EXPECT_EQ(test, mock->base.epoch, 1);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, obj));
	KUNIT_EXPECT_FALSE(test, drm_virt_pm_object_is_resident(&mock->base, &never));
}

static void drm_virt_pm_test_object_release(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *stale = vpm_mock_object_create(mock, 1);
	struct vpm_mock_object *back = vpm_mock_object_create(mock, 2);
	struct vpm_mock_object *lost = vpm_mock_object_create(mock, 3);

	/* Each object leaves the counters as it is: stale, resident or lost. */
	drm_virt_pm_device_reset(&mock->base);
	drm_virt_pm_object_lose(&mock->base, &lost->base, -EIO);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(&mock->base, &back->base), 0);

	drm_virt_pm_object_released(&mock->base, &stale->base);
	EXPECT_COUNTS(mock, .tracked = 2, .resident = 1, .lost = 1, .restored = 1);
	drm_virt_pm_object_released(&mock->base, &back->base);
	EXPECT_COUNTS(mock, .tracked = 1, .lost = 1, .restored = 1);
	drm_virt_pm_object_released(&mock->base, &lost->base);
	EXPECT_COUNTS(mock, .lost = 1, .restored = 1);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, back));
}

struct error_param {
	const char *name;
	int err;
	bool lost;
};

static const struct error_param error_params[] = {
	{ .name = "ENOMEM", .err = -ENOMEM },
	{ .name = "ENODEV", .err = -ENODEV },
	{ .name = "EINTR", .err = -EINTR },
	{ .name = "ERESTARTSYS", .err = -ERESTARTSYS },
	{ .name = "EIO", .err = -EIO, .lost = true },
	{ .name = "EINVAL", .err = -EINVAL, .lost = true },
	{ .name = "ENOENT", .err = -ENOENT, .lost = true },
	{ .name = "ETIMEDOUT", .err = -ETIMEDOUT, .lost = true },
};

KUNIT_ARRAY_PARAM_DESC(error, error_params, name);

static void drm_virt_pm_test_object_restore_fails(struct kunit *test)
{
	const struct error_param *param = test->param_value;
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 9);

	/*
	 * After a transient error the next user tries again; after any other
	 * one the object is lost, is noted with its error, and stays lost.
	 */
	drm_virt_pm_device_reset(vpm);
	obj->err = param->err;
	obj->failures = 1;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(vpm, &obj->base),
			param->lost ? -EIO : param->err);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, obj));

	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(vpm, &obj->base),
			param->lost ? -EIO : 0);
	KUNIT_EXPECT_EQ(test, is_resident(mock, obj), !param->lost);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), param->lost ? 1 : 2);

	if (param->lost) {
		EXPECT_COUNTS(mock, .tracked = 1, .lost = 1);
		KUNIT_EXPECT_EQ(test, vpm->lost_objects[0].id, 9);
		KUNIT_EXPECT_EQ(test, vpm->lost_objects[0].err, param->err);
	} else {
		EXPECT_COUNTS(mock, .tracked = 1, .resident = 1, .restored = 1);
	}
}

static void drm_virt_pm_test_object_lose(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);

	/* A late answer of the host loses a resident object, once and for all. */
	drm_virt_pm_object_lose(vpm, &obj->base, -ENOSPC);
	drm_virt_pm_object_lose(vpm, &obj->base, -EIO);
	EXPECT_COUNTS(mock, .tracked = 1, .lost = 1);
	KUNIT_EXPECT_EQ(test, vpm->lost_objects[0].err, -ENOSPC);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(vpm, &obj->base), -EIO);

	drm_virt_pm_device_reset(vpm);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(vpm, &obj->base), -EIO);
	VPM_MOCK_EXPECT_LOG(mock, "");
}

static void drm_virt_pm_test_object_lose_many(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	const u32 room = ARRAY_SIZE(vpm->lost_objects);
	u32 id;

	/* All are counted, the last ones are remembered. */
	for (id = 0; id < room + 2; id++)
		drm_virt_pm_object_lose(vpm,
					&vpm_mock_object_create(mock, id)->base,
					-EIO);
	EXPECT_COUNTS(mock, .tracked = room + 2, .lost = room + 2);
	KUNIT_EXPECT_EQ(test, vpm->lost_objects[0].id, room);
	KUNIT_EXPECT_EQ(test, vpm->lost_objects[1].id, room + 1);
	KUNIT_EXPECT_EQ(test, vpm->lost_objects[2].id, 2);
}

static int use(struct vpm_mock_task *task)
{
	struct vpm_mock_object *obj = task->arg;

	return drm_virt_pm_object_use(&task->mock->base, &obj->base);
}

/* Several tasks meet one stale object; one restores it and is held there. */
static void start_users(struct vpm_mock *mock, struct vpm_mock_object *obj,
			struct vpm_mock_task **tasks)
{
	unsigned int i;

	drm_virt_pm_device_reset(&mock->base);
	mock->hold = true;
	for (i = 0; i < TASKS; i++)
		tasks[i] = vpm_mock_task_start(mock, use, obj);
	VPM_MOCK_AWAIT(mock->test,
		       vpm_mock_sleepers(&mock->base.object_wait) == TASKS - 1);
	KUNIT_EXPECT_EQ(mock->test, atomic_read(&obj->restoring), 1);
	for (i = 0; i < TASKS; i++)
		KUNIT_EXPECT_TRUE(mock->test, vpm_mock_task_runs(tasks[i]));
}

/* How many of the tasks got @result. */
static unsigned int count_results(struct vpm_mock_task **tasks, int result)
{
	unsigned int i, count = 0;

	for (i = 0; i < TASKS; i++)
		count += vpm_mock_task_result(tasks[i]) == result;

	return count;
}

static void drm_virt_pm_test_object_shared(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);
	struct vpm_mock_task *tasks[TASKS];

	/* One task restores it, the others wait for that and send nothing. */
	start_users(mock, obj, tasks);
	vpm_mock_let_go(mock);
	KUNIT_EXPECT_EQ(test, count_results(tasks, 0), TASKS);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 1);
	EXPECT_COUNTS(mock, .tracked = 1, .resident = 1, .restored = 1);
}

static void drm_virt_pm_test_object_shared_lost(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);
	struct vpm_mock_task *tasks[TASKS];

	/* When it is lost, all of them learn it from the one attempt. */
	obj->err = -EINVAL;
	obj->failures = 1;
	start_users(mock, obj, tasks);
	vpm_mock_let_go(mock);
	KUNIT_EXPECT_EQ(test, count_results(tasks, -EIO), TASKS);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 1);
	EXPECT_COUNTS(mock, .tracked = 1, .lost = 1);
}

static void drm_virt_pm_test_object_shared_transient(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);
	struct vpm_mock_task *tasks[TASKS];

	/*
	 * The error of one task, a signal for instance, is not that of the
	 * others: the next of them tries again, one at a time.
	 */
	obj->err = -EINTR;
	obj->failures = 2;
	start_users(mock, obj, tasks);
	vpm_mock_let_go(mock);
	KUNIT_EXPECT_EQ(test, count_results(tasks, -EINTR), 2);
	KUNIT_EXPECT_EQ(test, count_results(tasks, 0), TASKS - 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 3);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->overlaps), 0);
	EXPECT_COUNTS(mock, .tracked = 1, .resident = 1, .restored = 1);
}

static void drm_virt_pm_test_object_shared_refused(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);
	struct vpm_mock_task *tasks[TASKS];

	/* The host may refuse it before the task that restores it is through. */
	start_users(mock, obj, tasks);
	drm_virt_pm_object_lose(&mock->base, &obj->base, -ENOSPC);
	vpm_mock_let_go(mock);
	KUNIT_EXPECT_EQ(test, count_results(tasks, -EIO), TASKS);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 1);
	EXPECT_COUNTS(mock, .tracked = 1, .lost = 1);
}

static void drm_virt_pm_test_object_shared_stalls(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);
	struct vpm_mock_task *task;

	/* Nobody waits for ever for a task that does not get through. */
	vpm_mock_set_stall_ms(test, 10);
	drm_virt_pm_device_reset(&mock->base);
	mock->hold = true;
	task = vpm_mock_task_start(mock, use, obj);
	VPM_MOCK_AWAIT(test, atomic_read(&obj->restoring) == 1);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(&mock->base, &obj->base),
			-ETIMEDOUT);

	vpm_mock_let_go(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(task), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(&mock->base, &obj->base), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 1);
}

static void drm_virt_pm_test_object_reset_meanwhile(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);
	struct vpm_mock_task *task;

	/* What was restored before a reset is stale after it. */
	drm_virt_pm_device_reset(&mock->base);
	mock->hold = true;
	task = vpm_mock_task_start(mock, use, obj);
	VPM_MOCK_AWAIT(test, atomic_read(&obj->restoring) == 1);
	drm_virt_pm_device_reset(&mock->base);
	vpm_mock_let_go(mock);
	vpm_mock_task_result(task);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, obj));
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->base.resident), 0);

	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(&mock->base, &obj->base), 0);
	KUNIT_EXPECT_TRUE(test, is_resident(mock, obj));
}

static void create_eager(struct vpm_mock *mock, struct vpm_mock_object **objs,
			 unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		objs[i] = vpm_mock_object_create(mock, i + 1);
		drm_virt_pm_object_set_eager(&mock->base, &objs[i]->base, true);
	}
	drm_virt_pm_device_reset(&mock->base);
}

static void drm_virt_pm_test_object_eager(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *objs[3], *lazy;

	/* Eager objects come back at once and in order, others do not. */
	lazy = vpm_mock_object_create(mock, 9);
	create_eager(mock, objs, ARRAY_SIZE(objs));
	drm_virt_pm_objects_restore_eager(&mock->base);
	VPM_MOCK_EXPECT_LOG(mock, "restore:1 restore:2 restore:3");
	KUNIT_EXPECT_FALSE(test, is_resident(mock, lazy));

	/* the same order after the next reset, and nothing without one */
	drm_virt_pm_objects_restore_eager(&mock->base);
	VPM_MOCK_EXPECT_LOG(mock, "");
	drm_virt_pm_device_reset(&mock->base);
	drm_virt_pm_objects_restore_eager(&mock->base);
	VPM_MOCK_EXPECT_LOG(mock, "restore:1 restore:2 restore:3");

	/* every reference was dropped */
	KUNIT_EXPECT_EQ(test, objs[0]->refs, 1);
	KUNIT_EXPECT_EQ(test, objs[2]->refs, 1);
}

static void drm_virt_pm_test_object_eager_subset(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	struct vpm_mock_object *objs[6];

	/*
	 * Left out are those that are back already, dying, lost, released, or
	 * not eager any more.
	 */
	create_eager(mock, objs, ARRAY_SIZE(objs));
	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(vpm, &objs[0]->base), 0);
	vpm_mock_log_clear(mock);
	objs[1]->refs = 0;
	drm_virt_pm_object_lose(vpm, &objs[2]->base, -EIO);
	drm_virt_pm_object_released(vpm, &objs[3]->base);
	drm_virt_pm_object_set_eager(vpm, &objs[4]->base, false);

	drm_virt_pm_objects_restore_eager(vpm);
	VPM_MOCK_EXPECT_LOG(mock, "restore:6");
	KUNIT_EXPECT_TRUE(test, list_empty(&objs[3]->base.eager));
}

static void drm_virt_pm_test_object_eager_fails(struct kunit *test)
{
	const struct error_param *param = test->param_value;
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *objs[3];

	/*
	 * One that is lost does not keep the others. A transient error would
	 * be met by all: it ends the walk, which does not go round for ever.
	 */
	create_eager(mock, objs, ARRAY_SIZE(objs));
	objs[1]->err = param->err;
	objs[1]->failures = 3;
	drm_virt_pm_objects_restore_eager(&mock->base);
	VPM_MOCK_EXPECT_LOG(mock, param->lost ? "restore:1 restore:2 restore:3" :
						"restore:1 restore:2");
	KUNIT_EXPECT_EQ(test, is_resident(mock, objs[2]), param->lost);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->base.num_lost), param->lost);
	KUNIT_EXPECT_EQ(test, objs[1]->refs, 1);
}

static void drm_virt_pm_test_object_eager_twice(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);

	/* Marking is a state, not a count. */
	drm_virt_pm_object_set_eager(vpm, &obj->base, true);
	drm_virt_pm_object_set_eager(vpm, &obj->base, true);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&vpm->eager));
	drm_virt_pm_object_set_eager(vpm, &obj->base, false);
	drm_virt_pm_object_set_eager(vpm, &obj->base, false);
	KUNIT_EXPECT_TRUE(test, list_empty(&vpm->eager));
}

static struct kunit_case drm_virt_pm_object_cases[] = {
	KUNIT_CASE(drm_virt_pm_test_object_new),
	KUNIT_CASE(drm_virt_pm_test_object_use_resident),
	KUNIT_CASE(drm_virt_pm_test_object_reset),
	KUNIT_CASE(drm_virt_pm_test_object_suspend),
	KUNIT_CASE(drm_virt_pm_test_object_epoch_wraps),
	KUNIT_CASE(drm_virt_pm_test_object_release),
	KUNIT_CASE_PARAM(drm_virt_pm_test_object_restore_fails, error_gen_params),
	KUNIT_CASE(drm_virt_pm_test_object_lose),
	KUNIT_CASE(drm_virt_pm_test_object_lose_many),
	KUNIT_CASE(drm_virt_pm_test_object_shared),
	KUNIT_CASE(drm_virt_pm_test_object_shared_lost),
	KUNIT_CASE(drm_virt_pm_test_object_shared_transient),
	KUNIT_CASE(drm_virt_pm_test_object_shared_refused),
	KUNIT_CASE(drm_virt_pm_test_object_shared_stalls),
	KUNIT_CASE(drm_virt_pm_test_object_reset_meanwhile),
	KUNIT_CASE(drm_virt_pm_test_object_eager),
	KUNIT_CASE(drm_virt_pm_test_object_eager_subset),
	KUNIT_CASE_PARAM(drm_virt_pm_test_object_eager_fails, error_gen_params),
	KUNIT_CASE(drm_virt_pm_test_object_eager_twice),
	{}
};

static struct kunit_suite drm_virt_pm_object_suite = {
	.name = "drm_virt_pm_object",
	.init = vpm_mock_test_init,
	.test_cases = drm_virt_pm_object_cases,
};

kunit_test_suite(drm_virt_pm_object_suite);
