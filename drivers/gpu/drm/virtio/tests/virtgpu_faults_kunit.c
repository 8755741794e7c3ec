// SPDX-License-Identifier: GPL-2.0 OR MIT

/* A host that hangs, is late or answers errors. */

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/mman.h>
#include <linux/suspend.h>
#include <linux/virtio_dma_buf.h>

#include <drm/drm_drv.h>
#include <drm/virtgpu_drm.h>

#include "../../pm_virt/drm_virt_pm_internal.h"
#include "virtgpu_mock.h"

/* As short as a timeout can be that has to happen, in milliseconds. */
#define STALL_MS	100

/* Long enough for a host that does answer. */
#define PATIENT_MS	20000

#define PLAIN	BIT_ULL(VIRTIO_GPU_F_EDID)
#define BLOB	(PLAIN | BIT_ULL(VIRTIO_GPU_F_RESOURCE_BLOB))
#define VIRGL	(PLAIN | BIT_ULL(VIRTIO_GPU_F_VIRGL))
#define UUID	(PLAIN | BIT_ULL(VIRTIO_GPU_F_RESOURCE_UUID))

static const struct vg_mock_setup vg_test_plain = {
	.features = PLAIN,
	.num_scanouts = 2,
};

static void vg_test_hold(struct vg_mock_host *host)
{
	host->queue[VG_MOCK_CTRL].hold = true;
	host->queue[VG_MOCK_CURSOR].hold = true;
}

static enum drm_virt_pm_state vg_test_state(struct vg_mock_host *host)
{
	return READ_ONCE(vg_mock_vpm(host)->state);
}

struct vg_test_hang {
	const char *name;
	unsigned int transfers;
	bool cursor;
};

static const struct vg_test_hang vg_test_hang_params[] = {
	{ "idle", 0 },
	{ "one command in the ring", 1 },
	{ "many commands in the ring", 60 },
	{ "cursor queue only", 0, true },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_hang, vg_test_hang_params, name);

static void virtio_gpu_pm_test_hang_before(struct kunit *test)
{
	const struct vg_test_hang *param = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), cursor = vg_mock_dumb(user);
	unsigned int i, resets, resources;

	/* While nothing has been stopped, a silent host is a refusal. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	resets = host->resets;
	resources = host->num_resources;

	if (param->cursor)
		vg_mock_hold_queue(host, VG_MOCK_CURSOR, true);
	else
		vg_mock_hold(host, true);
	for (i = 0; i < param->transfers; i++)
		KUNIT_ASSERT_EQ(test, 0, vg_mock_transfer(user, shown));
	if (param->cursor)
		KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 0, cursor));

	vg_mock_set_stall_ms(STALL_MS);
	KUNIT_ASSERT_EQ(test, -ETIMEDOUT, vg_mock_freeze(host));
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_NOT_NULL(test, strstr(vg_mock_vpm(host)->refusal,
					   "the host does not answer"));

	/* nothing has changed: it works as soon as the host does */
	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_hold(host, false);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->resets, resets);
	KUNIT_EXPECT_EQ(test, host->num_resources, resources);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, shown));

	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
}

/* The host answers that it is there, and nothing after that. */
static void vg_test_hang_after_probe(struct vg_mock_host *host, u32 type)
{
	if (type != VIRTIO_GPU_CMD_GET_DISPLAY_INFO)
		return;

	vg_test_hold(host);
	vg_mock_set_stall_ms(STALL_MS);
}

static int vg_test_freeze_task(struct vg_mock_task *task)
{
	return vg_mock_freeze(task->user->host);
}

static const struct vg_mock_setup vg_test_after_params[] = {
	{
		.name = "room in the rings",
		.features = PLAIN,
		.num_scanouts = 2,
	},
	{
		.name = "small rings",
		.features = PLAIN,
		.num_scanouts = 4,
		.ring_size = 4,
		.no_indirect = true,
	},
};

KUNIT_ARRAY_PARAM_DESC(vg_test_after, vg_test_after_params, name);

static void virtio_gpu_pm_test_hang_after(struct kunit *test)
{
	const struct vg_mock_setup *setup = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), cursor = vg_mock_dumb(user);
	struct vg_mock_task *task;
	unsigned int resets, i;

	/* Once outputs are stopped, a silent host is answered by the reset. */
	for (i = 0; i < setup->num_scanouts; i++)
		KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, i, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 0, cursor));
	vg_mock_check(host);
	resets = host->resets;

	host->in_command = vg_test_hang_after_probe;
	task = vg_mock_task_start(user, vg_test_freeze_task, 0, NULL);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_task_result(task));
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_DOWN);
	KUNIT_EXPECT_EQ(test, host->resets, resets + 1);

	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
	KUNIT_EXPECT_EQ(test, host->cursor[0], vg_mock_id(user, cursor));
}

