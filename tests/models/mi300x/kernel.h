/* SPDX-License-Identifier: GPL-2.0-only */
/* What amdgpu's headers expect of the kernel that they are part of. */
#ifndef MI300X_KERNEL_H
#define MI300X_KERNEL_H

#include <stdint.h>

#define LITTLEENDIAN_CPU	1
#define __counted_by(count)
#define DECLARE_FLEX_ARRAY(type, name) \
	struct { struct { } __empty_##name; type name[]; }
#ifndef __packed
#define __packed		__attribute__((packed))
#endif

#endif
