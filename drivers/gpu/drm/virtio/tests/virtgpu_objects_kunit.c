// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Objects: what a reset takes, what comes back, when and how often. */

#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/suspend.h>
#include <linux/virtio_dma_buf.h>

#include <kunit/device.h>

#include <drm/drm_kunit_helpers.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_mock.h"

#define PLAIN	BIT_ULL(VIRTIO_GPU_F_EDID)
#define BLOB	(PLAIN | BIT_ULL(VIRTIO_GPU_F_RESOURCE_BLOB))
#define VIRGL	(PLAIN | BIT_ULL(VIRTIO_GPU_F_VIRGL))
#define UUID	(PLAIN | BIT_ULL(VIRTIO_GPU_F_RESOURCE_UUID))

static const struct vg_mock_setup setups[] = {
	{
		.name = "2D",
		.features = PLAIN,
		.num_scanouts = 1,
	},
	{
		.name = "blob",
		.features = BLOB,
		.num_scanouts = 1,
	},
	{
		.name = "virgl",
		.features = VIRGL,
		.num_scanouts = 1,
	},
	{
		.name = "virgl, context-init, blob, UUID",
		.features = VIRGL | BLOB | UUID |
			    BIT_ULL(VIRTIO_GPU_F_CONTEXT_INIT),
		.num_scanouts = 1,
		.num_capsets = 2,
	},
	{
		.name = "hostmem",
		.features = VIRGL | BLOB,
		.num_scanouts = 1,
		.hostmem = true,
	},
	{
		.name = "DMA API",
		.features = PLAIN,
		.num_scanouts = 1,
		.dma_api = true,
	},
	{
		.name = "small rings without indirect descriptors",
		.features = PLAIN,
		.num_scanouts = 1,
		.ring_size = 16,
		.no_indirect = true,
	},
	{
		.name = "rings smaller than their maximum",
		.features = PLAIN,
		.num_scanouts = 1,
		.ring_size = 32,
		.ring_max = 1024,
	},
	{
		.name = "four outputs",
		.features = PLAIN,
		.num_scanouts = 4,
	},
};

KUNIT_ARRAY_PARAM_DESC(setup, setups, name);

static void sleep(struct kunit *test, struct vg_mock_host *host)
{
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
}

static void virtio_gpu_pm_test_cycles(struct kunit *test)
{
	const struct vg_mock_setup *setup = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown[4], cursor, idle;
	unsigned int i, cycle;

	/*
	 * Over several sleeps what is shown stays shown, what is not stays
	 * away, and driver and host agree on everything.
	 */
	for (i = 0; i < setup->num_scanouts; i++) {
		shown[i] = vg_mock_dumb(user);
		KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, i, shown[i]));
	}
	cursor = vg_mock_dumb(user);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_point(user, 0, cursor));
	idle = vg_mock_dumb(user);
	vg_mock_check(host);

	for (cycle = 0; cycle < 4; cycle++) {
		for (i = 0; i < setup->num_scanouts; i++)
			vg_mock_paint(user, shown[i], 0x1000 * cycle + i);
		vg_mock_paint(user, cursor, cycle);
		vg_mock_forget_log(host);
		sleep(test, host);
		vg_mock_check(host);

		for (i = 0; i < setup->num_scanouts; i++) {
			KUNIT_EXPECT_EQ(test, host->shown[i],
					vg_mock_id(user, shown[i]));
			KUNIT_EXPECT_EQ(test, vg_mock_creations(host,
								vg_mock_id(user, shown[i])), 1);
			KUNIT_EXPECT_EQ(test, vg_mock_resource(host,
							       vg_mock_id(user, shown[i]))->pixel,
					0x1000 * cycle + i);
		}
		KUNIT_EXPECT_EQ(test, host->cursor[0], vg_mock_id(user, cursor));
		KUNIT_EXPECT_EQ(test, vg_mock_resource(host,
						       vg_mock_id(user, cursor))->pixel,
				cycle);
		KUNIT_EXPECT_FALSE(test, vg_mock_knows(host,
						       vg_mock_id(user, idle)));
		KUNIT_EXPECT_EQ(test, vg_mock_creations(host, 0),
				setup->num_scanouts + 1);
	}

	/* and all of it can be freed; a cursor outlives who set it */
	KUNIT_EXPECT_EQ(test, 0, vg_mock_point(user, 0, 0));
	vg_mock_close(user);
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
}