#define MANY_TRANSFERS	12

static int vg_test_many_transfers(struct vg_mock_task *task)
{
	int ret = 0;

	while (!ret && atomic_inc_return(&task->calls) <= MANY_TRANSFERS)
		ret = vg_mock_transfer(task->user, task->handle);

	return ret;
}

/* A task that has not begun yet sleeps as well: ask whom it waits for. */
static bool vg_test_waits_for_room(struct vg_mock_host *host)
{
	return wq_has_sleeper(&vg_mock_vgdev(host)->ctrlq.ack_queue);
}

static const struct vg_mock_setup vg_test_small = {
	.features = PLAIN,
	.num_scanouts = 1,
	.ring_size = 8,
	.no_indirect = true,
};

static void virtio_gpu_pm_test_event_hangs(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_small);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct work_struct *event = &vg_mock_vgdev(host)->config_changed_work;
	u32 handle = vg_mock_dumb(user);
	struct vg_mock_task *task;

	/*
	 * Its own event wants to ask the host, and waits for room in a ring that
	 * stays full: a refusal first, with the event still to be handled.
	 */
	vg_mock_settle(host);
	vg_mock_hold(host, true);
	task = vg_mock_task_start(user, vg_test_many_transfers, handle, NULL);
	VG_MOCK_AWAIT(test, vg_test_waits_for_room(host));
	vg_mock_config_changed(host);
	VG_MOCK_AWAIT(test, work_busy(event) == WORK_BUSY_RUNNING);

	vg_mock_set_stall_ms(STALL_MS);
	KUNIT_ASSERT_EQ(test, -ETIMEDOUT, vg_mock_freeze(host));
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_NOT_NULL(test, strstr(vg_mock_vpm(host)->refusal,
					   "the host does not answer"));
	KUNIT_EXPECT_TRUE(test, work_busy(event));
	KUNIT_EXPECT_TRUE(test, vg_mock_task_runs(task));

	/* on the way into an image the event has to give way */
	vg_mock_transition(host, PM_RESTORE_PREPARE);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_EXPECT_FALSE(test, work_busy(event));

	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_task_result(task);
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_submitter_refused(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_small);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = vg_mock_dumb(user);
	struct vg_mock_task *task;

	/* A task waits for room in a full ring: freeze refuses, it goes on. */
	vg_mock_settle(host);
	vg_mock_hold(host, true);
	task = vg_mock_task_start(user, vg_test_many_transfers, handle, NULL);
	VG_MOCK_AWAIT(test, vg_test_waits_for_room(host));

	vg_mock_set_stall_ms(STALL_MS);
	KUNIT_ASSERT_EQ(test, -ETIMEDOUT, vg_mock_freeze(host));
	KUNIT_EXPECT_TRUE(test, vg_mock_task_runs(task));

	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_hold(host, false);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, MANY_TRANSFERS,
			vg_mock_count(host, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D));
}

static void virtio_gpu_pm_test_submitter_released(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_small);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = vg_mock_dumb(user);
	struct vg_mock_task *task;
	int calls;

	/*
	 * The same where nothing is refused: the task is released, and does not
	 * wait for the device again before it is back.
	 */
	vg_mock_transition(host, PM_RESTORE_PREPARE);
	vg_mock_settle(host);
	vg_mock_hold(host, true);
	task = vg_mock_task_start(user, vg_test_many_transfers, handle, NULL);
	VG_MOCK_AWAIT(test, vg_test_waits_for_room(host));
	calls = atomic_read(&task->calls);

	vg_mock_set_stall_ms(STALL_MS);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	VG_MOCK_AWAIT(test, atomic_read(&task->calls) > calls);

	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, handle));
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, handle));
}

static int vg_test_restore_task(struct vg_mock_task *task)
{
	return vg_mock_restore_bus(task->user->host);
}

struct vg_test_silent {
	const char *name;
	struct vg_mock_setup setup;
	bool classic;
	bool recovers;
};

