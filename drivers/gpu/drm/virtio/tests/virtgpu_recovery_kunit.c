// SPDX-License-Identifier: GPL-2.0 OR MIT

/* A device that does not come back, or not at once, or under running tasks. */

#include <linux/completion.h>
#include <linux/dma-fence.h>
#include <linux/suspend.h>
#include <linux/virtio_ring.h>

#include <drm/drm_crtc.h>
#include <drm/drm_drv.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_plane.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_mock.h"

/* As short as a timeout can be that has to happen, in milliseconds. */
#define STALL_MS	100

/* Long enough for a host that does answer. */
#define PATIENT_MS	20000

#define PLAIN	BIT_ULL(VIRTIO_GPU_F_EDID)
#define BLOB	(PLAIN | BIT_ULL(VIRTIO_GPU_F_RESOURCE_BLOB))
#define VIRGL	(PLAIN | BIT_ULL(VIRTIO_GPU_F_VIRGL))

static const struct vg_mock_setup vg_test_plain = {
	.features = PLAIN,
	.num_scanouts = 2,
};

static const struct vg_mock_setup vg_test_virgl = {
	.features = VIRGL,
	.num_scanouts = 1,
};

static enum drm_virt_pm_state vg_test_state(struct vg_mock_host *host)
{
	return READ_ONCE(vg_mock_vpm(host)->state);
}

static void vg_test_hold(struct vg_mock_host *host)
{
	host->queue[VG_MOCK_CTRL].hold = true;
	host->queue[VG_MOCK_CURSOR].hold = true;
}

static int vg_test_transfer_task(struct vg_mock_task *task)
{
	return vg_mock_transfer(task->user, task->handle);
}

static int vg_test_restore_task(struct vg_mock_task *task)
{
	return vg_mock_restore_bus(task->user->host);
}

/*
 * A device that fails to resume
 */

struct vg_test_failure {
	const char *name;
	bool refuse_features;
	u64 lacks;
	int finalize_ret;
	int find_vqs_ret;
};

static const struct vg_test_failure vg_test_failure_params[] = {
	{ "features not accepted", .refuse_features = true },
	{ "fewer features", .lacks = BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) },
	{ "features not negotiated", .finalize_ret = -EINVAL },
	{ "no queues", .find_vqs_ret = -ENOMEM },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_failure, vg_test_failure_params, name);

static void vg_test_fail(struct vg_mock_host *host,
			 const struct vg_test_failure *param, bool once)
{
	host->refuse_features = param->refuse_features;
	host->lacks = param->lacks;
	host->finalize_ret = param->finalize_ret;
	host->find_vqs_ret = param->find_vqs_ret;
	host->fail_once = once;
}

static void virtio_gpu_pm_test_lost(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), other = vg_mock_classic(user);
	struct vg_mock_task *task;

	/*
	 * A device that fails twice is lost: its users get errors, later sleeps
	 * are not its business, and it can be removed.
	 */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 0, other));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	task = vg_mock_task_start(user, vg_test_transfer_task, other, NULL);
	VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task));

	vg_test_fail(host, test->param_value, false);
	KUNIT_EXPECT_NE(test, 0, vg_mock_restore_bus(host));
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_DOWN);
	KUNIT_EXPECT_TRUE(test, vg_mock_task_runs(task));
	vg_mock_resume_elsewhere(host);

	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_LOST);
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(vg_mock_drm(host)));
	KUNIT_EXPECT_EQ(test, -ENODEV, vg_mock_task_result(task));
	KUNIT_EXPECT_EQ(test, -ENODEV, vg_mock_transfer(user, other));

	/* nothing sleeps any worse because of it */
	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_LOST);

	vg_mock_remove(host);
	KUNIT_EXPECT_STREQ(test, host->objection, "");
	vg_mock_close(user);
}

static void virtio_gpu_pm_test_second_try(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), cursor = vg_mock_dumb(user);
	u32 idle = vg_mock_classic(user);
	struct vg_mock_task *task;
	unsigned int cycle;

	/* One that fails once comes back as if it had not. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 0, cursor));
	vg_mock_check(host);

	for (cycle = 0; cycle < 2; cycle++) {
		KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
		vg_test_fail(host, test->param_value, true);
		KUNIT_EXPECT_NE(test, 0, vg_mock_restore(host));
		task = vg_mock_task_start(user, vg_test_transfer_task, idle,
					  NULL);
		vg_mock_run_later(host);

		KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
		KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));
		vg_mock_check(host);
		KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
		KUNIT_EXPECT_EQ(test, host->cursor[0], vg_mock_id(user, cursor));
		KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, idle));
		KUNIT_EXPECT_EQ(test, 0, vg_mock_vpm(host)->num_lost);
	}
}

static const struct drm_plane_helper_funcs *vg_test_plane_funcs;
static struct drm_plane_helper_funcs vg_test_failing_funcs;
static const struct drm_plane_funcs *vg_test_state_funcs;
static struct drm_plane_funcs vg_test_failing_state_funcs;
static unsigned int vg_test_failures;
static bool vg_test_no_states;

static int vg_test_prepare_fb(struct drm_plane *plane,
			      struct drm_plane_state *state)
{
	if (state->fb && vg_test_failures) {
		vg_test_failures--;
		return -ENOMEM;
	}

	return vg_test_plane_funcs->prepare_fb(plane, state);
}

static struct drm_plane_state *vg_test_duplicate_state(struct drm_plane *plane)
{
	if (vg_test_no_states)
		return NULL;

	return vg_test_state_funcs->atomic_duplicate_state(plane);
}

/* There is no memory for another state of KMS after a commit that fails, or works. */
static int vg_test_prepare_last_fb(struct drm_plane *plane,
				   struct drm_plane_state *state)
{
	int ret = vg_test_prepare_fb(plane, state);

