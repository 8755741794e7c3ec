// SPDX-License-Identifier: GPL-2.0 OR MIT

/* The census of virgl contexts, told by streams of raw commands. */

#include <linux/prandom.h>
#include <linux/seq_file.h>

#include <drm/virtgpu_drm.h>

#include "../../pm_virt/drm_virt_pm_internal.h"
#include "../virtgpu_pm_virgl.h"
#include "virtgpu_mock.h"

static const struct vg_mock_setup vg_test_virgl = {
	.features = BIT_ULL(VIRTIO_GPU_F_EDID) | BIT_ULL(VIRTIO_GPU_F_VIRGL) |
		    BIT_ULL(VIRTIO_GPU_F_RESOURCE_BLOB) |
		    BIT_ULL(VIRTIO_GPU_F_CONTEXT_INIT),
	.num_scanouts = 1,
	.num_capsets = 2,
	.hostmem = true,
};

#define COMMAND(command, length)	VIRGL_HEADER(VIRGL_##command, 0, length)
#define OBJECT(type, length)	VIRGL_HEADER(VIRGL_CREATE_OBJECT, VIRGL_##type, length)
#define BIND(type)		VIRGL_HEADER(VIRGL_BIND_OBJECT, VIRGL_##type, 1)
#define NEW_SUB			COMMAND(CREATE_SUB_CTX, 1)
#define IN_SUB			COMMAND(SET_SUB_CTX, 1)
#define END_SUB			COMMAND(DESTROY_SUB_CTX, 1)
#define NEW_QUERY		OBJECT(QUERY, 1)
#define BEGIN			COMMAND(BEGIN_QUERY, 1)
#define END			COMMAND(END_QUERY, 1)
#define DESTROY			COMMAND(DESTROY_OBJECT, 1)

#define STREAM(...)							\
	.words = (const u32[]){ __VA_ARGS__ },				\
	.size = sizeof((const u32[]){ __VA_ARGS__ })

/* As a program submits them */
static void vg_test_stream(struct vg_mock_user *user, const u32 *words, u32 size)
{
	struct drm_virtgpu_execbuffer arg = {
		.size = size,
		.command = vg_mock_put_user(user, words, size),
	};

	KUNIT_ASSERT_EQ(user->host->test, 0,
			vg_mock_ioctl(user, DRM_IOCTL_VIRTGPU_EXECBUFFER, &arg));
}

#define SUBMIT(user, ...)						\
	vg_test_stream(user, (const u32[]){ __VA_ARGS__ },		\
		       sizeof((const u32[]){ __VA_ARGS__ }))

static struct virtio_gpu_virgl *vg_test_census(struct vg_mock_user *user)
{
	struct virtio_gpu_fpriv *vfpriv = vg_mock_drm_file(user)->driver_priv;

	return vfpriv->pm.virgl;
}

static unsigned int vg_test_num(struct vg_mock_user *user, unsigned int what)
{
	KUNIT_ASSERT_NOT_NULL(user->host->test, vg_test_census(user));
	return vg_test_census(user)->num[what];
}

/* Why the device would not sleep, without the name of the program */
static void vg_test_why(struct vg_mock_host *host, char *why, size_t size)
{
	char text[256], program[40];

	*text = '\0';
	drm_virt_pm_ask(vg_mock_vpm(host), DRM_VIRT_PM_SUSPEND, text, sizeof(text));
	snprintf(program, sizeof(program), "%s[%d]: ", current->comm,
		 task_tgid_nr(current));
	strscpy(why, strstarts(text, program) ? text + strlen(program) : text, size);
}

static void vg_test_expect_why(struct vg_mock_host *host, const char *expected)
{
	char why[256];

	vg_test_why(host, why, sizeof(why));
	KUNIT_EXPECT_STREQ(host->test, why, expected);
}

#define NOTHING		"1 context with 3D work"

struct vg_test_reason {
	const char *name;
	const char *why;
	const u32 *words;
	u32 size;
};

