// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/util.h"
#include "daemon/finishing.h"
#include "daemon/flowtab.h"
#include "daemon/group.h"

#define FRAME_MAX 4096 /* of any UMEM: no connection has ever sent more at once */
#define LIFE_SECONDS 600 /* a peer that takes an octet a minute does not keep our memory for ever */

struct finishing_conn {
	struct tcp_conn tcp; /* tcp.user: unused; tcp.area: ifindex */
	uint32_t flow, serial;
	uint32_t index; /* in conns[] */
	struct finishing_conn *noted; /* next in the list of those with events */
};

struct finishing {
	struct tcp_stack stack;
	struct daemon *d;
	struct finishing_conn **conns; /* by the row's `turn`; NULL: free */
	uint32_t room, n, first_free;
	struct finishing_conn *noted;
	size_t memory; /* in use */
	struct loop_timer timer;
	_Alignas(64) uint8_t frame[FRAME_MAX];
};

static struct finishing *of(struct tcp_stack *stack)
{
	return stack->user;
}

static void *memory_get(struct finishing *f, size_t size)
{
	void *m;

	if (f->memory + size > f->d->config.handback_memory)
		return NULL;
	m = aligned_alloc(64, size);
	if (m)
		f->memory += size;
	return m;
}

static void memory_put(struct finishing *f, void *m, size_t size)
{
	f->memory -= size;
	free(m);
}

static void *block_get(struct tcp_stack *stack)
{
	return memory_get(of(stack), TCP_BLOCK);
}

static void block_put(struct tcp_stack *stack, void *block)
{
	memory_put(of(stack), block, TCP_BLOCK);
}

static void *frame_get(struct tcp_stack *stack, struct tcp_conn *conn)
{
	return of(stack)->frame;
}

/* What does not go out is lost on the way; the engine sends it again. */
static void frame_send(struct tcp_stack *stack, struct tcp_conn *conn, void *frame, uint32_t length)
{
	raw_send(of(stack)->d, conn->area, frame, length);
}

static void notify(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct finishing_conn *c = (struct finishing_conn *)conn;

	c->noted = of(stack)->noted;
	of(stack)->noted = c;
}
_Static_assert(offsetof(struct finishing_conn, tcp) == 0, "cast in notify()");

static const struct tcp_ops ops = {
	.frame_get = frame_get,
	.frame_send = frame_send,
	.notify = notify,
	.block_get = block_get,
	.block_put = block_put,
};

#define CONN_SIZE ((sizeof(struct finishing_conn) + 63) & ~(size_t)63)

int finishing_open(struct daemon *d)
{
	const struct tcp_settings settings = {
		.frame_size = FRAME_MAX, .recv_buffer = 65536, .send_buffer = 1u << 30
	};
	struct finishing *f = aligned_alloc(64, (sizeof(*f) + 63) & ~(size_t)63);

	if (!f)
		return -ENOMEM;
	memset(f, 0, sizeof(*f));
	f->d = d;
	tcp_stack_init(&f->stack, &ops, &settings, d->now);
	f->stack.user = f;
	d->finishing = f;
	return d->loop ? loop_add_poller(d->loop, finishing_poll) : 0;
}

void finishing_close(struct daemon *d)
{
	struct finishing *f = d->finishing;
	uint32_t i;

	if (!f)
		return;
	for (i = 0; i < f->room; i++)
		if (f->conns[i])
			finishing_forget(d, i);
	if (d->loop)
		loop_timer_stop(d->loop, &f->timer);
	free(f->conns);
	free(f);
	d->finishing = NULL;
}

/* A free place in conns[]; its index, or -ENOMEM. */
static int64_t place(struct finishing *f)
{
	struct finishing_conn **more;
	uint32_t room;

	while (f->first_free < f->room && f->conns[f->first_free])
		f->first_free++;
	if (f->first_free < f->room)
		return f->first_free;
	room = f->room ? 2 * f->room : 64;
	more = reallocarray(f->conns, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + f->room, 0, (room - f->room) * sizeof(*more));
	f->conns = more;
	f->room = room;
	return f->first_free;
}

static const struct trust_group *group_of(struct daemon *d, uint32_t ifindex)
{
	for_each_group(d, g)
	{
		if (g->ifindex == ifindex)
			return g;
	}
	return NULL;
}

static struct porch_queue *queue_of(struct daemon *d, uint32_t flow)
{
	return &d->tables.queues[d->rows[flow].listener];
}

/* The row changes hands; its listener stays. */
static void take_over(struct daemon *d, struct finishing_conn *c)
{
	uint8_t listener = d->rows[c->flow].listener;
	struct flow_row *row = &d->rows[c->flow];

	flow_detach(d, c->flow);
	row->state = ROW_STEERED;
	row->worker = 0;
	row->since_ns = d->now;
	row->listener = listener;
	row->serial = c->serial;
	row->turn = c->index;
	flow_list_append(d, &d->connections->steered[0], c->flow);
	queue_of(d, c->flow)->finishing++;
	queue_of(d, c->flow)->handed_back++;
	steer_store(d, c->flow, c->serial, PORCH_PHASE_STEERED, 0);
}

