// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Tracked objects: epochs, restoring on use, losing, saving content. */

#include <linux/cpu.h>
#include <linux/debug_locks.h>
#include <linux/dma-resv.h>
#include <linux/limits.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/suspend.h>

#include "drm_virt_pm_mock.h"

#define TASKS	4

struct object_counts {
	int tracked;
	unsigned int lost;
	int restored;
};

static void expect_counts(struct vpm_mock *mock, struct object_counts counts)
{
	struct drm_virt_pm *vpm = &mock->base;
	struct kunit *test = mock->test;

	KUNIT_EXPECT_EQ(test, atomic_read(&vpm->tracked), counts.tracked);
	KUNIT_EXPECT_EQ(test, vpm->num_lost, counts.lost);
	KUNIT_EXPECT_EQ(test, atomic64_read(&vpm->restored), counts.restored);
}

#define EXPECT_COUNTS(mock__, ...) \
	expect_counts(mock__, (struct object_counts){ __VA_ARGS__ })

static bool is_resident(struct vpm_mock *mock, struct vpm_mock_object *obj)
{
	return vpm_mock_object_resident(mock, obj);
}

static int use(struct vpm_mock *mock, struct vpm_mock_object *obj)
{
	return drm_virt_pm_object_use(&mock->base, &obj->base);
}

static void drm_virt_pm_test_object_new(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm_object never;
	struct vpm_mock_object *obj;

	/* An object is stale until the device was told of it. */
	drm_virt_pm_object_init(&mock->base, &never, 6);
	KUNIT_EXPECT_FALSE(test, drm_virt_pm_object_resident(&mock->base, &never));
	obj = vpm_mock_object_create(mock, 7);
	KUNIT_EXPECT_TRUE(test, is_resident(mock, obj));
	KUNIT_EXPECT_EQ(test, obj->base.id, 7);
	EXPECT_COUNTS(mock, .tracked = 2);

	drm_virt_pm_object_fini(&mock->base, &never);
	vpm_mock_object_free(obj);
	EXPECT_COUNTS(mock, .tracked = 0);
}

static void drm_virt_pm_test_object_use_resident(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);

	/* A resident object is used as it is. */
	KUNIT_EXPECT_EQ(test, use(mock, obj), 0);
	KUNIT_EXPECT_EQ(test, __drm_virt_pm_object_use(&mock->base, &obj->base), 0);
	VPM_MOCK_EXPECT_LOG(mock, "");
	EXPECT_COUNTS(mock, .tracked = 1);
}

static void drm_virt_pm_test_object_reset(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *used = vpm_mock_object_create(mock, 1);
	struct vpm_mock_object *unused = vpm_mock_object_create(mock, 2);

	/* A reset makes all stale. An object that is used is restored, once. */
	drm_virt_pm_reset(&mock->base);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, used));
	KUNIT_EXPECT_FALSE(test, is_resident(mock, unused));
	VPM_MOCK_EXPECT_LOG(mock, "");

	KUNIT_EXPECT_EQ(test, use(mock, used), 0);
	KUNIT_EXPECT_EQ(test, use(mock, used), 0);
	VPM_MOCK_EXPECT_LOG(mock, "restore:1");
	KUNIT_EXPECT_TRUE(test, is_resident(mock, used));
	KUNIT_EXPECT_FALSE(test, is_resident(mock, unused));
	EXPECT_COUNTS(mock, .tracked = 2, .restored = 1);
}

static void drm_virt_pm_test_object_suspend(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);

	/* A resume restores no object. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, obj));
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 0);
	KUNIT_EXPECT_EQ(test, use(mock, obj), 0);

	/* a refused suspend makes none stale */
	mock->refuse_ret = -EBUSY;
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), -EBUSY);
	KUNIT_EXPECT_TRUE(test, is_resident(mock, obj));
}

static void drm_virt_pm_test_object_epoch_wraps(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm_object never;
	struct vpm_mock_object *obj;

	/* No epoch is 0, the one of objects that the device never knew. */
	mock->base.epoch = U32_MAX;
	obj = vpm_mock_object_create(mock, 1);
	KUNIT_EXPECT_TRUE(test, is_resident(mock, obj));
	drm_virt_pm_object_init(&mock->base, &never, 2);

	drm_virt_pm_reset(&mock->base);
	KUNIT_EXPECT_EQ(test, mock->base.epoch, 1);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, obj));
	KUNIT_EXPECT_FALSE(test, drm_virt_pm_object_resident(&mock->base, &never));
	drm_virt_pm_object_fini(&mock->base, &never);
}