	vg_test_no_states = true;
	return ret;
}

static void vg_test_hook_plane(struct drm_plane *plane,
			       int (*prepare_fb)(struct drm_plane *plane,
						 struct drm_plane_state *state))
{
	vg_test_plane_funcs = plane->helper_private;
	vg_test_failing_funcs = *vg_test_plane_funcs;
	vg_test_failing_funcs.prepare_fb = prepare_fb;
	drm_plane_helper_add(plane, &vg_test_failing_funcs);

	vg_test_state_funcs = plane->funcs;
	vg_test_failing_state_funcs = *vg_test_state_funcs;
	vg_test_failing_state_funcs.atomic_duplicate_state = vg_test_duplicate_state;
	plane->funcs = &vg_test_failing_state_funcs;
	vg_test_no_states = false;
}

static void vg_test_unhook_plane(struct drm_plane *plane)
{
	drm_plane_helper_add(plane, vg_test_plane_funcs);
	plane->funcs = vg_test_state_funcs;
}

/* A resume and the work after it, in which so many commits fail. */
static void vg_test_fail_commits(struct vg_mock_host *host,
				 unsigned int failures)
{
	struct kunit *test = host->test;

	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_test_failures = failures;
	KUNIT_EXPECT_EQ(test, -ENOMEM, vg_mock_restore(host));
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_commit_fails(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct drm_plane *plane = vg_mock_vgdev(host)->outputs[0].crtc.primary;
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user);

	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	vg_test_hook_plane(plane, vg_test_prepare_fb);

	/* A commit that fails once has not taken the picture with it. */
	vg_test_fail_commits(host, 1);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));

	/* One that fails again leaves the outputs dark, until the next one. */
	vg_test_fail_commits(host, 2);
	KUNIT_EXPECT_EQ(test, host->shown[0], 0);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));

	vg_test_unhook_plane(plane);
}

static void virtio_gpu_pm_test_commit_no_memory(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct drm_plane *plane = vg_mock_vgdev(host)->outputs[0].crtc.primary;
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user);

	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	vg_test_hook_plane(plane, vg_test_prepare_last_fb);

	/* A commit that fails needs no memory to be tried once more. */
	vg_test_fail_commits(host, 1);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));

	/*
	 * What the host refuses is tried once more even if there is no memory to
	 * suspend KMS in between.
	 */
	vg_test_no_states = false;
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_fault(host, VIRTIO_GPU_CMD_SET_SCANOUT, 0, VG_MOCK_ERROR);
	KUNIT_EXPECT_EQ(test, -EIO, vg_mock_restore(host));
	vg_mock_let_go(host);
	vg_test_no_states = false;
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
	VG_MOCK_AWAIT(test, host->shown[0] == vg_mock_id(user, shown));
	flush_delayed_work(&vg_mock_vgdev(host)->pm.refresh_work);
	vg_mock_check(host);

	vg_test_unhook_plane(plane);
}

struct vg_test_unshown {
	const char *name;
	u32 command;
	enum vg_mock_answer answer;
};

static const struct vg_test_unshown vg_test_unshown_params[] = {
	{ "pages", VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, VG_MOCK_ERROR },
	{ "upload", VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, VG_MOCK_ERROR },
	{ "scanout", VIRTIO_GPU_CMD_SET_SCANOUT, VG_MOCK_ERROR },
	{ "flush", VIRTIO_GPU_CMD_RESOURCE_FLUSH, VG_MOCK_ERROR },
	{ "upload to none", VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, VG_MOCK_UNKNOWN },
	{ "scanout of none", VIRTIO_GPU_CMD_SET_SCANOUT, VG_MOCK_UNKNOWN },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_unshown, vg_test_unshown_params, name);

/* A host that did not take the pages of a resource cannot upload it either. */
static void vg_test_forgive_upload(struct vg_mock_host *host, u32 refused)
{
	if (refused != VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING)
		return;

	KUNIT_EXPECT_NOT_NULL(host->test,
			      strstr(host->objection, "has no memory to take"));
	host->objection[0] = '\0';
}