static const struct vg_test_silent vg_test_silent_params[] = {
	{
		.name = "room in the ring",
		.setup = { .features = PLAIN, .num_scanouts = 1 },
	},
	{
		.name = "room in the ring, classic objects",
		.setup = { .features = PLAIN, .num_scanouts = 1 },
		.classic = true,
	},
	{
		.name = "room in the ring, recovers",
		.setup = { .features = PLAIN, .num_scanouts = 1 },
		.recovers = true,
	},
	{
		.name = "small ring",
		.setup = {
			.features = PLAIN,
			.num_scanouts = 1,
			.ring_size = 8,
			.no_indirect = true,
		},
	},
	{
		.name = "small ring, recovers",
		.setup = {
			.features = PLAIN,
			.num_scanouts = 1,
			.ring_size = 8,
			.no_indirect = true,
		},
		.recovers = true,
	},
	{
		.name = "UUID in a small ring",
		.setup = {
			.features = UUID,
			.num_scanouts = 1,
			.ring_size = 4,
			.no_indirect = true,
		},
	},
};

KUNIT_ARRAY_PARAM_DESC(vg_test_silent, vg_test_silent_params, name);

static void virtio_gpu_pm_test_hang_in_restore(struct kunit *test)
{
	const struct vg_test_silent *param = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", &param->setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = param->classic ? vg_mock_classic(user) : vg_mock_dumb(user);
	u32 cursor = param->classic ? vg_mock_classic(user) : vg_mock_dumb(user);
	struct dma_buf *buf = NULL;
	struct vg_mock_task *task;

	/*
	 * A host that never answers the restore does not keep it. The device
	 * runs after the second try, or it is lost.
	 */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 0, cursor));
	if (param->setup.features & BIT_ULL(VIRTIO_GPU_F_RESOURCE_UUID))
		buf = vg_mock_export(user, shown);
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));

	vg_mock_set_stall_ms(STALL_MS);
	host->in_reset = vg_test_hold;
	task = vg_mock_task_start(user, vg_test_restore_task, 0, NULL);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vg_mock_task_result(task));
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_DOWN);

	if (param->recovers) {
		vg_mock_set_stall_ms(PATIENT_MS);
		vg_mock_let_go(host);
	}
	vg_mock_resume_elsewhere(host);
	vg_mock_run_later(host);
	if (param->recovers) {
		KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);
		vg_mock_check(host);
		KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
		KUNIT_EXPECT_EQ(test, host->cursor[0], vg_mock_id(user, cursor));
		KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
		KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
		vg_mock_check(host);
	} else {
		KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_LOST);
		KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(vg_mock_drm(host)));
	}
	if (buf)
		vg_mock_export_put(buf);
}

static void virtio_gpu_pm_test_fences(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = VIRGL | BIT_ULL(VIRTIO_GPU_F_CONTEXT_INIT),
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct drm_event event = {};
	struct dma_fence *fence[3];
	u32 handle[3];
	unsigned int i;

	/* Every fence that was pending at the reset is signalled, as failed. */
	vg_mock_transition(host, PM_RESTORE_PREPARE);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_context_init(user));
	handle[1] = vg_mock_dumb(user);
	handle[2] = vg_mock_dumb(user);
	vg_mock_check(host);

	vg_mock_hold(host, true);
	handle[0] = vg_mock_classic(user);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_transfer(user, handle[1]));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_submit(user, handle[2],
						VIRTGPU_EXECBUF_RING_IDX));
	for (i = 0; i < ARRAY_SIZE(fence); i++) {
		fence[i] = vg_mock_fence(user, handle[i]);
		KUNIT_ASSERT_NOT_NULL(test, fence[i]);
		KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence[i]));
	}

	vg_mock_set_stall_ms(STALL_MS);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	for (i = 0; i < ARRAY_SIZE(fence); i++) {
		KUNIT_EXPECT_EQ(test, -EIO, dma_fence_get_status(fence[i]));
		dma_fence_put(fence[i]);
	}
	KUNIT_EXPECT_TRUE(test, list_empty(&vg_mock_vgdev(host)->fence_drv.fences));

	/* and who waits for the event of a ring gets it */
	KUNIT_EXPECT_EQ(test, sizeof(event),
			vg_mock_read(user, &event, sizeof(event)));
	KUNIT_EXPECT_EQ(test, event.type, VIRTGPU_EVENT_FENCE_SIGNALED);

	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
}

struct vg_test_error {
	const char *name;
	u64 features;
	u32 (*create)(struct vg_mock_user *user);
	u32 command;
};

