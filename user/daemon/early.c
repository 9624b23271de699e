// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "daemon/early.h"

/* What a frame costs us: a small one not much less than its bookkeeping. */
static size_t cost(uint32_t length)
{
	return sizeof(struct early_frame) + length + 16;
}

bool early_add(struct daemon *d, struct flow_row *row, const struct porch_record *record,
	       const struct admit_segment *seg, const uint8_t *frame, uint32_t length)
{
	struct connections *c = d->connections;
	uint32_t used = record->l4 + record->length; /* the rest is padding */
	struct early_frame *e = NULL;

	if (used > length)
		used = length;
	if (early_count(row) < d->config.early_frames && early_count(row) < UINT8_MAX &&
	    c->early_memory + cost(used) <= d->config.early_memory)
		e = malloc(sizeof(*e) + used);
	if (!e) {
		d->count.early_dropped++;
		return false;
	}
	*e = (struct early_frame){
		.next = e,
		.seq = seg->seq,
		.end = seg->seq + seg->payload + (seg->flags & SEGMENT_FIN ? 1 : 0),
		.length = used,
		.l3 = record->l3,
		.l4 = record->l4,
		.segment = record->length,
		.kind = record->kind,
		.nth = early_count(row) + 1,
	};
	memcpy(e->frame, frame, used);
	if (row->early) {
		e->next = row->early->next;
		row->early->next = e;
	}
	row->early = e;
	c->early_memory += cost(used);
	return true;
}

void early_free(struct daemon *d, struct flow_row *row)
{
	struct early_frame *e = early_first(row), *next;

	for (; e; e = next) {
		next = early_next(row, e);
		d->connections->early_memory -= cost(e->length);
		free(e);
	}
	row->early = NULL;
}

uint32_t early_rcv_nxt(const struct daemon *d, uint32_t flow)
{
	const struct flow_row *row = &d->rows[flow];
	uint32_t next = d->tables.flows[flow].irs + 1;
	const struct early_frame *e;

	for (e = early_first(row); e; e = early_next(row, e)) {
		if ((int32_t)(e->seq - next) <= 0 && (int32_t)(e->end - next) > 0)
			next = e->end;
	}
	return next;
}