static const struct vg_test_reason vg_test_reason_params[] = {
	{ "nothing", NOTHING, STREAM(NEW_SUB, 1, BIND(BLEND), 5) },
	{
		"content", NOTHING,
		STREAM(COMMAND(CLEAR, 2), 200, 200, COMMAND(DRAW, 1), 77,
		       COMMAND(INLINE_WRITE, 3), ~0, ~0, ~0,
		       COMMAND(TRANSFER, 0), COMMAND(GET_LAYOUT, 0))
	},
	{
		"longer than the stream", "a broken command stream",
		STREAM(COMMAND(NOP, 0), COMMAND(DRAW, 3), 1, 2)
	},
	{
		"nothing behind the header", "a broken command stream",
		STREAM(COMMAND(CREATE_SUB_CTX, 1))
	},
	{
		"shorter than a command", "a broken command stream",
		STREAM(OBJECT(BLEND, 0), COMMAND(NOP, 0))
	},
	{
		"a shader's stage is missing", "a broken command stream",
		STREAM(COMMAND(BIND_SHADER, 1), 5)
	},
	{
		"object 0", "a broken command stream", STREAM(OBJECT(BLEND, 1), 0)
	},
	{
		"what follows an error is not looked at", "a broken command stream",
		STREAM(OBJECT(BLEND, 0), VIRGL_HEADER(200, 0, 0))
	},
	{ "the first after the last", "an unknown command (64)",
	  STREAM(VIRGL_HEADER(64, 0, 0)) },
	{
		"the last that there could be", "an unknown command (255)",
		STREAM(VIRGL_HEADER(255, 0, 1), 0)
	},
	{
		"the first of several", "2 unknown commands (99)",
		STREAM(VIRGL_HEADER(99, 0, 1), 0, VIRGL_HEADER(98, 0, 0))
	},
	{
		"a type of objects", "an unknown object",
		STREAM(VIRGL_HEADER(VIRGL_CREATE_OBJECT, 12, 1), 1)
	},
	{ "a query", NOTHING, STREAM(NEW_QUERY, 3) },
	{ "a query runs", "a running query", STREAM(NEW_QUERY, 3, BEGIN, 3) },
	{
		"it is begun twice", "a running query",
		STREAM(NEW_QUERY, 3, BEGIN, 3, BEGIN, 3)
	},
	{
		"two run", "2 running queries",
		STREAM(NEW_QUERY, 3, BEGIN, 3, NEW_QUERY, 4, BEGIN, 4)
	},
	{ "a query ends", NOTHING, STREAM(NEW_QUERY, 3, BEGIN, 3, END, 3) },
	{
		"it is destroyed", NOTHING,
		STREAM(NEW_QUERY, 3, BEGIN, 3, DESTROY, 3)
	},
	{
		"it is replaced", NOTHING,
		STREAM(NEW_QUERY, 3, BEGIN, 3, NEW_QUERY, 3)
	},
	{
		"its sub-context is destroyed", NOTHING,
		STREAM(NEW_SUB, 1, NEW_QUERY, 3, BEGIN, 3, END_SUB, 1)
	},
	{
		"a sub-context is not entered because it is there", "a running query",
		STREAM(NEW_SUB, 1, IN_SUB, 0, NEW_SUB, 1, NEW_QUERY, 3, BEGIN, 3,
		       END_SUB, 1)
	},
	{
		"a query of another sub-context", "a broken command stream",
		STREAM(NEW_QUERY, 3, NEW_SUB, 1, BEGIN, 3)
	},
	{
		"an object that is no query", "a broken command stream",
		STREAM(OBJECT(BLEND, 1), 3, BEGIN, 3)
	},
	{
		"a feedback target", "a feedback target",
		STREAM(OBJECT(STREAMOUT_TARGET, 4), 7, 0, 0, 0)
	},
	{
		"it is destroyed as something else", NOTHING,
		STREAM(OBJECT(STREAMOUT_TARGET, 4), 7, 0, 0, 0,
		       VIRGL_HEADER(VIRGL_DESTROY_OBJECT, VIRGL_BLEND, 1), 7)
	},
	{
		"feedback", "transform feedback",
		STREAM(COMMAND(SET_STREAMOUT, 3), 0, 0, 7)
	},
	{
		"feedback has ended", NOTHING,
		STREAM(COMMAND(SET_STREAMOUT, 2), 0, 7,
		       COMMAND(SET_STREAMOUT, 1), ~0)
	},
	{
		"conditions", "2 conditional renderings",
		STREAM(COMMAND(SET_CONDITION, 3), 7, 0, 0, NEW_SUB, 1,
		       COMMAND(SET_CONDITION, 3), 7, 0, 0)
	},
	{
		"conditions have ended", NOTHING,
		STREAM(COMMAND(SET_CONDITION, 3), 7, 0, 0,
		       COMMAND(SET_CONDITION, 3), 0, 1, 1,
		       NEW_SUB, 1, COMMAND(SET_CONDITION, 3), 7, 0, 0, END_SUB, 1)
	},
	{
		"a codec", "a video codec or buffer",
		STREAM(COMMAND(CREATE_CODEC, 2), 1, 0)
	},
	{
		"a codec and its buffers", "3 video codecs and buffers",
		STREAM(COMMAND(CREATE_CODEC, 2), 1, 0,
		       COMMAND(CREATE_VIDEO_BUFFER, 1), 2,
		       COMMAND(CREATE_VIDEO_BUFFER, 1), 3)
	},
	{
		"a codec has ended", NOTHING,
		STREAM(COMMAND(DESTROY_CODEC, 1), 1, COMMAND(CREATE_CODEC, 2), 1, 0,
		       COMMAND(CREATE_VIDEO_BUFFER, 1), 2, COMMAND(BEGIN_FRAME, 0),
		       COMMAND(DESTROY_VIDEO_BUFFER, 1), 2, COMMAND(DESTROY_CODEC, 1), 1)
	},
	{ "an import", "an imported texture", STREAM(COMMAND(SET_IMPORT_TYPE, 1), 5) },
	{
		"the worst first", "an unknown command (100) and 3 more",
		STREAM(NEW_QUERY, 3, BEGIN, 3, OBJECT(STREAMOUT_TARGET, 1), 7,
		       COMMAND(SET_CONDITION, 1), 1, VIRGL_HEADER(100, 0, 0))
	},
};

