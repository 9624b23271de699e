// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Connections that come back from a worker: all of them when it is no more
 * (worker_flows_gone() of daemon.h), those it has not looked at when it stands
 * still. An accept entry changes hands by compare-and-swap, so that a worker
 * that was stopped in the middle of its ring does not serve what another has got.
 */
#include <syslog.h>

#include "daemon/accept_queue.h"
#include "daemon/closing.h"
#include "daemon/handover.h"
#include "daemon/listen.h"
#include "daemon/log.h"
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

/* The entry is ours again; false: the worker has it. */
static bool entry_returns(const struct worker *w, const struct flow_row *row)
{
	struct porch_accept_entry *entry = porch_ring_at(&w->accept, row->turn);
	uint32_t claim = PORCH_CLAIM_FREE;

	return __atomic_compare_exchange_n(&entry->claim, &claim, PORCH_CLAIM_RETURNED, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* To the head of its queue. What was in `inject` the client sends again. */
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
	steer_store(d, flow, serial, PORCH_PHASE_PENDING, 0);
	queue_return(d, flow);
}

void worker_flows_gone(struct daemon *d, struct worker *w)
{
	struct flow_list *steered = &d->connections->steered[w->number];
	uint32_t consumed = 0, unread = unread_of(w, &consumed), back = 0, lost = 0, flow, previous;

	/* the list is in the order of the ring: from its end */
	for (flow = steered->last; flow != FLOW_NONE && d->rows[flow].turn - consumed < unread;
	     flow = previous) {
		previous = d->rows[flow].previous;
		if (!entry_returns(w, &d->rows[flow]))
			continue;
		give_back(d, flow);
		back++;
	}
	for (; steered->n; lost++)
		flow_orphan(d, steered->first, d->rows[steered->first].serial);
	if (back || lost)
		log_line(LOG_INFO,
			 "worker %u is gone: %u connections it had not seen are queued again, %u are reset",
			 w->number, back, lost);
	rebuild_forget(d, w->number);
	listen_worker_gone(d, w);
	if (back)
		handover_all(d);
}

/* Does another worker that moves listen there? */
static bool others_listen(struct daemon *d, const struct worker *w, uint32_t listener)
{
	const struct accept_queue *q = d->listeners[listener].queue;
	uint32_t i;

	for (i = 0; q && i < q->n_members; i++) {
		const struct worker *other = q->members[i].worker;

		if (other != w && other->ready && !other->gone && !other->condemned &&
		    !handover_stalled(d, other, HANDOVER_STALL_NS))
			return true;
	}
	return false;
}

static void take_back(struct daemon *d, struct worker *w)
{
	struct flow_list *steered = &d->connections->steered[w->number];
	uint32_t consumed = 0, unread = unread_of(w, &consumed), back = 0, flow, previous;

	for (flow = steered->last; flow != FLOW_NONE && d->rows[flow].turn - consumed < unread;
	     flow = previous) {
		const struct flow_row *row = &d->rows[flow];
		uint32_t handle = row->handle;

		previous = row->previous;
		if (!others_listen(d, w, row->listener))
			continue;
		if (!entry_returns(w, row))
			continue;
		give_back(d, flow);
		w->listens[handle].handed--;
		__atomic_store_n(&w->session->listener[handle].handed, w->listens[handle].handed,
				 __ATOMIC_RELEASE);
		back++;
	}
	if (back)
		log_limited(d->now, LOG_WARNING,
			    "worker %u (pid %u) has not looked for a second at what it was handed: %u "
			    "connections go to others",
			    w->number, w->pid, back);
}

void handover_take_back(struct daemon *d)
{
	uint32_t i;

	for (i = 1; i < PORCH_WORKERS_MAX; i++) {
		struct worker *w = d->workers[i];

		if (w && w->ready && !w->gone && !w->condemned && w->accept.ring &&
		    handover_stalled(d, w, HANDOVER_TAKE_BACK_NS))
			take_back(d, w);
	}
}
