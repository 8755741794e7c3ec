// SPDX-License-Identifier: GPL-2.0-only
// qxl, a fix that stands alone: look again whether a ring has room.
//
//# file drivers/gpu/drm/qxl/qxl_cmd.c
//# add 1 while (header->prod - header->cons == header->num_items)
//# gone if (header->prod - header->cons == header->num_items)

@push@
identifier header;
statement S;
@@
 qxl_ring_push(...)
 {
 	...
-	if (header->prod - header->cons == header->num_items)
+	while (header->prod - header->cons == header->num_items)
 		S
 	...
 }
