// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Every allocation of the driver fails in turn. */

#include <linux/sched.h>

#include <drm/drm_drv.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_mock.h"

#define PLAIN	BIT_ULL(VIRTIO_GPU_F_EDID)
#define BLOB	(PLAIN | BIT_ULL(VIRTIO_GPU_F_RESOURCE_BLOB))

static const struct vg_mock_setup vg_test_plain = {
	.features = PLAIN,
	.num_scanouts = 1,
};

/* The driver goes on if there is no memory for an output, and dies later. */
static const struct vg_mock_setup vg_test_no_outputs = {
	.features = PLAIN,
};

static u32 vg_test_blob(struct vg_mock_user *user)
{
	return vg_mock_blob(user, VIRTGPU_BLOB_MEM_GUEST, 0);
}

struct vg_test_object {
	const char *name;
	u64 features;
	u32 (*create)(struct vg_mock_user *user);
};

static const struct vg_test_object vg_test_object_params[] = {
	{ "dumb", PLAIN, vg_mock_dumb },
	{ "classic", PLAIN, vg_mock_classic },
	{ "blob", BLOB, vg_test_blob },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_object, vg_test_object_params, name);

static void virtio_gpu_pm_test_memory_use(struct kunit *test)
{
	const struct vg_test_object *param = test->param_value;
	const struct vg_mock_setup setup = {
		.features = param->features,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 first = vg_mock_dumb(user), handle = param->create(user);
	struct virtio_gpu_object *bo = vg_mock_bo(user, handle);
	unsigned int n, later, failures;
	bool failed;
	int ret;

	/*
	 * An object for which there is no memory is stale, and comes back with
	 * the next use: the first object after a reset, and a later one.
	 */
	vg_mock_init_failures(user);
	for (later = 0; later < 2; later++) {
		failures = 0;
		for (n = 1, failed = true; failed && n < VG_MOCK_MAX_ALLOCATIONS; n++) {
			KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
			KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
			if (later) {
				ret = virtio_gpu_pm_object_use(vg_mock_bo(user, first));
				KUNIT_ASSERT_EQ(test, 0, ret);
			}

			vg_mock_fail_nth(n);
			ret = virtio_gpu_pm_object_use(bo);
			failed = vg_mock_failed();
			vg_mock_check(host);
			KUNIT_EXPECT_EQ(test, vg_mock_resident(user, handle), !ret);
			failures += ret == -ENOMEM;
			KUNIT_EXPECT_TRUE(test, !ret || ret == -ENOMEM);
			KUNIT_EXPECT_EQ(test, 0, virtio_gpu_pm_object_use(bo));
			vg_mock_check(host);
		}
		KUNIT_EXPECT_LT(test, n, VG_MOCK_MAX_ALLOCATIONS);
		KUNIT_EXPECT_GT(test, failures, 0);
	}
	KUNIT_EXPECT_EQ(test, 0, vg_mock_vpm(host)->num_lost);
}

static void virtio_gpu_pm_test_memory_suspend(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), cursor = vg_mock_classic(user);
	unsigned int n, failures = 0;
	bool failed;
	int ret;

	/* A suspend without memory is refused, or succeeds. */
	vg_mock_init_failures(user);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 0, cursor));
	vg_mock_check(host);
	for (n = 1, failed = true; failed && n < VG_MOCK_MAX_ALLOCATIONS; n++) {
		vg_mock_fail_nth(n);
		ret = vg_mock_freeze(host);
		failed = vg_mock_failed();
		if (ret)
			failures++;
		else
			KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
		vg_mock_check(host);
		KUNIT_EXPECT_EQ(test, READ_ONCE(vg_mock_vpm(host)->state),
				DRM_VIRT_PM_RUNNING);
		KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
		KUNIT_EXPECT_EQ(test, host->cursor[0], vg_mock_id(user, cursor));
	}
	KUNIT_EXPECT_LT(test, n, VG_MOCK_MAX_ALLOCATIONS);
	KUNIT_EXPECT_GT(test, failures, 0);
}

static struct task_struct *vg_test_resumer;
static bool vg_test_failed;
static bool vg_test_reached;

/*
 * The upload of the cursor is the last command before KMS resumes, which waits
 * for its answer. Without memory drm_mode_config_reset() leaves a CRTC without a
 * state, and the kernel dies.
 */
static void vg_test_reach(struct vg_mock_host *host, u32 type)
{
	if (type == VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D && !vg_test_reached)
		vg_test_reached = vg_mock_stop_failing(vg_test_resumer);
}