static void virtio_gpu_pm_test_show_refused(struct kunit *test)
{
	const struct vg_test_unshown *param = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user);

	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);

	/* What the host refuses once is shown by the second try. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_fault(host, param->command, 0, param->answer);
	KUNIT_EXPECT_EQ(test, -EIO, vg_mock_restore(host));
	vg_mock_let_go(host);
	vg_test_forgive_upload(host, param->command);
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));

	/* What it refuses always is no reason to give the device up. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_fault(host, param->command, 0, param->answer);
	KUNIT_EXPECT_EQ(test, -EIO, vg_mock_restore(host));
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
	vg_mock_let_go(host);
	vg_test_forgive_upload(host, param->command);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
}

static void virtio_gpu_pm_test_answers_twice(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), idle = vg_mock_dumb(user);

	/* An answer too many breaks the queue. The next reset is a new beginning, */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_fault(host, VIRTIO_GPU_CMD_SET_SCANOUT, 0, VG_MOCK_TWICE);
	KUNIT_EXPECT_NE(test, 0, vg_mock_restore(host));
	vg_mock_let_go(host);
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));

	/* also in the middle of a suspend, which is not refused. */
	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_fault(host, VIRTIO_GPU_CMD_GET_DISPLAY_INFO, 0, VG_MOCK_TWICE);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));

	/* Until there is one nothing is shown any more, so the device is given up. */
	vg_mock_fault(host, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, 0, VG_MOCK_TWICE);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, idle));
	VG_MOCK_AWAIT(test, virtqueue_is_broken(vg_mock_vgdev(host)->ctrlq.vq));
	vg_mock_let_go(host);
	vg_mock_transfer(user, idle);
	VG_MOCK_AWAIT(test, vg_test_state(host) == DRM_VIRT_PM_LOST);
	VG_MOCK_AWAIT(test, drm_dev_is_unplugged(vg_mock_drm(host)));
	vg_mock_run_later(host);
}

static void virtio_gpu_pm_test_bus_silent(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), idle = vg_mock_dumb(user);

	/* A bus that resumes without calling the driver is no failure. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_resume_elsewhere(host);
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, idle));
	vg_mock_check(host);
}

struct vg_test_saved {
	const char *name;
	bool close;
};

static const struct vg_test_saved vg_test_saved_params[] = {
	{ "shown buffer" },
	{ "output without a buffer", .close = true },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_saved, vg_test_saved_params, name);

static void virtio_gpu_pm_test_saved_state(struct kunit *test)
{
	const struct vg_test_saved *param = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *watcher = vg_mock_open(host, true);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct drm_device *ddev = vg_mock_drm(host);
	u32 shown = vg_mock_dumb(user);

	/* The state that a lost device would have come back with is dropped. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	if (param->close)
		vg_mock_close(user);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_EXPECT_NOT_NULL(test, ddev->mode_config.suspend_state);
	host->find_vqs_ret = -ENOMEM;
	KUNIT_EXPECT_EQ(test, -ENOMEM, vg_mock_restore(host));
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_LOST);

	if (!param->close)
		vg_mock_close(user);
	vg_mock_remove(host);
	KUNIT_EXPECT_NULL(test, ddev->mode_config.suspend_state);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
	vg_mock_close(watcher);
}

/*
 * Memory of a device that hangs
 */

static void virtio_gpu_pm_test_lost_memory(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *watcher = vg_mock_open(host, true);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), cursor = vg_mock_classic(user);
	struct vg_mock_task *task;

	/*
	 * A host that hangs in a resume has commands in its ring that give it
	 * memory. It is reset before the memory is freed.
	 */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 0, cursor));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));

	vg_mock_set_stall_ms(STALL_MS);
	host->in_reset = vg_test_hold;
	task = vg_mock_task_start(user, vg_test_restore_task, 0, NULL);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vg_mock_task_result(task));
	KUNIT_EXPECT_FALSE(test, host->status & VIRTIO_CONFIG_S_DRIVER_OK);
	vg_mock_resume_elsewhere(host);
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_LOST);
	KUNIT_EXPECT_FALSE(test, host->status & VIRTIO_CONFIG_S_DRIVER_OK);

	vg_mock_close(user);
	/* what is still in the ring, if any */
	vg_mock_let_go(host);
	flush_work(&host->work);
	KUNIT_EXPECT_STREQ(test, host->objection, "");
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
	vg_mock_close(watcher);
}

static int vg_test_lose_task(struct vg_mock_task *task)
{
	drm_virt_pm_lose(vg_mock_vpm(task->user->host), "as the test wants it");
	return 0;
}

static void virtio_gpu_pm_test_lost_running(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *watcher = vg_mock_open(host, true);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), late;
	struct vg_mock_task *task;

	/* The same for a device that is lost while it runs, and hangs. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	vg_mock_set_stall_ms(STALL_MS);
	vg_mock_hold(host, true);
	late = vg_mock_dumb(user);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, late));
	VG_MOCK_AWAIT(test, vg_mock_waiting(host));

	task = vg_mock_task_start(user, vg_test_lose_task, 0, NULL);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));
	vg_mock_run_later(host);
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(vg_mock_drm(host)));

	vg_mock_close(user);
	vg_mock_let_go(host);
	flush_work(&host->work);
	KUNIT_EXPECT_STREQ(test, host->objection, "");
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
	vg_mock_close(watcher);
}

static void virtio_gpu_pm_test_free_stopped(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = vg_mock_dumb(user);

	/* An object whose UNREF is refused is freed after the next reset. */
	vg_mock_check(host);
	virtio_gpu_pm_stop_queues(vg_mock_vgdev(host));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, handle));
	KUNIT_EXPECT_FALSE(test, vg_mock_no_objects(host));
	virtio_gpu_pm_start_queues(vg_mock_vgdev(host));

	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_free_stopped_stale(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), handle = vg_mock_dumb(user);
	u32 stale = vg_mock_dumb(user);

	/* It is not freed with one that the host has no pages of any more. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	host->keeps_resources = true;
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, handle));
	vg_mock_check(host);
	virtio_gpu_pm_stop_queues(vg_mock_vgdev(host));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, handle));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, stale));
	KUNIT_EXPECT_EQ(test, 2, vg_mock_num_objects(host));
	virtio_gpu_pm_start_queues(vg_mock_vgdev(host));

	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_EXPECT_EQ(test, 1, vg_mock_num_objects(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
}

/* This reset takes, but it is the last one that does. */
static void vg_test_hold_and_ignore(struct vg_mock_host *host)
{
	vg_test_hold(host);
	host->ignore_reset = true;
}

