// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "daemon/accept_queue.h"
#include "daemon/closing.h"
#include "daemon/retransmit.h"

#define PARKED_SHARE 4 /* of the flow table */

static void depth_say(struct daemon *d, uint32_t listener)
{
	struct porch_queue *shared = &d->tables.queues[listener];
	uint32_t depth = d->connections->queues[listener].queued.n;
	bool was_full = shared->depth > shared->limit;

	__atomic_store_n(&shared->depth, depth, __ATOMIC_RELEASE);
	if (depth > shared->peak)
		shared->peak = depth;
	if (was_full && depth <= shared->limit)
		retransmit_room(d, listener);
}

void queue_add(struct daemon *d, uint32_t listener, uint32_t flow, uint32_t serial)
{
	struct connections *c = d->connections;
	struct flow_row *row = &d->rows[flow];

	row->since_ns = d->now;
	row->serial = serial;
	row->early = NULL;
	row->challenged = 0;
	row->listener = listener;
	row->state = ROW_QUEUED;
	flow_list_append(d, &d->connections->queues[listener].queued, flow);
	depth_say(d, listener);
	if (!c->queues[listener].fresh) {
		c->queues[listener].fresh = true;
		c->fresh[c->n_fresh++] = listener;
	}
}

void queue_return(struct daemon *d, uint32_t flow)
{
	struct flow_row *row = &d->rows[flow];

	row->early = NULL;
	row->challenged = 0;
	row->state = ROW_QUEUED;
	flow_list_prepend(d, &d->connections->queues[row->listener].queued, flow);
	depth_say(d, row->listener);
}

void queue_remove(struct daemon *d, uint32_t flow)
{
	uint32_t listener = d->rows[flow].listener;

	flow_list_remove(d, &d->connections->queues[listener].queued, flow);
	depth_say(d, listener);
}

void queue_park(struct daemon *d, uint32_t listener, uint32_t flow, uint32_t serial)
{
	struct connections *c = d->connections;
	struct flow_row *row = &d->rows[flow];

	/* porchd has taken note of it */
	steer_store(d, flow, serial, PORCH_PHASE_PENDING, 0);
	if (c->parked >= d->tables.n_flows / PARKED_SHARE) {
		/* the flow table is for those who are served: its next segment is a new proof */
		steer_store(d, flow, serial, PORCH_PHASE_FORGOTTEN, 0);
		return;
	}
	parked_add(d, flow, serial);
	if (row->state == ROW_PARKED)
		return; /* it has proven again, in vain */
	row->since_ns = d->now;
	row->serial = serial;
	row->listener = listener;
	row->state = ROW_PARKED;
	flow_list_append(d, &c->queues[listener].parked, flow);
	c->parked++;
}

/* Not given up by parked.c, nor taken away? */
static bool still_parked(const struct daemon *d, uint32_t flow)
{
	uint32_t serial = d->rows[flow].serial;

	return flow_is(d, flow, serial) &&
	       d->tables.steer[flow].word == PORCH_STEER(serial, PORCH_PHASE_PENDING, 0);
}

uint32_t queue_unpark(struct daemon *d, uint32_t listener)
{
	struct daemon_listener *l = &d->listeners[listener];
	uint32_t flow, n = 0;

	while (l->queue && !queue_full(l) && (flow = l->queue->parked.first) != FLOW_NONE) {
		uint32_t serial = d->rows[flow].serial;
		bool wanted = still_parked(d, flow);

		flow_detach(d, flow);
		if (!wanted)
			continue;
		parked_del(d, flow, serial);
		queue_add(d, listener, flow, serial);
		l->shared->admitted++;
		d->count.admitted++;
		n++;
	}
	return n;
}

uint32_t queue_reset(struct daemon *d, uint32_t listener)
{
	struct accept_queue *q = &d->connections->queues[listener];
	uint32_t n = 0;

	for (; q->queued.n; n++)
		flow_reset(d, q->queued.first, d->rows[q->queued.first].serial);
	for (; q->parked.n; n++) {
		parked_del(d, q->parked.first, d->rows[q->parked.first].serial);
		flow_reset(d, q->parked.first, d->rows[q->parked.first].serial);
	}
	d->tables.queues[listener].reset += n;
	return n;
}

uint32_t queue_expire(struct daemon *d, uint32_t listener, uint32_t most)
{
	struct flow_list *queued = &d->connections->queues[listener].queued;
	uint64_t timeout = d->config.accept_timeout * NS_PER_SEC;
	uint32_t n = 0;

	for (; n < most && queued->n && d->now - d->rows[queued->first].since_ns >= timeout; n++)
		flow_reset(d, queued->first, d->rows[queued->first].serial);
	d->tables.queues[listener].reset += n;
	return n;
}