static const struct vg_test_error vg_test_error_params[] = {
	{ "dumb", PLAIN, vg_mock_dumb, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D },
	{ "classic", PLAIN, vg_mock_classic, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D },
	{ "blob", BLOB, vg_mock_dumb, VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_error, vg_test_error_params, name);

static void virtio_gpu_pm_test_create_error(struct kunit *test)
{
	const struct vg_test_error *param = test->param_value;
	const struct vg_mock_setup setup = {
		.features = param->features,
		.num_scanouts = 2,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 bad = param->create(user), good = param->create(user);
	u32 idle = param->create(user), bad_id = vg_mock_id(user, bad);
	struct drm_virt_pm *vpm = vg_mock_vpm(host);

	/* An object that the host does not create again is lost, alone. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, bad));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 1, good));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_fault(host, param->command, bad_id, VG_MOCK_ERROR);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);

	KUNIT_EXPECT_EQ(test, host->shown[1], vg_mock_id(user, good));
	KUNIT_EXPECT_EQ(test, 1, vpm->num_lost);
	KUNIT_EXPECT_EQ(test, bad_id, vpm->last_lost);
	KUNIT_EXPECT_EQ(test, -EIO, vg_mock_show(user, 0, bad));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, idle));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, idle));

	/* one that turns out to be lost on its first use */
	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	KUNIT_EXPECT_EQ(test, -EIO, vg_mock_show(user, 0, bad));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, 1, vpm->num_lost);

	vg_mock_close(user);
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
}

static void virtio_gpu_pm_test_lost_is_shown(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 bad = vg_mock_dumb(user), good = vg_mock_dumb(user);

	/* A lost buffer on one output does not keep the others dark. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, bad));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 1, good));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_fault(host, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		      vg_mock_id(user, bad), VG_MOCK_ERROR);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);

	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], 0);
	KUNIT_EXPECT_EQ(test, host->shown[1], vg_mock_id(user, good));
}

static void virtio_gpu_pm_test_late(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), other = vg_mock_dumb(user);
	struct vg_mock_queue *queue = &host->queue[VG_MOCK_CTRL];
	struct vg_mock_task *task;

	/* A restore waits for an answer that is late. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_fault(host, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		      vg_mock_id(user, shown), VG_MOCK_LATE);
	vg_mock_set_stall_ms(PATIENT_MS);
	task = vg_mock_task_start(user, vg_test_restore_task, 0, NULL);
	VG_MOCK_AWAIT(test, READ_ONCE(queue->num_late) == 1);
	VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task));
	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_task_result(task));
	vg_mock_resume_elsewhere(host);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));

	/* the first use of another object does not */
	vg_mock_fault(host, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, 0, VG_MOCK_LATE);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, other));
	VG_MOCK_AWAIT(test, vg_mock_count_of(host,
					     VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
					     vg_mock_id(user, other)));
	KUNIT_EXPECT_EQ(test, queue->num_late, 1);
	vg_mock_let_go(host);
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, other));

	/* late for ever: the next sleep is refused, and not refused for ever */
	vg_mock_fault(host, VIRTIO_GPU_CMD_RESOURCE_FLUSH, 0, VG_MOCK_LATE);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_dirty(user, 0, shown));
	vg_mock_set_stall_ms(STALL_MS);
	KUNIT_ASSERT_EQ(test, -ETIMEDOUT, vg_mock_freeze(host));
	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
}

static int vg_test_point_task(struct vg_mock_task *task)
{
	return vg_mock_point(task->user, 0, task->handle);
}