struct many_param {
	const char *name;
	u64 features;
	unsigned int count;
};

static const struct many_param many_params[] = {
	{ "4 objects", PLAIN, 4 },
	{ "1200 objects", PLAIN, 1200 },
	{ "1200 blobs", BLOB, 1200 },
	{ "1200 objects of a context", VIRGL, 1200 },
};

KUNIT_ARRAY_PARAM_DESC(many, many_params, name);

static void virtio_gpu_pm_test_many(struct kunit *test)
{
	const struct many_param *param = test->param_value;
	const struct vg_mock_setup setup = {
		.features = param->features,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user);
	unsigned int i;

	/* Sleeping costs the same, however many objects there are. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	for (i = 1; i < param->count; i++)
		vg_mock_dumb(user);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->num_resources, param->count);

	vg_mock_forget_log(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_EXPECT_EQ(test, vg_mock_count(host, VIRTIO_GPU_CMD_GET_DISPLAY_INFO),
			1);
	/* the rest switches the output off */
	KUNIT_EXPECT_EQ(test, vg_mock_count(host, 0) - 1,
			vg_mock_count(host, VIRTIO_GPU_CMD_SET_SCANOUT));
	KUNIT_EXPECT_LE(test, vg_mock_count(host, 0), 4);
	KUNIT_EXPECT_EQ(test, host->num_resources, 0);

	vg_mock_forget_log(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, vg_mock_creations(host, 0), 1);
	KUNIT_EXPECT_EQ(test, vg_mock_count(host, VIRTIO_GPU_CMD_CTX_CREATE), 0);
	KUNIT_EXPECT_LE(test, vg_mock_count(host, 0), 12);

	/* nor does freeing what did not come back cost anything */
	vg_mock_forget_log(host);
	vg_mock_close(user);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, vg_mock_count(host, VIRTIO_GPU_CMD_RESOURCE_UNREF),
			1);
	KUNIT_EXPECT_EQ(test, vg_mock_count(host,
					    VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE), 0);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
}

static int use_show(struct vg_mock_user *user, u32 handle)
{
	return vg_mock_show(user, 0, handle);
}

static int use_flip(struct vg_mock_user *user, u32 handle)
{
	return vg_mock_flip(user, 0, handle);
}

static int use_cursor(struct vg_mock_user *user, u32 handle)
{
	return vg_mock_point(user, 0, handle);
}

static int use_export(struct vg_mock_user *user, u32 handle)
{
	vg_mock_export_put(vg_mock_export(user, handle));
	return 0;
}

static int use_submit(struct vg_mock_user *user, u32 handle)
{
	return vg_mock_submit(user, handle, 0);
}

/* Another file gets a handle: its context is new and attaches the object. */
static int use_attach(struct vg_mock_user *user, u32 handle)
{
	struct vg_mock_user *other = vg_mock_open(user->host, true);
	int ret;
	u32 id;

	ret = drm_gem_handle_create(vg_mock_drm_file(other),
				    &vg_mock_bo(user, handle)->base.base, &id);
	vg_mock_settle(user->host);
	KUNIT_EXPECT_TRUE(user->host->test,
			  vg_mock_attached(user->host, vg_mock_ctx(other),
					   vg_mock_id(user, handle)));
	vg_mock_close(other);

	return ret;
}

struct use_param {
	const char *name;
	u64 features;
	u32 (*create)(struct vg_mock_user *user);
	int (*use)(struct vg_mock_user *user, u32 handle);
};

