// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/export.h>
#include <linux/slab.h>

#include <kunit/visibility.h>

#include "drm_virt_pm_internal.h"

/**
 * DOC: reserve
 *
 * A resume runs while memory is short: after an image was made, with the
 * allocator forbidden to do I/O. What the driver needs to put the first frame
 * back is therefore set aside before: when the transition is announced, and
 * again when the device is suspended, as more may be needed by then. It is a
 * pool, not a one-shot: a hibernation that is rolled back resumes twice.
 *
 * The pool is a fallback. Memory is handed over with its ownership, so its
 * users need not know where it came from.
 */

struct drm_virt_pm_chunk {
	struct list_head node;
	size_t size;
	bool wanted;
};

/* Smallest chunk of at least @size. Context: &drm_virt_pm.lock is held. */
static struct drm_virt_pm_chunk *find_chunk(struct drm_virt_pm *vpm,
					    size_t size, bool unwanted)
{
	struct drm_virt_pm_chunk *chunk, *best = NULL;

	lockdep_assert_held(&vpm->lock);

	list_for_each_entry(chunk, &vpm->reserve, node) {
		if (chunk->size < size || (unwanted && chunk->wanted))
			continue;
		if (!best || chunk->size < best->size)
			best = chunk;
	}

	return best;
}

/**
 * drm_virt_pm_reserve - set memory aside for the resume
 * @vpm: the device
 * @size: size of the piece, in bytes
 *
 * To be called from &drm_virt_pm_ops.reserve, once for each piece.
 *
 * Context: May sleep and allocate.
 *
 * Return: 0, or -ENOMEM.
 */
int drm_virt_pm_reserve(struct drm_virt_pm *vpm, size_t size)
{
	struct drm_virt_pm_chunk *chunk;

	/* the book-keeping of an unused chunk lives in the chunk itself */
	size = max(size, sizeof(*chunk));

	spin_lock(&vpm->lock);
	chunk = find_chunk(vpm, size, true);
	if (chunk)
		chunk->wanted = true;
	spin_unlock(&vpm->lock);
	if (chunk)
		return 0;

	chunk = kvmalloc(size, GFP_KERNEL | __GFP_NOWARN);
	if (!chunk)
		return -ENOMEM;
	chunk->size = size;
	chunk->wanted = true;

	spin_lock(&vpm->lock);
	list_add_tail(&chunk->node, &vpm->reserve);
	vpm->reserve_bytes += size;
	spin_unlock(&vpm->lock);

	return 0;
}
EXPORT_SYMBOL(drm_virt_pm_reserve);

/* Free the chunks nobody wants, or all of them. */
static void trim(struct drm_virt_pm *vpm, bool all)
{
	struct drm_virt_pm_chunk *chunk, *next;
	LIST_HEAD(unused);

	spin_lock(&vpm->lock);
	list_for_each_entry_safe(chunk, next, &vpm->reserve, node) {
		if (chunk->wanted && !all)
			continue;
		vpm->reserve_bytes -= chunk->size;
		list_move(&chunk->node, &unused);
	}
	spin_unlock(&vpm->lock);

	list_for_each_entry_safe(chunk, next, &unused, node)
		kvfree(chunk);
}

/**
 * drm_virt_pm_reserve_fill - top the reserve up to what the resume needs now
 * @vpm: the device
 *
 * To be called when the device is suspended, before anything changed.
 *
 * Context: May sleep and allocate.
 *
 * Return: 0, or -ENOMEM; what was set aside before stays.
 */
int drm_virt_pm_reserve_fill(struct drm_virt_pm *vpm)
{
	struct drm_virt_pm_chunk *chunk;
	int ret;

	if (!vpm->ops->reserve)
		return 0;

	spin_lock(&vpm->lock);
	list_for_each_entry(chunk, &vpm->reserve, node)
		chunk->wanted = false;
	spin_unlock(&vpm->lock);

	ret = vpm->ops->reserve(vpm);
	if (!ret)
		trim(vpm, false);

	return ret;
}
EXPORT_SYMBOL(drm_virt_pm_reserve_fill);

/**
 * drm_virt_pm_reserve_release - give the reserve back
 * @vpm: the device
 *
 * The library does so itself when the transition is over, and in
 * drm_virt_pm_fini().
 *
 * Context: May sleep.
 */
void drm_virt_pm_reserve_release(struct drm_virt_pm *vpm)
{
	trim(vpm, true);
}
EXPORT_SYMBOL(drm_virt_pm_reserve_release);

/* The fallback of drm_virt_pm_alloc(). */
VISIBLE_IF_KUNIT void *drm_virt_pm_alloc_reserved(struct drm_virt_pm *vpm,
						  size_t size)
{
	struct drm_virt_pm_chunk *chunk;

	spin_lock(&vpm->lock);
	chunk = find_chunk(vpm, size, false);
	if (chunk) {
		list_del(&chunk->node);
		vpm->reserve_bytes -= chunk->size;
		vpm->reserve_used++;
	}
	spin_unlock(&vpm->lock);

	return chunk;
}
EXPORT_SYMBOL_IF_KUNIT(drm_virt_pm_alloc_reserved);

/**
 * drm_virt_pm_alloc - allocate for putting something back
 * @vpm: the device
 * @size: number of bytes
 *
 * Tries the allocator first and the reserve next. Not zeroed.
 *
 * Context: May sleep.
 *
 * Return: memory that the caller owns and frees with kvfree(), or NULL.
 */
void *drm_virt_pm_alloc(struct drm_virt_pm *vpm, size_t size)
{
	void *mem;

	mem = kvmalloc(size, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);

	return mem ?: drm_virt_pm_alloc_reserved(vpm, size);
}
EXPORT_SYMBOL(drm_virt_pm_alloc);
