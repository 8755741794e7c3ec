// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Objects: what a reset takes, what comes back, when and how often. */

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/suspend.h>
#include <linux/virtio_dma_buf.h>

#include <drm/virtgpu_drm.h>

#include "virtgpu_mock.h"

#define PLAIN	BIT_ULL(VIRTIO_GPU_F_EDID)
#define BLOB	(PLAIN | BIT_ULL(VIRTIO_GPU_F_RESOURCE_BLOB))
#define VIRGL	(PLAIN | BIT_ULL(VIRTIO_GPU_F_VIRGL))
#define UUID	(PLAIN | BIT_ULL(VIRTIO_GPU_F_RESOURCE_UUID))

static const struct vg_mock_setup vg_test_setups[] = {
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

KUNIT_ARRAY_PARAM_DESC(vg_test_setup, vg_test_setups, name);

static void vg_test_sleep(struct kunit *test, struct vg_mock_host *host)
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
		vg_test_sleep(test, host);
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

struct vg_test_many {
	const char *name;
	u64 features;
	unsigned int count;
};

static const struct vg_test_many vg_test_many_params[] = {
	{ "4 objects", PLAIN, 4 },
	{ "1200 objects", PLAIN, 1200 },
	{ "1200 blobs", BLOB, 1200 },
	{ "1200 objects of a context", VIRGL, 1200 },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_many, vg_test_many_params, name);

static void virtio_gpu_pm_test_many(struct kunit *test)
{
	const struct vg_test_many *param = test->param_value;
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

static int vg_test_show(struct vg_mock_user *user, u32 handle)
{
	return vg_mock_show(user, 0, handle);
}

static int vg_test_flip(struct vg_mock_user *user, u32 handle)
{
	return vg_mock_flip(user, 0, handle);
}

static int vg_test_cursor(struct vg_mock_user *user, u32 handle)
{
	return vg_mock_point(user, 0, handle);
}

static int vg_test_export(struct vg_mock_user *user, u32 handle)
{
	vg_mock_export_put(vg_mock_export(user, handle));
	return 0;
}

static int vg_test_submit(struct vg_mock_user *user, u32 handle)
{
	return vg_mock_submit(user, handle, 0);
}

/* Another file gets a handle: its context is new and attaches the object. */
static int vg_test_attach(struct vg_mock_user *user, u32 handle)
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

struct vg_test_use {
	const char *name;
	u64 features;
	u32 (*create)(struct vg_mock_user *user);
	int (*use)(struct vg_mock_user *user, u32 handle);
};

static u32 vg_test_blob(struct vg_mock_user *user)
{
	return vg_mock_blob(user, VIRTGPU_BLOB_MEM_GUEST, 0);
}

static const struct vg_test_use vg_test_use_params[] = {
	{ "set mode", PLAIN, vg_mock_dumb, vg_test_show },
	{ "set mode, classic", PLAIN, vg_mock_classic, vg_test_show },
	{ "set mode, blob", BLOB, vg_mock_dumb, vg_test_show },
	{ "flip", PLAIN, vg_mock_dumb, vg_test_flip },
	{ "flip, classic", PLAIN, vg_mock_classic, vg_test_flip },
	{ "flip, blob", BLOB, vg_test_blob, vg_test_flip },
	{ "cursor", PLAIN, vg_mock_dumb, vg_test_cursor },
	{ "cursor, classic", PLAIN, vg_mock_classic, vg_test_cursor },
	{ "transfer", PLAIN, vg_mock_dumb, vg_mock_transfer },
	{ "transfer, classic", PLAIN, vg_mock_classic, vg_mock_transfer },
	{ "transfer, 3D", VIRGL, vg_mock_dumb, vg_mock_transfer },
	{ "export", UUID, vg_mock_dumb, vg_test_export },
	{ "submit", VIRGL, vg_mock_dumb, vg_test_submit },
	{ "submit, blob", VIRGL | BLOB, vg_test_blob, vg_test_submit },
	{ "attach", VIRGL, vg_mock_dumb, vg_test_attach },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_use, vg_test_use_params, name);

static void virtio_gpu_pm_test_first_use(struct kunit *test)
{
	const struct vg_test_use *param = test->param_value;
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
	vg_test_sleep(test, host);
	vg_mock_check(host);
	KUNIT_ASSERT_FALSE(test, vg_mock_resident(user, handle));

	vg_mock_paint(user, handle, 0xabcd);
	vg_mock_forget_log(host);
	KUNIT_EXPECT_EQ(test, 0, param->use(user, handle));
	/* with the command that uses it, and without a notification of its own */
	VG_MOCK_AWAIT(test, vg_mock_served(host));
	if (param->use == vg_mock_transfer && param->features == PLAIN)
		KUNIT_EXPECT_EQ(test, 1, atomic_read(&host->notifications));
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, handle));
	KUNIT_EXPECT_EQ(test, vg_mock_creations(host, vg_mock_id(user, handle)),
			1);

	/* a context that is created again attaches all that its file holds */
	if (!(param->features & VIRGL & ~PLAIN) || param->use == vg_test_attach) {
		KUNIT_EXPECT_EQ(test, vg_mock_creations(host, 0), 1);
		KUNIT_EXPECT_FALSE(test, vg_mock_resident(user, bystander));
	}

	vg_mock_forget_log(host);
	/* the driver does not export an object twice */
	KUNIT_EXPECT_EQ(test, 0, param->use == vg_test_export ?
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
	vg_test_sleep(test, host);

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
	vg_test_sleep(test, host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, classic));
	vg_mock_check(host);
	res = vg_mock_resource(host, vg_mock_id(user, classic));
	KUNIT_EXPECT_EQ(test, res->uploads, 2);
	KUNIT_EXPECT_EQ(test, res->width, 1);
}