static u32 create_blob(struct vg_mock_user *user)
{
	return vg_mock_blob(user, VIRTGPU_BLOB_MEM_GUEST, 0);
}

static const struct use_param use_params[] = {
	{ "set mode", PLAIN, vg_mock_dumb, use_show },
	{ "set mode, classic", PLAIN, vg_mock_classic, use_show },
	{ "set mode, blob", BLOB, vg_mock_dumb, use_show },
	{ "flip", PLAIN, vg_mock_dumb, use_flip },
	{ "flip, classic", PLAIN, vg_mock_classic, use_flip },
	{ "flip, blob", BLOB, create_blob, use_flip },
	{ "cursor", PLAIN, vg_mock_dumb, use_cursor },
	{ "cursor, classic", PLAIN, vg_mock_classic, use_cursor },
	{ "transfer", PLAIN, vg_mock_dumb, vg_mock_transfer },
	{ "transfer, classic", PLAIN, vg_mock_classic, vg_mock_transfer },
	{ "transfer, 3D", VIRGL, vg_mock_dumb, vg_mock_transfer },
	{ "export", UUID, vg_mock_dumb, use_export },
	{ "submit", VIRGL, vg_mock_dumb, use_submit },
	{ "submit, blob", VIRGL | BLOB, create_blob, use_submit },
	{ "attach", VIRGL, vg_mock_dumb, use_attach },
};

KUNIT_ARRAY_PARAM_DESC(use, use_params, name);

static void virtio_gpu_pm_test_first_use(struct kunit *test)
{
	const struct use_param *param = test->param_value;
	const struct vg_mock_setup setup = {
		.features = param->features,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown = vg_mock_dumb(user), bystander = vg_mock_dumb(user);
	u32 handle = param->create(user);

	/* An object comes back when it is used, once, and alone. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown));
	vg_mock_check(host);
	sleep(test, host);
	vg_mock_check(host);
	KUNIT_ASSERT_FALSE(test, vg_mock_resident(user, handle));

	vg_mock_paint(user, handle, 0xabcd);
	vg_mock_forget_log(host);
	KUNIT_EXPECT_EQ(test, 0, param->use(user, handle));
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, handle));
	KUNIT_EXPECT_EQ(test, vg_mock_creations(host, vg_mock_id(user, handle)),
			1);

	/* a context that is made again attaches all that its file holds */
	if (!(param->features & VIRGL & ~PLAIN) || param->use == use_attach) {
		KUNIT_EXPECT_EQ(test, vg_mock_creations(host, 0), 1);
		KUNIT_EXPECT_FALSE(test, vg_mock_resident(user, bystander));
	}

	vg_mock_forget_log(host);
	/* the driver does not export an object twice */
	KUNIT_EXPECT_EQ(test, 0, param->use == use_export ?
			vg_mock_transfer(user, handle) :
			param->use(user, handle));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, vg_mock_creations(host, 0), 0);
}

