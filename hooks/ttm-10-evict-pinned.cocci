// SPDX-License-Identifier: GPL-2.0-only
// TTM: a buffer that was pinned while its eviction waited for its lock stays.
//
//# when drivers/gpu/drm/ttm/ttm_bo.c int ttm_bo_evict_first(
//# file drivers/gpu/drm/ttm/ttm_bo.c
//# add 1 || bo->pin_count)

@evict@
identifier bo, mem_type;
statement S;
@@
 ttm_bo_evict_first(...)
 {
 	...
-	if (!bo->resource || bo->resource->mem_type != mem_type)
+	if (!bo->resource || bo->resource->mem_type != mem_type || bo->pin_count)
 		S
 	...
 }