static int vg_test_transfer_task(struct vg_mock_task *task)
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
	vg_test_sleep(test, host);
	vg_mock_check(host);

	vg_mock_forget_log(host);
	vg_mock_set_stall_ms(20000);
	vg_mock_hold(host, true);
	for (i = 0; i < ARRAY_SIZE(task); i++)
		task[i] = vg_mock_task_start(user, vg_test_transfer_task, handle, NULL);
	VG_MOCK_AWAIT(test, vg_mock_waiting(host));
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

static u32 vg_test_vram(struct vg_mock_user *user)
{
	return vg_mock_blob(user, VIRTGPU_BLOB_MEM_HOST3D,
			    VIRTGPU_BLOB_FLAG_USE_MAPPABLE);
}

static u32 vg_test_vram_unmappable(struct vg_mock_user *user)
{
	return vg_mock_blob(user, VIRTGPU_BLOB_MEM_HOST3D, 0);
}

struct vg_test_free {
	const char *name;
	u64 features;
	u32 (*create)(struct vg_mock_user *user);
};

static const struct vg_test_free vg_test_free_params[] = {
	{ "dumb", PLAIN, vg_mock_dumb },
	{ "classic", PLAIN, vg_mock_classic },
	{ "blob", BLOB, vg_test_blob },
	{ "3D", VIRGL, vg_mock_classic },
	{ "vram", VIRGL | BLOB, vg_test_vram },
	{ "vram, not mappable", VIRGL | BLOB, vg_test_vram_unmappable },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_free, vg_test_free_params, name);

static struct vg_mock_host *vg_test_host_for_free(struct kunit *test)
{
	const struct vg_test_free *param = test->param_value;
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
	const struct vg_test_free *param = test->param_value;
	struct vg_mock_host *host = vg_test_host_for_free(test);
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
	const struct vg_test_free *param = test->param_value;
	struct vg_mock_host *host = vg_test_host_for_free(test);
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
	const struct vg_test_free *param = test->param_value;
	struct vg_mock_host *host = vg_test_host_for_free(test);
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

static int vg_test_get_uuid(struct dma_buf *buf)
{
	uuid_t uuid;
	int ret;

	ret = virtio_dma_buf_get_uuid(buf, &uuid);
	return ret ?: uuid.b[0];
}

static struct virtio_gpu_object *vg_test_uuid_bo;
static unsigned int vg_test_old_uuids;

/* A task that sees the resource resident must not take the UUID of before. */
static void vg_test_note_uuid(struct vg_mock_host *host, u32 type)
{
	if (type == VIRTIO_GPU_CMD_RESOURCE_CREATE_2D &&
	    READ_ONCE(vg_test_uuid_bo->uuid_state) != STATE_INITIALIZING)
		vg_test_old_uuids++;
}

static void virtio_gpu_pm_test_uuid(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = UUID,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = vg_mock_dumb(user), id = vg_mock_id(user, handle);
	struct dma_buf *buf = vg_mock_export(user, handle);
	unsigned int cycle;

	/*
	 * Another device asks for the UUID after a reset. The object comes back,
	 * and the UUID is the one that the host assigned last.
	 */
	vg_mock_check(host);
	/* a UUID that was handed out is refused otherwise */
	vg_mock_transition(host, PM_RESTORE_PREPARE);
	vg_test_uuid_bo = vg_mock_bo(user, handle);
	vg_test_old_uuids = 0;
	host->in_command = vg_test_note_uuid;

	for (cycle = 0; cycle < 3; cycle++) {
		KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
		vg_mock_forget_log(host);
		KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
		vg_mock_check(host);
		KUNIT_EXPECT_FALSE(test, vg_mock_resident(user, handle));

		/* use by its own device first, or not */
		if (cycle & 1)
			KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, handle));
		KUNIT_EXPECT_LT(test, 0, vg_test_get_uuid(buf));
		vg_mock_check(host);
		KUNIT_EXPECT_EQ(test, vg_mock_creations(host, id), 1);
		KUNIT_EXPECT_EQ(test, vg_mock_count(host,
						    VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID),
				1);
		KUNIT_EXPECT_EQ(test, host->uuids, vg_test_get_uuid(buf));
		KUNIT_EXPECT_EQ(test, host->uuids, cycle + 2);
	}
	host->in_command = NULL;
	KUNIT_EXPECT_EQ(test, 0, vg_test_old_uuids);
	vg_mock_export_put(buf);
}