static void virtio_gpu_pm_test_cursor_order(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), cursor = vg_mock_classic(user);
	struct vg_mock_task *task;

	/* The cursor queue does not name what the host has not created yet. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);

	vg_mock_forget_log(host);
	vg_mock_hold_queue(host, VG_MOCK_CTRL, true);
	task = vg_mock_task_start(user, vg_test_point_task, cursor, NULL);
	VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task));
	KUNIT_EXPECT_TRUE(test, vg_mock_task_runs(task));
	KUNIT_EXPECT_EQ(test, vg_mock_count(host, VIRTIO_GPU_CMD_UPDATE_CURSOR),
			0);

	vg_mock_hold_queue(host, VG_MOCK_CTRL, false);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->cursor[0], vg_mock_id(user, cursor));
}

static void vg_test_hold_ctrl(struct vg_mock_host *host)
{
	host->queue[VG_MOCK_CTRL].hold = true;
}

static void virtio_gpu_pm_test_cursor_order_resume(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), cursor = vg_mock_classic(user);
	struct vg_mock_task *task;

	/* The same when it is the resume that brings the cursor back. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 0, cursor));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));

	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_forget_log(host);
	host->in_reset = vg_test_hold_ctrl;
	task = vg_mock_task_start(user, vg_test_restore_task, 0, NULL);
	VG_MOCK_AWAIT(test, vg_mock_waiting(host));
	VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task));
	usleep_range(10000, 20000);
	KUNIT_EXPECT_TRUE(test, vg_mock_task_runs(task));
	KUNIT_EXPECT_EQ(test, vg_mock_count(host, VIRTIO_GPU_CMD_UPDATE_CURSOR),
			0);

	vg_mock_let_go(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));
	vg_mock_resume_elsewhere(host);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));
	KUNIT_EXPECT_EQ(test, host->cursor[0], vg_mock_id(user, cursor));
}

static int vg_test_uuid_task(struct vg_mock_task *task)
{
	uuid_t uuid;

	return virtio_dma_buf_get_uuid(task->arg, &uuid);
}

/* Maps a buffer as programs do. */
static int vg_test_mmap_task(struct vg_mock_task *task)
{
	struct drm_virtgpu_map map = { .handle = task->handle };
	unsigned long addr;
	int ret;

	ret = vg_mock_ioctl(task->user, DRM_IOCTL_VIRTGPU_MAP, &map);
	if (ret)
		return ret;

	addr = vg_mock_mmap(task->user, task->user->file,
			    VG_MOCK_SIDE * VG_MOCK_SIDE * 4, PROT_READ,
			    MAP_SHARED, map.offset);
	return IS_ERR_VALUE(addr) ? (int)addr : 0;
}

static int vg_test_display_info_task(struct vg_mock_task *task)
{
	struct virtio_gpu_device *vgdev = vg_mock_vgdev(task->user->host);

	return wait_event_timeout(vgdev->resp_wq, !vgdev->display_info_pending,
				  300 * HZ) ? 0 : -ETIMEDOUT;
}

static void virtio_gpu_pm_test_waiters(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = VIRGL | BLOB | UUID,
		.num_scanouts = 1,
		.hostmem = true,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shared = vg_mock_classic(user), mapped;
	struct vg_mock_task *task[3];
	struct dma_buf *buf;
	unsigned int i;

	/* Who waits for an answer that the reset took is woken. */
	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_settle(host);
	vg_mock_hold(host, true);
	buf = vg_mock_export(user, shared);
	mapped = vg_mock_blob(user, VIRTGPU_BLOB_MEM_HOST3D,
			      VIRTGPU_BLOB_FLAG_USE_MAPPABLE);
	virtio_gpu_cmd_get_display_info(vg_mock_vgdev(host));
	task[0] = vg_mock_task_start(user, vg_test_uuid_task, 0, buf);
	task[1] = vg_mock_task_start(user, vg_test_mmap_task, mapped, NULL);
	task[2] = vg_mock_task_start(user, vg_test_display_info_task, 0, NULL);
	for (i = 0; i < ARRAY_SIZE(task); i++)
		VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task[i]));

	vg_mock_transition(host, PM_RESTORE_PREPARE);
	vg_mock_set_stall_ms(STALL_MS);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_EXPECT_EQ(test, -ENODEV, vg_mock_task_result(task[0]));
	KUNIT_EXPECT_EQ(test, -EINVAL, vg_mock_task_result(task[1]));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task[2]));

	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	vg_mock_export_put(buf);
}

/* What is seen of a fence at the moment when it is signalled */
struct vg_test_seen {
	struct dma_fence_cb cb;
	struct virtio_gpu_device *vgdev;
	bool signalled;
	bool on_list;
};

static void vg_test_see(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct vg_test_seen *seen = container_of(cb, struct vg_test_seen, cb);

	seen->signalled = true;
	seen->on_list = !list_empty(&seen->vgdev->fence_drv.fences);
}