static void virtio_gpu_pm_test_not_reset(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *watcher = vg_mock_open(host, true);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), idle = vg_mock_dumb(user);
	struct vg_mock_task *task;

	/* A device that cannot be reset keeps its memory. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, idle));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));

	vg_mock_set_stall_ms(STALL_MS);
	host->in_reset = vg_test_hold_and_ignore;
	task = vg_mock_task_start(user, vg_test_restore_task, 0, NULL);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vg_mock_task_result(task));
	host->in_reset = NULL;
	vg_mock_resume_elsewhere(host);
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_LOST);

	vg_mock_close(user);
	flush_work(&host->work);
	KUNIT_EXPECT_STREQ(test, host->objection, "");
	KUNIT_EXPECT_FALSE(test, vg_mock_no_objects(host));

	/* until it can be reset */
	vg_mock_let_go(host);
	vg_mock_remove(host);
	KUNIT_EXPECT_STREQ(test, host->objection, "");
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
	vg_mock_close(watcher);
}

static void virtio_gpu_pm_test_not_reset_once(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), idle = vg_mock_dumb(user);
	struct vg_mock_task *task;

	/* It comes back if it can be reset the next time. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));

	vg_mock_set_stall_ms(STALL_MS);
	host->in_reset = vg_test_hold_and_ignore;
	task = vg_mock_task_start(user, vg_test_restore_task, 0, NULL);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vg_mock_task_result(task));
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_DOWN);

	/* an ioctl would wait */
	KUNIT_EXPECT_EQ(test, 0, drm_gem_handle_delete(vg_mock_drm_file(user),
						       idle));
	KUNIT_EXPECT_STREQ(test, host->objection, "");
	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_let_go(host);
	vg_mock_resume_elsewhere(host);
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&vg_mock_vpm(host)->tracked));
}

/*
 * A host that does not forget
 */

struct vg_test_kept {
	const char *name;
	u64 features;
	u32 (*create)(struct vg_mock_user *user);
	u32 says_exists;
};

static u32 vg_test_blob(struct vg_mock_user *user)
{
	return vg_mock_blob(user, VIRTGPU_BLOB_MEM_GUEST, 0);
}

static const struct vg_test_kept vg_test_kept_params[] = {
	{ "dumb", PLAIN, vg_mock_dumb },
	{ "classic", PLAIN, vg_mock_classic },
	{ "dumb blob", BLOB, vg_mock_dumb },
	{ "blob", BLOB, vg_test_blob },
	{ "classic, other error", PLAIN, vg_mock_classic, VIRTIO_GPU_RESP_ERR_UNSPEC },
	{ "blob, other error", BLOB, vg_test_blob, VIRTIO_GPU_RESP_ERR_UNSPEC },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_kept, vg_test_kept_params, name);

static void vg_test_sleep_and_look(struct kunit *test, struct vg_mock_user *user,
				   u32 shown, u32 cursor, u32 pixel,
				   unsigned int errors)
{
	struct vg_mock_host *host = user->host;

	vg_mock_paint(user, shown, pixel);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	host->num_errors = 0;
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->num_errors, errors);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
	KUNIT_EXPECT_EQ(test, host->cursor[0], vg_mock_id(user, cursor));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_vpm(host)->num_lost);
}

static void virtio_gpu_pm_test_keeps_resources(struct kunit *test)
{
	const struct vg_test_kept *param = test->param_value;
	const struct vg_mock_setup setup = {
		.features = param->features,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = param->create(user), cursor = vg_mock_dumb(user);
	u32 idle = param->create(user), freed = param->create(user), freed_id;
	unsigned int cycle;

	/*
	 * A host that knows its resources after a reset refuses to create one
	 * again. That is found out with the first one, and costs no buffer.
	 */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 0, cursor));
	vg_mock_check(host);
	host->keeps_resources = true;
	host->says_exists = param->says_exists;
	for (cycle = 0; cycle < 3; cycle++)
		vg_test_sleep_and_look(test, user, shown, cursor, cycle,
				       cycle ? 0 : 1);

	/* also when it is used later, or freed */
	KUNIT_EXPECT_EQ(test, 0, virtio_gpu_pm_object_use(vg_mock_bo(user, idle)));
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, idle));
	freed_id = vg_mock_id(user, freed);
	KUNIT_EXPECT_NOT_NULL(test, xa_load(&host->resources, freed_id));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, freed));
	vg_mock_check(host);
	KUNIT_EXPECT_NULL(test, xa_load(&host->resources, freed_id));
	KUNIT_EXPECT_EQ(test, host->num_errors, 0);

	/* the next host forgets again: one UNREF too many */
	host->keeps_resources = false;
	vg_test_sleep_and_look(test, user, shown, cursor, 10, 1);
	KUNIT_EXPECT_EQ(test, 0, virtio_gpu_pm_object_use(vg_mock_bo(user, idle)));
	vg_mock_check(host);
	vg_test_sleep_and_look(test, user, shown, cursor, 11, 0);

	KUNIT_EXPECT_EQ(test, 0, vg_mock_point(user, 0, 0));
	vg_mock_close(user);
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
}

