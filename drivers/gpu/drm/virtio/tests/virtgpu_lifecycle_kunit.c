// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Devices that go while something is going on, and several at once. */

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/suspend.h>

#include <drm/drm_drv.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_mock.h"

/* As short as a timeout can be that has to happen, in milliseconds. */
#define STALL_MS	100

static const struct vg_mock_setup vg_test_plain = {
	.features = BIT_ULL(VIRTIO_GPU_F_EDID) |
		    BIT_ULL(VIRTIO_GPU_F_RESOURCE_UUID),
	.num_scanouts = 1,
};

static const struct vg_mock_setup vg_test_virgl = {
	.features = BIT_ULL(VIRTIO_GPU_F_EDID) | BIT_ULL(VIRTIO_GPU_F_VIRGL) |
		    BIT_ULL(VIRTIO_GPU_F_RESOURCE_BLOB),
	.num_scanouts = 1,
	.hostmem = true,
};

static void vg_test_nothing(struct kunit *test, struct vg_mock_host *host)
{
}

static void vg_test_sleep(struct kunit *test, struct vg_mock_host *host)
{
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
}

static void vg_test_freeze(struct kunit *test, struct vg_mock_host *host)
{
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
}

static void vg_test_refuse(struct kunit *test, struct vg_mock_host *host)
{
	vg_mock_set_stall_ms(STALL_MS);
	vg_mock_hold(host, true);
	KUNIT_ASSERT_EQ(test, -ETIMEDOUT, vg_mock_freeze(host));
}

static void vg_test_lose(struct kunit *test, struct vg_mock_host *host)
{
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	host->find_vqs_ret = -ENOMEM;
	KUNIT_ASSERT_EQ(test, -ENOMEM, vg_mock_restore(host));
	vg_mock_run_later(host);
}

static void vg_test_not_resume(struct kunit *test, struct vg_mock_host *host)
{
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	host->refuse_features = true;
	KUNIT_ASSERT_NE(test, 0, vg_mock_restore(host));
}

struct vg_test_remove {
	const char *name;
	void (*before)(struct kunit *test, struct vg_mock_host *host);
	const struct vg_mock_setup *setup;
};

static const struct vg_test_remove vg_test_remove_params[] = {
	{ "in use", vg_test_nothing, &vg_test_plain },
	{ "in use, virgl", vg_test_nothing, &vg_test_virgl },
	{ "after a sleep", vg_test_sleep, &vg_test_plain },
	{ "after a sleep, virgl", vg_test_sleep, &vg_test_virgl },
	{ "while frozen", vg_test_freeze, &vg_test_plain },
	{ "while frozen, virgl", vg_test_freeze, &vg_test_virgl },
	{ "after a refusal, host silent", vg_test_refuse, &vg_test_plain },
	{ "after a refusal, host silent, virgl", vg_test_refuse, &vg_test_virgl },
	{ "when it was lost", vg_test_lose, &vg_test_plain },
	{ "while it is tried again", vg_test_not_resume, &vg_test_plain },
	{ "while it is tried again, virgl", vg_test_not_resume, &vg_test_virgl },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_remove, vg_test_remove_params, name);

static void virtio_gpu_pm_test_remove(struct kunit *test)
{
	const struct vg_test_remove *param = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", param->setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_mock_user *other = vg_mock_open(host, true);
	u32 shown = vg_mock_dumb(user), cursor = vg_mock_dumb(user);
	struct dma_buf *buf = vg_mock_export(user, cursor);
	struct dma_fence *fence = NULL;

	/*
	 * A device can go at any time, with programs that have it open, show
	 * buffers and share them; those give back what they have when they end.
	 */
	vg_mock_dumb(other);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 0, cursor));
	vg_mock_check(host);
	param->before(test, host);
	if (host->queue[VG_MOCK_CTRL].hold)
		fence = vg_mock_fence(user, vg_mock_classic(user));

	vg_mock_remove(host);
	if (fence) {
		KUNIT_EXPECT_EQ(test, -EIO, dma_fence_get_status(fence));
		dma_fence_put(fence);
	}
	KUNIT_EXPECT_STREQ(test, host->objection, "");
	KUNIT_EXPECT_EQ(test, -ENODEV, vg_mock_transfer(user, shown));
	vg_mock_close(other);
	vg_mock_export_put(buf);
	vg_mock_close(user);
}