KUNIT_ARRAY_PARAM_DESC(vg_test_reason, vg_test_reason_params, name);

static void virtio_gpu_pm_test_virgl_reason(struct kunit *test)
{
	const struct vg_test_reason *param = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_virgl);
	struct vg_mock_user *user = vg_mock_open(host, true);

	vg_test_stream(user, param->words, param->size);
	vg_test_expect_why(host, param->why);
	KUNIT_EXPECT_EQ(test, -EBUSY, vg_mock_freeze(host));
	KUNIT_EXPECT_NOT_NULL(test, strstr(vg_mock_vpm(host)->refusal, param->why));

	vg_mock_close(user);
	vg_test_expect_why(host, "");
	vg_mock_check(host);
}

#define NUM_SUBS	100

static void virtio_gpu_pm_test_virgl_subs(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_virgl);
	struct vg_mock_user *user = vg_mock_open(host, true);
	struct vg_mock_user *other = vg_mock_open(host, true);
	unsigned int i, bytes;

	SUBMIT(user, COMMAND(NOP, 0));
	SUBMIT(other, OBJECT(BLEND, 2), 1, 0);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_SUBS), 1);
	bytes = vg_test_num(user, VIRGL_NUM_BYTES);

	/* Objects and state are those of a sub-context. */
	for (i = 1; i <= NUM_SUBS; i++)
		SUBMIT(user, NEW_SUB, i, OBJECT(BLEND, 2), 1, 0,
		       OBJECT(SHADER, 3), 2, 0, 0, BIND(BLEND), 1,
		       COMMAND(SET_CLIP, 1), 0);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_SUBS), NUM_SUBS + 1);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_BLEND), NUM_SUBS);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_SHADER), NUM_SUBS);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_BINDINGS), 2 * NUM_SUBS);

	/* An object goes in the sub-context that is current, and in no other. */
	SUBMIT(user, IN_SUB, 0, DESTROY, 1, IN_SUB, NUM_SUBS + 1, DESTROY, 1);
	SUBMIT(other, DESTROY, 2);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_BLEND), NUM_SUBS);
	KUNIT_EXPECT_EQ(test, vg_test_num(other, VIRGL_BLEND), 1);
	SUBMIT(user, IN_SUB, 3, DESTROY, 1);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_BLEND), NUM_SUBS - 1);

	/* Without its current sub-context a context goes on in number 0. */
	SUBMIT(user, END_SUB, 3, OBJECT(RASTERIZER, 1), 9, END_SUB, 0, END_SUB, 3);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_SUBS), NUM_SUBS);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_BLEND), NUM_SUBS - 1);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_SHADER), NUM_SUBS - 1);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_RASTERIZER), 1);
	SUBMIT(user, DESTROY, 9);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_RASTERIZER), 0);

	for (i = 1; i <= NUM_SUBS; i++)
		SUBMIT(user, END_SUB, i);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_SUBS), 1);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_BINDINGS), 0);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_BYTES), bytes);
}

