// SPDX-License-Identifier: GPL-2.0 OR MIT

/* What is refused, with which words, and what is not. */

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/sched.h>
#include <linux/suspend.h>
#include <linux/virtio_dma_buf.h>

#include <drm/virtgpu_drm.h>

#include "../../pm_virt/drm_virt_pm_internal.h"
#include "virtgpu_mock.h"

/* As short as a timeout can be that has to happen, in milliseconds. */
#define STALL_MS	100

/* Long enough for a host that does answer. */
#define PATIENT_MS	20000

#define ALL_FEATURES	(BIT_ULL(VIRTIO_GPU_F_EDID) |		\
			 BIT_ULL(VIRTIO_GPU_F_VIRGL) |		\
			 BIT_ULL(VIRTIO_GPU_F_RESOURCE_UUID) |	\
			 BIT_ULL(VIRTIO_GPU_F_RESOURCE_BLOB))

static const struct vg_mock_setup vg_test_everything = {
	.features = ALL_FEATURES | BIT_ULL(VIRTIO_GPU_F_CONTEXT_INIT),
	.num_scanouts = 1,
	.num_capsets = 2,
	.hostmem = true,
};

static const struct vg_mock_setup vg_test_plain = {
	.features = BIT_ULL(VIRTIO_GPU_F_EDID),
	.num_scanouts = 1,
};

static const struct vg_mock_setup vg_test_old_virgl = {
	.features = BIT_ULL(VIRTIO_GPU_F_VIRGL),
	.num_scanouts = 1,
};

/* What makes a device refuse. */

static void vg_test_transfer(struct vg_mock_user *user)
{
	KUNIT_EXPECT_EQ(user->host->test, 0,
			vg_mock_transfer(user, vg_mock_dumb(user)));
}

static void vg_test_submit(struct vg_mock_user *user)
{
	KUNIT_EXPECT_EQ(user->host->test, 0, vg_mock_submit(user, 0, 0));
}

static void vg_test_context_init(struct vg_mock_user *user)
{
	KUNIT_EXPECT_EQ(user->host->test, 0, vg_mock_context_init(user));
}

static void vg_test_3d(struct vg_mock_user *user)
{
	vg_mock_classic(user);
	vg_mock_classic(user);
}

static void vg_test_vram(struct vg_mock_user *user)
{
	vg_mock_blob(user, VIRTGPU_BLOB_MEM_HOST3D,
		     VIRTGPU_BLOB_FLAG_USE_MAPPABLE);
}

static void vg_test_host_guest(struct vg_mock_user *user)
{
	vg_mock_blob(user, VIRTGPU_BLOB_MEM_HOST3D_GUEST, 0);
}

static void vg_test_share(struct kunit *test, struct vg_mock_user *user, u32 handle)
{
	struct dma_buf *buf = vg_mock_export(user, handle);
	uuid_t uuid;

	KUNIT_EXPECT_EQ(test, 0, virtio_dma_buf_get_uuid(buf, &uuid));
	/* more than once, and counted once */
	KUNIT_EXPECT_EQ(test, 0, virtio_dma_buf_get_uuid(buf, &uuid));
	vg_mock_export_put(buf);
}

static void vg_test_shared(struct vg_mock_user *user)
{
	vg_test_share(user->host->test, user, vg_mock_dumb(user));
}

/* One page, through which the program uploads a picture in parts */
static void vg_test_tiles(struct vg_mock_user *user)
{
	/* more than a page of 64 KiB, too */
	const u32 side = 4 * VG_MOCK_SIDE;

	vg_mock_classic_of(user, side, PAGE_SIZE);
	/* the kernel takes one page */
	vg_mock_classic_of(user, side, 0);
}

static void vg_test_proxy(struct vg_mock_user *user)
{
	KUNIT_EXPECT_EQ(user->host->test, 0, vg_mock_cross_domain(user));
}

struct vg_test_refusal {
	const char *name;
	void (*use)(struct vg_mock_user *user);
	/* %s for the program */
	const char *why;
	const struct vg_mock_setup *setup;
};