static void virtio_gpu_pm_test_content(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = PLAIN,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_mock_resource *res;
	u32 classic = vg_mock_classic(user), dumb = vg_mock_dumb(user);

	/*
	 * A classic object comes back with all of its content, since nobody
	 * else uploads it; of a dumb one KMS uploads what it shows.
	 */
	vg_mock_paint(user, classic, 0x11);
	vg_mock_paint(user, dumb, 0x22);
	sleep(test, host);

	vg_mock_forget_log(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, classic));
	vg_mock_check(host);
	res = vg_mock_resource(host, vg_mock_id(user, classic));
	KUNIT_EXPECT_EQ(test, res->uploads, 1);
	KUNIT_EXPECT_EQ(test, res->width, VG_MOCK_SIDE);
	KUNIT_EXPECT_EQ(test, res->height, VG_MOCK_SIDE);
	KUNIT_EXPECT_EQ(test, res->pixel, 0x11);

	KUNIT_EXPECT_EQ(test, 0, vg_mock_flip(user, 0, dumb));
	/* a flip is made by a worker, which may wait for a vblank */
	VG_MOCK_AWAIT(test, host->shown[0] == vg_mock_id(user, dumb));
	vg_mock_check(host);
	res = vg_mock_resource(host, vg_mock_id(user, dumb));
	KUNIT_EXPECT_EQ(test, res->uploads, 1);
	KUNIT_EXPECT_EQ(test, res->width, VG_MOCK_SIDE);
	KUNIT_EXPECT_EQ(test, res->height, VG_MOCK_SIDE);
	KUNIT_EXPECT_EQ(test, res->pixel, 0x22);

	/* a small transfer of the user's own comes after the full one */
	sleep(test, host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, classic));
	vg_mock_check(host);
	res = vg_mock_resource(host, vg_mock_id(user, classic));
	KUNIT_EXPECT_EQ(test, res->uploads, 2);
	KUNIT_EXPECT_EQ(test, res->width, 1);
}

static int transfer_task(struct vg_mock_task *task)
{
	return vg_mock_transfer(task->user, task->handle);
}

static void virtio_gpu_pm_test_several_tasks(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = PLAIN,
		.num_scanouts = 1,
		.ring_size = 4,
		.no_indirect = true,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = vg_mock_classic(user), other = vg_mock_dumb(user);
	struct vg_mock_task *task[6];
	unsigned int i;

	/*
	 * Tasks that meet the same stale object bring it back once. The ring is
	 * so small that the first has to wait for room half way through.
	 */
	sleep(test, host);
	vg_mock_check(host);

	vg_mock_forget_log(host);
	vg_mock_hold(host, true);
	for (i = 0; i < ARRAY_SIZE(task); i++)
		task[i] = vg_mock_task_start(user, transfer_task, handle, NULL);
	VG_MOCK_AWAIT(test, vg_mock_bo(user, handle)->pm.base.state ==
			    DRM_VIRT_PM_OBJECT_RESTORING);
	for (i = 0; i < ARRAY_SIZE(task); i++)
		VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task[i]));

	vg_mock_hold(host, false);
	for (i = 0; i < ARRAY_SIZE(task); i++)
		KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task[i]));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, vg_mock_creations(host, vg_mock_id(user, handle)),
			1);
	/* those of the tasks and that of the restore */
	KUNIT_EXPECT_EQ(test, vg_mock_resource(host, vg_mock_id(user, handle))->uploads,
			ARRAY_SIZE(task) + 1);
	KUNIT_EXPECT_FALSE(test, vg_mock_resident(user, other));
}

static u32 create_vram(struct vg_mock_user *user)
{
	return vg_mock_blob(user, VIRTGPU_BLOB_MEM_HOST3D,
			    VIRTGPU_BLOB_FLAG_USE_MAPPABLE);
}

static u32 create_vram_unmappable(struct vg_mock_user *user)
{
	return vg_mock_blob(user, VIRTGPU_BLOB_MEM_HOST3D, 0);
}

struct free_param {
	const char *name;
	u64 features;
	u32 (*create)(struct vg_mock_user *user);
};

static const struct free_param free_params[] = {
	{ "dumb", PLAIN, vg_mock_dumb },
	{ "classic", PLAIN, vg_mock_classic },
	{ "blob", BLOB, create_blob },
	{ "3D", VIRGL, vg_mock_classic },
	{ "vram", VIRGL | BLOB, create_vram },
	{ "vram, not mappable", VIRGL | BLOB, create_vram_unmappable },
};

KUNIT_ARRAY_PARAM_DESC(free, free_params, name);

static struct vg_mock_host *create_for_free(struct kunit *test)
{
	const struct free_param *param = test->param_value;
	const struct vg_mock_setup setup = {
		.features = param->features,
		.num_scanouts = 1,
		.hostmem = true,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);

