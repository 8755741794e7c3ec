// SPDX-License-Identifier: GPL-2.0-only
/* What CP and SDMA fetch from has this in common. */
#include "mi300x.h"

/* Instead of a packet there is memory that nobody restored: the engine drops the rest. */
bool stream_is_poison(struct gpu *gpu, struct stream *s, uint32_t header)
{
	if (!gmc_is_poison(gpu, header))
		return false;
	event("poison-fetch", "hub=%s by=%s va=0x%lx what=%s", s->by.hub->name, s->by.name,
	      s->base + 4 * (s->position & s->mask), s->depth ? "ib" : "ring");
	s->position = s->end;
	return true;
}
