// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Frames through the programs, and what porchd and a worker would do with what
 * comes out: SYN-ACKs to the wire, proofs into the accept queue and steered to
 * the worker, segments to the engine; at the end the numbers with which XDP
 * keeps TIME-WAIT. Which AF_XDP socket a frame was redirected to a test run does
 * not say; the record in front of it says all that is needed.
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/bpf.h>

#include "xdp.h"

#define FLAGS_SYN_ACK (TCP_FLAG_SYN | TCP_FLAG_ACK)

static struct porch_tuple tuple_of(const struct flow *f)
{
	struct porch_tuple t = { .remote_port = f->start.remote_port, .local_port = f->start.local_port };

	memcpy(t.remote, f->start.remote, 16);
	memcpy(t.local, f->start.local, 16);
	return t;
}

bool xdp_half_open(struct drill *d, const struct flow *f)
{
	struct porch_tuple t = tuple_of(f);
	struct porch_half_open e;

	world_now(d);
	return f->listener && !world_half_open(d->xdp, &t, &e) && e.irs == f->start.irs &&
	       e.iss == f->start.iss;
}

/* A frame's addresses and ports, as maps.h has them. False: no TCP. */
static bool tuple_read(const uint8_t *frame, uint32_t length, struct porch_tuple *t, uint32_t *l4)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *ip = frame + DRILL_ETH, *tcp;
	bool six = ip[0] >> 4 == 6;

	if (length < DRILL_ETH + (six ? 40 : 20) || ip[six ? 6 : 9] != 6)
		return false;
	*l4 = DRILL_ETH + (six ? 40 : (ip[0] & 15) * 4u);
	if (length < *l4 + 20)
		return false;
	if (six) {
		memcpy(t->remote, ip + 8, 16);
		memcpy(t->local, ip + 24, 16);
	} else {
		memcpy(t->remote, mapped, 12);
		memcpy(t->remote + 12, ip + 12, 4);
		memcpy(t->local, mapped, 12);
		memcpy(t->local + 12, ip + 16, 4);
	}
	tcp = frame + *l4;
	t->remote_port = (uint16_t)(tcp[0] << 8 | tcp[1]);
	t->local_port = (uint16_t)(tcp[2] << 8 | tcp[3]);
	return true;
}

/* The tuple's handshake that is on its way, made if there is none. */
static struct flow *half_open_flow(struct drill *d, const struct porch_tuple *t)
{
	struct flow *f = flow_find(d, t->remote, t->local, t->remote_port, t->local_port);

	if (f && f->state == FLOW_HALF_OPEN)
		return f;
	f = flow_new(d);
	f->state = FLOW_HALF_OPEN;
	f->born = d->now;
	memcpy(f->start.remote, t->remote, 16);
	memcpy(f->start.local, t->local, 16);
	f->start.remote_port = t->remote_port;
	f->start.local_port = t->local_port;
	return f;
}

/* A SYN was answered: what porchd's walk of the half-open table finds then. */
static void answered(struct drill *d, const struct porch_tuple *t)
{
	struct porch_half_open e;
	struct flow *f;
	bool six = t->local[10] != 0xff || t->local[11] != 0xff || t->local[0];
	uint16_t mss = (uint16_t)(d->mtu - (six ? 60 : 40));

	if (world_half_open(d->xdp, t, &e))
		return;
	f = half_open_flow(d, t);
	if (f->start.irs == e.irs && f->start.iss == e.iss && f->listener)
		return; /* the same again */
	f->born = d->now;
	f->sent = 0;
	f->listener = d->listeners[e.listener].sock;
	f->announced = d->xdp->listeners[e.listener].mss ? d->xdp->listeners[e.listener].mss : mss;
	f->tsval = e.tsval;
	f->start.irs = e.irs;
	f->start.iss = e.iss;
	f->start.ts_recent = e.ts_recent;
	f->start.options = e.options;
	f->start.wscale_snd = e.options & PORCH_OPT_WSCALE ? e.wscale & 0xf : 0;
	f->start.wscale_rcv = e.options & PORCH_OPT_WSCALE ? e.wscale >> 4 : 0;
}

/* As user/lib/accept.c reads what porchd writes of flow and steer entry. */
static void start_of(const struct porch_flow *f, const struct porch_steer *s, uint64_t now, uint16_t mtu,
		     struct tcp_start *ret)
{
	*ret = (struct tcp_start){
		.remote_port = f->remote_port,
		.local_port = f->local_port,
		.irs = f->irs,
		.iss = f->iss,
		.ts_recent = f->ts_recent,
		.ts_ecr = f->ts_ecr,
		.proven = now,
		.mss = f->mss,
		.window = s->window,
		.rtt_us = s->rtt_us,
		.mtu = mtu,
		.options = f->options,
		.wscale_snd = f->options & PORCH_OPT_WSCALE ? f->wscale & 0xf : 0,
		.wscale_rcv = f->options & PORCH_OPT_WSCALE ? f->wscale >> 4 : 0,
		.rcv_wnd = PORCH_AFXDP_WINDOW,
		.tags = { s->tags[0], s->tags[1] },
	};
	memcpy(ret->remote, f->remote, 16);
	memcpy(ret->local, f->local, 16);
	memcpy(ret->remote_mac, s->remote_mac, 6);
	memcpy(ret->local_mac, s->local_mac, 6);
}

