// SPDX-License-Identifier: GPL-2.0 OR MIT

/* What is refused, with which words, and what is not. */

#include <linux/dma-buf.h>
#include <linux/suspend.h>
#include <linux/virtio_dma_buf.h>

#include <drm/virtgpu_drm.h>

#include "../../pm_virt/drm_virt_pm_internal.h"
#include "virtgpu_mock.h"

#define ALL_FEATURES	(BIT_ULL(VIRTIO_GPU_F_EDID) |		\
			 BIT_ULL(VIRTIO_GPU_F_VIRGL) |		\
			 BIT_ULL(VIRTIO_GPU_F_RESOURCE_UUID) |	\
			 BIT_ULL(VIRTIO_GPU_F_RESOURCE_BLOB))

static const struct vg_mock_setup everything = {
	.features = ALL_FEATURES | BIT_ULL(VIRTIO_GPU_F_CONTEXT_INIT),
	.num_scanouts = 1,
	.num_capsets = 1,
	.hostmem = true,
};

static const struct vg_mock_setup old_virgl = {
	.features = BIT_ULL(VIRTIO_GPU_F_VIRGL),
	.num_scanouts = 1,
};

/* What makes a device refuse. */

static void use_transfer(struct vg_mock_user *user)
{
	KUNIT_EXPECT_EQ(user->host->test, 0,
			vg_mock_transfer(user, vg_mock_dumb(user)));
}

static void use_submit(struct vg_mock_user *user)
{
	KUNIT_EXPECT_EQ(user->host->test, 0, vg_mock_submit(user, 0, 0));
}

static void use_context_init(struct vg_mock_user *user)
{
	KUNIT_EXPECT_EQ(user->host->test, 0, vg_mock_context_init(user));
}

static void use_3d(struct vg_mock_user *user)
{
	vg_mock_classic(user);
	vg_mock_classic(user);
}

static void use_vram(struct vg_mock_user *user)
{
	vg_mock_blob(user, VIRTGPU_BLOB_MEM_HOST3D,
		     VIRTGPU_BLOB_FLAG_USE_MAPPABLE);
}

static void use_host_guest(struct vg_mock_user *user)
{
	vg_mock_blob(user, VIRTGPU_BLOB_MEM_HOST3D_GUEST, 0);
}

static void share(struct kunit *test, struct vg_mock_user *user, u32 handle)
{
	struct dma_buf *buf = vg_mock_export(user, handle);
	uuid_t uuid;

	KUNIT_EXPECT_EQ(test, 0, virtio_dma_buf_get_uuid(buf, &uuid));
	/* more than once, and counted once */
	KUNIT_EXPECT_EQ(test, 0, virtio_dma_buf_get_uuid(buf, &uuid));
	vg_mock_export_put(buf);
}

static void use_shared(struct vg_mock_user *user)
{
	share(user->host->test, user, vg_mock_dumb(user));
}

struct refusal_param {
	const char *name;
	void (*use)(struct vg_mock_user *user);
	const char *why;
	const struct vg_mock_setup *setup;
};

static const struct refusal_param refusal_params[] = {
	/* with context-init, newer kernels attach nothing for a buffer's owner */
	{
		"3D transfer", use_transfer, "1 context with 3D work",
		.setup = &old_virgl
	},
	{ "3D submission", use_submit, "1 context with 3D work" },
	{ "context-init", use_context_init, "1 context with 3D work" },
	{
		"3D objects", use_3d,
		"1 context with 3D work, 2 buffers whose content only the host has"
	},
	{
		"vram", use_vram,
		"1 context with 3D work, 1 buffer whose content only the host has"
	},
	{
		"guest memory of a host blob", use_host_guest,
		"1 context with 3D work, 1 buffer whose content only the host has"
	},
	{ "shared", use_shared, "1 buffer shared with another device" },
};

KUNIT_ARRAY_PARAM_DESC(refusal, refusal_params, name);

