// SPDX-License-Identifier: GPL-2.0 OR MIT

/* The reserve: filled, topped up, trimmed, used and given back. */

#include <linux/slab.h>

#include "drm_virt_pm_mock.h"

/* More than the allocator ever gives. */
#define TOO_MUCH	((size_t)INT_MAX + 1)

static void need(struct vpm_mock *mock, size_t a, size_t b, size_t c)
{
	mock->need[0] = a;
	mock->need[1] = b;
	mock->need[2] = c;
}

static int fill(struct vpm_mock *mock)
{
	return drm_virt_pm_reserve_fill(&mock->base);
}

static void expect_reserve(struct vpm_mock *mock, size_t bytes, size_t chunks)
{
	KUNIT_EXPECT_EQ(mock->test, mock->base.reserve_bytes, bytes);
	KUNIT_EXPECT_EQ(mock->test, list_count_nodes(&mock->base.reserve), chunks);
}

static void drm_virt_pm_test_reserve_fill(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct list_head *first;

	/* Filling again reuses what is there. */
	need(mock, 4096, 256, 4096);
	KUNIT_EXPECT_EQ(test, fill(mock), 0);
	expect_reserve(mock, 2 * 4096 + 256, 3);
	first = mock->base.reserve.next;

	KUNIT_EXPECT_EQ(test, fill(mock), 0);
	expect_reserve(mock, 2 * 4096 + 256, 3);
	KUNIT_EXPECT_PTR_EQ(test, mock->base.reserve.next, first);
}

static void drm_virt_pm_test_reserve_change(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* It grows and shrinks with what the resume needs. */
	need(mock, 256, 0, 0);
	KUNIT_EXPECT_EQ(test, fill(mock), 0);
	expect_reserve(mock, 256, 1);

	need(mock, 256, 4096, 0);
	KUNIT_EXPECT_EQ(test, fill(mock), 0);
	expect_reserve(mock, 256 + 4096, 2);

	need(mock, 4096, 0, 0);
	KUNIT_EXPECT_EQ(test, fill(mock), 0);
	expect_reserve(mock, 4096, 1);

	need(mock, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, fill(mock), 0);
	expect_reserve(mock, 0, 0);
}

static void drm_virt_pm_test_reserve_fails(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* Too little memory is an error; what was there stays until released. */
	need(mock, 4096, 256, 0);
	KUNIT_EXPECT_EQ(test, fill(mock), 0);
	need(mock, 256, TOO_MUCH, 512);
	KUNIT_EXPECT_EQ(test, fill(mock), -ENOMEM);
	expect_reserve(mock, 4096 + 256, 2);

	drm_virt_pm_reserve_release(&mock->base);
	expect_reserve(mock, 0, 0);
}

static void drm_virt_pm_test_reserve_best_fit(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	void *mem;

	/* The smallest piece that is large enough serves an allocation. */
	need(mock, 4096, 256, 1024);
	KUNIT_ASSERT_EQ(test, fill(mock), 0);
	mem = drm_virt_pm_alloc_reserved(&mock->base, 257);
	KUNIT_ASSERT_NOT_NULL(test, mem);
	memset(mem, 0xa5, 257);
	expect_reserve(mock, 4096 + 256, 2);
	KUNIT_EXPECT_EQ(test, mock->base.reserve_used, 1);
	kvfree(mem);

	/* a second resume finds it full again after the second suspend */
	KUNIT_EXPECT_EQ(test, fill(mock), 0);
	expect_reserve(mock, 4096 + 256 + 1024, 3);
}

static void drm_virt_pm_test_reserve_exhausted(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	void *mem;

	/* Nothing is given twice, nor anything that is too small. */
	need(mock, 256, 0, 0);
	KUNIT_ASSERT_EQ(test, fill(mock), 0);
	KUNIT_EXPECT_NULL(test, drm_virt_pm_alloc_reserved(&mock->base, 257));
	mem = drm_virt_pm_alloc_reserved(&mock->base, 256);
	KUNIT_EXPECT_NOT_NULL(test, mem);
	KUNIT_EXPECT_NULL(test, drm_virt_pm_alloc_reserved(&mock->base, 1));
	KUNIT_EXPECT_EQ(test, mock->base.reserve_used, 1);
	expect_reserve(mock, 0, 0);
	kvfree(mem);
}

static void drm_virt_pm_test_reserve_small(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	void *mem;

	/* A piece is usable however small it is. */
	need(mock, 1, 1, 0);
	KUNIT_ASSERT_EQ(test, fill(mock), 0);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&mock->base.reserve), 2);
	mem = drm_virt_pm_alloc_reserved(&mock->base, 1);
	KUNIT_EXPECT_NOT_NULL(test, mem);
	kvfree(mem);
	drm_virt_pm_reserve_release(&mock->base);
	expect_reserve(mock, 0, 0);
}

static void drm_virt_pm_test_reserve_last_resort(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	void *mem;

	/* While the allocator gives, the reserve is not touched. */
	need(mock, 256, 0, 0);
	KUNIT_ASSERT_EQ(test, fill(mock), 0);
	mem = drm_virt_pm_alloc(&mock->base, 256);
	KUNIT_EXPECT_NOT_NULL(test, mem);
	expect_reserve(mock, 256, 1);
	KUNIT_EXPECT_EQ(test, mock->base.reserve_used, 0);
	kvfree(mem);

	KUNIT_EXPECT_NULL(test, drm_virt_pm_alloc(&mock->base, TOO_MUCH));
}

static void drm_virt_pm_test_reserve_none(struct kunit *test)
{
	static const struct drm_virt_pm_ops ops;
	struct vpm_mock *mock = vpm_mock_create_with(test, "none", &ops, NULL, 0);

	/* A driver may need nothing. */
	KUNIT_EXPECT_EQ(test, fill(mock), 0);
	expect_reserve(mock, 0, 0);
}

static struct kunit_case drm_virt_pm_reserve_cases[] = {
	KUNIT_CASE(drm_virt_pm_test_reserve_fill),
	KUNIT_CASE(drm_virt_pm_test_reserve_change),
	KUNIT_CASE(drm_virt_pm_test_reserve_fails),
	KUNIT_CASE(drm_virt_pm_test_reserve_best_fit),
	KUNIT_CASE(drm_virt_pm_test_reserve_exhausted),
	KUNIT_CASE(drm_virt_pm_test_reserve_small),
	KUNIT_CASE(drm_virt_pm_test_reserve_last_resort),
	KUNIT_CASE(drm_virt_pm_test_reserve_none),
	{}
};

static struct kunit_suite drm_virt_pm_reserve_suite = {
	.name = "drm_virt_pm_reserve",
	.init = vpm_mock_test_init,
	.test_cases = drm_virt_pm_reserve_cases,
};

kunit_test_suite(drm_virt_pm_reserve_suite);
