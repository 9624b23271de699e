// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "daemon/forward.h"
#include "daemon/worker.h"

int inject_fill(struct worker *w, const struct porch_record *about, const uint8_t *frame, uint32_t length)
{
	struct porch_inject_entry *entry;
	int r;

	if (w->inject.entry_size < sizeof(*entry) || length > w->inject.entry_size - sizeof(*entry))
		return -EMSGSIZE;
	entry = porch_ring_fill(&w->inject, &r);
	if (!entry)
		return r ? r : -ENOSPC;
	*entry = (struct porch_inject_entry){
		.flow = about->flow,
		.serial = about->serial,
		.length = length,
		.l3 = about->l3,
		.l4 = about->l4,
		.segment = about->length,
		.kind = about->kind,
	};
	memcpy(entry->frame, frame, length);
	return 0;
}

void forward_frame(struct daemon *d, struct worker *w, const struct porch_record *record,
		   const uint8_t *frame, uint32_t length)
{
	uint32_t used = record->l4 + record->length; /* the rest is padding */
	int r;

	if (w->gone || w->condemned)
		return;
	r = inject_fill(w, record, frame, used < length ? used : length);
	if (r == -EPROTO) {
		worker_condemn(d, w, "impossible index in its inject ring");
		return;
	}
	if (r) {
		d->count.forward_full++;
		return;
	}
	porch_ring_publish(&w->inject);
	d->count.forwarded++;
	worker_wake(d, w);
}