static void drm_virt_pm_test_object_free(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *stale = vpm_mock_object_create(mock, 1);
	struct vpm_mock_object *back = vpm_mock_object_create(mock, 2);
	struct vpm_mock_object *lost = vpm_mock_object_create(mock, 3);

	/* An object can be freed in any state. Lost ones stay counted. */
	drm_virt_pm_reset(&mock->base);
	drm_virt_pm_object_lose(&mock->base, &lost->base, -EIO);
	KUNIT_EXPECT_EQ(test, use(mock, back), 0);
	VPM_MOCK_EXPECT_LOG(mock, "restore:2");

	vpm_mock_object_free(stale);
	vpm_mock_object_free(back);
	vpm_mock_object_free(lost);
	EXPECT_COUNTS(mock, .lost = 1, .restored = 1);
	VPM_MOCK_EXPECT_LOG(mock, "");
}

static void note_resident(struct vpm_mock *mock)
{
	mock->seen[0] += is_resident(mock, mock->partner);
	mock->seen[1]++;
}

static void drm_virt_pm_test_object_published(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);

	/* The callback says from when on the object is resident. */
	drm_virt_pm_reset(&mock->base);
	mock->partner = obj;
	mock->in_restore = note_resident;
	KUNIT_EXPECT_EQ(test, use(mock, obj), 0);
	KUNIT_EXPECT_EQ(test, mock->seen[0], 0);
	KUNIT_EXPECT_EQ(test, mock->seen[1], 1);

	drm_virt_pm_reset(&mock->base);
	mock->in_restore = NULL;
	mock->restored = note_resident;
	KUNIT_EXPECT_EQ(test, use(mock, obj), 0);
	KUNIT_EXPECT_EQ(test, mock->seen[0], 1);
	KUNIT_EXPECT_EQ(test, mock->seen[1], 2);
}

static void drm_virt_pm_test_object_not_published(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);

	/* A driver that does not say so is warned. The object stays stale. */
	vpm_mock_expect_misuse(mock);
	drm_virt_pm_reset(&mock->base);
	obj->unpublished = true;
	use(mock, obj);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, obj));
	obj->unpublished = false;
	KUNIT_EXPECT_EQ(test, use(mock, obj), 0);
	KUNIT_EXPECT_TRUE(test, is_resident(mock, obj));
	VPM_MOCK_EXPECT_LOG(mock, "restore:1 misused:drm_virt_pm_object_restored restore:1");
}

static const int restore_errors[] = {
	-ENOMEM, -ENODEV, -EINTR, -ERESTARTSYS, -EAGAIN, -EBUSY, -ENOSPC,
	-EDEADLK, -EIO, -EINVAL, -ENOENT, -ETIMEDOUT,
};

static void error_to_desc(const int *err, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%d", *err);
}

KUNIT_ARRAY_PARAM(error, restore_errors, error_to_desc);

static void drm_virt_pm_test_object_restore_fails(struct kunit *test)
{
	const int *err = test->param_value;
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 9);

	/* Any error is returned and leaves the object stale. */
	drm_virt_pm_reset(&mock->base);
	obj->err = *err;
	obj->failures = 2;
	KUNIT_EXPECT_EQ(test, use(mock, obj), *err);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, obj));
	KUNIT_EXPECT_EQ(test, use(mock, obj), *err);
	EXPECT_COUNTS(mock, .tracked = 1);

	/* the next user tries again */
	KUNIT_EXPECT_EQ(test, use(mock, obj), 0);
	KUNIT_EXPECT_TRUE(test, is_resident(mock, obj));
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 3);
	EXPECT_COUNTS(mock, .tracked = 1, .restored = 1);
}