static void virtio_gpu_pm_test_uuid_refused(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = UUID,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 first = vg_mock_dumb(user), second = vg_mock_dumb(user);
	struct dma_buf *buf[2];

	/* A host that assigns no UUID is asked again after a reset. */
	vg_mock_fault(host, VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID,
		      vg_mock_id(user, first), VG_MOCK_ERROR);
	buf[0] = vg_mock_export(user, first);
	buf[1] = vg_mock_export(user, second);
	KUNIT_EXPECT_EQ(test, -ENODEV, vg_test_get_uuid(buf[0]));
	KUNIT_EXPECT_EQ(test, 1, vg_test_get_uuid(buf[1]));
	vg_mock_check(host);

	/* also if it refused once more in between */
	vg_mock_transition(host, PM_RESTORE_PREPARE);
	vg_test_sleep(test, host);
	KUNIT_EXPECT_EQ(test, -ENODEV, vg_test_get_uuid(buf[0]));
	vg_mock_let_go(host);
	vg_test_sleep(test, host);
	KUNIT_EXPECT_EQ(test, 2, vg_test_get_uuid(buf[0]));
	KUNIT_EXPECT_EQ(test, 3, vg_test_get_uuid(buf[1]));

	/* or not at first, when the resource was restored */
	vg_mock_fault(host, VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID,
		      vg_mock_id(user, first), VG_MOCK_ERROR);
	vg_test_sleep(test, host);
	KUNIT_EXPECT_EQ(test, 0, virtio_gpu_pm_object_use(vg_mock_bo(user, first)));
	vg_mock_settle(host);
	vg_mock_let_go(host);
	KUNIT_EXPECT_EQ(test, 4, vg_test_get_uuid(buf[0]));
	vg_mock_check(host);

	vg_mock_export_put(buf[0]);
	vg_mock_export_put(buf[1]);
}

static int vg_test_use_task(struct vg_mock_task *task)
{
	return virtio_gpu_pm_object_use(vg_mock_bo(task->user, task->handle));
}

static const struct vg_test_free vg_test_transient_params[] = {
	{ "dumb", PLAIN, vg_mock_dumb },
	{ "classic", PLAIN, vg_mock_classic },
	{ "blob", BLOB, vg_test_blob },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_transient, vg_test_transient_params, name);

static void virtio_gpu_pm_test_transient(struct kunit *test)
{
	const struct vg_test_free *param = test->param_value;
	const struct vg_mock_setup setup = {
		.features = param->features,
		.num_scanouts = 1,
		.ring_size = 4,
		.no_indirect = true,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = param->create(user), other = param->create(user);
	struct vg_mock_task *task;

	/*
	 * A task that waits for a restore can be killed, and a queue can be
	 * stopped in the middle of a restore. The object is stale then, and the
	 * next use restores it.
	 */
	vg_mock_check(host);
	vg_test_sleep(test, host);
	vg_mock_check(host);

	vg_mock_set_stall_ms(20000);
	vg_mock_hold(host, true);
	task = vg_mock_task_start(user, vg_test_use_task, handle, NULL);
	VG_MOCK_AWAIT(test, vg_mock_waiting(host));
	VG_MOCK_AWAIT(test, vg_mock_task_sleeps(task));
	KUNIT_EXPECT_FALSE(test, vg_mock_resident(user, handle));

	/* the reset is the answer to a host that hangs */
	vg_mock_transition(host, PM_RESTORE_PREPARE);
	vg_mock_set_stall_ms(100);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_EXPECT_GT(test, 0, vg_mock_task_result(task));
	KUNIT_EXPECT_FALSE(test, vg_mock_resident(user, handle));
	vg_mock_set_stall_ms(20000);
	vg_mock_let_go(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	KUNIT_EXPECT_EQ(test, 0, virtio_gpu_pm_object_use(vg_mock_bo(user, other)));
	KUNIT_EXPECT_EQ(test, 0, virtio_gpu_pm_object_use(vg_mock_bo(user, handle)));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_vpm(host)->num_lost);
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, handle));
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, other));
}

