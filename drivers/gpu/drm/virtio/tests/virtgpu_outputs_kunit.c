// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Outputs: none, several, and others than before. */

#include <linux/slab.h>

#include <drm/drm_atomic.h>
#include <drm/drm_client.h>
#include <drm/drm_drv.h>

#include "virtgpu_mock.h"

#define PLAIN	BIT_ULL(VIRTIO_GPU_F_EDID)
#define VIRGL	(PLAIN | BIT_ULL(VIRTIO_GPU_F_VIRGL))

static const struct vg_mock_setup vg_test_outputs_params[] = {
	{ .name = "no outputs", .features = PLAIN },
	{ .name = "no outputs, virgl", .features = VIRGL },
	{ .name = "1 output", .features = PLAIN, .num_scanouts = 1 },
	{ .name = "2 outputs, no EDID", .num_scanouts = 2 },
	{ .name = "3 outputs", .features = PLAIN, .num_scanouts = 3 },
	{
		.name = "16 outputs",
		.features = PLAIN,
		.num_scanouts = VIRTIO_GPU_MAX_SCANOUTS,
	},
};

KUNIT_ARRAY_PARAM_DESC(vg_test_outputs, vg_test_outputs_params, name);

static void virtio_gpu_pm_test_outputs(struct kunit *test)
{
	const struct vg_mock_setup *setup = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", setup);
	struct vg_mock_user *user = vg_mock_open(host, true);
	u32 handle = vg_mock_dumb(user);
	unsigned int i;

	/* A device sleeps with any number of outputs, and asks after each. */
	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
		vg_mock_forget_log(host);
		KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
		vg_mock_check(host);
		KUNIT_EXPECT_EQ(test, vg_mock_count(host,
						    VIRTIO_GPU_CMD_GET_DISPLAY_INFO),
				!!setup->num_scanouts);
		KUNIT_EXPECT_EQ(test, vg_mock_count(host, VIRTIO_GPU_CMD_GET_EDID),
				setup->features & PLAIN ? setup->num_scanouts : 0);
		KUNIT_EXPECT_FALSE(test, vg_mock_resident(user, handle));
	}
}

/* Counts hot-plug events as a console would get them. */
struct vg_test_listener {
	struct drm_client_dev client;
	atomic_t events;
};

static int vg_test_listen(struct drm_client_dev *client)
{
	atomic_inc(&container_of(client, struct vg_test_listener, client)->events);
	return 0;
}

static void vg_test_unlisten(struct drm_client_dev *client)
{
	drm_client_release(client);
	kfree(container_of(client, struct vg_test_listener, client));
}

static const struct drm_client_funcs vg_test_listener_funcs = {
	.owner = THIS_MODULE,
	.hotplug = vg_test_listen,
	.unregister = vg_test_unlisten,
};

static struct vg_test_listener *vg_test_listen_to(struct vg_mock_host *host)
{
	struct vg_test_listener *listener;