static void virtio_gpu_pm_test_virgl_bindings(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_virgl);
	struct vg_mock_user *user = vg_mock_open(host, true);
	unsigned int bytes;

	SUBMIT(user, COMMAND(NOP, 0));
	bytes = vg_test_num(user, VIRGL_NUM_BYTES);

	/* one per kind, stage and type of object, with the header */
	SUBMIT(user, BIND(BLEND), 1, BIND(RASTERIZER), 1, BIND(BLEND), 2,
	       COMMAND(BIND_SHADER, 2), 5, 0, COMMAND(BIND_SHADER, 2), 5, 1,
	       COMMAND(SET_CONSTANTS, 3), 0, 0, 1, COMMAND(SET_CONSTANTS, 4), 1, 0, 1, 2);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_BINDINGS), 6);
	bytes += (2 + 2 + 3 + 3 + 4 + 5) * sizeof(u32);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_BYTES), bytes);

	/* the longest of a kind */
	SUBMIT(user, COMMAND(SET_CONSTANTS, 2), 1, 0, COMMAND(SET_CONSTANTS, 4), 0, 0, 1, 2);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_BINDINGS), 6);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_BYTES), bytes + sizeof(u32));
}

#define MORE_TEXT	(VIRGL_SHADER_CONTINUES | 8)

static void virtio_gpu_pm_test_virgl_shader(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_virgl);
	struct vg_mock_user *user = vg_mock_open(host, true);
	unsigned int bytes, before;

	SUBMIT(user, COMMAND(NOP, 0));
	before = vg_test_num(user, VIRGL_NUM_BYTES);
	SUBMIT(user, OBJECT(SHADER, 5), 1, 0, 16, 0, 0);
	bytes = vg_test_num(user, VIRGL_NUM_BYTES);

	/* A long one comes in parts, and goes as a whole. */
	SUBMIT(user, OBJECT(SHADER, 6), 1, 0, MORE_TEXT, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_SHADER), 1);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_BYTES),
			bytes + 7 * sizeof(u32));
	SUBMIT(user, DESTROY, 1);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_BYTES), before);
	vg_test_expect_why(host, NOTHING);

	SUBMIT(user, OBJECT(SHADER, 6), 1, 0, MORE_TEXT, 0, 0, 0);
	vg_test_expect_why(host, "a broken command stream");
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_SHADER), 0);
}

static void virtio_gpu_pm_test_virgl_too_much(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_virgl);
	struct vg_mock_user *user = vg_mock_open(host, true);
	const unsigned int length = 0xffff;
	unsigned int i, max;
	u32 *words;

	words = kunit_kzalloc(test, (length + 1) * sizeof(*words), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, words);
	SUBMIT(user, NEW_QUERY, 1, BEGIN, 1);

	/* A limit for each file, whatever it consists of; the other is counted on. */
	words[0] = OBJECT(SHADER, length);
	max = VIRGL_MOST_BYTES / ((length + 1) * sizeof(*words));
	for (i = 2; i <= max; i++) {
		words[1] = i;
		virtio_gpu_virgl_walk(vg_test_census(user), words,
				      (length + 1) * sizeof(*words));
	}
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_SHADER), max - 1);
	KUNIT_EXPECT_LE(test, vg_test_num(user, VIRGL_NUM_BYTES),
			VIRGL_MOST_BYTES);
	vg_test_expect_why(host, "a running query");

	words[1] = i;
	virtio_gpu_virgl_walk(vg_test_census(user), words,
			      (length + 1) * sizeof(*words));
	vg_test_expect_why(host, "too much to keep");
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_SHADER), 0);
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_BYTES), 0);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&vg_test_census(user)->subs));

	/* The program goes on. */
	SUBMIT(user, NEW_SUB, 1, NEW_QUERY, 1, VIRGL_HEADER(200, 0, 0));
	vg_test_expect_why(host, "too much to keep");
}