	/* so that nothing is refused: the boot kernel loses such objects */
	vg_mock_transition(host, PM_RESTORE_PREPARE);

	return host;
}

static void virtio_gpu_pm_test_free_stale(struct kunit *test)
{
	const struct free_param *param = test->param_value;
	struct vg_mock_host *host = create_for_free(test);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = param->create(user), other = param->create(user);

	/* Freeing a stale object sends nothing and frees it. */
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_forget_log(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_settle(host);
	vg_mock_forget_log(host);

	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, handle));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, other));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, vg_mock_count(host, 0), 0);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
	KUNIT_EXPECT_TRUE(test,
			  drm_mm_clean(&vg_mock_vgdev(host)->host_visible_mm));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&vg_mock_vgdev(host)->pm.host_only));
}

static void virtio_gpu_pm_test_free_while_down(struct kunit *test)
{
	const struct free_param *param = test->param_value;
	struct vg_mock_host *host = create_for_free(test);
	struct vg_mock_user *user = vg_mock_open(host, false);

	/* The same while the device has no queues. */
	param->create(user);
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	vg_mock_close(user);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_unref_in_ring(struct kunit *test)
{
	const struct free_param *param = test->param_value;
	struct vg_mock_host *host = create_for_free(test);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = param->create(user);

	/* What was being freed when the device was reset is freed. */
	vg_mock_check(host);
	vg_mock_hold(host, true);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, handle));
	KUNIT_EXPECT_FALSE(test, vg_mock_no_objects(host));

	vg_mock_set_stall_ms(20);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));

	vg_mock_hold(host, false);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_uuid(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = UUID,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = vg_mock_dumb(user), other = vg_mock_dumb(user);
	struct virtio_gpu_object *bo = vg_mock_bo(user, handle);
	struct dma_buf *buf = vg_mock_export(user, handle);
	unsigned int cycle;
	uuid_t uuid;

	/*
	 * An object that another device may name comes back at once, and the
	 * UUID that is handed out is the one that the host assigned last.
	 */
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, bo->uuid_state, STATE_OK);

	for (cycle = 0; cycle < 3; cycle++) {
		KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
		vg_mock_forget_log(host);
		KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
		vg_mock_check(host);
		KUNIT_EXPECT_EQ(test, vg_mock_creations(host, bo->hw_res_handle),
				1);
		KUNIT_EXPECT_EQ(test, vg_mock_count(host,
						    VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID),
				1);
		KUNIT_EXPECT_FALSE(test, vg_mock_resident(user, other));
		KUNIT_EXPECT_EQ(test, bo->uuid_state, STATE_OK);
		KUNIT_EXPECT_EQ(test, bo->uuid.b[0],
				vg_mock_resource(host, bo->hw_res_handle)->uuid);
	}

	KUNIT_EXPECT_EQ(test, 0, virtio_dma_buf_get_uuid(buf, &uuid));
	KUNIT_EXPECT_EQ(test, uuid.b[0], host->uuids);
	vg_mock_export_put(buf);
}

static void virtio_gpu_pm_test_not_restored(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = PLAIN,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = vg_mock_dumb(user);

	/*
	 * An object that was to come back while the queue was stopped is not on
	 * the device, and comes back later.
	 */
	vg_mock_settle(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_EXPECT_EQ(test, -ENODEV,
			virtio_gpu_pm_object_use(vg_mock_bo(user, handle)));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);

	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, handle));
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, handle));
}