static void virtio_gpu_pm_test_keeps_resources_refused(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 bad = vg_mock_dumb(user), good = vg_mock_dumb(user);

	/* The first creation fails for another reason, and says nothing of that. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, bad));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 1, good));
	vg_mock_check(host);
	host->keeps_resources = true;
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_fault(host, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		      vg_mock_id(user, bad), VG_MOCK_ERROR);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);

	KUNIT_EXPECT_EQ(test, 1, vg_mock_vpm(host)->num_lost);
	KUNIT_EXPECT_EQ(test, vg_mock_id(user, bad), vg_mock_vpm(host)->last_lost);
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, good));
	KUNIT_EXPECT_EQ(test, host->shown[1], vg_mock_id(user, good));
}

static unsigned int vg_test_creations;
static bool vg_test_first_told;

static int vg_test_use_task(struct vg_mock_task *task)
{
	return virtio_gpu_pm_object_use(vg_mock_bo(task->user, task->handle));
}

/* The host takes its time for the second creation: the first is known by then. */
static void vg_test_create_later(struct vg_mock_host *host, u32 type)
{
	struct virtio_gpu_device *vgdev = vg_mock_vgdev(host);
	unsigned long end = jiffies + HZ;

	if (type != VIRTIO_GPU_CMD_RESOURCE_CREATE_2D || ++vg_test_creations != 2)
		return;

	while (READ_ONCE(vgdev->pm.probed_epoch) != vgdev->pm.base.epoch &&
	       time_before(jiffies, end))
		usleep_range(1000, 2000);
	vg_test_first_told = READ_ONCE(vgdev->pm.probed_epoch) ==
			     vgdev->pm.base.epoch;
}

static void virtio_gpu_pm_test_keeps_resources_tasks(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 first = vg_mock_dumb(user), second = vg_mock_dumb(user);
	struct vg_mock_task *task[2];

	/* Two tasks find out at the same time, and one is told after the other. */
	vg_mock_check(host);
	host->keeps_resources = true;
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	vg_mock_hold(host, true);
	task[0] = vg_mock_task_start(user, vg_test_use_task, first, NULL);
	VG_MOCK_AWAIT(test, vg_mock_waiting(host) == 1);
	VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task[0]));
	task[1] = vg_mock_task_start(user, vg_test_use_task, second, NULL);
	VG_MOCK_AWAIT(test, vg_mock_waiting(host) == 2);
	vg_test_creations = 0;
	vg_test_first_told = false;
	host->in_command = vg_test_create_later;
	host->pace_ms = 1;
	vg_mock_hold(host, false);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task[0]));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task[1]));
	host->in_command = NULL;
	host->pace_ms = 0;
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_test_first_told);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_vpm(host)->num_lost);
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, first));
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, second));
}

static void virtio_gpu_pm_test_keeps_resources_unknown(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 used = vg_mock_classic(user), idle = vg_mock_classic(user);
	u32 unknown = vg_mock_classic(user);

	/* A buffer that the host never knew says nothing of those it knows. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, used));
	vg_mock_check(host);

	host->keeps_resources = true;
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, idle));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, used));
	vg_mock_check(host);

	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, unknown));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, used));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, idle));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_vpm(host)->num_lost);
}

/*
 * A function reset
 */

static void virtio_gpu_pm_test_function_reset(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), cursor = vg_mock_dumb(user);
	u32 idle = vg_mock_classic(user);
	struct vg_mock_task *task;
	unsigned int cycle, resets;
	u32 epoch;

	/* The picture comes back, and tasks wait as long as it takes. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 0, cursor));
	vg_mock_check(host);

	for (cycle = 0; cycle < 3; cycle++) {
		resets = host->resets;
		epoch = vg_mock_vpm(host)->epoch;
		vg_mock_reset_prepare(host);
		KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_DOWN);
		task = vg_mock_task_start(user, vg_test_transfer_task, idle,
					  NULL);
		VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task));
		/* the library does not resume it meanwhile */
		flush_delayed_work(&vg_mock_vpm(host)->work);
		KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_DOWN);
		KUNIT_EXPECT_EQ(test, 0, vg_mock_reset_done(host));

		KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));
		vg_mock_check(host);
		KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
		KUNIT_EXPECT_GT(test, host->resets, resets);
		KUNIT_EXPECT_EQ(test, vg_mock_vpm(host)->epoch, epoch + 1);
		KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
		KUNIT_EXPECT_EQ(test, host->cursor[0], vg_mock_id(user, cursor));
	}

	/* and sleep works as before */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
}