static const struct vg_test_refusal vg_test_refusal_params[] = {
	/* with context-init, newer kernels attach nothing for a buffer's owner */
	{
		"3D transfer", vg_test_transfer, "%s: 1 context with 3D work",
		.setup = &vg_test_old_virgl
	},
	{ "3D submission", vg_test_submit, "%s: 1 context with 3D work" },
	{ "context-init", vg_test_context_init, "%s: 1 context with 3D work" },
	{
		"3D objects", vg_test_3d,
		"%s: 1 context with 3D work, 2 buffers whose content only the host has"
	},
	{
		"vram", vg_test_vram,
		"%s: 1 context with 3D work, 1 buffer whose content only the host has"
	},
	{
		"guest memory of a host blob", vg_test_host_guest,
		"%s: 1 context with 3D work, 1 buffer whose content only the host has"
	},
	{ "shared", vg_test_shared, "1 buffer shared with another device" },
	{ "proxy", vg_test_proxy, "%s: 1 cross-domain context" },
	{
		"backing smaller than the picture", vg_test_tiles,
		"2 buffers whose content only the host has",
		.setup = &vg_test_plain
	},
};

KUNIT_ARRAY_PARAM_DESC(vg_test_refusal, vg_test_refusal_params, name);

/* @why with the first %s replaced by @program */
static void vg_test_print_why(char *buf, size_t size, const char *why,
			      const char *program)
{
	if (strstarts(why, "%s"))
		snprintf(buf, size, "%s%s", program, why + 2);
	else
		strscpy(buf, why, size);
}

static void virtio_gpu_pm_test_refused(struct kunit *test)
{
	const struct vg_test_refusal *param = test->param_value;
	struct vg_mock_host *host =
		vg_mock_create(test, "mock", param->setup ?: &vg_test_everything);
	struct vg_mock_user *screen = vg_mock_open(host, false);
	struct vg_mock_user *user = vg_mock_open(host, true);
	struct vg_mock_user *other = vg_mock_open(host, true);
	u32 shown = vg_mock_dumb(screen);
	unsigned int resets, resources;
	char refusal[160], why[128], program[32];

	/*
	 * Only what the host alone has is refused, by program and count; nothing
	 * has changed then. Once its user is gone, sleeping works.
	 */
	snprintf(program, sizeof(program), "%s[%d]", current->comm,
		 task_tgid_nr(current));
	vg_test_print_why(why, sizeof(why), param->why, program);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(screen, 0, shown));
	vg_mock_dumb(other);
	param->use(user);
	vg_mock_check(host);
	resets = host->resets;
	resources = host->num_resources;

	KUNIT_ASSERT_EQ(test, -EBUSY, vg_mock_freeze(host));
	snprintf(refusal, sizeof(refusal), "suspend: %s (%d)", why, -EBUSY);
	KUNIT_EXPECT_STREQ(test, vg_mock_vpm(host)->refusal, refusal);
	KUNIT_EXPECT_EQ(test, READ_ONCE(vg_mock_vpm(host)->state),
			DRM_VIRT_PM_RUNNING);

	/* before tasks are frozen, too */
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_virt_pm_notify(PM_HIBERNATION_PREPARE));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_virt_pm_notify(PM_SUSPEND_PREPARE));

	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->resets, resets);
	KUNIT_EXPECT_EQ(test, host->num_resources, resources);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(screen, shown));

	vg_mock_close(user);
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(screen, shown));
}

static void virtio_gpu_pm_test_never_refused(struct kunit *test)
{
	const struct vg_test_refusal *param = test->param_value;
	struct vg_mock_host *host =
		vg_mock_create(test, "mock", param->setup ?: &vg_test_everything);
	struct vg_mock_user *screen = vg_mock_open(host, false);
	struct vg_mock_user *user = vg_mock_open(host, true);
	u32 shown = vg_mock_dumb(screen);

	/* An image is never thrown away because of us, whatever is lost. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(screen, 0, shown));
	param->use(user);
	vg_mock_check(host);

	vg_mock_transition(host, PM_RESTORE_PREPARE);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(screen, shown));

	vg_mock_close(user);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&vg_mock_vpm(host)->tracked));
}

static void virtio_gpu_pm_test_never_waits(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_everything);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user);

	/* Nor because the host of the boot kernel hangs. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	vg_mock_transition(host, PM_RESTORE_PREPARE);
	KUNIT_EXPECT_LE(test, drm_virt_pm_stall_ms(), 500);

	vg_mock_set_stall_ms(100);
	vg_mock_hold(host, true);
	vg_test_submit(user);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
}

struct vg_test_context {
	const char *name;
	const struct vg_mock_setup *setup;
};

static const struct vg_test_context vg_test_context_params[] = {
	{ "old virgl", &vg_test_old_virgl },
	{ "context-init", &vg_test_everything },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_context, vg_test_context_params, name);

static void virtio_gpu_pm_test_contexts(struct kunit *test)
{
	const struct vg_test_context *param = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", param->setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_mock_user *other = vg_mock_open(host, true);
	u32 handle[3], late, their, ctx = vg_mock_ctx(user);
	unsigned int i;

	/*
	 * Contexts without 3D work are no obstacle. They come back, with what
	 * was attached to them, when they are used; until then nothing is
	 * detached from a stale context.
	 */
	for (i = 0; i < ARRAY_SIZE(handle); i++)
		handle[i] = vg_mock_dumb(user);
	their = vg_mock_dumb(other);
	vg_mock_check(host);
	if (param->setup == &vg_test_everything && !host->num_contexts)
		kunit_skip(test, "this kernel makes contexts for 3D work only");
	KUNIT_EXPECT_EQ(test, host->num_contexts, 2);

	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->num_contexts, 0);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, handle[0]));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->num_contexts, 0);

	/* a new handle is attached at once, whatever other tasks do */
	vg_mock_forget_log(host);
	late = vg_mock_dumb(user);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->num_contexts, 1);
	KUNIT_EXPECT_TRUE(test, vg_mock_attached(host, ctx,
						 vg_mock_id(user, late)));

	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, handle[1]));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, vg_mock_count(host, VIRTIO_GPU_CMD_CTX_CREATE), 1);
	KUNIT_EXPECT_EQ(test, host->num_contexts, 1);
	KUNIT_EXPECT_TRUE(test, vg_mock_attached(host, ctx,
						 vg_mock_id(user, handle[1])));
	KUNIT_EXPECT_TRUE(test, vg_mock_attached(host, ctx,
						 vg_mock_id(user, handle[2])));
	KUNIT_EXPECT_FALSE(test, vg_mock_resident(other, their));

	/* each attachment is given back */
	vg_mock_close(user);
	vg_mock_close(other);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->num_contexts, 0);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
}