static void virtio_gpu_pm_test_virgl_small(struct kunit *test)
{
	struct virtio_gpu_virgl *virgl = virtio_gpu_virgl_alloc(false);
	u32 words[] = { OBJECT(BLEND, 1), 0, NEW_SUB, 0 };
	unsigned int i;

	/* Memory is bounded by what is small as well: the last MiB of it. */
	KUNIT_ASSERT_NOT_NULL(test, virgl);
	virgl->num[VIRGL_NUM_BYTES] = VIRGL_MOST_BYTES - SZ_1M;
	for (i = 1; virgl->sub; i++) {
		words[1] = i;
		words[3] = i;
		virtio_gpu_virgl_walk(virgl, words, sizeof(words));
	}
	KUNIT_EXPECT_EQ(test, virgl->num[VIRGL_NUM_TOO_MUCH], 1);
	KUNIT_EXPECT_LE(test, i, SZ_1M / 256);
	virtio_gpu_virgl_free(virgl);
}

struct vg_test_texture {
	const char *name;
	const char *why;
	struct drm_virtgpu_resource_create create;
};

#define ONLY_HOST	", 1 buffer whose content only the host has"

static const struct vg_test_texture vg_test_texture_params[] = {
	{
		"plain", NOTHING ONLY_HOST,
		{ .nr_samples = 1, .format = VIRGL_FORMAT_Z24_S8, .bind = BIT(23) }
	},
	{
		"multisampled", "a multisampled texture" ONLY_HOST,
		{ .nr_samples = 4, .format = 1 }
	},
	{
		"NV12", "a planar texture" ONLY_HOST, { .format = 166 }
	},
	{
		"P010", "a planar texture" ONLY_HOST, { .format = 314 }
	},
	{
		"stencil in layers", "a stencil with layers" ONLY_HOST,
		{ .format = VIRGL_FORMAT_S8, .array_size = 6 }
	},
	{
		"protected", "a protected or video texture" ONLY_HOST,
		{ .format = 1, .bind = BIT(24) }
	},
};

KUNIT_ARRAY_PARAM_DESC(vg_test_texture, vg_test_texture_params, name);

static void virtio_gpu_pm_test_virgl_texture(struct kunit *test)
{
	const struct vg_test_texture *param = test->param_value;
	struct drm_virtgpu_resource_create arg = param->create;
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_virgl);
	struct vg_mock_user *user = vg_mock_open(host, true);

	/* As long as the program has a handle. */
	arg.target = 2;
	arg.width = VG_MOCK_SIDE;
	arg.height = VG_MOCK_SIDE;
	arg.depth = 1;
	arg.array_size = max(arg.array_size, 1u);
	SUBMIT(user, COMMAND(NOP, 0));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_ioctl(user, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE,
					       &arg));
	vg_test_expect_why(host, param->why);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, arg.bo_handle));
	vg_mock_check(host);
	vg_test_expect_why(host, NOTHING);
}