static void drm_virt_pm_test_object_lose(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 33);

	/* A resident object can be lost. Its users get -EIO from then on. */
	drm_virt_pm_object_lose(vpm, &obj->base, -ENOSPC);
	drm_virt_pm_object_lose(vpm, &obj->base, -EIO);
	EXPECT_COUNTS(mock, .tracked = 1, .lost = 1);
	KUNIT_EXPECT_EQ(test, vpm->last_lost, 33);
	KUNIT_EXPECT_EQ(test, use(mock, obj), -EIO);

	drm_virt_pm_reset(vpm);
	KUNIT_EXPECT_EQ(test, use(mock, obj), -EIO);
	VPM_MOCK_EXPECT_LOG(mock, "");

	/* a second one */
	drm_virt_pm_object_lose(vpm, &vpm_mock_object_create(mock, 44)->base, -EIO);
	EXPECT_COUNTS(mock, .tracked = 2, .lost = 2);
	KUNIT_EXPECT_EQ(test, vpm->last_lost, 44);
}

static void lose_partner(struct vpm_mock *mock)
{
	struct vpm_mock_object *obj = mock->partner;

	drm_virt_pm_object_lose(&mock->base, &obj->base, -ENOSPC);
}

static void drm_virt_pm_test_object_lose_in_restore(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);

	/* The host refuses it before the callback has said that it is there. */
	drm_virt_pm_reset(&mock->base);
	mock->partner = obj;
	mock->in_restore = lose_partner;
	KUNIT_EXPECT_EQ(test, use(mock, obj), -EIO);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, obj));
	KUNIT_EXPECT_EQ(test, use(mock, obj), -EIO);
	EXPECT_COUNTS(mock, .tracked = 1, .lost = 1);

	/* or after that */
	obj = vpm_mock_object_create(mock, 2);
	drm_virt_pm_reset(&mock->base);
	mock->partner = obj;
	mock->in_restore = NULL;
	mock->restored = lose_partner;
	KUNIT_EXPECT_EQ(test, use(mock, obj), -EIO);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, obj));
	KUNIT_EXPECT_EQ(test, use(mock, obj), -EIO);
	VPM_MOCK_EXPECT_LOG(mock, "restore:1 restore:2");
	EXPECT_COUNTS(mock, .tracked = 2, .lost = 2);
}

static void drm_virt_pm_test_object_lost_device(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);

	/* Nothing is restored on a lost device. */
	drm_virt_pm_reset(&mock->base);
	drm_virt_pm_lose(&mock->base, "tested");
	KUNIT_EXPECT_EQ(test, use(mock, obj), -ENODEV);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 0);
	EXPECT_COUNTS(mock, .tracked = 1);
}

static int use_in_task(struct vpm_mock_task *task)
{
	return use(task->mock, task->arg);
}

/* Several tasks meet one stale object; one restores it and is held there. */
static void start_users(struct vpm_mock *mock, struct vpm_mock_object *obj,
			struct vpm_mock_task **tasks)
{
	struct kunit *test = mock->test;
	unsigned int i;

	drm_virt_pm_reset(&mock->base);
	mock->hold = true;
	tasks[0] = vpm_mock_task_start(mock, use_in_task, obj);
	VPM_MOCK_AWAIT(test, atomic_read(&obj->restoring) == 1);
	for (i = 1; i < TASKS; i++) {
		tasks[i] = vpm_mock_task_start(mock, use_in_task, obj);
		VPM_MOCK_AWAIT(test, vpm_mock_task_sleeps(tasks[i],
							  TASK_INTERRUPTIBLE));
	}
	for (i = 0; i < TASKS; i++)
		KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(tasks[i]));
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 1);
}

/* How many of the tasks got @result */
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

	/* One task restores the object. The others wait for it. */
	start_users(mock, obj, tasks);
	vpm_mock_let_go(mock);
	KUNIT_EXPECT_EQ(test, count_results(tasks, 0), TASKS);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 1);
	EXPECT_COUNTS(mock, .tracked = 1, .restored = 1);
}

static void drm_virt_pm_test_object_shared_lost(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);
	struct vpm_mock_task *tasks[TASKS];

	/* If the host refuses it meanwhile, all of them learn it. */
	start_users(mock, obj, tasks);
	drm_virt_pm_object_lose(&mock->base, &obj->base, -ENOSPC);
	vpm_mock_let_go(mock);
	KUNIT_EXPECT_EQ(test, count_results(tasks, -EIO), TASKS);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 1);
	EXPECT_COUNTS(mock, .tracked = 1, .lost = 1);
}

