// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Virgl contexts that are made again: the model of a renderer tells whether they are. */

#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/prandom.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/suspend.h>

#include <drm/virtgpu_drm.h>

#include "../../pm_virt/drm_virt_pm_internal.h"
#include "../virtgpu_pm_virgl.h"
#include "virtgpu_mock.h"
#include "virtgpu_virgl_model.h"

/*
 * Random streams, cut by a reset
 */

#define SEEDS		16
#define CUTS		4
#define STREAMS		12
#define COMMANDS	24
#define WORDS		2048
#define RESOURCES	64

struct vg_test_random {
	struct kunit *test;
	struct rnd_state rnd;
	struct virtio_gpu_virgl *virgl;

	/* a host that is never reset, and the one that is there now */
	struct vg_model always;
	struct vg_model now;

	/* names of resources, ascending */
	u32 resource[RESOURCES];
	unsigned int num_resources;

	u32 next;		/* name of an object or a resource */
	u32 words[WORDS];
	u32 num;

	unsigned int dangling;
	unsigned int partial;
};

static bool vg_test_has_resource(struct vg_model *model, u32 id)
{
	struct vg_test_random *random = model->data;
	unsigned int i;

	for (i = 0; i < random->num_resources; i++)
		if (random->resource[i] == id)
			return true;
	return false;
}

static u32 vg_test_below(struct vg_test_random *random, u32 limit)
{
	return prandom_u32_state(&random->rnd) % limit;
}

static u32 vg_test_resource(struct vg_test_random *random)
{
	return random->num_resources ?
	       random->resource[vg_test_below(random, random->num_resources)] : 0;
}

static void vg_test_change_resources(struct vg_test_random *random)
{
	unsigned int i;

	if (random->num_resources && !vg_test_below(random, 3)) {
		i = vg_test_below(random, random->num_resources);
		random->num_resources--;
		memmove(random->resource + i, random->resource + i + 1,
			(random->num_resources - i) * sizeof(u32));
	} else if (random->num_resources < RESOURCES) {
		random->resource[random->num_resources++] = random->next++;
	}
}

static u32 vg_test_name(struct vg_test_random *random, u8 type)
{
	return vg_test_below(random, 8) ?
	       vg_model_any(&random->always, type, random->next - vg_test_below(random, 40)) : 0;
}

/* A command of @num random words */
static u32 *vg_test_put(struct vg_test_random *random, u8 command, u8 type, u32 num)
{
	u32 *payload = random->words + random->num + 1, i;

	random->words[random->num] = VIRGL_HEADER(command, type, num);
	for (i = 0; i < num; i++)
		payload[i] = prandom_u32_state(&random->rnd);
	random->num += num + 1;
	return payload;
}

static void vg_test_put_shader(struct vg_test_random *random)
{
	u32 sent, name = vg_model_partial(&random->always, &sent);
	u32 num = 1 + vg_test_below(random, 12), *payload;

	payload = vg_test_put(random, VIRGL_CREATE_OBJECT, VIRGL_SHADER, 5 + num);
	payload[0] = name ?: random->next++;
	/* the second of three often does not bring all that lacks */
	payload[2] = name ? BIT(31) | sent :
			    num * sizeof(u32) - 1 + (vg_test_below(random, 3) ? 0 : 40);
	payload[4] = 0;
	random->partial += !!name;
}

static void vg_test_put_object(struct vg_test_random *random)
{
	static const struct {
		u8 type;
		u8 words;
		u8 resource;
	} kinds[] = {
		{ VIRGL_BLEND, 11 }, { VIRGL_RASTERIZER, 9 }, { VIRGL_DEPTH_STENCIL, 5 },
		{ VIRGL_VERTEX_ELEMENTS, 9 }, { VIRGL_SAMPLER, 9 },
		{ VIRGL_SAMPLER_VIEW, 6, 1 }, { VIRGL_SURFACE, 5, 1 }, { VIRGL_QUERY, 4, 3 },
		{ VIRGL_SAMPLER_VIEW, 6, 1 }, { VIRGL_SURFACE, 5, 1 },
	};
	u32 i = vg_test_below(random, ARRAY_SIZE(kinds) + 2), old, *payload;

	if (i >= ARRAY_SIZE(kinds)) {
		vg_test_put_shader(random);
		return;
	}
	if (kinds[i].resource && !random->num_resources)
		return;

	/* a name that is in use is used again at times */
	old = vg_test_below(random, 8) ? 0 : vg_test_name(random, kinds[i].type);
	payload = vg_test_put(random, VIRGL_CREATE_OBJECT, kinds[i].type, kinds[i].words);
	payload[0] = old ?: random->next++;
	if (kinds[i].resource)
		payload[kinds[i].resource] = vg_test_resource(random);
}