static void virtio_gpu_pm_test_memory_resume(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), cursor = vg_mock_classic(user);
	unsigned int n, failures = 0;
	int ret;

	/* A resume without memory is tried again, and brings back the picture. */
	vg_mock_init_failures(user);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 0, cursor));
	vg_mock_check(host);

	vg_test_resumer = current;
	vg_test_reached = false;
	for (n = 1; !vg_test_reached && n < VG_MOCK_MAX_ALLOCATIONS; n++) {
		KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
		host->in_command = vg_test_reach;
		vg_mock_fail_nth(n);
		ret = vg_mock_restore_bus(host);
		vg_mock_failed();
		host->in_command = NULL;
		vg_mock_resume_elsewhere(host);
		failures += !!ret;
		vg_mock_run_later(host);
		KUNIT_EXPECT_EQ(test, READ_ONCE(vg_mock_vpm(host)->state),
				DRM_VIRT_PM_RUNNING);
		vg_mock_check(host);
		KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
		KUNIT_EXPECT_EQ(test, host->cursor[0], vg_mock_id(user, cursor));
	}
	KUNIT_EXPECT_LT(test, n, VG_MOCK_MAX_ALLOCATIONS);
	KUNIT_EXPECT_GT(test, failures, 0);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_vpm(host)->num_lost);
}

static unsigned int vg_test_nth;

/* The number of outputs is read when the device has its queues. */
static void vg_test_fail_from_here(struct vg_mock_host *host)
{
	vg_mock_fail_nth(vg_test_nth);
	host->in_config_get = NULL;
}

static void virtio_gpu_pm_test_memory_probe(struct kunit *test)
{
	struct vg_mock_host *settings = vg_mock_create(test, "settings",
						       &vg_test_plain);
	struct vg_mock_host *host;
	bool failed, bound;

	/* A probe that fails gives everything back. */
	vg_mock_init_failures(vg_mock_open(settings, true));
	host = vg_mock_alloc(test, "mock", &vg_test_no_outputs);
	for (vg_test_nth = 1, failed = true;
	     failed && vg_test_nth < VG_MOCK_MAX_ALLOCATIONS; vg_test_nth++) {
		host->in_config_get = vg_test_fail_from_here;
		bound = vg_mock_plug(host);
		failed = vg_mock_failed();
		KUNIT_EXPECT_NULL(test, host->in_config_get);
		KUNIT_EXPECT_TRUE(test, bound || failed);
		KUNIT_EXPECT_TRUE(test, bound || !host->has_vqs);
		KUNIT_EXPECT_TRUE(test, bound ||
				  !(host->status & VIRTIO_CONFIG_S_DRIVER_OK));
		vg_mock_remove(host);
		KUNIT_EXPECT_STREQ(test, host->objection, "");
	}
	KUNIT_EXPECT_LT(test, vg_test_nth, VG_MOCK_MAX_ALLOCATIONS);
	KUNIT_EXPECT_GT(test, vg_test_nth, 5);
}

static int vg_test_transfer_task(struct vg_mock_task *task)
{
	int ret;

	vg_mock_fail_nth((unsigned long)task->arg);
	ret = vg_mock_transfer(task->user, task->handle);
	WRITE_ONCE(vg_test_failed, vg_mock_failed());

	return ret;
}

static void virtio_gpu_pm_test_memory_full(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = PLAIN,
		.num_scanouts = 1,
		.ring_size = 8,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = vg_mock_classic(user);
	struct virtqueue *vq = vg_mock_vgdev(host)->ctrlq.vq;
	unsigned int queued;
	struct vg_mock_task *task;
	unsigned long n;
	int ret;

	/* No command is lost that meets a ring with one free entry without memory. */
	vg_mock_init_failures(user);
	vg_mock_check(host);
	vg_test_failed = true;
	for (n = 1; vg_test_failed && n < VG_MOCK_MAX_ALLOCATIONS; n++) {
		vg_mock_forget_log(host);
		vg_mock_hold(host, true);
		for (queued = 0; vq->num_free > 1; queued++)
			KUNIT_ASSERT_EQ(test, 0, vg_mock_transfer(user, handle));
		task = vg_mock_task_start(user, vg_test_transfer_task, handle,
					  (void *)n);
		VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task) || !vg_mock_task_runs(task));
		vg_mock_hold(host, false);
		ret = vg_mock_task_result(task);
		KUNIT_EXPECT_TRUE(test, !ret || ret == -ENOMEM);
		vg_mock_check(host);
		KUNIT_EXPECT_EQ(test, queued + !ret,
				vg_mock_count(host, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D));
	}
	KUNIT_EXPECT_LT(test, n, VG_MOCK_MAX_ALLOCATIONS);
	/* the indirect table is one of them */
	KUNIT_EXPECT_GT(test, n, 2);
}

static struct kunit_case virtio_gpu_pm_memory_tests[] = {
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_memory_use,
			 vg_test_object_gen_params),
	KUNIT_CASE_SLOW(virtio_gpu_pm_test_memory_suspend),
	KUNIT_CASE_SLOW(virtio_gpu_pm_test_memory_resume),
	KUNIT_CASE_SLOW(virtio_gpu_pm_test_memory_probe),
	KUNIT_CASE(virtio_gpu_pm_test_memory_full),
	{}
};

static struct kunit_suite virtio_gpu_pm_memory_suite = {
	.name = "virtio_gpu_pm_memory",
	.test_cases = virtio_gpu_pm_memory_tests,
};

kunit_test_suite(virtio_gpu_pm_memory_suite);