static void virtio_gpu_pm_test_stopped(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct virtio_gpu_device *vgdev = vg_mock_vgdev(host);
	struct virtio_gpu_object_params params = {
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.width = VG_MOCK_SIDE,
		.height = VG_MOCK_SIDE,
		.size = VG_MOCK_SIDE * VG_MOCK_SIDE * 4,
	};
	struct vg_test_seen seen = { .vgdev = vgdev };
	struct virtio_gpu_fence *fence;
	struct virtio_gpu_object_array *objs;
	struct virtio_gpu_object *bo;

	/*
	 * What a stopped queue refuses is completed: the fence is signalled as
	 * failed, the reservation unlocked, the object given back.
	 */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_forget_log(host);

	fence = virtio_gpu_fence_alloc(vgdev, vgdev->fence_drv.context, 0);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_ASSERT_EQ(test, 0, dma_fence_add_callback(&fence->f, &seen.cb,
							vg_test_see));
	KUNIT_ASSERT_EQ(test, 0, virtio_gpu_object_create(vgdev, &params, &bo,
							  fence));
	KUNIT_EXPECT_EQ(test, -ENODEV, dma_fence_get_status(&fence->f));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(bo->base.base.resv));

	/* a reset at this moment does not find it, and nobody sees it in order */
	KUNIT_EXPECT_TRUE(test, seen.signalled);
	KUNIT_EXPECT_FALSE(test, seen.on_list);
	KUNIT_EXPECT_NE(test, fence->f.context, vgdev->fence_drv.context);
	dma_fence_put(&fence->f);

	objs = virtio_gpu_array_alloc(1);
	virtio_gpu_array_add_obj(objs, &bo->base.base);
	virtio_gpu_cmd_transfer_to_host_2d(vgdev, 0, 1, 1, 0, 0, objs, NULL);
	virtio_gpu_cursor_ping(vgdev, &vgdev->outputs[0]);
	virtio_gpu_notify(vgdev);

	drm_gem_object_put(&bo->base.base);
	vg_mock_settle(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_count(host, 0));

	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_broken(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct virtio_gpu_device *vgdev = vg_mock_vgdev(host);
	struct virtio_gpu_object_params params = {
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.width = VG_MOCK_SIDE,
		.height = VG_MOCK_SIDE,
		.size = VG_MOCK_SIDE * VG_MOCK_SIDE * 4,
	};
	struct virtio_gpu_fence *fence;
	struct virtio_gpu_object *bo;

	/*
	 * virtio_dev_shutdown() breaks the queues and fbcon draws on. That is
	 * refused, and completed like all that is refused.
	 */
	vg_mock_settle(host);
	vg_mock_forget_log(host);
	virtio_break_device(&host->vdev);

	fence = virtio_gpu_fence_alloc(vgdev, vgdev->fence_drv.context, 0);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_ASSERT_EQ(test, 0, virtio_gpu_object_create(vgdev, &params, &bo,
							  fence));
	KUNIT_EXPECT_EQ(test, -ENODEV, dma_fence_get_status(&fence->f));
	dma_fence_put(&fence->f);
	virtio_gpu_cursor_ping(vgdev, &vgdev->outputs[0]);
	virtio_gpu_notify(vgdev);

	drm_gem_object_put(&bo->base.base);
	vg_mock_settle(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_count(host, 0));

	__virtio_unbreak_device(&host->vdev);
	virtio_gpu_pm_start_queues(vgdev);
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_overtaken(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = VIRGL,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = vg_mock_dumb(user);

	/*
	 * The fence of a refused command does not say that the commands before
	 * are done.
	 */
	vg_mock_settle(host);
	vg_mock_hold(host, true);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_transfer(user, handle));
	KUNIT_EXPECT_FALSE(test, vg_mock_idle(user, handle));

	virtio_gpu_pm_stop_queues(vg_mock_vgdev(host));
	vg_mock_transfer(user, handle);
	KUNIT_EXPECT_FALSE(test, vg_mock_idle(user, handle));
	virtio_gpu_pm_start_queues(vg_mock_vgdev(host));

	vg_mock_hold(host, false);
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_idle(user, handle));
}

static int vg_test_dirty_task(struct vg_mock_task *task)
{
	int ret = 0;

	while (!ret && atomic_inc_return(&task->calls) <= MANY_TRANSFERS)
		ret = vg_mock_dirty(task->user, 0, task->handle);

	return ret;
}

static int vg_test_notify_task(struct vg_mock_task *task)
{
	return drm_virt_pm_notify((uintptr_t)task->arg);
}

struct vg_test_stuck {
	const char *name;
	unsigned long event;
	int ret;
};

static const struct vg_test_stuck vg_test_stuck_params[] = {
	{ "suspend", PM_SUSPEND_PREPARE, -ETIMEDOUT },
	{ "hibernate", PM_HIBERNATION_PREPARE, -ETIMEDOUT },
	{ "restore", PM_RESTORE_PREPARE, 0 },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_stuck, vg_test_stuck_params, name);