static void drm_virt_pm_test_object_shared_fails(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);
	struct vpm_mock_task *tasks[TASKS];

	/*
	 * The error of one task, a signal for instance, is not that of the
	 * others. They try again, one at a time.
	 */
	obj->err = -EINTR;
	obj->failures = 2;
	start_users(mock, obj, tasks);
	vpm_mock_let_go(mock);
	KUNIT_EXPECT_EQ(test, count_results(tasks, -EINTR), 2);
	KUNIT_EXPECT_EQ(test, count_results(tasks, 0), TASKS - 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 3);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->overlaps), 0);
	EXPECT_COUNTS(mock, .tracked = 1, .restored = 1);
}

static void drm_virt_pm_test_object_shared_signal(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);
	struct vpm_mock_task *tasks[TASKS];

	/* A signal ends the wait for another task. */
	start_users(mock, obj, tasks);
	vpm_mock_task_signal(tasks[TASKS - 1]);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(tasks[TASKS - 1]),
			-ERESTARTSYS);
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(tasks[0]));
	vpm_mock_let_go(mock);
	KUNIT_EXPECT_EQ(test, count_results(tasks, 0), TASKS - 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 1);
}

static void drm_virt_pm_test_object_reset_meanwhile(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);
	struct vpm_mock_task *task;

	/* An object of which the device was told before a reset is stale. */
	drm_virt_pm_reset(&mock->base);
	mock->hold = true;
	task = vpm_mock_task_start(mock, use_in_task, obj);
	VPM_MOCK_AWAIT(test, atomic_read(&obj->restoring) == 1);
	drm_virt_pm_reset(&mock->base);
	vpm_mock_let_go(mock);
	vpm_mock_task_result(task);
	KUNIT_EXPECT_FALSE(test, is_resident(mock, obj));

	KUNIT_EXPECT_EQ(test, use(mock, obj), 0);
	KUNIT_EXPECT_TRUE(test, is_resident(mock, obj));
}

static void drm_virt_pm_test_object_reset_at_creation(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm_object obj;

	/* The same at the first creation. */
	drm_virt_pm_object_init(&mock->base, &obj, 1);
	drm_virt_pm_reset(&mock->base);
	drm_virt_pm_object_restored(&mock->base, &obj);
	KUNIT_EXPECT_FALSE(test, drm_virt_pm_object_resident(&mock->base, &obj));
	drm_virt_pm_object_fini(&mock->base, &obj);
}

static void create_kept(struct vpm_mock *mock, struct vpm_mock_object **objs,
			unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		objs[i] = vpm_mock_object_create(mock, i + 1);
		drm_virt_pm_object_keep(&mock->base, &objs[i]->base, true);
	}
}

static void save_objects(struct vpm_mock *mock)
{
	mock->seen[0] = drm_virt_pm_objects_save(&mock->base);
}

static void drm_virt_pm_test_object_keep(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *objs[3];

	/* Kept objects are saved before the reset, and restored when they are used. */
	vpm_mock_object_create(mock, 9);
	create_kept(mock, objs, ARRAY_SIZE(objs));
	mock->in_suspend = save_objects;
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	VPM_MOCK_EXPECT_LOG(mock, "suspend save:1 save:2 save:3");
	KUNIT_EXPECT_FALSE(test, is_resident(mock, objs[0]));
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(&mock->base, &objs[1]->base), 0);
	KUNIT_EXPECT_EQ(test, mock->seen[0], 0);
	VPM_MOCK_EXPECT_LOG(mock, "resume restore:2");
}

static void drm_virt_pm_test_object_keep_twice(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);

	/* To keep an object is a state, not a count. */
	drm_virt_pm_object_keep(vpm, &obj->base, true);
	drm_virt_pm_object_keep(vpm, &obj->base, true);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_objects_save(vpm), 0);
	VPM_MOCK_EXPECT_LOG(mock, "save:1");
	drm_virt_pm_object_keep(vpm, &obj->base, false);
	drm_virt_pm_object_keep(vpm, &obj->base, false);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_objects_save(vpm), 0);
	VPM_MOCK_EXPECT_LOG(mock, "");
	KUNIT_EXPECT_TRUE(test, list_empty(&obj->base.keep));
	KUNIT_EXPECT_TRUE(test, list_empty(&vpm->keep));

	drm_virt_pm_object_keep(vpm, &obj->base, true);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_objects_save(vpm), 0);
	VPM_MOCK_EXPECT_LOG(mock, "save:1");
}

