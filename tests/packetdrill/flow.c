// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A connection, from the proof on: the engine and what it is lent; and what is left of it at the end. */
#include <stdlib.h>

#include "drill.h"

struct flow *flow_new(struct drill *d)
{
	struct flow *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->drill = d;
	f->next = d->flows;
	d->flows = f;
	return f;
}

struct flow *flow_find(struct drill *d, const uint8_t remote[16], const uint8_t local[16],
		       uint16_t remote_port, uint16_t local_port)
{
	struct flow *f;

	for (f = d->flows; f; f = f->next) {
		if (f->state != FLOW_OVER && f->start.remote_port == remote_port &&
		    f->start.local_port == local_port && !memcmp(f->start.remote, remote, 16) &&
		    !memcmp(f->start.local, local, 16))
			return f; /* the newest: those before it are over and only read from */
	}
	return NULL;
}

/* ---- what the engine is lent ---- */

static void *frame_get(struct tcp_stack *stack, struct tcp_conn *conn)
{
	return ((struct flow *)stack->user)->drill->frame;
}

static void frame_send(struct tcp_stack *stack, struct tcp_conn *conn, void *frame, uint32_t length)
{
	wire_sent(((struct flow *)stack->user)->drill, (uint8_t *)frame + DRILL_ETH, length - DRILL_ETH);
}

static void notify(struct tcp_stack *stack, struct tcp_conn *conn)
{
	conn->notified = false;
}

static void *block_get(struct tcp_stack *stack)
{
	return aligned_alloc(64, TCP_BLOCK);
}

static void block_put(struct tcp_stack *stack, void *block)
{
	free(block);
}

static const struct tcp_ops ops = {
	.frame_get = frame_get,
	.frame_send = frame_send,
	.notify = notify,
	.block_get = block_get,
	.block_put = block_put,
};

/* What differs from what was set before: setting some of them again begins something anew. */
void conn_settings(struct flow *f, const struct options *o)
{
	struct options *was = &f->settings;
	uint32_t keep = o->keepalive ? o->keepidle : 0, kept = was->keepalive ? was->keepidle : 0;

	f->stack.recv_buffer = o->rcvbuf ? o->rcvbuf : DRILL_BUFFER;
	f->stack.send_buffer = o->sndbuf ? o->sndbuf : DRILL_BUFFER;
	if (o->nodelay != was->nodelay)
		tcp_set(&f->stack, &f->conn, TCP_OPTION_NODELAY, o->nodelay);
	if (o->cork != was->cork)
		tcp_set(&f->stack, &f->conn, TCP_OPTION_CORK, o->cork);
	if (o->keepintvl != was->keepintvl)
		tcp_set(&f->stack, &f->conn, TCP_OPTION_KEEPALIVE_INTERVAL, o->keepintvl);
	if (o->keepcnt != was->keepcnt)
		tcp_set(&f->stack, &f->conn, TCP_OPTION_KEEPALIVE_PROBES, o->keepcnt);
	if (keep != kept)
		tcp_set(&f->stack, &f->conn, TCP_OPTION_KEEPALIVE, keep);
	if (o->user_timeout != was->user_timeout)
		tcp_set(&f->stack, &f->conn, TCP_OPTION_USER_TIMEOUT, o->user_timeout);
	if (o->congestion != was->congestion)
		tcp_set(&f->stack, &f->conn, TCP_OPTION_CONGESTION, o->congestion);
	*was = *o;
}

void flow_open(struct drill *d, struct flow *f, const struct tcp_segment *seg)
{
	struct sock *l = f->listener;
	struct tcp_settings settings = {
		.frame_size = DRILL_FRAME,
		.recv_buffer = l->o.rcvbuf ? l->o.rcvbuf : DRILL_BUFFER,
		.send_buffer = l->o.sndbuf ? l->o.sndbuf : DRILL_BUFFER,
		.congestion = l->o.congestion,
	};

	f->state = FLOW_OPEN;
	if (l->o.maxseg && l->o.maxseg < f->start.mss)
		f->start.mss = (uint16_t)l->o.maxseg;
	f->stack.user = f;
	tcp_stack_init(&f->stack, &ops, &settings, d->now);
	tcp_open(&f->stack, &f->conn, &f->start);
	f->opened = true;
	f->finished = false;
	f->settings = (struct options){ .congestion = l->o.congestion };
	conn_settings(f, &l->o);
	f->queued = true;
	f->queue_next = NULL;
	*l->queue_tail = f;
	l->queue_tail = &f->queue_next;
	l->depth++;
	l->arrivals++;
	tcp_input(&f->stack, &f->conn, seg);
}

/* ---- after the end ---- */

void flow_finished(struct flow *f)
{
	bool time_wait;

	if (!f->opened || f->finished || !(f->conn.flags & TCP_CONN_DONE))
		return;
	f->finished = true;
	time_wait = tcp_finish(&f->conn, &f->finish);
	f->expires = time_wait ? f->drill->now + DRILL_TIME_WAIT : 0;
	if (f->drill->xdp) { /* which answers from now on */
		xdp_over(f, time_wait);
		f->expires = 0;
	}
}

void flow_forget(struct flow *f)
{
	if (f->sock)
		f->sock->flow = NULL;
	if (f->opened)
		tcp_release(&f->stack, &f->conn);
	f->opened = false;
	f->state = FLOW_OVER;
}

/* Connections that nobody holds and nothing is left of. */
void flows_tidy(struct drill *d)
{
	struct flow **p = &d->flows, *f;

	while ((f = *p)) {
		flow_finished(f);
		if (f->opened && f->finished && !f->sock && !f->queued && f->expires <= d->now)
			flow_forget(f);
		if (f->state == FLOW_OVER && !f->sock && !f->queued) {
			*p = f->next;
			free(f);
			continue;
		}
		p = &f->next;
	}
}

void flows_free(struct drill *d)
{
	struct flow *f;

	while ((f = d->flows)) {
		d->flows = f->next;
		flow_forget(f);
		free(f);
	}
}
