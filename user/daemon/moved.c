// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "daemon/moved.h"

void moved_note(struct moved *m, uint64_t now, uint32_t ifindex, const uint8_t was[6], const uint8_t is[6])
{
	struct moved_row *row = &m->rows[m->n++ % MOVED_MAX];

	row->at = now;
	row->ifindex = ifindex;
	memcpy(row->was, was, 6);
	memcpy(row->is, is, 6);
}

/* Oldest first: what has moved twice is followed twice. */
void moved_follow(const struct moved *m, uint64_t since, uint32_t ifindex, uint8_t mac[6])
{
	uint32_t i = m->n > MOVED_MAX ? m->n - MOVED_MAX : 0;

	for (; i < m->n; i++) {
		const struct moved_row *row = &m->rows[i % MOVED_MAX];

		if (row->at > since && row->ifindex == ifindex && !memcmp(mac, row->was, 6))
			memcpy(mac, row->is, 6);
	}
}
