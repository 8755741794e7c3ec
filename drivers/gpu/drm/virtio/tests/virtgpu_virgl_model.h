/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef VIRTGPU_VIRGL_MODEL_H
#define VIRTGPU_VIRGL_MODEL_H

#include <linux/types.h>
#include <linux/xarray.h>

/**
 * DOC: model of a virgl renderer
 *
 * Carries out streams as the host does: sub-contexts, objects, and slots that hold
 * what is bound. What is bound stays although its name is destroyed. A name that is
 * not known, and a command that is too short, end the context: nothing has an effect
 * any more. It knows nothing of how the driver keeps a stream.
 *
 * What it does not have: pictures. Content is that of the mock host.
 */

/**
 * struct vg_model - a context
 */
struct vg_model {
	/** @has_resource: Whether the context can use a resource. */
	bool (*has_resource)(struct vg_model *model, u32 id);

	/** @data: For @has_resource. */
	void *data;

	/** @subs: Sub-contexts. */
	struct xarray subs;

	/** @sub: The number of that where commands go. */
	u32 sub;

	/** @dead: It is in error. */
	bool dead;

	/** @why: The command that was wrong. */
	u32 why;
};

void vg_model_init(struct vg_model *model);
void vg_model_fini(struct vg_model *model);
void vg_model_run(struct vg_model *model, const u32 *words, u32 num);
u32 vg_model_any(struct vg_model *model, u8 type, u32 from);
u32 vg_model_partial(struct vg_model *model, u32 *sent);
bool vg_model_differs(struct vg_model *a, struct vg_model *b, char *what, size_t size);

#endif