static void vg_test_put_names(struct vg_test_random *random, u8 command, u8 type,
			      u32 before)
{
	u32 num = vg_test_below(random, 4), i, *payload;

	payload = vg_test_put(random, command, 0, before + num);
	payload[0] = command == VIRGL_SET_FRAMEBUFFER ? num : vg_test_below(random, 6);
	payload[1] = command == VIRGL_SET_FRAMEBUFFER ? 0 : vg_test_below(random, 3);
	for (i = 0; i < num; i++)
		payload[before + i] = vg_test_name(random, type);
}

static void vg_test_put_uses(struct vg_test_random *random, u8 command, u32 before,
			     u32 step, u32 at)
{
	u32 num = vg_test_below(random, 4), i, *payload;

	payload = vg_test_put(random, command, 0, before + num * step);
	if (before)
		payload[0] = vg_test_below(random, 3);
	if (before > 1)
		payload[1] = vg_test_below(random, 3);
	for (i = 0; i < num; i++)
		payload[before + i * step + at] =
			vg_test_below(random, 6) ? vg_test_resource(random) : 0;
}

static void vg_test_put_state(struct vg_test_random *random)
{
	static const u8 bound[] = {
		VIRGL_BLEND, VIRGL_RASTERIZER, VIRGL_DEPTH_STENCIL, VIRGL_VERTEX_ELEMENTS,
	};
	static const u8 plain[] = {
		VIRGL_SET_STENCIL_REF, VIRGL_SET_BLEND_COLOUR, VIRGL_SET_STIPPLE,
		VIRGL_SET_CLIP, VIRGL_SET_SAMPLE_MASK, VIRGL_SET_TESSELLATION,
		VIRGL_SET_MIN_SAMPLES, VIRGL_SET_NO_ATTACHMENT,
	};
	u32 i, *payload;

	switch (vg_test_below(random, 16)) {
	case 0:
		i = bound[vg_test_below(random, ARRAY_SIZE(bound))];
		payload = vg_test_put(random, VIRGL_BIND_OBJECT, i, 1);
		payload[0] = vg_test_name(random, i);
		break;
	case 1:
		payload = vg_test_put(random, VIRGL_BIND_SHADER, 0, 2);
		payload[0] = vg_test_name(random, VIRGL_SHADER);
		payload[1] = vg_test_below(random, 6);
		break;
	case 2:
		payload = vg_test_put(random, VIRGL_SET_VIEWPORTS, 0,
				      1 + 6 * vg_test_below(random, 3));
		payload[0] = vg_test_below(random, 3);
		break;
	case 3:
		payload = vg_test_put(random, VIRGL_SET_SCISSORS, 0,
				      1 + 2 * vg_test_below(random, 3));
		payload[0] = vg_test_below(random, 3);
		break;
	case 4:
		payload = vg_test_put(random, VIRGL_SET_CONSTANTS, 0,
				      2 + vg_test_below(random, 20));
		payload[0] = vg_test_below(random, 6);
		break;
	case 5:
		payload = vg_test_put(random, VIRGL_SET_INDEX_BUFFER, 0,
				      1 + 2 * vg_test_below(random, 2));
		payload[0] = vg_test_resource(random);
		break;
	case 6:
		payload = vg_test_put(random, VIRGL_SET_UNIFORM_BUFFER, 0, 5);
		payload[0] = vg_test_below(random, 6);
		payload[1] = vg_test_below(random, 4);
		payload[4] = vg_test_resource(random);
		break;
	case 7:
		payload = vg_test_put(random, VIRGL_SET_TWEAK, 0, 2);
		payload[0] = vg_test_below(random, 3);
		break;
	case 8:
		vg_test_put_names(random, VIRGL_SET_FRAMEBUFFER, VIRGL_SURFACE, 2);
		break;
	case 9:
	case 10:
		vg_test_put_names(random, VIRGL_SET_SAMPLER_VIEWS, VIRGL_SAMPLER_VIEW, 2);
		break;
	case 11:
		vg_test_put_names(random, VIRGL_BIND_SAMPLERS, VIRGL_SAMPLER, 2);
		break;
	case 12:
		vg_test_put_uses(random, VIRGL_SET_VERTEX_BUFFERS, 0, 3, 2);
		break;
	case 13:
		vg_test_put_uses(random, VIRGL_SET_SHADER_BUFFERS, 2, 3, 2);
		vg_test_put_uses(random, VIRGL_SET_SHADER_IMAGES, 2, 5, 4);
		break;
	case 14:
		vg_test_put_uses(random, VIRGL_SET_ATOMIC_BUFFERS, 1, 3, 2);
		break;
	default:
		vg_test_put(random, plain[vg_test_below(random, ARRAY_SIZE(plain))], 0,
			    1 + vg_test_below(random, 5));
	}
}