static void virtio_gpu_pm_test_virgl_blob(struct kunit *test)
{
	static const u32 words[] = { COMMAND(CREATE_HOST_BLOB, 1), 1, NEW_SUB, 5 };
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_virgl);
	struct vg_mock_user *user = vg_mock_open(host, true);
	struct drm_virtgpu_resource_create_blob arg = {
		.blob_mem = VIRTGPU_BLOB_MEM_HOST3D,
		.blob_flags = VIRTGPU_BLOB_FLAG_USE_MAPPABLE,
		.size = PAGE_SIZE,
		.cmd_size = sizeof(words),
		.cmd = vg_mock_put_user(user, words, sizeof(words)),
	};

	/* The command that comes with a blob is looked at as well. */
	KUNIT_ASSERT_EQ(test, 0,
			vg_mock_ioctl(user, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE_BLOB,
				      &arg));
	KUNIT_EXPECT_EQ(test, vg_test_num(user, VIRGL_NUM_SUBS), 2);
	vg_test_expect_why(host, "a blob of the host" ONLY_HOST);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, arg.bo_handle));
	vg_mock_check(host);
	vg_test_expect_why(host, NOTHING);
}

static void virtio_gpu_pm_test_virgl_show(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_virgl);
	struct vg_mock_user *user = vg_mock_open(host, true);
	struct seq_file m = { .size = PAGE_SIZE };
	char *expected, p[40];

	m.buf = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	expected = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, expected);
	vg_mock_open(host, true);
	SUBMIT(user, NEW_SUB, 1, OBJECT(BLEND, 1), 1, OBJECT(QUERY, 1), 2, BEGIN, 2,
	       BIND(BLEND), 1, OBJECT(STREAMOUT_TARGET, 1), 3,
	       OBJECT(STREAMOUT_TARGET, 1), 4);
	vg_mock_classic(user);
	vg_mock_vpm(host)->ops->show(vg_mock_vpm(host), &m);
	snprintf(p, sizeof(p), "virgl: %s[%d]", current->comm, task_tgid_nr(current));
	snprintf(expected, m.size,
		 "%s: sub-contexts: 2, bindings: 1, bytes to keep: %u\n"
		 "%s: resources: 1, about 16 KiB on the host\n"
		 "%s: objects: a blend, a query, 2 feedback targets\n"
		 "%s: in the way: a running query, 2 feedback targets\n",
		 p, vg_test_num(user, VIRGL_NUM_BYTES), p, p, p);
	KUNIT_EXPECT_STREQ(test, m.buf, expected);
}

static void virtio_gpu_pm_test_virgl_off(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_virgl);
	struct vg_mock_user *user = vg_mock_open(host, true);
	struct vg_mock_user *proxy = vg_mock_open(host, true);
	struct seq_file m = { .size = PAGE_SIZE };

	/* Without the parameter all is as it was, and for other protocols, too. */
	m.buf = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_cross_domain(proxy));
	SUBMIT(proxy, VIRGL_HEADER(200, 0, 0));
	KUNIT_EXPECT_NULL(test, vg_test_census(proxy));
	vg_test_expect_why(host, "1 cross-domain context");
	vg_mock_close(proxy);

	virtio_gpu_virgl_census = false;
	SUBMIT(user, NEW_QUERY, 1, BEGIN, 1, VIRGL_HEADER(200, 0, 0));
	KUNIT_EXPECT_NULL(test, vg_test_census(user));
	vg_test_expect_why(host, NOTHING);
	vg_mock_vpm(host)->ops->show(vg_mock_vpm(host), &m);
	KUNIT_EXPECT_EQ(test, 0, m.count);
}

static int vg_test_submit_many(struct vg_mock_task *task)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < 600; i++)
		ret = vg_mock_submit(task->user, 0, 0);

	return ret;
}

static int vg_test_ask(struct vg_mock_task *task)
{
	char why[256];

	vg_test_why(task->user->host, why, sizeof(why));
	return 0;
}

static void virtio_gpu_pm_test_virgl_full(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_virgl);
	struct vg_mock_user *user = vg_mock_open(host, true);
	struct vg_mock_user *other = vg_mock_open(host, true);
	struct vg_mock_task *submitter, *asker;

	/* Who asks does not wait for a program that waits for the host. */
	SUBMIT(user, COMMAND(NOP, 0));
	vg_mock_check(host);
	vg_mock_hold(host, true);
	submitter = vg_mock_task_start(user, vg_test_submit_many, 0, NULL);
	VG_MOCK_AWAIT(test, mutex_is_locked(&vg_test_census(user)->lock) &&
		      vg_mock_task_sleeps(submitter));
	asker = vg_mock_task_start(other, vg_test_ask, 0, NULL);
	VG_MOCK_AWAIT(test, !vg_mock_task_runs(asker));
	KUNIT_EXPECT_TRUE(test, vg_mock_task_sleeps(submitter));
	vg_mock_let_go(host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(submitter));
}