	/* freed when the device is unregistered */
	listener = kzalloc(sizeof(*listener), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(host->test, listener);
	KUNIT_ASSERT_EQ(host->test, 0,
			drm_client_init(vg_mock_drm(host), &listener->client,
					"mock-listener", &vg_test_listener_funcs));
	drm_client_register(&listener->client);
	/* being registered is one */
	atomic_set(&listener->events, 0);

	return listener;
}

struct vg_test_change {
	const char *name;
	unsigned int width;
	u8 monitor;
	unsigned int output;
	bool event;
};

static const struct vg_test_change vg_test_change_params[] = {
	{ "same", 800, 0, 0, false },
	{ "other resolution", 1024, 0, 0, true },
	{ "other resolution of the second", 1024, 0, 1, true },
	{ "other monitor", 800, 7, 0, true },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_change, vg_test_change_params, name);

static void virtio_gpu_pm_test_changed(struct kunit *test)
{
	const struct vg_test_change *param = test->param_value;
	const struct vg_mock_setup setup = {
		.features = PLAIN,
		.num_scanouts = 2,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct virtio_gpu_device *vgdev = vg_mock_vgdev(host);
	struct vg_test_listener *listener = vg_test_listen_to(host);
	unsigned int cycle;

	/*
	 * Where the outputs are others than before, that is told as a hot-plug
	 * event: once, and not when they are the same.
	 */
	flush_delayed_work(&vgdev->pm.refresh_work);
	KUNIT_ASSERT_EQ(test, 0, atomic_read(&listener->events));

	for (cycle = 0; cycle < 2; cycle++) {
		/* a console that has looked forgets what is switched off */
		virtio_gpu_cmd_get_edids(vgdev);
		vg_mock_settle(host);

		KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
		host->outputs[param->output].r.width = cpu_to_le32(param->width);
		host->monitor = param->monitor;
		KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
		vg_mock_check(host);
		flush_delayed_work(&vgdev->pm.refresh_work);
		KUNIT_EXPECT_EQ(test, param->event,
				atomic_read(&listener->events));
		KUNIT_EXPECT_EQ(test, param->width,
				le32_to_cpu(vgdev->outputs[param->output].info.r.width));
	}

	/* an event of the host's own is handled before and after */
	vg_mock_config_changed(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_EXPECT_EQ(test, param->event + 1, atomic_read(&listener->events));
	vg_mock_config_changed(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	flush_work(&vgdev->config_changed_work);
	vg_mock_check(host);
	flush_delayed_work(&vgdev->pm.refresh_work);
	KUNIT_EXPECT_GE(test, atomic_read(&listener->events), param->event + 2);
}

static void virtio_gpu_pm_test_not_told(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = PLAIN,
		.num_scanouts = 2,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct virtio_gpu_device *vgdev = vg_mock_vgdev(host);
	struct vg_test_listener *listener = vg_test_listen_to(host);
	unsigned int i;

	/* Outputs of which a host refuses to tell are as they were. */
	flush_delayed_work(&vgdev->pm.refresh_work);
	for (i = 0; i < setup.num_scanouts; i++)
		host->outputs[i].enabled = cpu_to_le32(1);
	virtio_gpu_cmd_get_edids(vgdev);
	KUNIT_ASSERT_EQ(test, 0, virtio_gpu_cmd_get_display_info(vgdev));
	vg_mock_settle(host);
	vg_mock_fault(host, VIRTIO_GPU_CMD_GET_DISPLAY_INFO, 0, VG_MOCK_ERROR);
	vg_mock_fault(host, VIRTIO_GPU_CMD_GET_EDID, 0, VG_MOCK_ERROR);
	atomic_set(&listener->events, 0);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	flush_delayed_work(&vgdev->pm.refresh_work);

	KUNIT_EXPECT_EQ(test, 0, atomic_read(&listener->events));
	for (i = 0; i < setup.num_scanouts; i++) {
		KUNIT_EXPECT_TRUE(test, le32_to_cpu(vgdev->outputs[i].info.enabled));
		KUNIT_EXPECT_NOT_NULL(test, vgdev->outputs[i].drm_edid);
	}
}

static void vg_test_sleep_and_find(struct vg_mock_host *host, unsigned int outputs)
{
	KUNIT_ASSERT_EQ(host->test, 0, vg_mock_freeze(host));
	vg_mock_set_outputs(host, outputs);
	KUNIT_ASSERT_EQ(host->test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	flush_delayed_work(&vg_mock_vgdev(host)->pm.refresh_work);
}

static void virtio_gpu_pm_test_outputs_gone(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = PLAIN,
		.num_scanouts = 4,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_test_listener *listener = vg_test_listen_to(host);
	u32 shown[4], cursor = vg_mock_dumb(user), other = vg_mock_dumb(user);
	unsigned int i;

	for (i = 0; i < 4; i++) {
		shown[i] = vg_mock_dumb(user);
		KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, i, shown[i]));
		KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, i, cursor));
	}
	flush_delayed_work(&vg_mock_vgdev(host)->pm.refresh_work);
	atomic_set(&listener->events, 0);

	/*
	 * A host with fewer outputs: the others are back, the program is told,
	 * and until it has drawn its conclusions all that it does works. The
	 * mock host objects to an output that it does not have.
	 */
	vg_test_sleep_and_find(host, 2);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&listener->events));
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, host->shown[i], vg_mock_id(user, shown[i]));
		KUNIT_EXPECT_EQ(test, host->cursor[i], vg_mock_id(user, cursor));
	}
	for (i = 0; i < 4; i++) {
		/* the flip may not have ended when the cursor is moved */
		KUNIT_EXPECT_EQ(test, 0, vg_mock_flip(user, i, other));
		KUNIT_EXPECT_EQ(test, 0, vg_mock_point(user, i, other));
		KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, i, shown[i]));
	}
	vg_mock_config_changed(host);
	flush_work(&vg_mock_vgdev(host)->config_changed_work);
	vg_mock_check(host);

	/* and one that has them again */
	vg_test_sleep_and_find(host, 4);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, host->shown[i], vg_mock_id(user, shown[i]));

	/* more than there were are noticed, but there are no connectors for them */
	vg_test_sleep_and_find(host, 5);
	KUNIT_EXPECT_EQ(test, vg_mock_vgdev(host)->pm.num_outputs, 5);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, host->shown[i], vg_mock_id(user, shown[i]));
}

