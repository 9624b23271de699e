// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "daemon/accept_queue.h"
#include "daemon/closing.h"

static void depth_say(struct daemon *d, uint32_t listener)
{
	struct porch_queue *shared = &d->tables.queues[listener];
	uint32_t depth = d->connections->queues[listener].queued.n;

	__atomic_store_n(&shared->depth, depth, __ATOMIC_RELEASE);
	if (depth > shared->peak)
		shared->peak = depth;
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

uint32_t queue_reset(struct daemon *d, uint32_t listener)
{
	struct flow_list *queued = &d->connections->queues[listener].queued;
	uint32_t n = 0;

	for (; queued->n; n++)
		flow_reset(d, queued->first, d->rows[queued->first].serial);
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