static void virtio_gpu_pm_test_refused(struct kunit *test)
{
	const struct refusal_param *param = test->param_value;
	struct vg_mock_host *host =
		vg_mock_create(test, "mock", param->setup ?: &everything);
	struct vg_mock_user *screen = vg_mock_open(host, false);
	struct vg_mock_user *user = vg_mock_open(host, true);
	struct vg_mock_user *other = vg_mock_open(host, true);
	u32 shown = vg_mock_dumb(screen);
	unsigned int resets, resources;
	char refusal[160];

	/*
	 * Only what the host alone has is refused, by name and count; nothing
	 * has changed then. Once its user is gone, sleeping works.
	 */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(screen, 0, shown));
	vg_mock_dumb(other);
	param->use(user);
	vg_mock_check(host);
	resets = host->resets;
	resources = host->num_resources;

	KUNIT_ASSERT_EQ(test, -EBUSY, vg_mock_freeze(host));
	snprintf(refusal, sizeof(refusal), "%s: %s (%d)", "none", param->why,
		 -EBUSY);
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
	const struct refusal_param *param = test->param_value;
	struct vg_mock_host *host =
		vg_mock_create(test, "mock", param->setup ?: &everything);
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
	struct vg_mock_host *host = vg_mock_create(test, "mock", &everything);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user);

	/* Nor because the host of the boot kernel hangs. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	vg_mock_transition(host, PM_RESTORE_PREPARE);
	KUNIT_EXPECT_LE(test, drm_virt_pm_stall_ms(), 500);

	vg_mock_set_stall_ms(50);
	vg_mock_hold(host, true);
	use_submit(user);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
}

struct context_param {
	const char *name;
	const struct vg_mock_setup *setup;
};

static const struct context_param context_params[] = {
	{ "old virgl", &old_virgl },
	{ "context-init", &everything },
};

KUNIT_ARRAY_PARAM_DESC(context, context_params, name);

static void virtio_gpu_pm_test_contexts(struct kunit *test)
{
	const struct context_param *param = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", param->setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_mock_user *other = vg_mock_open(host, true);
	u32 handle[3], late, their, ctx = vg_mock_ctx(user);
	unsigned int i;

	/*
	 * Contexts without 3D work are no obstacle. They come back, with what
	 * was attached to them, when 3D work begins; until then nothing is
	 * attached to a stale context and nothing detached from it.
	 */
	for (i = 0; i < ARRAY_SIZE(handle); i++)
		handle[i] = vg_mock_dumb(user);
	their = vg_mock_dumb(other);
	vg_mock_check(host);
	if (param->setup == &everything && !host->num_contexts)
		kunit_skip(test, "this kernel makes contexts for 3D work only");
	KUNIT_EXPECT_EQ(test, host->num_contexts, 2);

	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->num_contexts, 0);

	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, handle[0]));
	late = vg_mock_dumb(user);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->num_contexts, 0);

	vg_mock_forget_log(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, handle[1]));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, vg_mock_count(host, VIRTIO_GPU_CMD_CTX_CREATE), 1);
	KUNIT_EXPECT_EQ(test, host->num_contexts, 1);
	KUNIT_EXPECT_TRUE(test, vg_mock_attached(host, ctx,
						 vg_mock_id(user, handle[1])));
	KUNIT_EXPECT_TRUE(test, vg_mock_attached(host, ctx,
						 vg_mock_id(user, handle[2])));
	KUNIT_EXPECT_TRUE(test, vg_mock_attached(host, ctx,
						 vg_mock_id(user, late)));
	KUNIT_EXPECT_FALSE(test, vg_mock_resident(other, their));

	/* each attachment is given back */
	vg_mock_close(user);
	vg_mock_close(other);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->num_contexts, 0);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
}

static struct kunit_case virtio_gpu_pm_refusals_tests[] = {
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_refused, refusal_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_never_refused, refusal_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_never_waits),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_contexts, context_gen_params),
	{}
};

static struct kunit_suite virtio_gpu_pm_refusals_suite = {
	.name = "virtio_gpu_pm_refusals",
	.test_cases = virtio_gpu_pm_refusals_tests,
};

kunit_test_suite(virtio_gpu_pm_refusals_suite);