static void vg_test_put_end(struct vg_test_random *random)
{
	static const u8 types[] = {
		VIRGL_BLEND, VIRGL_SAMPLER_VIEW, VIRGL_SURFACE, VIRGL_SAMPLER,
		VIRGL_SHADER, VIRGL_QUERY, VIRGL_VERTEX_ELEMENTS,
	};
	u32 name = vg_model_any(&random->always,
				types[vg_test_below(random, ARRAY_SIZE(types))],
				random->next - vg_test_below(random, 40));

	if (name)
		*vg_test_put(random, VIRGL_DESTROY_OBJECT, 0, 1) = name;
}

static void vg_test_put_query(struct vg_test_random *random)
{
	u32 name = vg_test_name(random, VIRGL_QUERY);

	if (!name)
		return;
	*vg_test_put(random, VIRGL_BEGIN_QUERY, 0, 1) = name;
	*vg_test_put(random, VIRGL_END_QUERY, 0, 1) = name;
}

static void vg_test_put_sub(struct vg_test_random *random)
{
	u32 number = vg_test_below(random, 4);

	/* one that is there is not made twice, and one that is not is not used */
	if (!xa_load(&random->always.subs, number))
		*vg_test_put(random, VIRGL_CREATE_SUB_CTX, 0, 1) = number;
	else if (number && !vg_test_below(random, 4))
		*vg_test_put(random, VIRGL_DESTROY_SUB_CTX, 0, 1) = number;
	else
		*vg_test_put(random, VIRGL_SET_SUB_CTX, 0, 1) = number;
}

/* One command, which both hosts carry out at once, as the next depends on it */
static void vg_test_put_one(struct vg_test_random *random)
{
	u32 first = random->num, what = vg_test_below(random, 16);

	if (what < 5)
		vg_test_put_object(random);
	else if (what < 12)
		vg_test_put_state(random);
	else if (what < 14)
		vg_test_put_end(random);
	else if (what < 15)
		vg_test_put_query(random);
	else
		vg_test_put_sub(random);

	vg_model_run(&random->always, random->words + first, random->num - first);
	vg_model_run(&random->now, random->words + first, random->num - first);
}

struct vg_test_replay {
	struct virgl_replay base;
	struct vg_model *model;
	unsigned int streams;
};

static int vg_test_replay_to(struct virgl_replay *replay, u32 *stream, u32 bytes)
{
	struct vg_test_replay *to = container_of(replay, struct vg_test_replay, base);

	vg_model_run(to->model, stream, bytes / sizeof(*stream));
	to->streams++;
	kvfree(stream);
	return 0;
}

/* The host is reset, and told what it had. */
static void vg_test_cut(struct vg_test_random *random, unsigned int seed)
{
	struct vg_test_replay replay = {
		.base.submit = vg_test_replay_to,
		.base.resources = random->resource,
		.base.num_resources = random->num_resources,
		.model = &random->now,
	};
	char what[80] = "";

	vg_model_fini(&random->now);
	vg_model_init(&random->now);
	KUNIT_EXPECT_EQ_MSG(random->test, 0,
			    virtio_gpu_virgl_replay(random->virgl, &replay.base),
			    "seed %u", seed);
	random->dangling += replay.base.dangling;
	KUNIT_EXPECT_FALSE_MSG(random->test,
			       vg_model_differs(&random->always, &random->now, what,
						sizeof(what)),
			       "seed %u: %s", seed, what);
}

static void vg_test_random_seed(struct vg_test_random *random, unsigned int seed)
{
	char what[80] = "";
	unsigned int i, j, k;

	for (i = 0; i < CUTS; i++) {
		for (j = 0; j < STREAMS; j++) {
			random->num = 0;
			for (k = 0; k < COMMANDS && random->num < WORDS - 200; k++)
				vg_test_put_one(random);
			virtio_gpu_virgl_walk(random->virgl, random->words,
					      random->num * sizeof(u32));
			vg_test_change_resources(random);
			vg_test_change_resources(random);
		}
		/* what was made again goes on as what was always there */
		KUNIT_EXPECT_FALSE_MSG(random->test,
				       vg_model_differs(&random->always, &random->now,
							what, sizeof(what)),
				       "seed %u, before: %s", seed, what);
		vg_test_cut(random, seed);
	}
}

