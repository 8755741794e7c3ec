// SPDX-License-Identifier: GPL-2.0-only
// qxl, a fix that stands alone: an I/O command that was not answered is an error.
//
//# file drivers/gpu/drm/qxl/qxl_cmd.c
//# lines 2
//# add 1 ret = -ETIMEDOUT;

@out@
identifier ret;
@@
 wait_for_io_cmd_user(...)
 {
 	...
+	if (!ret)
+		ret = -ETIMEDOUT;
 	if (ret > 0)
 		ret = 0;
 	...
 }