static void drm_virt_pm_test_object_save_fails(struct kunit *test)
{
	const int *err = test->param_value;
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *objs[3];

	/* The first error ends it, for a suspend that is refused. */
	create_kept(mock, objs, ARRAY_SIZE(objs));
	objs[1]->err = *err;
	objs[1]->failures = 1;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_objects_save(&mock->base), *err);
	VPM_MOCK_EXPECT_LOG(mock, "save:1 save:2");
	KUNIT_EXPECT_TRUE(test, is_resident(mock, objs[1]));

	KUNIT_EXPECT_EQ(test, drm_virt_pm_objects_save(&mock->base), 0);
	VPM_MOCK_EXPECT_LOG(mock, "save:1 save:2 save:3");
}

static void drm_virt_pm_test_object_save_stale(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *objs[2];

	/*
	 * The content of a stale object was saved before. It is not overwritten
	 * with what happens to be on the device.
	 */
	create_kept(mock, objs, ARRAY_SIZE(objs));
	KUNIT_ASSERT_EQ(test, drm_virt_pm_objects_save(&mock->base), 0);
	drm_virt_pm_reset(&mock->base);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_object_use(&mock->base, &objs[1]->base), 0);
	vpm_mock_log_clear(mock);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_objects_save(&mock->base), 0);
	VPM_MOCK_EXPECT_LOG(mock, "save:2");
}

static void drm_virt_pm_test_object_keep_lost(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *objs[3];

	/* Lost objects are skipped. */
	create_kept(mock, objs, ARRAY_SIZE(objs));
	drm_virt_pm_object_lose(&mock->base, &objs[0]->base, -EIO);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_objects_save(&mock->base), 0);
	VPM_MOCK_EXPECT_LOG(mock, "save:2 save:3");
}

static int save_in_task(struct vpm_mock_task *task)
{
	return drm_virt_pm_objects_save(&task->mock->base);
}

static int unkeep_in_task(struct vpm_mock_task *task)
{
	struct vpm_mock_object *obj = task->arg;

	drm_virt_pm_object_keep(&task->mock->base, &obj->base, false);
	vpm_mock_log(task->mock, "gone:%u", obj->base.id);

	return 0;
}

static void drm_virt_pm_test_object_keep_walked(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_task *walker, *freeing[2];
	struct vpm_mock_object *objs[3];
	unsigned int i;

	/*
	 * While the first object is being saved, two tasks stop to keep the second
	 * and the first. They wait until the callbacks are done.
	 * The second object is skipped and the third is not.
	 */
	create_kept(mock, objs, ARRAY_SIZE(objs));
	mock->hold = true;
	walker = vpm_mock_task_start(mock, save_in_task, NULL);
	VPM_MOCK_AWAIT(test, READ_ONCE(mock->log[0]));
	for (i = 0; i < ARRAY_SIZE(freeing); i++) {
		freeing[i] = vpm_mock_task_start(mock, unkeep_in_task, objs[1 - i]);
		VPM_MOCK_AWAIT(test, vpm_mock_task_sleeps(freeing[i],
							  TASK_UNINTERRUPTIBLE));
	}
	usleep_range(10000, 20000);
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(freeing[0]));
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(freeing[1]));

	vpm_mock_let_go(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(walker), 0);
	vpm_mock_task_result(freeing[0]);
	vpm_mock_task_result(freeing[1]);
	KUNIT_EXPECT_TRUE(test, strstarts(mock->log, "save:1 save:3"));
	KUNIT_EXPECT_TRUE(test, list_is_singular(&mock->base.keep));
}

static int check_all(struct vpm_mock_task *task)
{
	drm_virt_pm_notify(PM_SUSPEND_PREPARE);
	drm_virt_pm_notify(PM_POST_SUSPEND);

	return 0;
}

static void drm_virt_pm_test_object_keep_during_check(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj;
	struct vpm_mock_task *task;

	/* The notifier does not keep objects from being freed. */
	create_kept(mock, &obj, 1);
	mock->hold = true;
	task = vpm_mock_task_start(mock, check_all, NULL);
	VPM_MOCK_AWAIT(test, READ_ONCE(mock->log[0]));
	vpm_mock_object_free(obj);
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(task));
	vpm_mock_let_go(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(task), 0);
}

#ifdef CONFIG_PROVE_LOCKING
static atomic_t num_spinning;
static bool stop_spinning;

static void spin(void *unused)
{
	atomic_inc(&num_spinning);
	while (!READ_ONCE(stop_spinning))
		cpu_relax();
}