static void virtio_gpu_pm_test_return_random(struct kunit *test)
{
	struct vg_test_random *random = kunit_kzalloc(test, sizeof(*random), GFP_KERNEL);
	unsigned int seed, dangling = 0, partial = 0;

	KUNIT_ASSERT_NOT_NULL(test, random);
	for (seed = 1; seed <= SEEDS; seed++) {
		memset(random, 0, sizeof(*random));
		random->test = test;
		random->next = 1;
		prandom_seed_state(&random->rnd, seed);
		random->virgl = virtio_gpu_virgl_alloc(true);
		KUNIT_ASSERT_NOT_NULL(test, random->virgl);
		random->always.has_resource = vg_test_has_resource;
		random->always.data = random;
		random->now = random->always;
		vg_model_init(&random->always);
		vg_model_init(&random->now);

		vg_test_random_seed(random, seed);
		KUNIT_EXPECT_EQ(test, random->virgl->num[VIRGL_NUM_BROKEN], 0);
		dangling += random->dangling;
		partial += random->partial;

		vg_model_fini(&random->always);
		vg_model_fini(&random->now);
		virtio_gpu_virgl_free(random->virgl);
	}

	/* It was no noise only. */
	KUNIT_EXPECT_GT(test, dangling, SEEDS);
	KUNIT_EXPECT_GT(test, partial, SEEDS);
}

/*
 * The driver, on a host that renders
 */

static const struct vg_mock_setup vg_test_renders = {
	.features = BIT_ULL(VIRTIO_GPU_F_EDID) | BIT_ULL(VIRTIO_GPU_F_VIRGL) |
		    BIT_ULL(VIRTIO_GPU_F_CONTEXT_INIT),
	.num_scanouts = 1,
	.num_capsets = 2,
};

static struct vg_mock_host *vg_test_host(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_alloc(test, "mock", &vg_test_renders);

	host->renders = true;
	return vg_mock_start(host);
}

static int vg_test_submit(struct vg_mock_user *user, const u32 *words, u32 size)
{
	struct drm_virtgpu_execbuffer arg = {
		.size = size,
		.command = vg_mock_put_user(user, words, size),
	};

	return vg_mock_ioctl(user, DRM_IOCTL_VIRTGPU_EXECBUFFER, &arg);
}

#define SUBMIT(user, ...)						\
	vg_test_submit(user, (const u32[]){ __VA_ARGS__ },		\
		       sizeof((const u32[]){ __VA_ARGS__ }))
#define NEW_SUB		VIRGL_HEADER(VIRGL_CREATE_SUB_CTX, 0, 1)
#define NEW_SURFACE	VIRGL_HEADER(VIRGL_CREATE_OBJECT, VIRGL_SURFACE, 5)
#define FRAMEBUFFER	VIRGL_HEADER(VIRGL_SET_FRAMEBUFFER, 0, 3)
#define STENCIL_REF	VIRGL_HEADER(VIRGL_SET_STENCIL_REF, 0, 1)

/* The PM core announces a transition to our notifier; it tells the other itself. */
static int vg_test_announce(struct vg_mock_host *host, unsigned long event)
{
	struct notifier_block *nb = &vg_mock_vgdev(host)->pm.virgl.nb;

	return notifier_to_errno(nb->notifier_call(nb, event, NULL));
}

