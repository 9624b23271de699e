// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "core/util.h"
#include "daemon/admit.h"
#include "daemon/area.h"
#include "daemon/closing.h"
#include "daemon/rebuild.h"

struct found {
	uint64_t proven_ns;
	uint32_t flow;
};

static int by_age(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->proven_ns < y->proven_ns ? -1 : x->proven_ns > y->proven_ns;
}

bool rebuild_waits(const struct daemon *d)
{
	return d->now - d->connections->started_ns < REBUILD_WAIT_SECONDS * NS_PER_SEC;
}

void rebuild_wait(struct daemon *d, uint32_t flow, uint32_t serial)
{
	struct flow_row *row = flow_row_of(d, flow, serial);

	if (row->state != ROW_NONE)
		return;
	row->since_ns = d->now;
	row->serial = serial;
	row->listener = d->tables.flows[flow].listener;
	row->state = ROW_WAITING;
	flow_list_append(d, &d->connections->waiting, flow);
	steer_store(d, flow, serial, PORCH_PHASE_PENDING, 0);
}

void rebuild_listened(struct daemon *d, struct daemon_listener *l)
{
	uint32_t flow, next;

	for (flow = d->connections->waiting.first; flow != FLOW_NONE; flow = next) {
		const struct flow_row *row = &d->rows[flow];

		next = row->next;
		if (row->listener != l->index)
			continue;
		flow_detach(d, flow);
		if (flow_is(d, flow, row->serial))
			admit_flow(d, flow, row->serial);
	}
}

static void steered_again(struct daemon *d, uint32_t flow, uint32_t serial, uint16_t worker)
{
	struct flow_row *row = &d->rows[flow];

	row->serial = serial;
	row->worker = worker;
	row->listener = d->tables.flows[flow].listener;
	row->state = ROW_STEERED;
	flow_list_append(d, &d->connections->steered[worker], flow);
	d->connections->expected |= 1ull << worker;
}

/* One HANDED flow. true: it is PENDING. */
static bool flow_found(struct daemon *d, uint32_t flow)
{
	uint32_t serial = d->tables.steer[flow].serial;
	uint64_t word = d->tables.steer[flow].word;
	uint16_t worker = PORCH_STEER_WORKER(word);

	if (PORCH_STEER_SERIAL(word) != serial)
		return true;
	switch (PORCH_STEER_PHASE(word)) {
	case PORCH_PHASE_PENDING:
		return true;
	case PORCH_PHASE_STEERED:
		if (worker && worker < PORCH_WORKERS_MAX)
			steered_again(d, flow, serial, worker);
		else
			flow_orphan(d, flow, serial);
		return false;
	case PORCH_PHASE_CLOSING:
		flow_orphan(d, flow, serial);
		return false;
	}
	return false;
}

/* No queue has anybody in it. */
static void queues_clear(struct daemon *d)
{
	uint32_t i;

	for (i = 0; i < PORCH_LISTENERS_MAX; i++) {
		struct porch_queue *q = &d->tables.queues[i];

		__atomic_store_n(&q->workers, 0, __ATOMIC_RELEASE);
		q->depth = q->credit = q->parked = q->finishing = 0;
	}
}

void rebuild(struct daemon *d)
{
	_cleanup_free_ struct found *pending = NULL;
	struct connections *c = d->connections;
	uint32_t flow, i, n = 0, room = 0, steered = 0;

	c->started_ns = d->now;
	queues_clear(d);
	for (flow = 0; flow < d->tables.n_flows; flow++) {
		if (__atomic_load_n(&d->tables.flows[flow].state, __ATOMIC_ACQUIRE) != PORCH_FLOW_HANDED ||
		    !flow_found(d, flow))
			continue;
		if (n == room) {
			struct found *more = reallocarray(pending, room ? 2 * room : 256, sizeof(*more));

			if (!more)
				break; /* connections_tick() finds those whose word was never stored */
			pending = more;
			room = room ? 2 * room : 256;
		}
		pending[n++] = (struct found){ .proven_ns = d->tables.steer[flow].proven_ns, .flow = flow };
	}
	if (n)
		qsort(pending, n, sizeof(*pending), by_age);
	for (i = 0; i < n; i++)
		rebuild_wait(d, pending[i].flow, d->tables.steer[pending[i].flow].serial);
	for (i = 0; i < PORCH_WORKERS_MAX; i++)
		steered += c->steered[i].n;
	if (n || steered)
		log_line(LOG_NOTICE,
			 "found in the flow table: %u connections that wait to be accepted, %u of %d workers "
			 "that may "
			 "come back",
			 n, steered, __builtin_popcountll(c->expected));
}

bool rebuild_expects(const struct daemon *d, uint16_t worker)
{
	return worker < PORCH_WORKERS_MAX && (d->connections->expected >> worker & 1);
}

bool rebuild_may_rejoin(const struct daemon *d, uint16_t worker)
{
	return worker && worker < PORCH_WORKERS_MAX && !(d->connections->given_up >> worker & 1);
}

void rebuild_rejoined(struct daemon *d, struct worker *w)
{
	struct flow_list *steered = &d->connections->steered[w->number];
	uint32_t flow;

	d->connections->expected &= ~(1ull << w->number);
	/* where its entry stood nobody knows any more: as if it had read it */
	for (flow = steered->first; flow != FLOW_NONE; flow = d->rows[flow].next)
		d->rows[flow].turn = w->accept.own - w->accept.mask - 2;
	w->flows = steered->n;
}

void rebuild_forget(struct daemon *d, uint16_t worker)
{
	d->connections->expected &= ~(1ull << worker);
}

static void give_up(struct daemon *d, uint16_t worker)
{
	struct flow_list *steered = &d->connections->steered[worker];
	uint32_t n = steered->n;

	d->connections->expected &= ~(1ull << worker);
	d->connections->given_up |= 1ull << worker;
	while (steered->n)
		flow_orphan(d, steered->first, d->rows[steered->first].serial);
	log_line(LOG_NOTICE, "worker %u of the run before has not come back: its %u connections are reset",
		 worker, n);
}

/* Sockets for what the clients of those connections still send: no application brings any. */
static void hear(struct daemon *d)
{
	int r;

	for_each_area(d, a, g, q)
	{
		if (a->bound || !a->group->up)
			continue;
		r = area_prepare(d, a);
		if (!r)
			r = area_bind(d, a);
		if (r)
			log_line(LOG_WARNING,
				 "%s queue %u: clients of connections that are lost will not be told: %s",
				 a->group->name, a->queue, strerror(-r));
	}
}

void rebuild_expire(struct daemon *d)
{
	struct connections *c = d->connections;
	uint64_t left = c->expected;

	if (!c->settled && d->now - c->started_ns >= REBUILD_REJOIN_SECONDS * NS_PER_SEC) {
		c->settled = true;
		for (; left; left &= left - 1) {
			uint16_t worker = __builtin_ctzll(left);

			if (!d->workers[worker])
				give_up(d, worker);
			else
				c->settled = false; /* it is just registering */
		}
		if (c->closing[CLOSING_FIRST].n || c->closing[CLOSING_SECOND].n || c->closing[CLOSING_LAST].n)
			hear(d);
	}
	while (c->waiting.n &&
	       d->now - d->rows[c->waiting.first].since_ns >= REBUILD_WAIT_SECONDS * NS_PER_SEC) {
		uint32_t flow = c->waiting.first;

		d->tables.queues[d->rows[flow].listener].reset++;
		flow_reset(d, flow, d->rows[flow].serial);
	}
}
