// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Flows of a worker that is no more: worker_flows_gone() of daemon.h. */
#include <syslog.h>

#include "daemon/accept_queue.h"
#include "daemon/closing.h"
#include "daemon/listen.h"
#include "daemon/rebuild.h"

/* Accept entries that it has not read, as far as its index can be believed. */
static uint32_t unread_of(const struct worker *w, uint32_t *consumed)
{
	const struct porch_ring_end *e = &w->accept;

	if (!e->ring)
		return 0;
	*consumed = __atomic_load_n(&e->ring->consumed, __ATOMIC_ACQUIRE);
	return e->own - *consumed <= e->own - e->peer ? e->own - *consumed : 0;
}

/* It has seen nothing of this one: back to the head of its queue. What was in `inject` the client sends again. */
static void give_back(struct daemon *d, uint32_t flow)
{
	struct flow_row *row = &d->rows[flow];
	uint32_t serial = row->serial;

	flow_detach(d, flow);
	if (!flow_is(d, flow, serial))
		return;
	if (!d->listeners[row->listener].queue) {
		flow_reset(d, flow, serial);
		d->tables.queues[row->listener].reset++;
		return;
	}
	row->rcv_nxt = d->tables.flows[flow].irs + 1;
	steer_store(d, flow, serial, PORCH_PHASE_PENDING, 0);
	queue_return(d, flow);
}

void worker_flows_gone(struct daemon *d, struct worker *w)
{
	struct flow_list *steered = &d->connections->steered[w->number];
	uint32_t consumed = 0, unread = unread_of(w, &consumed), back = 0, lost;

	/* the list is in the order of the ring: from its end */
	for (; steered->n && d->rows[steered->last].turn - consumed < unread; back++)
		give_back(d, steered->last);
	for (lost = 0; steered->n; lost++)
		flow_orphan(d, steered->first, d->rows[steered->first].serial);
	if (back || lost)
		log_line(LOG_INFO, "worker %u is gone: %u connections it had not seen are queued again, %u are reset",
			 w->number, back, lost);
	rebuild_forget(d, w->number);
	listen_worker_gone(d, w);
	if (back)
		handover_all(d);
}