static void vg_test_sleep(struct vg_mock_host *host)
{
	KUNIT_ASSERT_EQ(host->test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(host->test, 0, vg_mock_restore(host));
	vg_mock_settle(host);
}

static struct virtio_gpu_virgl *vg_test_virgl_of(struct vg_mock_user *user)
{
	struct virtio_gpu_fpriv *vfpriv = vg_mock_drm_file(user)->driver_priv;

	return vfpriv->pm.virgl;
}

static struct vg_model *vg_test_model(struct vg_mock_user *user)
{
	return vg_mock_model(user->host, vg_mock_ctx(user));
}

struct vg_test_layout {
	const char *name;
	struct drm_virtgpu_resource_create create;
};

static const struct vg_test_layout vg_test_layout_params[] = {
	{ "2D", { .target = 2, .format = 1, .width = 33, .height = 17 } },
	{ "one byte", { .target = 2, .format = 64, .width = 31, .height = 9 } },
	{ "levels", { .target = 2, .format = 1, .width = 64, .height = 20, .last_level = 6 } },
	{ "cube", { .target = 4, .format = 1, .width = 16, .height = 16, .array_size = 6,
		    .last_level = 2 } },
	{ "3D", { .target = 3, .format = 1, .width = 16, .height = 8, .depth = 5,
		  .last_level = 4 } },
	{ "layers", { .target = 7, .format = 64, .width = 16, .height = 8, .array_size = 7 } },
	{ "one texel", { .target = 2, .format = 1, .width = 1, .height = 1 } },
	{ "buffer", { .target = 0, .format = 64, .width = 10000, .height = 1,
		      .size = 3 * PAGE_SIZE } },
	{ "custom", { .target = 0, .format = 64, .width = 64, .height = 1,
		      .bind = VIRGL_BIND_CUSTOM } },
	{ "staging", { .target = 0, .format = 64, .width = 64, .height = 1,
		       .bind = VIRGL_BIND_STAGING } },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_layout, vg_test_layout_params, name);

static u32 vg_test_resource_of(struct vg_mock_user *user,
			       const struct drm_virtgpu_resource_create *create)
{
	struct drm_virtgpu_resource_create arg = *create;

	arg.depth = max(arg.depth, 1u);
	arg.array_size = max(arg.array_size, 1u);
	KUNIT_ASSERT_EQ(user->host->test, 0,
			vg_mock_ioctl(user, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &arg));
	return arg.bo_handle;
}

/* What the program has in the pages of a buffer */
static void vg_test_pages(struct vg_mock_user *user, u32 handle, void *data, u32 size,
			  bool write)
{
	struct sg_table *sgt = vg_mock_bo(user, handle)->base.sgt;

	if (write)
		sg_copy_from_buffer(sgt->sgl, sgt->orig_nents, data, size);
	else
		sg_copy_to_buffer(sgt->sgl, sgt->orig_nents, data, size);
}

/* What only the host has comes back; what is in the program's pages stays. */
static void virtio_gpu_pm_test_return_content(struct kunit *test)
{
	const struct vg_test_layout *param = test->param_value;
	struct vg_mock_host *host = vg_test_host(test);
	struct vg_mock_user *user = vg_mock_open(host, true);
	bool custom = param->create.bind & VIRGL_BIND_CUSTOM;
	bool staging = param->create.bind & VIRGL_BIND_STAGING;
	u32 handle, bytes, i, cycle;
	u8 *content, *pages, *now;

	pages = kunit_kzalloc(test, 2 * PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	now = pages + PAGE_SIZE;
	handle = vg_test_resource_of(user, &param->create);
	vg_mock_settle(host);
	vg_mock_content(host, vg_mock_id(user, handle), &bytes);
	content = kunit_kmalloc(test, bytes, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, content);

	for (cycle = 1; cycle <= 2; cycle++) {
		for (i = 0; i < bytes; i++)
			content[i] = i * 7 + i / 251 + cycle;
		memcpy(vg_mock_content(host, vg_mock_id(user, handle), NULL), content,
		       bytes);
		memset(pages, 0x33 + cycle, PAGE_SIZE);
		vg_test_pages(user, handle, pages, PAGE_SIZE, true);

		vg_test_sleep(host);
		KUNIT_EXPECT_FALSE(test, vg_mock_resident(user, handle));
		KUNIT_EXPECT_EQ(test, 0, SUBMIT(user, STENCIL_REF, cycle));
		vg_mock_settle(host);
		KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, handle));
		KUNIT_EXPECT_FALSE(test, vg_test_model(user)->dead);
		/* it has a copy of the program's pages */
		if (custom)
			memcpy(content, pages, bytes);
		if (!staging)
			KUNIT_EXPECT_MEMEQ(test, vg_mock_content(host, vg_mock_id(user, handle),
								 NULL), content, bytes);
		vg_test_pages(user, handle, now, PAGE_SIZE, false);
		KUNIT_EXPECT_MEMEQ(test, now, pages, PAGE_SIZE);
	}

	/* the memory for it is free again */
	KUNIT_EXPECT_EQ(test, 0, vg_test_announce(host, PM_POST_SUSPEND));
	KUNIT_EXPECT_NULL(test, vg_mock_bo(user, handle)->pm.content);
	vg_mock_check(host);
}