static void virtio_gpu_pm_test_not_created(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = PLAIN,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct virtio_gpu_object_params params = {
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.width = VG_MOCK_SIDE,
		.height = VG_MOCK_SIDE,
		.size = VG_MOCK_SIDE * VG_MOCK_SIDE * 4,
	};
	struct virtio_gpu_object *bo;

	/* Nor is one that was new while the queue was stopped. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, virtio_gpu_object_create(vg_mock_vgdev(host),
							  &params, &bo, NULL));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);

	KUNIT_EXPECT_EQ(test, 0, virtio_gpu_pm_object_use(bo));
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_knows(host, bo->hw_res_handle));

	drm_gem_object_put(&bo->base.base);
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
}

/* A buffer of somebody else, which can be in one of two places. */
struct foreign {
	struct page *pages[2];
	unsigned int place;
};

#define FOREIGN_ORDER	get_order(VG_MOCK_SIDE * VG_MOCK_SIDE * 4)

static struct sg_table *foreign_map(struct dma_buf_attachment *attach,
				    enum dma_data_direction dir)
{
	struct foreign *foreign = attach->dmabuf->priv;
	struct page *page = foreign->pages[foreign->place];
	struct sg_table *sgt = kmalloc(sizeof(*sgt), GFP_KERNEL | __GFP_NOFAIL);

	if (sg_alloc_table(sgt, 1, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	sg_set_page(sgt->sgl, page, attach->dmabuf->size, 0);
	sg_dma_address(sgt->sgl) = page_to_phys(page);
	sg_dma_len(sgt->sgl) = attach->dmabuf->size;

	return sgt;
}

static void foreign_unmap(struct dma_buf_attachment *attach,
			  struct sg_table *sgt, enum dma_data_direction dir)
{
	sg_free_table(sgt);
	kfree(sgt);
}

static void foreign_release(struct dma_buf *buf)
{
	struct foreign *foreign = buf->priv;

	__free_pages(foreign->pages[0], FOREIGN_ORDER);
	__free_pages(foreign->pages[1], FOREIGN_ORDER);
	kfree(foreign);
}

static const struct dma_buf_ops foreign_ops = {
	.map_dma_buf = foreign_map,
	.unmap_dma_buf = foreign_unmap,
	.release = foreign_release,
};

static struct foreign *foreign_import(struct vg_mock_user *user, u32 *handle)
{
	struct drm_device *drm = vg_mock_drm(user->host);
	struct kunit *test = user->host->test;
	struct foreign *foreign = kzalloc(sizeof(*foreign),
					  GFP_KERNEL | __GFP_NOFAIL);
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct drm_gem_object *obj;
	struct dma_buf *buf;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(foreign->pages); i++)
		foreign->pages[i] = alloc_pages(GFP_KERNEL | __GFP_NOFAIL,
						FOREIGN_ORDER);
	info.ops = &foreign_ops;
	info.size = PAGE_SIZE << FOREIGN_ORDER;
	info.priv = foreign;
	buf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);

	obj = drm->driver->gem_prime_import(drm, buf);
	dma_buf_put(buf);
	if (obj == ERR_PTR(-ENODEV))
		kunit_skip(test, "this kernel imports no foreign buffers");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_handle_create(user->file->private_data,
						       obj, handle));
	drm_gem_object_put(obj);

	return foreign;
}

static void virtio_gpu_pm_test_import(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = BLOB,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct foreign *shown, *moved;
	u32 shown_handle, moved_handle, freed_handle;

	/* what is shown comes back at once, the others when they are used */
	shown = foreign_import(user, &shown_handle);
	moved = foreign_import(user, &moved_handle);
	foreign_import(user, &freed_handle);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown_handle));
	vg_mock_check(host);

	sleep(test, host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown_handle));
	KUNIT_EXPECT_EQ(test,
			vg_mock_resource(host, host->shown[0])->addr,
			page_to_phys(shown->pages[0]));
	KUNIT_EXPECT_FALSE(test, vg_mock_resident(user, moved_handle));

	/* from where it is by then */
	moved->place = 1;
	KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, moved_handle));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, moved_handle));
	KUNIT_EXPECT_EQ(test,
			vg_mock_resource(host, host->shown[0])->addr,
			page_to_phys(moved->pages[1]));

	/* a stale one has nothing to detach */
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, freed_handle));
	vg_mock_check(host);
	vg_mock_close(user);
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
}