static void virtio_gpu_pm_test_function_reset_3d(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_virgl);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_mock_user *screen = vg_mock_open(host, true);
	struct vg_mock_user *fresh;
	u32 dumb = vg_mock_dumb(screen), classic = vg_mock_classic(user);

	/* It cannot be refused, so that 3D work is lost and told so. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_submit(user, classic, 0));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, -EBUSY, vg_mock_freeze(host));
	vg_mock_reset_prepare(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_DOWN);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_reset_done(host));
	vg_mock_check(host);

	vg_mock_forget_log(host);
	KUNIT_EXPECT_EQ(test, -EIO, vg_mock_submit(user, 0, 0));
	KUNIT_EXPECT_EQ(test, -EIO, vg_mock_transfer(user, classic));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_count(host, 0));

	/* others go on, and new programs too */
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(screen, dumb));
	fresh = vg_mock_open(host, true);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_submit(fresh, 0, 0));
	vg_mock_check(host);
	vg_mock_close(user);
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_function_reset_hang(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user);
	unsigned int i;

	/* A reset is how a host that hangs is healed. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	vg_mock_hold(host, true);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, shown));
	vg_mock_set_stall_ms(STALL_MS);
	vg_mock_reset_prepare(host);
	vg_mock_let_go(host);
	vg_mock_set_stall_ms(PATIENT_MS);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_reset_done(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
}

static struct vg_mock_task *vg_test_hanging;

/* An import is closed, and its command is refused or not answered. */
static int vg_test_hang_task(struct vg_mock_task *task)
{
	wait_for_completion_timeout(task->arg, 60 * HZ);
	atomic_inc(&task->calls);
	virtio_gpu_pm_host_hangs(vg_mock_vgdev(task->user->host),
				 vg_mock_bo(task->user, task->handle));

	return 0;
}

static void vg_test_hang(struct vg_mock_host *host)
{
	host->in_reset = NULL;
	complete(vg_test_hanging->arg);
	VG_MOCK_AWAIT(host->test, atomic_read(&vg_test_hanging->calls));
	VG_MOCK_AWAIT(host->test, !vg_mock_task_runs(vg_test_hanging) ||
		      vg_mock_task_sleeps(vg_test_hanging));
}

/* A device that hangs while it is reset anyway is not given up for that. */
static void virtio_gpu_pm_test_hang_while_reset(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct virtio_gpu_device *vgdev = vg_mock_vgdev(host);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), idle = vg_mock_dumb(user);
	struct completion in_reset;
	unsigned int resets;

	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_transfer(user, idle));
	vg_mock_check(host);

	init_completion(&in_reset);
	vg_test_hanging = vg_mock_task_start(user, vg_test_hang_task, shown,
					     &in_reset);
	host->in_reset = vg_test_hang;
	resets = host->resets;
	vg_mock_reset_prepare(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(vg_test_hanging));
	KUNIT_EXPECT_EQ(test, host->resets, resets + 1);
	flush_delayed_work(&vgdev->pm.hang_work);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_DOWN);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_reset_done(host));
	VG_MOCK_AWAIT(test, !flush_delayed_work(&vgdev->pm.hang_work));
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));

	/* nor one that was reset since it knew the buffer */
	resets = host->resets;
	virtio_gpu_pm_host_hangs(vgdev, vg_mock_bo(user, idle));
	VG_MOCK_AWAIT(test, !flush_delayed_work(&vgdev->pm.hang_work));
	KUNIT_EXPECT_EQ(test, host->resets, resets);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, idle));
	vg_mock_check(host);

	/* one that is not reset until tasks run is */
	virtio_gpu_pm_host_hangs(vgdev, vg_mock_bo(user, idle));
	VG_MOCK_AWAIT(test, vg_test_state(host) == DRM_VIRT_PM_LOST);
}

static void virtio_gpu_pm_test_function_reset_lost(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user);

	/* One that fails is tried once more, as after a sleep. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	vg_mock_reset_prepare(host);
	host->find_vqs_ret = -ENOMEM;
	host->fail_once = true;
	KUNIT_EXPECT_EQ(test, -ENOMEM, vg_mock_reset_done(host));
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
}

struct vg_test_lock {
	struct completion locked, unlock;
};

static int vg_test_lock_task(struct vg_mock_task *task)
{
	struct virtio_gpu_object *bo = vg_mock_bo(task->user, task->handle);
	struct vg_test_lock *lock = task->arg;

	dma_resv_lock(bo->base.base.resv, NULL);
	complete(&lock->locked);
	wait_for_completion_timeout(&lock->unlock, 60 * HZ);
	dma_resv_unlock(bo->base.base.resv);

	return 0;
}

static void virtio_gpu_pm_test_function_reset_ioctl(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_virgl);
	struct vg_mock_user *user = vg_mock_open(host, true);
	struct vg_mock_task *task, *locker;
	u32 handle = vg_mock_dumb(user);
	struct vg_test_lock *lock;

	/*
	 * A task is in an ioctl, has looked at its buffer and waits for a lock.
	 * After the reset its command names what the host does not know.
	 */
	vg_mock_check(host);
	lock = kunit_kzalloc(test, sizeof(*lock), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lock);
	init_completion(&lock->locked);
	init_completion(&lock->unlock);
	locker = vg_mock_task_start(user, vg_test_lock_task, handle, lock);
	wait_for_completion(&lock->locked);
	task = vg_mock_task_start(user, vg_test_transfer_task, handle, NULL);
	VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task));
	usleep_range(10000, 20000);
	vg_mock_reset_prepare(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_reset_done(host));
	complete(&lock->unlock);
	vg_mock_task_result(locker);

	vg_mock_task_result(task);
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_idle(user, handle));
}