/* A context has all it had, in the next life of the host and in the one after. */
static void virtio_gpu_pm_test_return_context(struct kunit *test)
{
	struct vg_mock_host *host = vg_test_host(test);
	struct vg_mock_user *user = vg_mock_open(host, true);
	u32 handle = vg_mock_classic(user), other = vg_mock_classic(user), cycle;
	u32 id = vg_mock_id(user, handle);
	unsigned int contexts;
	struct vg_model *model;
	u32 missing;

	KUNIT_ASSERT_EQ(test, 0, SUBMIT(user, NEW_SUB, 1, NEW_SURFACE, 5, id, 1, 0, 0,
					FRAMEBUFFER, 1, 0, 5, NEW_SUB, 2, NEW_SURFACE, 6,
					vg_mock_id(user, other), 1, 0, 0,
					FRAMEBUFFER, 1, 0, 6, STENCIL_REF, 3));
	KUNIT_EXPECT_EQ(test, 0, drm_virt_pm_check(vg_mock_vpm(host)));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, other));

	for (cycle = 0; cycle < 3; cycle++) {
		vg_mock_settle(host);
		contexts = host->num_contexts;
		KUNIT_EXPECT_EQ(test, 0, vg_test_announce(host, PM_SUSPEND_PREPARE));
		vg_mock_settle(host);
		KUNIT_EXPECT_EQ(test, host->num_contexts, contexts);
		vg_test_sleep(host);
		KUNIT_EXPECT_EQ(test, 0, vg_test_announce(host, PM_POST_SUSPEND));
		KUNIT_EXPECT_NULL(test, vg_test_model(user));

		KUNIT_EXPECT_EQ(test, 0, SUBMIT(user, STENCIL_REF, 4));
		vg_mock_settle(host);
		model = vg_test_model(user);
		KUNIT_ASSERT_NOT_NULL(test, model);
		KUNIT_EXPECT_FALSE_MSG(test, model->dead, "after %x", model->why);
		KUNIT_EXPECT_EQ(test, model->sub, 2);
		KUNIT_EXPECT_EQ(test, vg_model_any(model, VIRGL_SURFACE, ~0), 0);
		KUNIT_EXPECT_EQ(test, 0, SUBMIT(user, VIRGL_HEADER(VIRGL_SET_SUB_CTX, 0, 1), 1,
						FRAMEBUFFER, 1, 0, 5,
						VIRGL_HEADER(VIRGL_SET_SUB_CTX, 0, 1), 2));
		vg_mock_settle(host);
		KUNIT_EXPECT_FALSE_MSG(test, model->dead, "after %x", model->why);
	}
	KUNIT_EXPECT_EQ(test, vg_model_partial(model, &missing), 0);
	KUNIT_EXPECT_GT(test, vg_test_virgl_of(user)->dangling, 0);
	vg_mock_check(host);
}

/* One that the host does not take is lost alone. */
static void virtio_gpu_pm_test_return_alone(struct kunit *test)
{
	struct vg_mock_host *host = vg_test_host(test);
	struct vg_mock_user *first = vg_mock_open(host, true);
	struct vg_mock_user *second = vg_mock_open(host, true);
	struct virtio_gpu_pm_virgl *virgl = &vg_mock_vgdev(host)->pm.virgl;

	KUNIT_ASSERT_EQ(test, 0, SUBMIT(first, NEW_SUB, 1));
	KUNIT_ASSERT_EQ(test, 0, SUBMIT(second, NEW_SUB, 1));
	host->kills = vg_mock_ctx(first);
	vg_test_sleep(host);

	KUNIT_EXPECT_EQ(test, -EIO, SUBMIT(first, STENCIL_REF, 1));
	KUNIT_EXPECT_EQ(test, -EIO, SUBMIT(first, STENCIL_REF, 2));
	KUNIT_EXPECT_EQ(test, 0, SUBMIT(second, STENCIL_REF, 1));
	vg_mock_settle(host);
	KUNIT_EXPECT_FALSE(test, vg_test_model(second)->dead);
	KUNIT_EXPECT_EQ(test, vg_test_model(second)->sub, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&virgl->lost), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&virgl->returned), 1);

	/* it does not keep the others from sleeping again, nor come back */
	host->kills = 0;
	KUNIT_EXPECT_EQ(test, 0, vg_test_announce(host, PM_SUSPEND_PREPARE));
	vg_test_sleep(host);
	KUNIT_EXPECT_EQ(test, -EIO, SUBMIT(first, STENCIL_REF, 3));
	KUNIT_EXPECT_EQ(test, 0, SUBMIT(second, STENCIL_REF, 3));
	KUNIT_EXPECT_EQ(test, atomic_read(&virgl->lost), 1);
	vg_mock_check(host);
}