static void virtio_gpu_pm_test_two_devices(struct kunit *test)
{
	struct vg_mock_host *a = vg_mock_create(test, "mock-a", &vg_test_plain);
	struct vg_mock_host *b = vg_mock_create(test, "mock-b", &vg_test_plain);
	struct vg_mock_user *user_a = vg_mock_open(a, false);
	struct vg_mock_user *user_b = vg_mock_open(b, false);
	u32 shown_a = vg_mock_dumb(user_a), shown_b = vg_mock_dumb(user_b);

	/* What one device does not survive is not the other's concern. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user_a, 0, shown_a));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user_b, 0, shown_b));
	vg_mock_check(a);
	vg_mock_check(b);

	/* one refuses: the PM core resumes the other */
	vg_mock_hold(b, true);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(a));
	vg_mock_set_stall_ms(STALL_MS);
	KUNIT_ASSERT_EQ(test, -ETIMEDOUT, vg_mock_freeze(b));
	vg_mock_set_stall_ms(20000);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(a));
	vg_mock_hold(b, false);
	vg_mock_check(a);
	vg_mock_check(b);
	KUNIT_EXPECT_EQ(test, a->shown[0], vg_mock_id(user_a, shown_a));

	/* one does not come back */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(a));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(b));
	b->refuse_features = true;
	KUNIT_EXPECT_NE(test, 0, vg_mock_restore(b));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(a));
	VG_MOCK_AWAIT(test, drm_dev_is_unplugged(vg_mock_drm(b)));
	vg_mock_check(a);
	KUNIT_EXPECT_EQ(test, a->shown[0], vg_mock_id(user_a, shown_a));
	KUNIT_EXPECT_EQ(test, -ENODEV, vg_mock_transfer(user_b, shown_b));
	vg_mock_let_go(b);

	/* and the rest goes on sleeping and waking */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(a));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(b));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(b));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(a));
	vg_mock_check(a);
	KUNIT_EXPECT_EQ(test, a->shown[0], vg_mock_id(user_a, shown_a));
	vg_mock_remove(b);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user_a, shown_a));
	vg_mock_check(a);
}

static int vg_test_transfer_task(struct vg_mock_task *task)
{
	return vg_mock_transfer(task->user, task->handle);
}

static void virtio_gpu_pm_test_wait_running(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = vg_mock_dumb(user);
	struct vg_mock_task *task;

	/* A program that comes while the device is down waits, and goes on. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_forget_log(host);
	task = vg_mock_task_start(user, vg_test_transfer_task, handle, NULL);
	VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_count(host, 0));

	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, 1, vg_mock_creations(host,
						   vg_mock_id(user, handle)));
}

static void virtio_gpu_pm_test_repeated(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user);
	unsigned int resets;

	/* A second callback of the same kind finds nothing left to do. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	resets = host->resets;
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_EXPECT_EQ(test, host->resets, resets);

	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));

	/* nor does a device that runs mind that the system is back */
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, READ_ONCE(vg_mock_vpm(host)->state),
			DRM_VIRT_PM_RUNNING);
}

static struct kunit_case virtio_gpu_pm_lifecycle_tests[] = {
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_remove, vg_test_remove_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_two_devices),
	KUNIT_CASE(virtio_gpu_pm_test_wait_running),
	KUNIT_CASE(virtio_gpu_pm_test_repeated),
	{}
};

static struct kunit_suite virtio_gpu_pm_lifecycle_suite = {
	.name = "virtio_gpu_pm_lifecycle",
	.test_cases = virtio_gpu_pm_lifecycle_tests,
};

kunit_test_suite(virtio_gpu_pm_lifecycle_suite);
