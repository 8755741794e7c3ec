/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Macros of the kernel that spatch cannot parse: it would skip the whole
 * function around them without a word.
 */
#define scoped_guard YACFE_ITERATOR
#define scoped_cond_guard YACFE_ITERATOR
#define with_intel_runtime_pm YACFE_ITERATOR
#define drm_exec_until_all_locked YACFE_ITERATOR