static void virtio_gpu_pm_test_function_reset_restore(struct kunit *test)
{
	const struct vg_test_kept *param = test->param_value;
	const struct vg_mock_setup setup = {
		.features = param->features,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, true);
	u32 handle = param->create(user);
	struct vg_mock_task *task;

	/* A task that restores a buffer starts again with the next use. */
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	vg_mock_hold(host, true);
	vg_mock_set_stall_ms(PATIENT_MS);
	task = vg_mock_task_start(user, vg_test_use_task, handle, NULL);
	VG_MOCK_AWAIT(test, vg_mock_waiting(host));
	VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task));

	vg_mock_set_stall_ms(STALL_MS);
	vg_mock_reset_prepare(host);
	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_let_go(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_reset_done(host));
	vg_mock_task_result(task);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, 0, virtio_gpu_pm_object_use(vg_mock_bo(user, handle)));
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, handle));
}

static struct vg_test_lock *vg_test_between;

static void vg_test_wait_between(void)
{
	complete(&vg_test_between->locked);
	wait_for_completion_timeout(&vg_test_between->unlock, 60 * HZ);
}

/* As virtio_gpu_pm_restore_object() goes on if there is little memory */
static int vg_test_create_slowly(struct virtio_gpu_object *bo)
{
	struct virtio_gpu_device *vgdev = bo->base.base.dev->dev_private;

	bo->pm.restore = NULL;
	vg_test_wait_between();
	virtio_gpu_cmd_create_resource(vgdev, bo, &bo->params, NULL, NULL);
	if (!bo->pm.create_err)
		drm_virt_pm_object_restored(&vgdev->pm.base, &bo->pm.base);

	return bo->pm.create_err;
}

static int vg_test_attach_slowly(struct virtio_gpu_object *bo)
{
	struct virtio_gpu_device *vgdev = bo->base.base.dev->dev_private;
	struct virtio_gpu_mem_entry *ents;

	bo->pm.restore = NULL;
	ents = kvzalloc(sizeof(*ents), GFP_KERNEL);
	if (!ents)
		return -ENOMEM;
	virtio_gpu_cmd_create_resource(vgdev, bo, &bo->params, NULL, NULL);
	vg_test_wait_between();

	return virtio_gpu_object_attach(vgdev, bo, ents, 1);
}

struct vg_test_early {
	const char *name;
	int (*restore)(struct virtio_gpu_object *bo);
};

static const struct vg_test_early vg_test_early_params[] = {
	{ "create", vg_test_create_slowly },
	{ "attach", vg_test_attach_slowly },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_early, vg_test_early_params, name);

static void virtio_gpu_pm_test_function_reset_before(struct kunit *test)
{
	const struct vg_test_early *param = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_test_lock between;
	struct virtio_gpu_object *bo;
	u32 handle = vg_mock_dumb(user);
	struct vg_mock_task *task;

	/* A command of the restore does not go to the host after the reset. */
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	init_completion(&between.locked);
	init_completion(&between.unlock);
	vg_test_between = &between;
	bo = vg_mock_bo(user, handle);
	bo->pm.restore = param->restore;
	task = vg_mock_task_start(user, vg_test_use_task, handle, NULL);
	wait_for_completion(&between.locked);

	vg_mock_reset_prepare(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_reset_done(host));
	complete(&between.unlock);
	KUNIT_EXPECT_EQ(test, -ENODEV, vg_mock_task_result(task));
	vg_mock_check(host);
	KUNIT_EXPECT_FALSE(test, vg_mock_knows(host, bo->hw_res_handle));

	KUNIT_EXPECT_EQ(test, 0, virtio_gpu_pm_object_use(bo));
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, handle));
	KUNIT_EXPECT_FALSE(test, bo->pm.base.lost);
}

struct vg_test_overtaken {
	const char *name;
	bool second_try;	/* the first resume fails before it comes to KMS */
	bool loses_one;		/* a buffer that is shown does not come back */
};

static const struct vg_test_overtaken vg_test_overtaken_params[] = {
	{ "restored" },
	{ "second try", .second_try = true },
	{ "one is lost", .loses_one = true },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_overtaken, vg_test_overtaken_params, name);