static void virtio_gpu_pm_test_late_outputs(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = PLAIN,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct virtio_gpu_device *vgdev = vg_mock_vgdev(host);
	struct vg_test_listener *listener = vg_test_listen_to(host);
	struct delayed_work *work = &vgdev->pm.refresh_work;

	/* Answers that are late are waited for. */
	flush_delayed_work(work);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	host->outputs[0].r.width = cpu_to_le32(1024);
	vg_mock_fault(host, VIRTIO_GPU_CMD_GET_DISPLAY_INFO, 0, VG_MOCK_LATE);
	vg_mock_set_stall_ms(100);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	VG_MOCK_AWAIT(test, READ_ONCE(vgdev->pm.refresh_tries) <= 10);
	KUNIT_EXPECT_TRUE(test, work_busy(&work->work));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&listener->events));
	vg_mock_let_go(host);
	VG_MOCK_AWAIT(test, atomic_read(&listener->events) == 1);
	vg_mock_check(host);

	/* but not for ever */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	host->outputs[0].r.width = cpu_to_le32(800);
	vg_mock_fault(host, VIRTIO_GPU_CMD_GET_DISPLAY_INFO, 0, VG_MOCK_LATE);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	VG_MOCK_AWAIT(test, !work_busy(&work->work));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&listener->events));
	vg_mock_set_stall_ms(20000);
	vg_mock_let_go(host);
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_off_at_once(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = PLAIN,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	int warned = test_taint(TAINT_WARN);
	struct drm_crtc_commit *commit;
	unsigned long left;

	/*
	 * A worker of the DRM core switches an output on, and a program switches
	 * it off before there was a vblank. The worker must not wait for one. A
	 * frame of 300 ms leaves the time for that. 6.12 has no vblanks here.
	 */
	user->clock = 20;
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, vg_mock_dumb(user)));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_activate(user, 0, 0, 0));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_activate(user, 0, 1,
						  DRM_MODE_ATOMIC_NONBLOCK));
	commit = vg_mock_last_commit(host, 0);
	KUNIT_ASSERT_NOT_NULL(test, commit);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_activate(user, 0, 0, 0));
	left = wait_for_completion_timeout(&commit->cleanup_done, 20 * HZ);
	drm_crtc_commit_put(commit);
	/* The DRM core gives up its own waits after 10 seconds. */
	KUNIT_EXPECT_GT(test, left, 12 * HZ);

	/* and the output is one that sleeps */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);

	/* The DRM core warns after a second of a vblank that does not come. */
	KUNIT_EXPECT_EQ(test, warned, test_taint(TAINT_WARN));
}

static struct kunit_case virtio_gpu_pm_outputs_tests[] = {
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_outputs, vg_test_outputs_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_changed, vg_test_change_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_not_told),
	KUNIT_CASE(virtio_gpu_pm_test_outputs_gone),
	KUNIT_CASE(virtio_gpu_pm_test_late_outputs),
	KUNIT_CASE(virtio_gpu_pm_test_off_at_once),
	{}
};

static struct kunit_suite virtio_gpu_pm_outputs_suite = {
	.name = "virtio_gpu_pm_outputs",
	.test_cases = virtio_gpu_pm_outputs_tests,
};

kunit_test_suite(virtio_gpu_pm_outputs_suite);
