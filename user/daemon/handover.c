// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "daemon/accept_queue.h"
#include "daemon/early.h"
#include "daemon/forward.h"
#include "daemon/handover.h"
#include "daemon/listen.h"
#include "daemon/worker.h"

/* A member of the listener that takes connections now. */
struct candidate {
	struct worker *w;
	const struct listen_handle *handle;
	uint32_t number; /* of the handle */
	uint32_t credit;
	uint32_t member;
	/* its area for the RX queue asked for last */
	uint32_t ifindex, queue, area;
	bool direct, reaches;
	bool stalled;
};

/* What is filled into rings and neither published nor steered. */
struct batch {
	struct {
		uint32_t flow, serial;
		uint16_t worker;
	} at[HANDOVER_BATCH];
	uint32_t n;
	uint64_t workers; /* bit per number */
};

/* Connections that it is ready to take. */
static uint32_t credit_of(struct daemon *d, struct worker *w, uint32_t handle)
{
	uint64_t granted = __atomic_load_n(&w->session->listener[handle].granted, __ATOMIC_ACQUIRE);
	uint64_t credit = granted - w->listens[handle].handed;

	if (granted < w->listens[handle].granted || credit > HANDOVER_CREDIT_MAX) {
		worker_condemn(d, w, "impossible credit in its session");
		return 0;
	}
	w->listens[handle].granted = granted;
	return credit;
}

bool handover_stalled(struct daemon *d, const struct worker *w, uint64_t ns)
{
	uint32_t consumed = __atomic_load_n(&w->accept.ring->consumed, __ATOMIC_RELAXED);

	if (consumed == w->accept.own || consumed != d->connections->pace[w->number].consumed) {
		d->connections->pace[w->number].consumed = consumed;
		d->connections->pace[w->number].since_ns = d->now;
		return false;
	}
	return d->now - d->connections->pace[w->number].since_ns > ns;
}

/*
 * Every member that could be handed a connection; its sum of credit is what porch_queues says.
 * Stalled ones only when there are no others.
 */
static uint32_t candidates(struct daemon *d, struct daemon_listener *l, struct candidate *to)
{
	uint32_t i, n = 0, sum = 0, moving = 0, kept;

	for (i = 0; i < l->queue->n_members; i++) {
		struct worker *w = l->queue->members[i].worker;
		struct candidate *c = &to[n];

		if (!w->ready || w->gone || w->condemned)
			continue;
		*c = (struct candidate){ .w = w, .number = l->queue->members[i].handle, .member = i };
		c->handle = &d->connections->handles[w->number][c->number];
		c->credit = credit_of(d, w, c->number);
		c->stalled = handover_stalled(d, w, HANDOVER_STALL_NS);
		moving += !c->stalled && !w->condemned;
		n++;
	}
	for (i = kept = 0; i < n; i++) {
		if (!to[i].credit || (to[i].stalled && moving))
			continue;
		sum += to[i].credit;
		to[kept++] = to[i];
	}
	l->shared->credit = sum;
	return kept;
}

/* Has it a socket there, or on another queue of the interface, by which it can at least send? */
static void find_area(struct candidate *c, uint32_t ifindex, uint32_t queue)
{
	uint32_t i, areas = c->w->n_areas < PORCH_AREAS_MAX ? c->w->n_areas : PORCH_AREAS_MAX;

	if (c->ifindex == ifindex && c->queue == queue)
		return;
	c->ifindex = ifindex;
	c->queue = queue;
	c->direct = c->reaches = false;
	for (i = 0; i < areas && !c->direct; i++) {
		const struct worker_area *wa = &c->w->areas[i];

		if (!wa->area || !wa->bound || wa->area->group->ifindex != ifindex)
			continue;
		if (!c->reaches || wa->area->queue == queue)
			c->area = wa->number;
		c->reaches = true;
		c->direct = wa->area->queue == queue;
	}
}

/* Longer ago than the other? */
static bool waited_longer(const struct accept_queue *q, const struct candidate *a, const struct candidate *b)
{
	return (int32_t)(q->members[a->member].served - q->members[b->member].served) < 0;
}

static struct candidate *pick(const struct daemon *d, struct daemon_listener *l, struct candidate *from,
			      uint32_t n, uint32_t flow)
{
	const struct porch_steer *s = &d->tables.steer[flow];
	struct candidate *best = NULL, *c;

	for (c = from; c < from + n; c++) {
		if (!c->credit ||
		    (l->queue->narrow && !handle_covers(c->handle, d->tables.flows[flow].local)))
			continue;
		find_area(c, s->ifindex, s->rx_queue);
		if (!c->reaches || (best && best->direct > c->direct))
			continue;
		if (!best || c->direct > best->direct || waited_longer(l->queue, c, best))
			best = c;
	}
	if (best)
		l->queue->members[best->member].served = ++l->turn;
	return best;
}

static uint16_t fill_early(struct daemon *d, struct worker *w, uint32_t flow, const struct flow_row *row)
{
	struct porch_record about = { .flow = flow, .serial = row->serial };
	const struct early_frame *e;
	uint16_t n = 0;

	for (e = early_first(row); e; e = early_next(row, e)) {
		about.l3 = e->l3;
		about.l4 = e->l4;
		about.length = e->segment;
		about.kind = e->kind;
		if (inject_fill(w, &about, e->frame, e->length))
			break; /* in order or not at all: the client sends it again */
		n++;
	}
	d->count.early_dropped += early_count(row) - n;
	return n;
}