static void virtio_gpu_pm_test_context_attach(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_old_virgl);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 used = vg_mock_dumb(user), idle = vg_mock_dumb(user);
	u32 ctx = vg_mock_ctx(user);

	/* A context is not used before all buffers of its file are attached. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	vg_mock_set_stall_ms(STALL_MS);
	vg_mock_hold(host, true);
	/* for a new handle the context is made again, but they cannot be restored */
	vg_mock_dumb(user);
	vg_mock_set_stall_ms(PATIENT_MS);
	vg_mock_hold(host, false);
	vg_mock_settle(host);

	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, used));
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_attached(host, ctx, vg_mock_id(user, used)));
	KUNIT_EXPECT_TRUE(test, vg_mock_attached(host, ctx, vg_mock_id(user, idle)));
}

#define NUM_HANDLES	8

static int vg_test_open_task(struct vg_mock_task *task)
{
	u32 *handles = task->arg;
	unsigned int i;

	for (i = 0; i < NUM_HANDLES; i++)
		handles[i] = vg_mock_dumb(task->user);

	return 0;
}

static int vg_test_transfer_task(struct vg_mock_task *task)
{
	return vg_mock_transfer(task->user, task->handle);
}

static void virtio_gpu_pm_test_contexts_race(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock",
						   &vg_test_old_virgl);
	struct vg_mock_user *user;
	u32 handle, handles[NUM_HANDLES];
	struct vg_mock_task *task[2];
	unsigned int cycle, i;

	/* One task creates handles, another brings the context back. */
	vg_mock_transition(host, PM_RESTORE_PREPARE);
	for (cycle = 0; cycle < 8; cycle++) {
		user = vg_mock_open(host, true);
		handle = vg_mock_dumb(user);
		KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
		KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
		task[0] = vg_mock_task_start(user, vg_test_open_task, 0, handles);
		task[1] = vg_mock_task_start(user, vg_test_transfer_task, handle,
					     NULL);
		for (i = 0; i < ARRAY_SIZE(task); i++)
			KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task[i]));
		vg_mock_check(host);
		for (i = 0; i < NUM_HANDLES; i++)
			KUNIT_EXPECT_TRUE(test,
					  vg_mock_attached(host, vg_mock_ctx(user),
							   vg_mock_id(user, handles[i])));
		vg_mock_close(user);
	}
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_names(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock",
						   &vg_test_everything);
	struct vg_mock_user *user;
	char refusal[256], program[32];
	unsigned int i;

	/* A few programs are named, and the others counted. */
	snprintf(program, sizeof(program), "%s[%d]", current->comm,
		 task_tgid_nr(current));
	for (i = 0; i < 5; i++) {
		user = vg_mock_open(host, true);
		if (i == 3)
			vg_test_proxy(user);
		else
			vg_test_submit(user);
	}
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, -EBUSY, vg_mock_freeze(host));
	/* the last one that was opened comes first */
	snprintf(refusal, sizeof(refusal),
		 "suspend: %s: 1 context with 3D work, %s: 1 cross-domain context, %s: 1 context with 3D work, and 2 more (%d)",
		 program, program, program, -EBUSY);
	KUNIT_EXPECT_STREQ(test, vg_mock_vpm(host)->refusal, refusal);
}