/* Another GPU, to which all foreign buffers belong. */
struct exporter {
	struct drm_device drm;
	struct drm_virt_pm pm;
};

static bool exporter_owns(struct drm_virt_pm *vpm, struct dma_buf *buf)
{
	return buf->ops == &foreign_ops;
}

static const struct drm_virt_pm_ops exporter_ops = {
	.owns = exporter_owns,
};

static void exporter_end(void *exporter)
{
	drm_virt_pm_fini(&((struct exporter *)exporter)->pm);
}

static struct exporter *exporter_create(struct kunit *test)
{
	struct drm_device *drm;
	struct exporter *exporter;
	struct device *dev;

	dev = kunit_device_register(test, "exporter");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	drm = __drm_kunit_helper_alloc_drm_device(test, dev, sizeof(*exporter),
						  offsetof(struct exporter, drm),
						  0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);
	exporter = container_of(drm, struct exporter, drm);
	KUNIT_ASSERT_EQ(test, 0, drm_virt_pm_init(&exporter->pm, drm,
						  &exporter_ops, NULL, 0));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, exporter_end,
							   exporter));

	return exporter;
}

static void exporter_suspend(struct kunit *test, struct exporter *exporter)
{
	struct device *dev = exporter->drm.dev;

	device_lock(dev);
	KUNIT_EXPECT_EQ(test, 0, drm_virt_pm_suspend(&exporter->pm));
	dev->power.is_suspended = true;
	device_unlock(dev);
}

#define EXPORTER_LATE_MS	200

static int exporter_resume_late(struct vg_mock_task *task)
{
	struct exporter *exporter = task->arg;
	struct device *dev = exporter->drm.dev;
	int ret;

	msleep(EXPORTER_LATE_MS);
	device_lock(dev);
	dev->power.is_suspended = false;
	ret = drm_virt_pm_resume(&exporter->pm);
	device_unlock(dev);

	return ret;
}

static void virtio_gpu_pm_test_exporter(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = BLOB,
		.num_scanouts = 2,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct exporter *exporter = exporter_create(test);
	struct vg_mock_task *task;
	u32 foreign, own;

	foreign_import(user, &foreign);
	own = vg_mock_dumb(user);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, foreign));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 1, own));

	/* a GPU that resumes after us is waited for */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	exporter_suspend(test, exporter);
	task = vg_mock_task_start(user, exporter_resume_late, 0, exporter);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_task_result(task));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, foreign));
	KUNIT_EXPECT_EQ(test, host->shown[1], vg_mock_id(user, own));

	/* one that is lost costs its buffer, not the other output */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	drm_virt_pm_device_lost(&exporter->pm, "as the test wants it");
	vg_mock_set_stall_ms(EXPORTER_LATE_MS);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], 0);
	KUNIT_EXPECT_EQ(test, host->shown[1], vg_mock_id(user, own));
	KUNIT_EXPECT_EQ(test, vg_mock_vpm(host)->state, DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_FALSE(test, vg_mock_resident(user, foreign));
}

static struct kunit_case virtio_gpu_pm_objects_tests[] = {
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_cycles, setup_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_many, many_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_first_use, use_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_content),
	KUNIT_CASE(virtio_gpu_pm_test_several_tasks),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_free_stale, free_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_free_while_down, free_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_unref_in_ring, free_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_uuid),
	KUNIT_CASE(virtio_gpu_pm_test_not_restored),
	KUNIT_CASE(virtio_gpu_pm_test_not_created),
	KUNIT_CASE(virtio_gpu_pm_test_import),
	KUNIT_CASE(virtio_gpu_pm_test_exporter),
	{}
};

static struct kunit_suite virtio_gpu_pm_objects_suite = {
	.name = "virtio_gpu_pm_objects",
	.test_cases = virtio_gpu_pm_objects_tests,
};

kunit_test_suite(virtio_gpu_pm_objects_suite);