/* Count anew what is counted on the way. */
static void vg_test_recount(struct kunit *test, struct virtio_gpu_virgl *virgl,
			    unsigned int seed)
{
	unsigned int num[VIRGL_NUM_IN_STREAM] = {}, bytes = 0, i;
	struct virgl_item *item, *next;
	struct virgl_sub *sub, *next_sub;

	rbtree_postorder_for_each_entry_safe(sub, next_sub, &virgl->subs, item.node) {
		num[sub->item.type]++;
		bytes += sub->item.bytes;
		rbtree_postorder_for_each_entry_safe(item, next, &sub->objects, node) {
			num[item->type]++;
			num[VIRGL_NUM_RUNNING] += item->running;
			bytes += item->bytes;
		}
		for (i = 0; i < VIRGL_SLOTS; i++) {
			num[VIRGL_NUM_BINDINGS] += !!sub->state[i];
			bytes += sub->state[i] ? (sub->state[i] + 1) * sizeof(u32) : 0;
		}
		num[VIRGL_NUM_CONDITIONS] += sub->condition;
		num[VIRGL_NUM_STREAMOUTS] += sub->streamout;
	}
	num[VIRGL_NUM_BYTES] = bytes;

	for (i = 0; i < VIRGL_NUM_IMPORTS; i++)
		KUNIT_EXPECT_EQ_MSG(test, virgl->num[i], num[i], "seed %u, %u", seed, i);
}

#define FUZZ_SEEDS	400
#define FUZZ_STREAMS	40
#define FUZZ_WORDS	64

/* Commands that mostly mean something, and the last one is cut off. */
static void vg_test_fill(struct rnd_state *rnd, u32 *words, unsigned int num)
{
	static const u8 often[] = {
		VIRGL_CREATE_OBJECT, VIRGL_CREATE_OBJECT, VIRGL_CREATE_SUB_CTX,
		VIRGL_SET_SUB_CTX, VIRGL_DESTROY_SUB_CTX, VIRGL_DESTROY_OBJECT,
		VIRGL_BEGIN_QUERY, VIRGL_END_QUERY,
	};
	unsigned int left = 0, i;

	for (i = 0; i < num; i++) {
		u32 random = prandom_u32_state(rnd);
		u8 command = random & 1 ? often[random >> 8 & 7] : random >> 8 & 63;
		u8 type = random & 2 ? VIRGL_QUERY : random >> 16 & 15;

		if (left) {
			left--;
			words[i] = random % 32 ? 1 + random % 3 : random;
		} else if (random % 64) {
			left = random >> 24 & 15 ? 1 + (random >> 28 & 3) : 0;
			words[i] = VIRGL_HEADER(command, type, left);
		} else {
			words[i] = random;
		}
	}
}

static void virtio_gpu_pm_test_virgl_fuzz(struct kunit *test)
{
	unsigned int seed, i, num, subs = 0, running = 0, broken = 0;
	struct virtio_gpu_virgl *virgl;
	struct rnd_state rnd;
	u32 *words;

	for (seed = 1; seed <= FUZZ_SEEDS; seed++) {
		prandom_seed_state(&rnd, seed);
		virgl = virtio_gpu_virgl_alloc(false);
		KUNIT_ASSERT_NOT_NULL(test, virgl);
		for (i = 0; i < FUZZ_STREAMS; i++) {
			num = prandom_u32_state(&rnd) % FUZZ_WORDS;
			/* of the very size, so that KASAN sees its end */
			words = kmalloc_array(num, sizeof(*words), GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, words);
			vg_test_fill(&rnd, words, num);
			virtio_gpu_virgl_walk(virgl, words, num * sizeof(*words));
			kfree(words);
		}
		vg_test_recount(test, virgl, seed);
		subs += virgl->num[VIRGL_NUM_SUBS] > 1;
		running += !!virgl->num[VIRGL_NUM_RUNNING];
		broken += virgl->num[VIRGL_NUM_BROKEN];
		virtio_gpu_virgl_free(virgl);
	}

	/* It was no noise only. */
	KUNIT_EXPECT_GT(test, subs, FUZZ_SEEDS / 4);
	KUNIT_EXPECT_GT(test, running, FUZZ_SEEDS / 20);
	KUNIT_EXPECT_GT(test, broken, FUZZ_SEEDS);
}