static void virtio_gpu_pm_test_function_reset_commit(struct kunit *test)
{
	const struct vg_test_overtaken *param = test->param_value;
	const struct vg_mock_setup setup = {
		.features = PLAIN,
		.num_scanouts = 3,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), next = vg_mock_dumb(user);
	u32 other = vg_mock_dumb(user), third = vg_mock_dumb(user);
	u32 cursor = vg_mock_dumb(user);
	struct dma_fence *fence;

	/*
	 * A commit that waits for a fence is overtaken by the reset. It shows its
	 * buffer when the fence is signalled, and the others are there as well.
	 */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 1, other));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 1, cursor));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 2, third));
	fence = vg_mock_add_fence(user, next, DMA_RESV_USAGE_WRITE);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_flip(user, 0, next));
	vg_mock_check(host);
	vg_mock_set_stall_ms(STALL_MS);
	vg_mock_reset_prepare(host);
	host->find_vqs_ret = param->second_try ? -ENOMEM : 0;
	KUNIT_EXPECT_EQ(test, host->find_vqs_ret, vg_mock_reset_done(host));
	host->find_vqs_ret = 0;
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
	vg_mock_set_stall_ms(PATIENT_MS);
	KUNIT_EXPECT_EQ(test, host->shown[1], 0);
	KUNIT_EXPECT_EQ(test, host->cursor[1], 0);
	if (param->loses_one)
		vg_mock_fault(host, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
			      vg_mock_id(user, third), VG_MOCK_ERROR);
	dma_fence_signal(fence);

	VG_MOCK_AWAIT(test, host->shown[0] == vg_mock_id(user, next));
	VG_MOCK_AWAIT(test, host->shown[1] == vg_mock_id(user, other));
	VG_MOCK_AWAIT(test, host->cursor[1] == vg_mock_id(user, cursor));
	flush_delayed_work(&vg_mock_vgdev(host)->pm.refresh_work);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[2],
			param->loses_one ? 0 : vg_mock_id(user, third));
}

struct vg_test_dark {
	const char *name;
	bool second_try;	/* the first resume fails before it comes to KMS */
};

static const struct vg_test_dark vg_test_dark_params[] = {
	{ "first try" },
	{ "second try", .second_try = true },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_dark, vg_test_dark_params, name);

static void virtio_gpu_pm_test_function_reset_no_memory(struct kunit *test)
{
	const struct vg_test_dark *param = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct drm_plane *plane = vg_mock_vgdev(host)->outputs[0].crtc.primary;
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user);

	/*
	 * There is no memory to suspend KMS in a reset that cannot be refused. The
	 * commit that shows it again fails as well and takes nothing with it.
	 */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	vg_test_hook_plane(plane, vg_test_prepare_fb);
	vg_test_no_states = true;
	vg_mock_reset_prepare(host);
	vg_test_no_states = false;
	vg_test_failures = 2;
	host->find_vqs_ret = param->second_try ? -ENOMEM : 0;
	KUNIT_EXPECT_EQ(test, host->find_vqs_ret, vg_mock_reset_done(host));
	host->find_vqs_ret = 0;
	vg_mock_run_later(host);

	VG_MOCK_AWAIT(test, host->shown[0] == vg_mock_id(user, shown));
	KUNIT_EXPECT_EQ(test, vg_test_failures, 0);
	flush_delayed_work(&vg_mock_vgdev(host)->pm.refresh_work);
	vg_mock_check(host);
	vg_test_unhook_plane(plane);
}

static struct kunit_case virtio_gpu_pm_recovery_tests[] = {
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_lost, vg_test_failure_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_second_try,
			 vg_test_failure_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_commit_fails),
	KUNIT_CASE(virtio_gpu_pm_test_commit_no_memory),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_show_refused,
			 vg_test_unshown_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_answers_twice),
	KUNIT_CASE(virtio_gpu_pm_test_bus_silent),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_saved_state,
			 vg_test_saved_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_lost_memory),
	KUNIT_CASE(virtio_gpu_pm_test_lost_running),
	KUNIT_CASE(virtio_gpu_pm_test_free_stopped),
	KUNIT_CASE(virtio_gpu_pm_test_free_stopped_stale),
	KUNIT_CASE(virtio_gpu_pm_test_not_reset),
	KUNIT_CASE(virtio_gpu_pm_test_not_reset_once),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_keeps_resources,
			 vg_test_kept_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_keeps_resources_refused),
	KUNIT_CASE(virtio_gpu_pm_test_keeps_resources_tasks),
	KUNIT_CASE(virtio_gpu_pm_test_keeps_resources_unknown),
	KUNIT_CASE(virtio_gpu_pm_test_function_reset),
	KUNIT_CASE(virtio_gpu_pm_test_function_reset_3d),
	KUNIT_CASE(virtio_gpu_pm_test_function_reset_hang),
	KUNIT_CASE(virtio_gpu_pm_test_hang_while_reset),
	KUNIT_CASE(virtio_gpu_pm_test_function_reset_lost),
	KUNIT_CASE(virtio_gpu_pm_test_function_reset_ioctl),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_function_reset_before,
			 vg_test_early_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_function_reset_restore,
			 vg_test_kept_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_function_reset_commit,
			 vg_test_overtaken_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_function_reset_no_memory,
			 vg_test_dark_gen_params),
	{}
};

static struct kunit_suite virtio_gpu_pm_recovery_suite = {
	.name = "virtio_gpu_pm_recovery",
	.test_cases = virtio_gpu_pm_recovery_tests,
};

kunit_test_suite(virtio_gpu_pm_recovery_suite);
