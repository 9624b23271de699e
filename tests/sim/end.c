// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One end: what lends the engine frames and memory, and takes frames from the link. */
#include "tests/sim/sim.h"

#include <stdlib.h>

static void *frame_get(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct end *e = stack->user;
	struct world *w = e->world;

	if (w->plan.frame_refusals && (sim_random(&w->random) >> 16) % 65536 < w->plan.frame_refusals)
		return NULL;
	if (e->lent_frame)
		sim_fail(w, "end %d: a second frame before the first was sent", e->index);
	e->lent_frame = e->frame;
	memset(e->frame, 0xa5, sizeof(e->frame));
	return e->frame;
}

static void frame_send(struct tcp_stack *stack, struct tcp_conn *conn, void *frame, uint32_t length)
{
	struct end *e = stack->user;

	if (frame != e->lent_frame)
		sim_fail(e->world, "end %d: sent a frame it was not lent", e->index);
	e->lent_frame = NULL;
	check_sent(e, frame, length);
	link_send(e->world, e->index, frame, length);
}

void end_notify(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct end *e = stack->user;
	struct plan *p = &e->world->plan;

	if (e->read_at == TCP_NEVER)
		e->read_at = stack->now + p->read_pause[e->index];
	if (tcp_events(conn) & TCP_EVENT_OUT && e->write_at == TCP_NEVER && !e->write_done)
		e->write_at = stack->now;
}

static void *block_get(struct tcp_stack *stack)
{
	struct end *e = stack->user;
	void *block = e->free_block;

	if (e->blocks_used >= e->world->plan.blocks[e->index])
		return NULL;
	e->blocks_used++;
	if (e->blocks_used > e->blocks_peak)
		e->blocks_peak = e->blocks_used;
	if (!block)
		return aligned_alloc(64, TCP_BLOCK);
	memcpy(&e->free_block, block, sizeof(void *));
	return block;
}

static void block_put(struct tcp_stack *stack, void *block)
{
	struct end *e = stack->user;

	e->blocks_used--;
#ifdef __SANITIZE_ADDRESS__
	free(block);
#else
	memset(block, 0x5a, 64);
	memcpy(block, &e->free_block, sizeof(void *));
	e->free_block = block;
#endif
}

static const struct tcp_ops ops = {
	.frame_get = frame_get,
	.frame_send = frame_send,
	.notify = end_notify,
	.block_get = block_get,
	.block_put = block_put,
};

/* What end i announced in its SYN or SYN-ACK. */
uint32_t end_first_window(const struct plan *p, int i)
{
	return i && p->manners.model ? min_u32(65535, p->recv_buffer[1]) : 65535;
}

void end_open(struct world *w, int i)
{
	struct plan *p = &w->plan;
	struct end *e = &w->end[i];
	struct tcp_settings settings = {
		.frame_size = SIM_FRAME,
		.recv_buffer = p->recv_buffer[i],
		.send_buffer = p->send_buffer[i],
		.seed = p->seed,
		.congestion = p->newreno[i],
	};
	uint32_t window = end_first_window(p, !i), scale = p->options & TCP_OPT_WSCALE ? p->wscale[!i] : 0;
	struct tcp_start start = {
		.remote = { [10] = 0xff, [11] = 0xff, 10, 0, 0, (uint8_t)(2 - i) },
		.local = { [10] = 0xff, [11] = 0xff, 10, 0, 0, (uint8_t)(1 + i) },
		.remote_port = (uint16_t)(1001 - i),
		.local_port = (uint16_t)(1000 + i),
		.remote_mac = { 2, 0, 0, 0, 0, (uint8_t)(2 - i) },
		.local_mac = { 2, 0, 0, 0, 0, (uint8_t)(1 + i) },
		.tags = { p->tagged ? 7 : TCP_TAG_NONE, TCP_TAG_NONE },
		.irs = p->iss[!i],
		.iss = p->iss[i],
		.ts_recent = 5000 + 100 * (uint32_t)!i,
		.ts_ecr = 5000 + 100 * (uint32_t)i,
		.proven = w->now,
		.mss = p->mss[!i],
		.window = (uint16_t)(window >> scale),
		.mtu = p->mtu,
		.options = p->options,
		.wscale_snd = p->wscale[!i],
		.wscale_rcv = p->wscale[i],
		.rcv_wnd = 65535,
	};

	e->world = w;
	e->index = i;
	e->open = true;
	if (i && p->manners.model) {
		peer_open(e);
		return;
	}
	if (p->six) {
		memset(start.remote, 0xfd, 15);
		memset(start.local, 0xfd, 15);
	}
	e->stack.user = e;
	tcp_stack_init(&e->stack, &ops, &settings, w->now);
	tcp_open(&e->stack, &e->conn, &start);
	tcp_set(&e->stack, &e->conn, TCP_OPTION_NODELAY, p->nodelay[i]);
	tcp_set(&e->stack, &e->conn, TCP_OPTION_CORK, p->cork[i]);
	tcp_set(&e->stack, &e->conn, TCP_OPTION_KEEPALIVE, p->keepalive[i]);
	e->write_at = w->now;
	e->read_at = TCP_NEVER;
	e->unit = p->options & TCP_OPT_WSCALE ? 1u << p->wscale[i] : 1;
	e->promised = p->iss[!i] + 1 + 65535;
	e->highest = p->iss[i] + 1;
	e->permitted = p->iss[i] + 1 + (window >> scale << scale);
	watch_open(e);
	laws_open(e);
}