static void virtio_gpu_pm_test_stuck_commit(struct kunit *test)
{
	const struct vg_test_stuck *param = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_small);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), other = vg_mock_dumb(user);
	struct vg_mock_task *commit, *task;

	/*
	 * A commit holds modeset locks and waits for room in a ring, because the
	 * host hangs. Neither the notifier nor the freeze waits for it.
	 */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_settle(host);
	vg_mock_hold(host, true);
	commit = vg_mock_task_start(user, vg_test_dirty_task, shown, NULL);
	VG_MOCK_AWAIT(test, vg_test_waits_for_room(host));

	vg_mock_set_stall_ms(STALL_MS);
	/* so that the transition ends with the test */
	vg_mock_transition(host, PM_POST_SUSPEND);
	task = vg_mock_task_start(user, vg_test_notify_task, 0,
				  (void *)param->event);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));
	task = vg_mock_task_start(user, vg_test_freeze_task, 0, NULL);
	KUNIT_EXPECT_EQ(test, param->ret, vg_mock_task_result(task));

	vg_mock_set_stall_ms(PATIENT_MS);
	if (param->ret) {
		KUNIT_EXPECT_TRUE(test, vg_mock_task_runs(commit));
		KUNIT_EXPECT_NOT_NULL(test, strstr(vg_mock_vpm(host)->refusal,
						   "the host does not answer"));
		vg_mock_let_go(host);
	} else {
		vg_mock_let_go(host);
		KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	}
	vg_mock_task_result(commit);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);

	/* and the device works on */
	KUNIT_EXPECT_EQ(test, 0, vg_mock_flip(user, 0, other));
	VG_MOCK_AWAIT(test, host->shown[0] == vg_mock_id(user, other));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_no_kms(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = PLAIN,
		.ring_size = 4,
		.no_indirect = true,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, true);
	u32 handle = vg_mock_dumb(user);
	struct vg_mock_task *submitter, *task;

	/* The same on a device without outputs. */
	vg_mock_settle(host);
	vg_mock_hold(host, true);
	submitter = vg_mock_task_start(user, vg_test_many_transfers, handle,
				       NULL);
	VG_MOCK_AWAIT(test, vg_test_waits_for_room(host));

	vg_mock_set_stall_ms(STALL_MS);
	task = vg_mock_task_start(user, vg_test_freeze_task, 0, NULL);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vg_mock_task_result(task));
	KUNIT_EXPECT_TRUE(test, vg_mock_task_runs(submitter));

	vg_mock_transition(host, PM_RESTORE_PREPARE);
	task = vg_mock_task_start(user, vg_test_freeze_task, 0, NULL);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));

	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_task_result(submitter);
	vg_mock_check(host);
}

/* The host answers just in time, each time, and the waits add up. */
#define SLOW_STALL_MS	200
#define SLOW_PACE_MS	120
#define SLOW_COMMANDS	60

static int vg_test_submit_task(struct vg_mock_task *task)
{
	return vg_mock_submit(task->user, 0, 0);
}

