/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What one worker has counted. */
#include <string.h>

#include "lib/lib.h"

int porch_stats_get(const struct porch *p, struct porch_stats_info *ret)
{
	struct porch_stats_info s;
	size_t size;

	if (!porch_is_ours(p))
		return p ? -ECHILD : -EINVAL;
	if (!ret || ret->size < sizeof(ret->size))
		return -EINVAL;
	s = p->count;
	s.no_memory += p->stack.counters.no_memory;
	s.conns = p->conns_used;
	s.memory = (uint64_t)p->blocks_used * TCP_BLOCK;
	for (uint32_t i = 0; i < p->n_areas; i++) {
		if (!p->areas[i])
			continue;
		s.areas++;
		s.zero_copy += p->areas[i]->zero_copy;
		s.leased += p->areas[i]->leased;
	}
	/* A caller built against an older header gets what that had. */
	size = ret->size < sizeof(s) ? ret->size : sizeof(s);
	s.size = size;
	memcpy(ret, &s, size);
	return 0;
}