/* TIME-WAIT is kept by somebody else: here, as XDP does it. */
static void time_wait_answer(struct end *e, const struct tcp_segment *seg)
{
	struct world *w = e->world;
	struct tcp_conn shadow = e->conn;
	struct tcp_frame f = { .seq = e->finish.snd_nxt, .flags = TCP_FLAG_ACK };

	/* as bpf/time_wait.h: a FIN again or old data; a bare ACK never */
	if (!(seg->flags & TCP_FLAG_FIN) && !seg->length)
		return;
	shadow.ranges = 0;
	shadow.flush_pprev = NULL;
	e->stack.now = w->now;
	if (!frame_output(&e->stack, &shadow, &f))
		stack_unpend(&e->stack, &shadow);
}

/* Somebody who has forgotten the connection. */
static void stranger_answers(struct end *e, const uint8_t *frame, uint32_t length, uint32_t l3, uint32_t l4)
{
	uint8_t reply[128];
	uint32_t n = tcp_reset_for(frame, length, l3, l4, length - l4, reply, sizeof(reply));

	if (n)
		link_send(e->world, e->index, reply, n);
}

/* Data that is expected, in a window that was announced: it must be taken. */
static bool is_promised(const struct end *e, const struct tcp_segment *s)
{
	const struct tcp_conn *c = &e->conn;
	uint32_t end = s->seq + s->length;

	return (s->flags & (TCP_FLAG_ACK | TCP_FLAG_RST | TCP_FLAG_SYN)) == TCP_FLAG_ACK &&
	       !(c->flags & (TCP_CONN_DONE | TCP_CONN_ORPHAN | TCP_CONN_FIN_SEEN | TCP_CONN_RESET_OWED)) &&
	       !seq_after(s->ack, c->snd_nxt) && (int32_t)(c->snd_una - s->ack) <= 65535 &&
	       !seq_after(s->seq, c->rcv_nxt) && seq_after(end, c->rcv_nxt) && !seq_after(end, e->promised) &&
	       e->world->plan.blocks[e->index] == UINT32_MAX;
}

void end_frame(struct end *e, const uint8_t *frame, uint32_t length, bool corrupt)
{
	struct world *w = e->world;
	uint32_t l3 = w->plan.tagged ? 18 : 14, l4 = l3 + (w->plan.six ? 40 : 20);
	struct tcp_segment seg;
	uint64_t refused;
	bool promised;
	int error;

	if (e->peer) {
		peer_frame(e, frame, length, corrupt);
		return;
	}
	if (tcp_parse(frame, length, l3, l4, length - l4, &seg)) {
		if (!corrupt)
			sim_fail(w, "end %d: cannot parse what the other sent", e->index);
		return;
	}
	if (e->released) {
		if (corrupt)
			return;
		if (e->time_wait)
			time_wait_answer(e, &seg);
		else
			stranger_answers(e, frame, length, l3, l4);
		return;
	}
	if (!corrupt && seg.flags & TCP_FLAG_ACK) {
		uint32_t scale = w->plan.options & TCP_OPT_WSCALE ? w->plan.wscale[!e->index] : 0;

		e->permitted = seq_max(e->permitted, seg.ack + ((uint32_t)seg.window << scale));
		watch_heard(e, &seg);
		laws_heard(e, &seg);
	}
	promised = !corrupt && is_promised(e, &seg);
	refused = e->stack.counters.paws;
	e->stack.now = w->now;
	error = tcp_input(&e->stack, &e->conn, &seg);
	if (promised && seq_before(e->conn.rcv_nxt, seg.seq + seg.length) &&
	    refused == e->stack.counters.paws && !(e->conn.flags & TCP_CONN_DONE))
		sim_fail(w, "end %d: octets it had room for were not taken", e->index);
	if (error == -EBADMSG && !corrupt)
		sim_fail(w, "end %d: checksum refused", e->index);
	if (!error && corrupt && !(e->conn.flags & TCP_CONN_DONE))
		sim_fail(w, "end %d: a corrupt segment was taken", e->index);
	e->pended = true;
}

void end_icmp(struct end *e, const uint8_t *frame, uint32_t length)
{
	uint32_t l3 = e->world->plan.tagged ? 18 : 14, l4 = l3 + (e->world->plan.six ? 40 : 20);

	if (e->released || e->peer)
		return;
	e->stack.now = e->world->now;
	tcp_icmp(&e->stack, &e->conn, frame, length, l3, l4);
	e->pended = true;
}