static void virtio_gpu_pm_test_virgl_memory(struct kunit *test)
{
	static const u32 words[] = {
		VIRGL_HEADER(VIRGL_CREATE_SUB_CTX, 0, 1), 1,
		VIRGL_HEADER(VIRGL_CREATE_OBJECT, VIRGL_BLEND, 1), 1,
	};
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_virgl);
	unsigned int n, none = 0, given_up = 0;
	struct virtio_gpu_virgl *virgl;
	bool failed;

	/* Without memory a context is not counted any more, and says so. */
	vg_mock_init_failures(vg_mock_open(host, true));
	for (n = 1, failed = true; failed && n < VG_MOCK_MAX_ALLOCATIONS; n++) {
		vg_mock_fail_nth(n);
		virgl = virtio_gpu_virgl_alloc(false);
		if (virgl)
			virtio_gpu_virgl_walk(virgl, words, sizeof(words));
		failed = vg_mock_failed();
		if (!virgl) {
			none++;
			continue;
		}
		if (virgl->num[VIRGL_NUM_NO_MEMORY])
			given_up++;
		KUNIT_EXPECT_EQ(test, !virgl->sub, virgl->num[VIRGL_NUM_NO_MEMORY]);
		KUNIT_EXPECT_EQ(test, virgl->num[VIRGL_NUM_SUBS], virgl->sub ? 2 : 0);
		KUNIT_EXPECT_EQ(test, virgl->num[VIRGL_BLEND], virgl->sub ? 1 : 0);
		virtio_gpu_virgl_free(virgl);
	}
	KUNIT_EXPECT_LT(test, n, VG_MOCK_MAX_ALLOCATIONS);
	KUNIT_EXPECT_EQ(test, none, 1);
	/* two sub-contexts, an object */
	KUNIT_EXPECT_EQ(test, given_up, 3);
}

static bool vg_test_census_before;

static int vg_test_virgl_init(struct kunit *test)
{
	vg_test_census_before = virtio_gpu_virgl_census;
	virtio_gpu_virgl_census = true;
	return 0;
}

static void vg_test_virgl_exit(struct kunit *test)
{
	virtio_gpu_virgl_census = vg_test_census_before;
}

static struct kunit_case virtio_gpu_pm_virgl_tests[] = {
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_virgl_reason, vg_test_reason_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_virgl_subs),
	KUNIT_CASE(virtio_gpu_pm_test_virgl_bindings),
	KUNIT_CASE(virtio_gpu_pm_test_virgl_shader),
	KUNIT_CASE(virtio_gpu_pm_test_virgl_too_much),
	KUNIT_CASE(virtio_gpu_pm_test_virgl_small),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_virgl_texture, vg_test_texture_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_virgl_blob),
	KUNIT_CASE(virtio_gpu_pm_test_virgl_show),
	KUNIT_CASE(virtio_gpu_pm_test_virgl_off),
	KUNIT_CASE(virtio_gpu_pm_test_virgl_full),
	KUNIT_CASE_SLOW(virtio_gpu_pm_test_virgl_fuzz),
	KUNIT_CASE(virtio_gpu_pm_test_virgl_memory),
	{}
};

static struct kunit_suite virtio_gpu_pm_virgl_suite = {
	.name = "virtio_gpu_pm_virgl",
	.init = vg_test_virgl_init,
	.exit = vg_test_virgl_exit,
	.test_cases = virtio_gpu_pm_virgl_tests,
};

kunit_test_suite(virtio_gpu_pm_virgl_suite);