int finishing_add(struct daemon *d, uint32_t flow, const struct tcp_handback *from, const void *data,
		  uint32_t octets)
{
	const struct trust_group *g = group_of(d, d->tables.steer[flow].ifindex);
	struct finishing *f = d->finishing;
	struct finishing_conn *c;
	int64_t index;
	int r;

	if (!g)
		return -ENODEV;
	if (from->start.mtu > g->mtu || from->start.mtu > FRAME_MAX - 22)
		return -EINVAL;
	index = place(f);
	c = index < 0 ? NULL : memory_get(f, CONN_SIZE);
	if (!c)
		return -ENOMEM;
	memset(c, 0, sizeof(*c));
	f->stack.now = d->now;
	c->flow = flow;
	c->serial = d->rows[flow].serial;
	c->index = index;
	r = tcp_import(&f->stack, &c->tcp, from, data, octets);
	if (r) {
		memory_put(f, c, CONN_SIZE);
		return r;
	}
	c->tcp.area = g->ifindex;
	f->conns[index] = c;
	f->n++;
	take_over(d, c);
	return 0;
}

void finishing_forget(struct daemon *d, uint32_t turn)
{
	struct finishing *f = d->finishing;
	struct finishing_conn *c = f->conns[turn], **p;

	for (p = &f->noted; *p; p = &(*p)->noted) {
		if (*p == c) {
			*p = c->noted;
			break;
		}
	}
	queue_of(d, c->flow)->finishing--;
	tcp_release(&f->stack, &c->tcp);
	f->conns[turn] = NULL;
	f->first_free = turn < f->first_free ? turn : f->first_free;
	f->n--;
	memory_put(f, c, CONN_SIZE);
}

void finishing_frame(struct daemon *d, const struct porch_record *r, const uint8_t *frame, uint32_t length)
{
	const struct flow_row *row = flow_row_of(d, r->flow, r->serial);
	struct finishing *f = d->finishing;
	struct finishing_conn *c;
	struct tcp_segment seg;

	if (row->state != ROW_STEERED || row->worker) {
		d->count.unknown_record++;
		return;
	}
	c = f->conns[row->turn];
	f->stack.now = d->now;
	if (r->kind == PORCH_RECORD_ICMP)
		tcp_icmp(&f->stack, &c->tcp, frame, length, r->l3, r->l4);
	else if (tcp_parse(frame, length, r->l3, r->l4, r->length, &seg) ||
		 tcp_input(&f->stack, &c->tcp, &seg))
		d->count.bad_frame++;
}

void finishing_neighbour(struct daemon *d, uint32_t ifindex, const uint8_t was[6], const uint8_t is[6])
{
	struct finishing *f = d->finishing;
	uint32_t i;

	for (i = 0; f && f->n && i < f->room; i++) {
		struct tcp_conn *conn = f->conns[i] ? &f->conns[i]->tcp : NULL;

		if (conn && conn->area == ifindex && !memcmp(conn->remote_mac, was, 6))
			memcpy(conn->remote_mac, is, 6);
	}
}

static void over(struct daemon *d, struct finishing_conn *c)
{
	struct porch_steer *steer = &d->tables.steer[c->flow];
	uint8_t phase = PORCH_PHASE_TOMBSTONE;
	struct tcp_finish finish;

	if (tcp_finish(&c->tcp, &finish) == 1 && flow_is(d, c->flow, c->serial)) {
		steer->snd_nxt = finish.snd_nxt;
		steer->rcv_nxt = finish.rcv_nxt;
		steer->ts_offset = finish.ts_offset;
		phase = PORCH_PHASE_TIME_WAIT;
	}
	flow_over(d, c->flow, c->serial, phase); /* and finishing_forget() */
}

/* The list is in the order in which they came. */
static void end_the_oldest(struct daemon *d)
{
	uint32_t flow = d->connections->steered[0].first;

	for (; flow != FLOW_NONE && d->now - d->rows[flow].since_ns >= LIFE_SECONDS * NS_PER_SEC;
	     flow = d->rows[flow].next)
		tcp_abort(&d->finishing->stack, &d->finishing->conns[d->rows[flow].turn]->tcp);
}

/* The loop has turned, which is all that is needed. */
static void due(struct daemon *d, void *arg)
{
}

int finishing_poll(struct daemon *d)
{
	struct finishing *f = d->finishing;
	struct finishing_conn *c;
	uint64_t next;
	int n = 0;

	if (!f->n)
		return 0;
	f->stack.now = d->now;
	end_the_oldest(d);
	tcp_stack_run(&f->stack);
	tcp_stack_flush(&f->stack);
	while ((c = f->noted)) {
		f->noted = c->noted;
		c->noted = NULL;
		c->tcp.notified = false;
		if (tcp_events(&c->tcp) & TCP_EVENT_DONE)
			over(d, c);
		n++;
	}
	next = tcp_stack_next(&f->stack);
	if (d->loop && next != UINT64_MAX && (!f->timer.armed || next != f->timer.at))
		loop_timer_arm(d->loop, &f->timer, next, due, NULL);
	return n;
}