static void proven(struct drill *d, const struct porch_record *r, const struct tcp_segment *seg)
{
	const struct porch_flow *p = &d->xdp->flows[r->flow];
	struct porch_steer *s = &d->xdp->steer[r->flow];
	struct porch_tuple t = { .remote_port = p->remote_port, .local_port = p->local_port };
	struct sock *l = d->listeners[r->listener].sock;
	struct flow *f;

	if (!l)
		return;
	memcpy(t.remote, p->remote, 16);
	memcpy(t.local, p->local, 16);
	f = half_open_flow(d, &t);
	start_of(p, s, d->now, d->mtu, &f->start);
	f->listener = l;
	f->index = r->flow;
	f->serial = r->serial;
	s->word = PORCH_STEER(r->serial, PORCH_PHASE_STEERED, XDP_WORKER);
	flow_open(d, f, seg);
}

static struct flow *steered(struct drill *d, uint32_t index, uint32_t serial)
{
	struct flow *f;

	for (f = d->flows; f; f = f->next) {
		if (f->opened && !(f->conn.flags & TCP_CONN_DONE) && f->index == index && f->serial == serial)
			return f;
	}
	return NULL;
}

static void redirected(struct drill *d, const uint8_t *out, uint32_t n, uint32_t meta)
{
	const uint8_t *frame = out + meta;
	struct porch_record r;
	struct tcp_segment seg;
	struct flow *f;

	memcpy(&r, out, sizeof(r));
	if (meta != sizeof(r) || r.magic != PORCH_RECORD_MAGIC || r.flow >= XDP_SETS * PORCH_SET_WAYS ||
	    r.listener >= DRILL_LISTENERS) {
		fprintf(stderr, "porch_packetdrill: a redirected frame without its record\n");
		return;
	}
	n -= meta;
	f = steered(d, r.flow, r.serial);
	if (r.kind == PORCH_RECORD_ICMP) {
		if (f) {
			f->stack.now = d->now;
			tcp_icmp(&f->stack, &f->conn, frame, n, r.l3, r.l4);
		}
		return;
	}
	if (tcp_parse(frame, n, r.l3, r.l4, r.length, &seg))
		return;
	if (f) {
		f->stack.now = d->now;
		tcp_input(&f->stack, &f->conn, &seg);
	} else if (r.kind == PORCH_RECORD_PROOF) {
		proven(d, &r, &seg);
	}
}

/* More than any driver hands over at once: a script's way to say a batch. The
 * programs see whose it is by the flow table alone, so nothing is lost by not asking. */
static void oversized(struct drill *d, const uint8_t *frame, uint32_t length, uint32_t l4,
		      const struct porch_tuple *t)
{
	struct flow *f = flow_find(d, t->remote, t->local, t->remote_port, t->local_port);
	struct tcp_segment seg;

	if (!f || !f->opened || f->conn.flags & TCP_CONN_DONE ||
	    tcp_parse(frame, length, DRILL_ETH, l4, length - l4, &seg))
		return;
	f->stack.now = d->now;
	tcp_input(&f->stack, &f->conn, &seg);
}

void xdp_frame(struct drill *d, const uint8_t *frame, uint32_t length)
{
	uint32_t n = 0, meta = 0, l4 = 0, listener;
	struct porch_tuple t = {};
	bool tcp = tuple_read(frame, length, &t, &l4);
	uint8_t out[4096];
	int action;

	if (length > XDP_FRAME_MAX) {
		if (tcp)
			oversized(d, frame, length, l4, &t);
		return;
	}
	listener = tcp ? listener_find(d, t.local, t.local_port) : 0;
	if (listener && d->listeners[listener].any)
		world_address(d->xdp, t.local);
	world_now(d);
	action = world_run(d->xdp, frame, length, out, &n, &meta);
	switch (action) {
	case XDP_TX:
		wire_sent(d, out + meta + DRILL_ETH, n - meta - DRILL_ETH);
		if (tcp && (frame[l4 + 13] & FLAGS_SYN_ACK) == TCP_FLAG_SYN)
			answered(d, &t);
		break;
	case XDP_REDIRECT:
		redirected(d, out, n, meta);
		break;
	case XDP_PASS: /* for porch's addresses porch_tc has the last word: nothing */
		if (tcp && !listener)
			handshake_nobody(d, frame, length, l4);
		break;
	case XDP_DROP:
		break;
	default:
		fprintf(stderr, "porch_packetdrill: porch_xdp: %d\n", action);
	}
}

void xdp_over(struct flow *f, bool time_wait)
{
	struct xdp *x = f->drill->xdp;
	struct porch_steer *s = &x->steer[f->index];

	if (s->serial != f->serial)
		return;
	if (time_wait) {
		s->snd_nxt = f->finish.snd_nxt;
		s->rcv_nxt = f->finish.rcv_nxt;
		s->ts_offset = f->finish.ts_offset;
	}
	world_now(f->drill);
	s->until = x->host->tick + PORCH_COOKIE_LIFE_SECONDS * PORCH_TICKS_PER_SEC;
	s->word = PORCH_STEER(f->serial, time_wait ? PORCH_PHASE_TIME_WAIT : PORCH_PHASE_TOMBSTONE, 0);
}