static void virtio_gpu_pm_test_not_notified(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = VIRGL,
		.num_scanouts = 1,
		.ring_size = 4,
		.no_indirect = true,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, true);
	u32 handle = vg_mock_dumb(user);
	struct vg_mock_task *task;

	/*
	 * A task waits for three entries. Another one fills two after it has notified
	 * the host, and returns with an error before it notifies the host itself.
	 */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_submit(user, 0, 0));
	vg_mock_check(host);
	vg_mock_set_stall_ms(100);
	vg_mock_fault(host, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, 0, VG_MOCK_LATE);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_transfer(user, handle));
	task = vg_mock_task_start(user, vg_test_submit_task, 0, NULL);
	VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task));
	flush_work(&host->work);
	virtio_gpu_cmd_resource_flush(vg_mock_vgdev(host), vg_mock_id(user, handle),
				      0, 0, VG_MOCK_SIDE, VG_MOCK_SIDE, NULL, NULL);
	vg_mock_answer_late(host);
	VG_MOCK_AWAIT(test, !vg_mock_task_runs(task));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_slow(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = vg_mock_dumb(user);
	struct vg_mock_task *task;
	unsigned int i, done;

	/* All waits of a suspend have a limit together. */
	vg_mock_settle(host);
	vg_mock_hold(host, true);
	for (i = 0; i < SLOW_COMMANDS; i++)
		KUNIT_ASSERT_EQ(test, 0, vg_mock_transfer(user, handle));
	vg_mock_forget_log(host);

	vg_mock_set_stall_ms(SLOW_STALL_MS);
	host->pace_ms = SLOW_PACE_MS;
	vg_mock_hold(host, false);
	task = vg_mock_task_start(user, vg_test_freeze_task, 0, NULL);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vg_mock_task_result(task));
	done = vg_mock_count(host, 0);
	KUNIT_EXPECT_GE(test, done, 2);
	KUNIT_EXPECT_LT(test, done, SLOW_COMMANDS);
	KUNIT_EXPECT_EQ(test, vg_test_state(host), DRM_VIRT_PM_RUNNING);

	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_let_go(host);
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_bounded_waits(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = VIRGL | BLOB | UUID,
		.num_scanouts = 1,
		.hostmem = true,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shared = vg_mock_classic(user), mapped;
	struct vg_mock_task *task;
	struct dma_buf *buf;

	/* A host that hangs does not keep a task that asks it. */
	vg_mock_settle(host);
	vg_mock_set_stall_ms(STALL_MS);
	vg_mock_hold(host, true);
	buf = vg_mock_export(user, shared);
	mapped = vg_mock_blob(user, VIRTGPU_BLOB_MEM_HOST3D,
			      VIRTGPU_BLOB_FLAG_USE_MAPPABLE);
	task = vg_mock_task_start(user, vg_test_uuid_task, 0, buf);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vg_mock_task_result(task));
	task = vg_mock_task_start(user, vg_test_mmap_task, mapped, NULL);
	KUNIT_EXPECT_EQ(test, -EINVAL, vg_mock_task_result(task));

	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_let_go(host);
	task = vg_mock_task_start(user, vg_test_uuid_task, 0, buf);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));
	vg_mock_check(host);
	vg_mock_export_put(buf);
}

static void virtio_gpu_pm_test_stale_command(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct virtio_gpu_device *vgdev = vg_mock_vgdev(host);
	struct virtio_gpu_vbuffer vbuf = { .epoch = vgdev->pm.base.epoch };
	struct virtio_gpu_queue *queues[] = { &vgdev->ctrlq, &vgdev->cursorq };
	unsigned int i;

	/* A command that was built before a reset is refused after it. */
	for (i = 0; i < ARRAY_SIZE(queues); i++) {
		spin_lock(&queues[i]->qlock);
		KUNIT_EXPECT_FALSE(test, virtio_gpu_pm_queue_stopped(vgdev,
								     queues[i],
								     &vbuf));
		spin_unlock(&queues[i]->qlock);
	}
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	for (i = 0; i < ARRAY_SIZE(queues); i++) {
		spin_lock(&queues[i]->qlock);
		KUNIT_EXPECT_TRUE(test, virtio_gpu_pm_queue_stopped(vgdev,
								    queues[i],
								    &vbuf));
		spin_unlock(&queues[i]->qlock);
	}
}

static struct kunit_case virtio_gpu_pm_faults_tests[] = {
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_hang_before, vg_test_hang_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_hang_after, vg_test_after_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_event_hangs),
	KUNIT_CASE(virtio_gpu_pm_test_submitter_refused),
	KUNIT_CASE(virtio_gpu_pm_test_submitter_released),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_hang_in_restore, vg_test_silent_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_fences),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_create_error, vg_test_error_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_lost_is_shown),
	KUNIT_CASE(virtio_gpu_pm_test_late),
	KUNIT_CASE(virtio_gpu_pm_test_cursor_order),
	KUNIT_CASE(virtio_gpu_pm_test_cursor_order_resume),
	KUNIT_CASE(virtio_gpu_pm_test_waiters),
	KUNIT_CASE(virtio_gpu_pm_test_stopped),
	KUNIT_CASE(virtio_gpu_pm_test_broken),
	KUNIT_CASE(virtio_gpu_pm_test_overtaken),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_stuck_commit,
			 vg_test_stuck_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_no_kms),
	KUNIT_CASE(virtio_gpu_pm_test_not_notified),
	KUNIT_CASE(virtio_gpu_pm_test_slow),
	KUNIT_CASE(virtio_gpu_pm_test_bounded_waits),
	KUNIT_CASE(virtio_gpu_pm_test_stale_command),
	{}
};

static struct kunit_suite virtio_gpu_pm_faults_suite = {
	.name = "virtio_gpu_pm_faults",
	.test_cases = virtio_gpu_pm_faults_tests,
};

kunit_test_suite(virtio_gpu_pm_faults_suite);