static int vg_test_submit_task(struct vg_mock_task *task)
{
	return vg_mock_submit(task->user, 0, 0);
}

static void virtio_gpu_pm_test_handed_over(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock",
						   &vg_test_everything);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_mock_task *task;
	char refusal[128];
	struct pid *pid;

	/*
	 * The program that works with a context is named, not the one that opened
	 * the device for it; also when it has ended and another has the file.
	 */
	KUNIT_ASSERT_TRUE(test, vg_mock_drm_file(user)->was_master);
	task = vg_mock_task_start(user, vg_test_submit_task, 0, NULL);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_task_result(task));
	vg_test_submit(user);
	pid = get_pid(task_tgid(task->thread));
	snprintf(refusal, sizeof(refusal),
		 "suspend: %s[%d]: 1 context with 3D work (%d)",
		 task->thread->comm, pid_nr(pid), -EBUSY);
	KUNIT_EXPECT_EQ(test, -EBUSY, vg_mock_freeze(host));
	KUNIT_EXPECT_STREQ(test, vg_mock_vpm(host)->refusal, refusal);

	vg_mock_task_stop(task);
	VG_MOCK_AWAIT(test, !pid_has_task(pid, PIDTYPE_TGID));
	snprintf(refusal, sizeof(refusal),
		 "suspend: ended[%d]: 1 context with 3D work (%d)",
		 pid_nr(pid), -EBUSY);
	put_pid(pid);
	KUNIT_EXPECT_EQ(test, -EBUSY, vg_mock_freeze(host));
	KUNIT_EXPECT_STREQ(test, vg_mock_vpm(host)->refusal, refusal);
}

static void virtio_gpu_pm_test_capsets(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock",
						   &vg_test_everything);
	struct vg_mock_user *user = vg_mock_open(host, true);
	unsigned int cycle;

	/* Another host has other capabilities, which are asked for once. */
	for (cycle = 1; cycle < 4; cycle++) {
		host->capset = cycle;
		vg_mock_forget_log(host);
		KUNIT_EXPECT_EQ(test, cycle, vg_mock_get_caps(user));
		KUNIT_EXPECT_EQ(test, cycle, vg_mock_get_caps(user));
		KUNIT_EXPECT_EQ(test, 1, vg_mock_count(host,
						       VIRTIO_GPU_CMD_GET_CAPSET));
		KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
		KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
		vg_mock_check(host);
	}
}

/*
 * A commit that waits for a fence
 */

static int vg_test_flip_task(struct vg_mock_task *task)
{
	return vg_mock_flip(task->user, 0, task->handle);
}

static int vg_test_show_task(struct vg_mock_task *task)
{
	return vg_mock_show(task->user, 0, task->handle);
}

static int vg_test_freeze_task(struct vg_mock_task *task)
{
	return vg_mock_freeze(task->user->host);
}

struct vg_test_commit {
	const char *name;
	int (*commit)(struct vg_mock_task *task);
	bool event;
};

static const struct vg_test_commit vg_test_commit_params[] = {
	{ "flip", vg_test_flip_task },
	{ "set mode", vg_test_show_task },
	{ "flip, event", vg_test_flip_task, .event = true },
	{ "set mode, event", vg_test_show_task, .event = true },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_commit, vg_test_commit_params, name);

/* Start a commit of @handle that waits for the fence that is returned */
static struct dma_fence *vg_test_commit(struct vg_mock_user *user, u32 handle,
					struct vg_mock_task **task)
{
	struct kunit *test = user->host->test;
	const struct vg_test_commit *param = test->param_value;
	struct dma_fence *fence;

	fence = vg_mock_add_fence(user, handle, DMA_RESV_USAGE_WRITE);
	*task = vg_mock_task_start(user, param->commit, handle, NULL);
	/* the task or a worker has added a callback to it */
	VG_MOCK_AWAIT(test, !list_empty(&fence->cb_list));

	/* an event of the host is handled, and needs a lock of the commit */
	if (param->event) {
		vg_mock_forget_log(user->host);
		vg_mock_config_changed(user->host);
		VG_MOCK_AWAIT(test, vg_mock_count(user->host,
						  VIRTIO_GPU_CMD_GET_DISPLAY_INFO));
	}

	return fence;
}