/* What is wrong is seen before tasks freeze: by a rehearsal, under another number. */
static void virtio_gpu_pm_test_return_rehearsal(struct kunit *test)
{
	struct vg_mock_host *host = vg_test_host(test);
	struct vg_mock_user *user = vg_mock_open(host, true);
	unsigned int contexts;

	KUNIT_ASSERT_EQ(test, 0, SUBMIT(user, NEW_SUB, 1));
	vg_mock_settle(host);
	contexts = host->num_contexts;
	host->kills = vg_mock_ctx(user) + 1;
	KUNIT_EXPECT_EQ(test, -EBUSY, vg_test_announce(host, PM_SUSPEND_PREPARE));
	vg_mock_settle(host);
	KUNIT_EXPECT_EQ(test, host->num_contexts, contexts);
	KUNIT_EXPECT_FALSE(test, vg_test_model(user)->dead);
	KUNIT_EXPECT_NOT_NULL(test, strstr(vg_mock_vpm(host)->refusal,
					   "its 3D context could not be made again"));
	KUNIT_EXPECT_EQ(test, 0, SUBMIT(user, STENCIL_REF, 1));

	/* one that is in error already has nothing that could come back */
	vg_mock_settle(host);
	host->kills = 0;
	vg_test_model(user)->dead = true;
	KUNIT_EXPECT_EQ(test, 0, vg_test_announce(host, PM_SUSPEND_PREPARE));
	KUNIT_EXPECT_EQ(test, -EIO, SUBMIT(user, STENCIL_REF, 1));
	vg_mock_check(host);
}

/* Content that the host does not tell: refused, and nothing has changed. */
static void virtio_gpu_pm_test_return_unread(struct kunit *test)
{
	struct vg_mock_host *host = vg_test_host(test);
	struct vg_mock_user *user = vg_mock_open(host, true);
	u32 handle = vg_mock_classic(user), resets;

	vg_mock_settle(host);
	resets = host->resets;
	host->reads_nothing = true;
	KUNIT_EXPECT_EQ(test, -EBUSY, vg_mock_freeze(host));
	KUNIT_EXPECT_EQ(test, host->resets, resets);
	KUNIT_EXPECT_NOT_NULL(test, strstr(vg_mock_vpm(host)->refusal,
					   "the content of a texture could not be read"));
	KUNIT_EXPECT_TRUE(test, vg_mock_resident(user, handle));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, handle));
	vg_mock_check(host);

	host->reads_nothing = false;
	vg_test_sleep(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_transfer(user, handle));
	vg_mock_check(host);
}

/* A result that the host did not write until it was drained: nobody would write it. */
static void virtio_gpu_pm_test_return_query(struct kunit *test)
{
	static const struct drm_virtgpu_resource_create create = {
		.target = 0, .format = 64, .width = 64, .height = 1,
		.bind = VIRGL_BIND_CUSTOM,
	};
	struct vg_mock_host *host = vg_test_host(test);
	struct vg_mock_user *user = vg_mock_open(host, true);
	u32 handle = vg_test_resource_of(user, &create);
	u32 result[4] = { 0, 0, VIRGL_QUERY_WAITS };

	KUNIT_ASSERT_EQ(test, 0,
			SUBMIT(user, VIRGL_HEADER(VIRGL_CREATE_OBJECT, VIRGL_QUERY, 4), 3, 0, 8,
			       vg_mock_id(user, handle), VIRGL_HEADER(VIRGL_BEGIN_QUERY, 0, 1),
			       3, VIRGL_HEADER(VIRGL_END_QUERY, 0, 1), 3));
	vg_mock_settle(host);
	vg_test_pages(user, handle, result, sizeof(result), true);
	KUNIT_EXPECT_EQ(test, -EBUSY, vg_mock_freeze(host));
	KUNIT_EXPECT_NOT_NULL(test, strstr(vg_mock_vpm(host)->refusal,
					   "a query has no result"));

	result[2] = 1;
	vg_test_pages(user, handle, result, sizeof(result), true);
	vg_test_sleep(host);
	KUNIT_EXPECT_EQ(test, 0, SUBMIT(user, VIRGL_HEADER(VIRGL_BEGIN_QUERY, 0, 1), 3));
	vg_mock_settle(host);
	KUNIT_EXPECT_FALSE(test, vg_test_model(user)->dead);
	vg_mock_check(host);
}