/*
 * Whether lockdep reports the use of a resident object. A report turns lockdep
 * off: it is turned on again before any other processor, all of which spin, or
 * another task has taken or released a lock.
 */
static bool use_is_reported(struct vpm_mock *mock, struct vpm_mock_object *obj)
{
	bool reported;

	stop_spinning = false;
	atomic_set(&num_spinning, 0);
	cpus_read_lock();
	preempt_disable();
	smp_call_function(spin, NULL, 0);
	while (atomic_read(&num_spinning) < num_online_cpus() - 1)
		cpu_relax();
	preempt_enable();

	debug_locks_silent = 1;
	use(mock, obj);
	reported = !debug_locks;
	debug_locks = 1;
	debug_locks_silent = 0;

	WRITE_ONCE(stop_spinning, true);
	cpus_read_unlock();

	return reported;
}
#else
static bool use_is_reported(struct vpm_mock *mock, struct vpm_mock_object *obj)
{
	return false;
}
#endif

static void drm_virt_pm_test_object_use_locked(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_object *obj = vpm_mock_object_create(mock, 1);
	static bool reported;
	struct dma_resv resv;

	/* lockdep reports a caller that holds a dma_resv, before any reset. */
	if (!IS_ENABLED(CONFIG_PROVE_LOCKING) || !debug_locks)
		kunit_skip(test, "no lockdep");
	if (IS_ENABLED(CONFIG_PREEMPTION) || IS_ENABLED(CONFIG_PREEMPT_VOLUNTARY))
		kunit_skip(test, "lockdep cannot be held still");
	if (reported)
		kunit_skip(test, "lockdep reports it once");

	dma_resv_init(&resv);
	dma_resv_lock(&resv, NULL);
	reported = use_is_reported(mock, obj);
	dma_resv_unlock(&resv);
	dma_resv_fini(&resv);
	KUNIT_EXPECT_TRUE(test, reported);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->restores), 0);
}

static struct kunit_case drm_virt_pm_object_cases[] = {
	KUNIT_CASE(drm_virt_pm_test_object_new),
	KUNIT_CASE(drm_virt_pm_test_object_use_resident),
	KUNIT_CASE(drm_virt_pm_test_object_reset),
	KUNIT_CASE(drm_virt_pm_test_object_suspend),
	KUNIT_CASE(drm_virt_pm_test_object_epoch_wraps),
	KUNIT_CASE(drm_virt_pm_test_object_free),
	KUNIT_CASE(drm_virt_pm_test_object_published),
	KUNIT_CASE(drm_virt_pm_test_object_not_published),
	KUNIT_CASE_PARAM(drm_virt_pm_test_object_restore_fails, error_gen_params),
	KUNIT_CASE(drm_virt_pm_test_object_lose),
	KUNIT_CASE(drm_virt_pm_test_object_lose_in_restore),
	KUNIT_CASE(drm_virt_pm_test_object_lost_device),
	KUNIT_CASE(drm_virt_pm_test_object_shared),
	KUNIT_CASE(drm_virt_pm_test_object_shared_lost),
	KUNIT_CASE(drm_virt_pm_test_object_shared_fails),
	KUNIT_CASE(drm_virt_pm_test_object_shared_signal),
	KUNIT_CASE(drm_virt_pm_test_object_reset_meanwhile),
	KUNIT_CASE(drm_virt_pm_test_object_reset_at_creation),
	KUNIT_CASE(drm_virt_pm_test_object_keep),
	KUNIT_CASE(drm_virt_pm_test_object_keep_twice),
	KUNIT_CASE_PARAM(drm_virt_pm_test_object_save_fails, error_gen_params),
	KUNIT_CASE(drm_virt_pm_test_object_save_stale),
	KUNIT_CASE(drm_virt_pm_test_object_keep_lost),
	KUNIT_CASE(drm_virt_pm_test_object_keep_walked),
	KUNIT_CASE(drm_virt_pm_test_object_keep_during_check),
	KUNIT_CASE(drm_virt_pm_test_object_use_locked),
	{}
};

static struct kunit_suite drm_virt_pm_object_suite = {
	.name = "drm_virt_pm_object",
	.init = vpm_mock_test_init,
	.test_cases = drm_virt_pm_object_cases,
};

kunit_test_suite(drm_virt_pm_object_suite);