static void virtio_gpu_pm_test_fence_refused(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), next = vg_mock_dumb(user);
	struct vg_mock_task *commit, *task;
	struct dma_fence *fence;
	unsigned int resets;

	/* A fence that does not come is a refusal, and nothing has changed. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	resets = host->resets;
	fence = vg_test_commit(user, next, &commit);

	vg_mock_set_stall_ms(100);
	KUNIT_EXPECT_EQ(test, 0, drm_virt_pm_notify(PM_SUSPEND_PREPARE));
	task = vg_mock_task_start(user, vg_test_freeze_task, 0, NULL);
	KUNIT_EXPECT_EQ(test, -EBUSY, vg_mock_task_result(task));
	drm_virt_pm_notify(PM_POST_SUSPEND);
	KUNIT_EXPECT_NOT_NULL(test, strstr(vg_mock_vpm(host)->refusal,
					   "a commit waits for a fence"));
	KUNIT_EXPECT_EQ(test, READ_ONCE(vg_mock_vpm(host)->state),
			DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_EQ(test, host->resets, resets);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown));

	vg_mock_set_stall_ms(20000);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(commit));
	VG_MOCK_AWAIT(test, host->shown[0] == vg_mock_id(user, next));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, next));
}

static void virtio_gpu_pm_test_fence_comes(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), next = vg_mock_dumb(user);
	struct vg_mock_task *commit, *task;
	struct dma_fence *fence;

	/* One that comes while the suspend waits lets it go on. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	fence = vg_test_commit(user, next, &commit);
	vg_mock_set_stall_ms(20000);
	vg_mock_forget_log(host);
	task = vg_mock_task_start(user, vg_test_freeze_task, 0, NULL);
	VG_MOCK_AWAIT(test, vg_mock_count(host, VIRTIO_GPU_CMD_GET_DISPLAY_INFO));
	usleep_range(20000, 40000);
	KUNIT_EXPECT_TRUE(test, vg_mock_task_runs(task));
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(commit));

	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, next));
}

static void virtio_gpu_pm_test_fence_dropped(struct kunit *test)
{
	const struct vg_test_commit *param = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_plain);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), next = vg_mock_dumb(user);
	u32 last = vg_mock_dumb(user);
	struct vg_mock_task *commit, *task;
	struct dma_fence *fence;

	/* On the way into an image the commit is left alone. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	fence = vg_test_commit(user, next, &commit);
	vg_mock_transition(host, PM_RESTORE_PREPARE);
	vg_mock_set_stall_ms(100);
	task = vg_mock_task_start(user, vg_test_freeze_task, 0, NULL);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));

	/* if the image was not loaded, the next one works */
	vg_mock_set_stall_ms(20000);
	vg_mock_forget_log(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	/*
	 * No EDID comes while the work of the event, which waits for a lock of the
	 * commit, probes a connector.
	 */
	if (param->event && param->commit == vg_test_show_task) {
		KUNIT_EXPECT_EQ(test, 0, virtio_gpu_pm_drain(vg_mock_vgdev(host)));
		KUNIT_EXPECT_TRUE(test, mutex_is_locked(&vg_mock_vgdev(host)->pm.refresh_lock));
		KUNIT_EXPECT_EQ(test, 0, vg_mock_count(host, VIRTIO_GPU_CMD_GET_EDID));
	}
	dma_fence_signal(fence);
	vg_mock_task_result(commit);
	flush_delayed_work(&vg_mock_vgdev(host)->pm.refresh_work);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, 1, vg_mock_count(host, VIRTIO_GPU_CMD_GET_EDID));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_flip(user, 0, last));
	VG_MOCK_AWAIT(test, host->shown[0] == vg_mock_id(user, last));
	vg_mock_check(host);
}

static struct kunit_case virtio_gpu_pm_refusals_tests[] = {
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_refused, vg_test_refusal_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_never_refused, vg_test_refusal_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_never_waits),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_contexts, vg_test_context_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_context_attach),
	KUNIT_CASE(virtio_gpu_pm_test_contexts_race),
	KUNIT_CASE(virtio_gpu_pm_test_names),
	KUNIT_CASE(virtio_gpu_pm_test_handed_over),
	KUNIT_CASE(virtio_gpu_pm_test_capsets),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_fence_refused,
			 vg_test_commit_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_fence_comes,
			 vg_test_commit_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_fence_dropped,
			 vg_test_commit_gen_params),
	{}
};

static struct kunit_suite virtio_gpu_pm_refusals_suite = {
	.name = "virtio_gpu_pm_refusals",
	.test_cases = virtio_gpu_pm_refusals_tests,
};

kunit_test_suite(virtio_gpu_pm_refusals_suite);
