// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <string.h>

#include "daemon/accept_queue.h"
#include "daemon/admit.h"
#include "daemon/closing.h"
#include "daemon/finishing.h"
#include "daemon/listen.h"
#include "daemon/rebuild.h"

/* Does the record fit its frame? */
static bool record_fits(const struct porch_record *r, uint32_t length)
{
	return r->magic == PORCH_RECORD_MAGIC && r->kind >= PORCH_RECORD_PROOF &&
	       r->kind <= PORCH_RECORD_ICMP && r->l3 >= 14 && r->l4 >= r->l3 + 20 &&
	       (uint32_t)r->l4 + r->length <= length && r->length >= (r->kind == PORCH_RECORD_ICMP ? 8 : 20);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return ntohl(v);
}

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

/* The TCP header, of this flow. */
static bool segment_read(const struct porch_flow *f, const struct porch_record *r, const uint8_t *frame,
			 struct admit_segment *seg)
{
	const uint8_t *tcp = frame + r->l4;
	uint32_t header = (tcp[12] >> 4) * 4;

	if (header < 20 || header > r->length || get16(tcp) != f->remote_port ||
	    get16(tcp + 2) != f->local_port)
		return false;
	*seg = (struct admit_segment){
		.seq = get32(tcp + 4), .ack = get32(tcp + 8), .payload = r->length - header, .flags = tcp[13]
	};
	return true;
}

static bool flow_known(const struct daemon *d, const struct porch_record *r)
{
	return r->serial && r->flow < d->tables.n_flows && flow_is(d, r->flow, r->serial);
}

static void steered_frame(struct daemon *d, uint16_t worker, const struct porch_record *r,
			  const uint8_t *frame, uint32_t length)
{
	struct worker *w = worker < PORCH_WORKERS_MAX ? d->workers[worker] : NULL;

	/* the worker of an earlier run has not come back yet: the client sends it again */
	if (w)
		forward_frame(d, w, r, frame, length);
}

void admit_frame(struct daemon *d, struct area *a, const struct porch_record *record, const uint8_t *frame,
		 uint32_t length)
{
	const struct porch_record r = *record;
	struct admit_segment seg = {};
	uint8_t phase = PORCH_PHASE_PENDING;
	uint64_t word;

	if (!record_fits(&r, length)) {
		d->count.bad_frame++;
		return;
	}
	if (!flow_known(d, &r)) {
		d->count.unknown_record++;
		return;
	}
	if (r.kind != PORCH_RECORD_ICMP && !segment_read(&d->tables.flows[r.flow], &r, frame, &seg)) {
		d->count.bad_frame++;
		return;
	}
	word = d->tables.steer[r.flow].word;
	if (PORCH_STEER_SERIAL(word) == r.serial)
		phase = PORCH_STEER_PHASE(word);
	if (phase == PORCH_PHASE_STEERED && !PORCH_STEER_WORKER(word))
		finishing_frame(d, &r, frame, length);
	else if (phase == PORCH_PHASE_STEERED)
		steered_frame(d, PORCH_STEER_WORKER(word), &r, frame, length);
	else if (r.kind == PORCH_RECORD_ICMP)
		return; /* the connection has sent nothing, or is over */
	else if (phase == PORCH_PHASE_PENDING)
		pending_segment(d, &r, &seg, frame, length);
	else if (phase == PORCH_PHASE_CLOSING)
		closing_segment(d, a->group->ifindex, r.serial, seg.flags, &r, frame, length);
	/* else it was on its way when the flow ended; XDP answers the next */
}

/* Full, and no worker that takes one now. */
static bool no_room(struct daemon *d, struct daemon_listener *l)
{
	if (!queue_full(l))
		return false;
	handover_listener(d, l);
	return queue_full(l);
}

static void overflow(struct daemon *d, struct daemon_listener *l, uint32_t flow, uint32_t serial)
{
	l->shared->overflowed++;
	if (l->overflow == PORCH_OVERFLOW_RESET) {
		flow_reset(d, flow, serial);
		l->shared->reset++;
		return;
	}
	queue_park(d, l->index, flow, serial);
}

bool admit_flow(struct daemon *d, uint32_t flow, uint32_t serial)
{
	const struct porch_flow *f = &d->tables.flows[flow];
	uint32_t listener = f->listener;
	struct daemon_listener *l = &d->listeners[listener];
	bool full;

	if (!listener || f->local_port != d->tables.listeners[listener].port) {
		flow_reset(d, flow, serial); /* its listener is another by now */
		return false;
	}
	if (!l->queue && rebuild_waits(d)) {
		rebuild_wait(d, flow, serial);
		return false;
	}
	if (!l->queue || !listen_serves(d, l, f->local)) {
		/* the last one has left while this was on its way */
		flow_reset(d, flow, serial);
		d->tables.queues[listener].reset++;
		return false;
	}
	full = no_room(d, l);
	if (d->rows[flow].state == ROW_QUEUED || d->rows[flow].state == ROW_STEERED)
		return true; /* it was parked, and making room has let it in */
	if (full) {
		overflow(d, l, flow, serial);
		return false;
	}
	if (d->rows[flow].state == ROW_PARKED) {
		parked_del(d, flow, serial);
		flow_detach(d, flow);
	}
	steer_store(d, flow, serial, PORCH_PHASE_PENDING, 0);
	queue_add(d, listener, flow, serial);
	l->shared->admitted++;
	d->count.admitted++;
	return true;
}