static void fill(struct daemon *d, const struct candidate *c, struct porch_accept_entry *entry, uint32_t flow,
		 const struct flow_row *row)
{
	const struct porch_flow *f = &d->tables.flows[flow];
	const struct porch_steer *s = &d->tables.steer[flow];

	*entry = (struct porch_accept_entry){
		.flow = flow,
		.serial = row->serial,
		.listener = c->number,
		.area = c->area,
		.remote_port = f->remote_port,
		.local_port = f->local_port,
		.irs = f->irs,
		.iss = f->iss,
		.ts_recent = f->ts_recent,
		.ts_ecr = f->ts_ecr,
		.mss = f->mss,
		.window = s->window,
		.options = f->options,
		.wscale = f->wscale,
		.tags = { s->tags[0], s->tags[1] },
		.proven_ns = s->proven_ns,
		.rtt_us = s->rtt_us,
		.queued_ns = d->now - row->since_ns,
	};
	memcpy(entry->remote, f->remote, 16);
	memcpy(entry->local, f->local, 16);
	memcpy(entry->remote_mac, s->remote_mac, 6);
	moved_follow(&d->moved, s->proven_ns, s->ifindex, entry->remote_mac);
	memcpy(entry->local_mac, s->local_mac, 6);
	if (row->early)
		entry->early = fill_early(d, c->w, flow, row);
}

/* Entries first, then where segments go, then the wake-up. */
static void publish(struct daemon *d, struct batch *b)
{
	uint64_t left;
	uint32_t i;

	for (left = b->workers; left; left &= left - 1) {
		struct worker *w = d->workers[__builtin_ctzll(left)];

		porch_ring_publish(&w->accept);
		porch_ring_publish(&w->inject);
	}
	for (i = 0; i < b->n; i++)
		steer_store(d, b->at[i].flow, b->at[i].serial, PORCH_PHASE_STEERED, b->at[i].worker);
	for (left = b->workers; left; left &= left - 1)
		worker_wake(d, d->workers[__builtin_ctzll(left)]);
	b->n = 0;
	b->workers = 0;
}

/* 0; -EAGAIN: this worker has no room for it, another may. */
static int hand(struct daemon *d, struct daemon_listener *l, struct candidate *c, uint32_t flow,
		struct batch *b)
{
	struct flow_row *row = &d->rows[flow];
	struct worker *w = c->w;
	struct porch_accept_entry *entry;
	uint64_t wait;
	int r;

	entry = porch_ring_fill(&w->accept, &r);
	if (!entry) {
		if (r)
			worker_condemn(d, w, "impossible index in its accept ring");
		c->credit = 0;
		return -EAGAIN;
	}
	fill(d, c, entry, flow, row);
	wait = entry->queued_ns;
	flow_detach(d, flow);
	row->state = ROW_STEERED;
	row->worker = w->number;
	row->handle = c->number;
	row->turn = w->accept.own - 1;
	flow_list_append(d, &d->connections->steered[w->number], flow);
	w->flows++;
	w->listens[c->number].handed++;
	__atomic_store_n(&w->session->listener[c->number].handed, w->listens[c->number].handed,
			 __ATOMIC_RELEASE);
	c->credit--;
	l->shared->credit--;
	l->shared->handed++;
	l->shared->wait_ns_sum += wait;
	if (wait > l->shared->wait_ns_max)
		l->shared->wait_ns_max = wait;
	d->count.handed++;
	b->at[b->n].flow = flow;
	b->at[b->n].serial = row->serial;
	b->at[b->n++].worker = w->number;
	b->workers |= 1ull << w->number;
	if (b->n == HANDOVER_BATCH)
		publish(d, b);
	return 0;
}

/* From the head on, as far as credit goes. false: nobody takes any more. */
static bool hand_all(struct daemon *d, struct daemon_listener *l, struct candidate *from, uint32_t n,
		     struct batch *b)
{
	uint32_t flow, next;

	for (flow = l->queue->queued.first; flow != FLOW_NONE; flow = next) {
		struct candidate *c;

		next = d->rows[flow].next;
		if (!flow_is(d, flow, d->rows[flow].serial)) {
			d->connections->vanished++;
			flow_detach(d, flow);
			continue;
		}
		while ((c = pick(d, l, from, n, flow)) && hand(d, l, c, flow, b))
			;
		if (!c && !l->queue->narrow)
			return false; /* what this one waits for, all behind it wait for */
	}
	return true;
}

void handover_listener(struct daemon *d, struct daemon_listener *l)
{
	struct candidate from[LISTENER_MEMBERS_MAX];
	struct batch b = { .n = 0 };
	uint32_t n;

	if (!l->queue)
		return;
	n = candidates(d, l, from);
	while (n && hand_all(d, l, from, n, &b) && queue_unpark(d, l->index))
		;
	if (b.n)
		publish(d, &b);
	queue_unpark(d, l->index);
}

void handover_all(struct daemon *d)
{
	uint32_t i;

	for (i = 0; i < d->connections->n_active; i++)
		handover_listener(d, &d->listeners[d->connections->active[i]]);
}

int connections_poll(struct daemon *d)
{
	struct connections *c = d->connections;
	uint32_t n = c->n_fresh;

	while (c->n_fresh) {
		uint32_t listener = c->fresh[--c->n_fresh];

		c->queues[listener].fresh = false;
		handover_listener(d, &d->listeners[listener]);
	}
	return n;
}