/* Another host: Mesa goes on with the capabilities of the old one. 2D does not care. */
static void virtio_gpu_pm_test_return_other_host(struct kunit *test)
{
	struct vg_mock_host *host = vg_test_host(test);
	struct vg_mock_user *user = vg_mock_open(host, true);
	struct vg_mock_user *plain = vg_mock_open(host, false);
	u32 dumb = vg_mock_dumb(plain);

	KUNIT_ASSERT_EQ(test, 0, SUBMIT(user, NEW_SUB, 1));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(plain, 0, dumb));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	host->capset++;
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
	vg_mock_settle(host);

	KUNIT_EXPECT_EQ(test, -EIO, SUBMIT(user, STENCIL_REF, 1));
	KUNIT_EXPECT_EQ(test, atomic_read(&vg_mock_vgdev(host)->pm.virgl.lost), 1);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(plain, dumb));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_dirty(plain, 0, dumb));
	vg_mock_check(host);
}

/* What cannot be saved is told; nothing is, of a reset that cannot be refused. */
static void virtio_gpu_pm_test_return_not(struct kunit *test)
{
	static const struct drm_virtgpu_resource_create unknown = {
		.target = 2, .format = 105, .width = 16, .height = 16,
	};
	struct vg_mock_host *host = vg_test_host(test);
	struct vg_mock_user *user = vg_mock_open(host, true);
	char why[256];
	u32 handle = vg_test_resource_of(user, &unknown);

	KUNIT_EXPECT_EQ(test, -EBUSY, drm_virt_pm_ask(vg_mock_vpm(host), DRM_VIRT_PM_SUSPEND,
						      why, sizeof(why)));
	KUNIT_EXPECT_NOT_NULL(test, strstr(why, ": a texture of an unknown format, 1 buffer"));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, handle));
	vg_mock_settle(host);
	KUNIT_EXPECT_EQ(test, 0, drm_virt_pm_check(vg_mock_vpm(host)));

	vg_mock_reset_prepare(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_reset_done(host));
	KUNIT_EXPECT_EQ(test, -EIO, SUBMIT(user, STENCIL_REF, 1));
}

/* More than may be saved: refused beforehand, with figures. */
static void virtio_gpu_pm_test_return_too_large(struct kunit *test)
{
	static const struct drm_virtgpu_resource_create large = {
		.target = 2, .format = 1, .width = 4096, .height = 4096,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_renders);
	struct vg_mock_user *user = vg_mock_open(host, true);
	u64 most = ((u64)totalram_pages() << PAGE_SHIFT) / 4;
	char why[256], expected[96];
	u64 mib;

	for (mib = 0; mib << 20 <= most; mib += 64)
		vg_test_resource_of(user, &large);
	snprintf(expected, sizeof(expected),
		 "%llu MiB of textures, more than the %llu MiB that may be saved", mib,
		 most >> 20);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_virt_pm_ask(vg_mock_vpm(host), DRM_VIRT_PM_SUSPEND,
						      why, sizeof(why)));
	KUNIT_EXPECT_STREQ(test, why, expected);
	KUNIT_EXPECT_EQ(test, -EBUSY, vg_mock_freeze(host));
}

static bool vg_test_restore_before;

static int vg_test_return_init(struct kunit *test)
{
	vg_test_restore_before = virtio_gpu_virgl_restore;
	virtio_gpu_virgl_restore = true;
	return 0;
}

static void vg_test_return_exit(struct kunit *test)
{
	virtio_gpu_virgl_restore = vg_test_restore_before;
}

static struct kunit_case virtio_gpu_pm_return_tests[] = {
	KUNIT_CASE_SLOW(virtio_gpu_pm_test_return_random),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_return_content, vg_test_layout_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_return_context),
	KUNIT_CASE(virtio_gpu_pm_test_return_alone),
	KUNIT_CASE(virtio_gpu_pm_test_return_rehearsal),
	KUNIT_CASE(virtio_gpu_pm_test_return_unread),
	KUNIT_CASE(virtio_gpu_pm_test_return_query),
	KUNIT_CASE(virtio_gpu_pm_test_return_other_host),
	KUNIT_CASE(virtio_gpu_pm_test_return_not),
	KUNIT_CASE(virtio_gpu_pm_test_return_too_large),
	{}
};

static struct kunit_suite virtio_gpu_pm_return_suite = {
	.name = "virtio_gpu_pm_return",
	.init = vg_test_return_init,
	.exit = vg_test_return_exit,
	.test_cases = virtio_gpu_pm_return_tests,
};

kunit_test_suite(virtio_gpu_pm_return_suite);