static void virtio_gpu_pm_test_free_unanswered(struct kunit *test)
{
	const struct vg_test_free *param = test->param_value;
	const struct vg_mock_setup setup = {
		.features = param->features,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle = param->create(user);
	struct vg_mock_task *task;

	/*
	 * A restore that the host does not answer fails. Its commands are still
	 * in the ring when the object is freed, and bring its memory.
	 */
	vg_mock_check(host);
	vg_test_sleep(test, host);
	vg_mock_check(host);
	vg_mock_set_stall_ms(100);
	vg_mock_hold(host, true);
	task = vg_mock_task_start(user, vg_test_use_task, handle, NULL);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vg_mock_task_result(task));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, handle));

	vg_mock_set_stall_ms(20000);
	vg_mock_let_go(host);
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
	/* what the host may have kept is forgotten at the latest now */
	vg_test_sleep(test, host);
	KUNIT_EXPECT_STREQ(test, host->objection, "");
}

static void virtio_gpu_pm_test_create_refused(struct kunit *test)
{
	const struct vg_test_free *param = test->param_value;
	const struct vg_mock_setup setup = {
		.features = param->features,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 early, late;

	/*
	 * A host that refuses the first creation leaves an object that it does
	 * not have, as upstream, no matter when the answer comes. The next reset
	 * heals that.
	 */
	vg_mock_fault(host, param->features & BLOB & ~PLAIN ?
		      VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB :
		      VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, 0, VG_MOCK_ERROR);
	early = param->create(user);
	vg_mock_settle(host);
	vg_mock_hold(host, true);
	late = param->create(user);
	vg_mock_hold(host, false);
	vg_mock_settle(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_vpm(host)->num_lost);
	KUNIT_EXPECT_EQ(test, vg_mock_resident(user, early),
			vg_mock_resident(user, late));

	vg_mock_let_go(host);
	vg_test_sleep(test, host);
	KUNIT_EXPECT_EQ(test, 0, virtio_gpu_pm_object_use(vg_mock_bo(user, early)));
	KUNIT_EXPECT_EQ(test, 0, virtio_gpu_pm_object_use(vg_mock_bo(user, late)));
	vg_mock_check(host);
}

static void virtio_gpu_pm_test_open_error(struct kunit *test)
{
	const struct vg_mock_setup setup = {
		.features = VIRGL,
		.num_scanouts = 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &setup);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_mock_user *other = vg_mock_open(host, true);
	u32 handle = vg_mock_dumb(user), id;
	struct drm_gem_object *obj = &vg_mock_bo(user, handle)->base.base;

	/* A handle that cannot be created says why. */
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_EXPECT_EQ(test, -ENODEV,
			drm_gem_handle_create(vg_mock_drm_file(other), obj, &id));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	KUNIT_EXPECT_EQ(test, 0,
			drm_gem_handle_create(vg_mock_drm_file(other), obj, &id));
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_attached(host, vg_mock_ctx(other),
						 vg_mock_id(user, handle)));
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

static struct kunit_case virtio_gpu_pm_objects_tests[] = {
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_cycles, vg_test_setup_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_many, vg_test_many_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_first_use, vg_test_use_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_content),
	KUNIT_CASE(virtio_gpu_pm_test_several_tasks),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_free_stale, vg_test_free_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_free_while_down, vg_test_free_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_unref_in_ring, vg_test_free_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_uuid),
	KUNIT_CASE(virtio_gpu_pm_test_uuid_refused),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_transient,
			 vg_test_transient_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_free_unanswered,
			 vg_test_transient_gen_params),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_create_refused,
			 vg_test_transient_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_open_error),
	KUNIT_CASE(virtio_gpu_pm_test_not_restored),
	KUNIT_CASE(virtio_gpu_pm_test_not_created),
	{}
};

static struct kunit_suite virtio_gpu_pm_objects_suite = {
	.name = "virtio_gpu_pm_objects",
	.test_cases = virtio_gpu_pm_objects_tests,
};

kunit_test_suite(virtio_gpu_pm_objects_suite);
