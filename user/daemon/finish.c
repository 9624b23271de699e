// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "daemon/finish.h"
#include "daemon/flowtab.h"

/* One entry, copied. */
static void finish(struct daemon *d, struct worker *w, const struct porch_finish_entry *e)
{
	struct porch_steer *steer;
	struct flow_row *row;
	uint8_t phase;

	if (e->flow >= d->tables.n_flows ||
	    (e->how != PORCH_FINISH_CLOSED && e->how != PORCH_FINISH_TIME_WAIT)) {
		d->count.bad_finish++;
		return;
	}
	row = &d->rows[e->flow];
	if (row->state != ROW_STEERED || row->worker != w->number || row->serial != e->serial) {
		d->count.stale_finish++;
		return;
	}
	if (!flow_is(d, e->flow, e->serial)) {
		flow_detach(d, e->flow);
		d->count.stale_finish++;
		return;
	}
	phase = PORCH_PHASE_TOMBSTONE;
	if (e->how == PORCH_FINISH_TIME_WAIT) {
		steer = &d->tables.steer[e->flow];
		steer->snd_nxt = e->snd_nxt;
		steer->rcv_nxt = e->rcv_nxt;
		steer->ts_offset = e->ts_offset;
		phase = PORCH_PHASE_TIME_WAIT;
	}
	flow_over(d, e->flow, e->serial, phase);
}

int finish_worker(struct daemon *d, struct worker *w)
{
	uint32_t n;
	int r = 0;

	for (n = 0; n < FINISH_PER_TURN; n++) {
		const struct porch_finish_entry *entry = porch_ring_take(&w->finish, &r);
		struct porch_finish_entry copy;

		if (!entry)
			break;
		copy = *(const volatile struct porch_finish_entry *)
			       entry; /* once: the worker may still write */
		finish(d, w, &copy);
	}
	if (n)
		porch_ring_release(&w->finish);
	return r;
}
