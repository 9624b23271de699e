// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The receive window. Its right edge never moves back, but for what scaling
 * rounds off (RFC 7323 2.4), and data up to the furthest edge ever announced is
 * taken. It moves on in steps that are worth a packet (RFC 9293 3.8.6.2.2). The
 * buffer behind it grows with what the application reads in a round trip, up to
 * the limit of the stack, so that a slow reader holds little memory.
 */
#include "tcp/internal.h"

/* Where the edge may be now. */
static uint32_t edge(const struct tcp_conn *conn)
{
	uint32_t unread = receive_unread(conn);
	uint32_t room = unread < conn->rcv_limit ? conn->rcv_limit - unread : 0;

	return conn->rcv_nxt + min_u32(room, 0xffffu << conn->wscale_rcv);
}

static uint32_t step(const struct tcp_conn *conn)
{
	return max_u32(min_u32(conn->rcv_limit / 2, conn->rcv_mss), 1);
}

uint16_t window_announce(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint32_t unit = 1u << conn->wscale_rcv, want = edge(conn), window, up;

	if (!seq_after(want, conn->rcv_adv) || want - conn->rcv_adv < step(conn))
		want = conn->rcv_adv;
	if (seq_before(want, conn->rcv_nxt)) /* a FIN just behind the edge */
		want = conn->rcv_nxt;
	window = want - conn->rcv_nxt;
	up = (window + unit - 1) & -unit;
	/* rounded up where the buffer bears it, so that the peer's view does not move back */
	if (up != window && receive_unread(conn) + up <= conn->rcv_limit + unit)
		window = up;
	window = min_u32(window >> conn->wscale_rcv, 0xffff);
	want = conn->rcv_nxt + (window << conn->wscale_rcv);
	conn->rcv_adv = seq_max(conn->rcv_adv, want);
	return window;
}

/* RFC 1122 4.2.3.3, and a peer that waits at a closed window hears at once. */
static void owe_update(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint32_t want = edge(conn), left = conn->rcv_adv - conn->rcv_nxt, more;

	if (conn->flags & TCP_CONN_FIN_SEEN || !seq_after(want, conn->rcv_adv))
		return;
	more = want - conn->rcv_adv;
	if (more < step(conn))
		return;
	if (more >= conn->rcv_limit / 4 || left < 2u * conn->rcv_mss) {
		conn->flags |= TCP_CONN_ACK_NOW;
		output_later(stack, conn);
	}
}

/* What one round trip lets the application read must fit twice. */
static void grow(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct tcp_autotune *t = &conn->tune;
	uint64_t limit;

	if (t->rtt_us == 0 || stack->now - t->since < (uint64_t)t->rtt_us * 1000)
		return;
	if (t->copied > t->space) {
		limit = 2ull * t->copied + 16ull * conn->rcv_mss;
		if (t->space) /* growing: the sender is in slow start, be there before it */
			limit += limit * (t->copied - t->space) / t->space;
		limit = min_u64(limit, stack->recv_buffer);
		conn->rcv_limit = max_u32(conn->rcv_limit, (uint32_t)limit);
		t->space = t->copied;
	}
	t->copied = 0;
	t->since = stack->now;
}

void window_read(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t n)
{
	conn->tune.copied += n;
	grow(stack, conn);
	owe_update(stack, conn);
}

/* Round trips as the receiver sees them: by the echo, else by a window's time. */
void window_segment(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg)
{
	struct tcp_autotune *t = &conn->tune;
	uint32_t sample;

	if (seg->options & TCP_HAS_TIMESTAMPS && conn->options & TCP_OPT_TIMESTAMPS) {
		if (seg->tsecr == t->mark || !seg->tsecr || seg->length < conn->rcv_mss)
			return; /* one sample per echo */
		t->mark = seg->tsecr;
		sample = clock_ms(stack) + conn->ts_offset - seg->tsecr;
		if (sample > 60000)
			return;
		sample = max_u32(sample * 1000, 1000);
	} else {
		if (t->mark_time && seq_before(conn->rcv_nxt, t->mark))
			return;
		sample = t->mark_time ? (uint32_t)min_u64((stack->now - t->mark_time) / 1000, 60000000) : 0;
		t->mark_time = stack->now;
		t->mark = conn->rcv_adv;
		if (!sample)
			return;
	}
	/* a delayed answer looks like a long way: the least counts, and is forgotten slowly */
	if (!t->rtt_us || sample < t->rtt_us)
		t->rtt_us = sample;
	else
		t->rtt_us += (sample - t->rtt_us) / 8;
}
