/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections that porchd hands over, and frames that reached it instead of us.
 * The first comes before the second in each turn, and both before the XSKs, so
 * that a segment never meets a connection that has not been read yet.
 */
#include <string.h>

#include "lib/lib.h"

/* Handed to us, but not to be: reset and over. False: no room to say so, leave it in the ring. */
static bool refuse(struct porch *p, const struct porch_accept_entry *e, const struct tcp_start *start)
{
	struct porch_finish_entry finish = { .flow = e->flow,
					     .serial = e->serial,
					     .how = PORCH_FINISH_CLOSED };
	struct porch_conn c = { .porch = p,
				.ifindex = e->area < PORCH_AREAS_MAX && p->areas[e->area]
						   ? p->areas[e->area]->ifindex
						   : 0 };

	if (!finish_entry(p, &finish))
		return false;
	list_init(&c.link);
	tcp_open(&p->stack, &c.tcp, start);
	c.tcp.area = e->area;
	/* Never reported: nothing may point to it when this returns. */
	c.tcp.notified = true;
	tcp_abort(&p->stack, &c.tcp);
	tcp_release(&p->stack, &c.tcp);
	list_remove(&c.link);
	return true;
}

static void start_of(const struct porch_accept_entry *e, const struct area *a, struct tcp_start *s)
{
	*s = (struct tcp_start){
		.remote_port = e->remote_port,
		.local_port = e->local_port,
		.irs = e->irs,
		.iss = e->iss,
		.ts_recent = e->ts_recent,
		.ts_ecr = e->ts_ecr,
		.proven = e->proven_ns,
		.rtt_us = e->rtt_us,
		.mss = e->mss,
		.window = e->window,
		.mtu = a ? a->mtu : 1280,
		.options = e->options,
		.wscale_snd = e->options & PORCH_OPT_WSCALE ? e->wscale & 0xf : 0,
		.wscale_rcv = e->options & PORCH_OPT_WSCALE ? e->wscale >> 4 : 0,
		.rcv_wnd = PORCH_AFXDP_WINDOW,
	};
	memcpy(s->remote, e->remote, sizeof(s->remote));
	memcpy(s->local, e->local, sizeof(s->local));
	memcpy(s->remote_mac, e->remote_mac, sizeof(s->remote_mac));
	memcpy(s->local_mac, e->local_mac, sizeof(s->local_mac));
	memcpy(s->tags, e->tags, sizeof(s->tags));
}

static bool sane(const struct porch_accept_entry *e)
{
	return e->serial && e->flow != PORCH_NO_FLOW && e->mss && (e->wscale & 0xf) <= 14 &&
	       e->wscale >> 4 <= 14 && e->area < PORCH_AREAS_MAX;
}

/* False: it stays in the ring. */
static bool take(struct porch *p, const struct porch_accept_entry *e)
{
	struct porch_listener *l = e->listener < PORCH_WORKER_LISTENERS ? p->by_handle[e->listener] : NULL;
	struct area *a = e->area < PORCH_AREAS_MAX ? p->areas[e->area] : NULL;
	struct porch_conn *c;
	struct tcp_start start;

	start_of(e, a, &start);
	if (!sane(e)) {
		p->count.refused_ring++;
		return true;
	}
	c = flow_find(p, e->flow);
	if (c) {
		/* The entry of the flow table has another owner: whatever held it is no more. */
		if (c->serial == e->serial) {
			p->count.refused_ring++;
			return true;
		}
		flow_remove(p, c);
		lib_conn_drop(c);
	}
	/* Its listener is gone, or there are more than we can hold. */
	c = l && !l->gone && l->tail - l->head <= l->queue_mask && flow_room(p) ? memory_conn(p) : NULL;
	if (!c) {
		if (!refuse(p, e, &start))
			return false;
		p->count.no_memory++;
		if (l)
			l->accepted++;
		return true;
	}
	c->flow = e->flow;
	c->serial = e->serial;
	c->ifindex = a ? a->ifindex : 0;
	c->rx_queue = a ? a->queue : 0;
	c->queued = e->queued_ns / 16 < UINT32_MAX ? e->queued_ns / 16 : UINT32_MAX;
	c->handover_ns = e->proven_ns;
	c->state = CONN_WAITING;
	flow_add(p, c);
	tcp_open(&p->stack, &c->tcp, &start);
	c->tcp.area = e->area;
	l->queue[l->tail++ & l->queue_mask] = c;
	return true;
}

/* porchd takes back what a stopped worker has not read; of us two, one gets it. */
static bool claim(struct porch_accept_entry *shared)
{
	uint32_t was = PORCH_CLAIM_FREE;

	return __atomic_compare_exchange_n(&shared->claim, &was, PORCH_CLAIM_TAKEN, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

uint32_t accept_take(struct porch *p)
{
	int error = 0;
	uint32_t n = 0;

	while (n <= p->accept.mask) {
		struct porch_accept_entry *shared = (void *)porch_ring_take(&p->accept, &error);
		struct porch_accept_entry e;

		if (!shared)
			break;
		n++;
		if (!claim(shared))
			continue;
		memcpy(&e, shared, sizeof(e));
		if (!take(p, &e)) {
			__atomic_store_n(&shared->claim, PORCH_CLAIM_FREE, __ATOMIC_RELEASE);
			p->accept.own--;
			n--;
			break;
		}
	}
	if (error) {
		p->count.refused_ring++;
		p->lost_pending = true;
	}
	if (n)
		porch_ring_release(&p->accept);
	return n;
}

uint32_t inject_take(struct porch *p)
{
	int error = 0;
	uint32_t n = 0;

	while (n < LIB_BATCH) {
		const struct porch_inject_entry *shared = porch_ring_take(&p->inject, &error);
		struct porch_inject_entry e;
		struct porch_record r;

		if (!shared)
			break;
		memcpy(&e, shared, sizeof(e));
		n++;
		if (e.length > p->inject.entry_size - sizeof(e)) {
			p->count.refused_ring++;
			continue;
		}
		p->count.frames_in++;
		r = (struct porch_record){
			.flow = e.flow,
			.serial = e.serial,
			.kind = e.kind,
			.l3 = e.l3,
			.l4 = e.l4,
			.length = e.segment,
		};
		if (__builtin_expect(p->capture.fd >= 0, 0))
			capture_frame(p, 0, shared->frame, e.length);
		input_frame(p, &r, shared->frame, e.length, NULL);
	}
	if (error) {
		p->count.refused_ring++;
		p->lost_pending = true;
	}
	if (n)
		porch_ring_release(&p->inject);
	return n;
}
