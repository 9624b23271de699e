// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A segment arrives: RFC 9293 3.10.7.4 with RFC 5961 and 7323, from ESTABLISHED on. */
#include "tcp/internal.h"

/* RFC 7323 5.5: after so long idle the peer's clock may have gone round. */
static bool ts_forgotten(const struct tcp_stack *stack, const struct tcp_conn *conn)
{
	return clock_ms(stack) - conn->ts_recent_ms >= TCP_PAWS_DAYS_MS;
}

/* RFC 7323 4.3 (3): only what our last ACK did not yet cover moves the echo on. */
static inline void take_timestamp(struct tcp_stack *stack, struct tcp_conn *conn,
				  const struct tcp_segment *seg)
{
	if (conn->options & TCP_OPT_TIMESTAMPS && seg->options & TCP_HAS_TIMESTAMPS &&
	    !seq_after(seg->seq, conn->rcv_acked) &&
	    ((int32_t)(seg->tsval - conn->ts_recent) >= 0 || ts_forgotten(stack, conn))) {
		conn->ts_recent = seg->tsval;
		conn->ts_recent_ms = clock_ms(stack);
	}
}

/* The way back is the way it came: routers fail over, hosts move. */
static inline void follow(struct tcp_conn *conn, const struct tcp_segment *seg)
{
	_Static_assert(offsetof(struct tcp_conn, remote_mac) == offsetof(struct tcp_conn, local_mac) + 6,
		       "as in a frame: destination, source");
	memcpy(conn->local_mac, seg->mac, 12);
	memcpy(conn->tags, seg->tags, 4);
}

/* Only a segment whose ACK is possible moves the clock that PAWS goes by, or our idea of the way back: who
 * does not see the connection must not (RFC 5961 5). */
static inline void believed(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg)
{
	take_timestamp(stack, conn, seg);
	follow(conn, seg);
	conn->last_heard = stack->now;
}

static bool sum_right(const struct tcp_segment *seg)
{
	if (seg->checked)
		return true;
	return csum_fold(seg->length ? csum_add(seg->pseudo, tcp_csum(seg->payload, seg->length))
				     : seg->pseudo) == 0;
}

/* RFC 7323 5.2. */
static bool paws_refuses(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg)
{
	if (!(conn->options & TCP_OPT_TIMESTAMPS) || !(seg->options & TCP_HAS_TIMESTAMPS))
		return false;
	if ((int32_t)(seg->tsval - conn->ts_recent) >= 0)
		return false;
	return !ts_forgotten(stack, conn);
}

/* rcv_nxt has moved by n octets of this segment, and by what had come before it. */
static void received(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg,
		     uint32_t n)
{
	uint32_t was = conn->rcv_nxt;

	conn->rcv_nxt += n;
	while (conn->rcv_nxt - conn->rcv_tail->base > TCP_BLOCK_DATA)
		conn->rcv_tail = conn->rcv_tail->next;
	if (__builtin_expect(conn->ranges, 0)) {
		reassembly_join(stack, conn);
		conn->flags |= TCP_CONN_ACK_NOW; /* RFC 5681 4.2: a hole was filled */
	}
	conn->octets_in += conn->rcv_nxt - was;
	if (seg->length > conn->rcv_mss)
		conn->rcv_mss = (uint16_t)min_u32(seg->length, 65535);
	window_segment(stack, conn, seg);
	conn->flags |= TCP_CONN_ACK_OWED;
	output_later(stack, conn);
	if (conn->flags & TCP_CONN_FIN_SEEN && conn->rcv_nxt == conn->rcv_fin)
		close_fin_received(stack, conn);
	else if (!conn->notified)
		conn_notify(stack, conn);
}

/* What a receiver meets nearly always: the next data, nothing special about it. */
static inline bool is_plain(const struct tcp_conn *conn, const struct tcp_segment *seg)
{
	if ((seg->flags & ~TCP_FLAG_PSH) != TCP_FLAG_ACK || seg->seq != conn->rcv_nxt || !seg->length ||
	    seg->length > conn->rcv_adv - conn->rcv_nxt || conn->ranges || seg->ecn == 3)
		return false;
	if (conn->flags & (TCP_CONN_FIN_SEEN | TCP_CONN_ORPHAN | TCP_CONN_RESET_OWED))
		return false;
	if (!(conn->options & TCP_OPT_TIMESTAMPS))
		return true;
	return seg->options & TCP_HAS_TIMESTAMPS && (int32_t)(seg->tsval - conn->ts_recent) >= 0;
}

/* A peer that only sends acknowledges the same thing again and again. */
static inline bool ack_says_nothing(const struct tcp_conn *conn, const struct tcp_segment *seg)
{
	return seg->ack == conn->snd_una && (uint32_t)seg->window << conn->wscale_snd == conn->snd_wnd &&
	       !(seg->options & TCP_HAS_SACK) && conn->snd_wnd;
}

static int plain(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg)
{
	uint32_t sum;

	if (!receive_append(stack, conn, seg->payload, seg->length, &sum))
		return 0;
	if (!seg->checked && csum_fold(csum_add(seg->pseudo, sum))) {
		stack->counters.refused_checksum++;
		receive_trim(stack, conn);
		return -EBADMSG;
	}
	if (ack_says_nothing(conn, seg)) {
		conn->snd_wl1 = seg->seq;
		conn->probes = 0;
	} else if (!ack_input(stack, conn, seg)) {
		receive_trim(stack, conn);
		return 0;
	}
	believed(stack, conn, seg);
	if (!(conn->flags & TCP_CONN_DONE))
		received(stack, conn, seg, seg->length);
	return 0;
}

/* RFC 2883: say what came twice. */
static void duplicate(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t from, uint32_t to)
{
	stack->counters.duplicates++;
	if (from == to || !(conn->options & TCP_OPT_SACK))
		return;
	conn->dsack = 1;
	conn->dsack_from = from;
	conn->dsack_to = to;
}

/* Not acceptable: an ACK says what would be, and nothing else happens. */
static void refuse(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg)
{
	uint32_t end = seg->seq + seg->length;

	if (seg->flags & TCP_FLAG_RST)
		return;
	if (!seg->length && !(seg->flags & TCP_FLAG_FIN)) {
		ack_challenge(stack,
			      conn); /* two that refuse each other must not answer each other for ever */
		return;
	}
	if (seq_before(seg->seq, conn->rcv_nxt))
		duplicate(stack, conn, seg->seq, seq_min(end, conn->rcv_nxt));
	output_ack(stack, conn);
}

/* RFC 5961 3.2; and a peer that closed may not know that we have seen its FIN. */
static void reset_received(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg)
{
	bool exact = seg->seq == conn->rcv_nxt ||
		     (conn->flags & TCP_CONN_FIN_TAKEN && seg->seq == conn->rcv_nxt - 1);

	if (!exact) {
		if (!seq_before(seg->seq, conn->rcv_nxt) && seq_before(seg->seq, conn->rcv_adv))
			ack_challenge(stack, conn);
		return;
	}
	stack->counters.resets_in++;
	conn_done(stack, conn, conn->state == TCP_STATE_CLOSE_WAIT ? -EPIPE : -ECONNRESET);
}

/*
 * RFC 9293 3.4: is any of it in the window? What our ACKs do not yet cover counts
 * as within: a bare ACK may have been overtaken, a repeated segment may carry the
 * only ACK that was not lost.
 */
static bool acceptable(const struct tcp_conn *conn, const struct tcp_segment *seg)
{
	uint32_t end = seg->seq + seg->length + !!(seg->flags & TCP_FLAG_FIN);

	return !seq_after(seg->seq, conn->rcv_adv) && !seq_before(end, conn->rcv_acked);
}

/* RFC 3168 6.1.3: say that congestion was met until the peer says that it has heard. */
static void congestion_met(struct tcp_conn *conn, const struct tcp_segment *seg)
{
	if (seg->flags & TCP_FLAG_CWR)
		conn->flags &= ~TCP_CONN_ECN_ECE;
	if (seg->ecn != 3 || !seg->length)
		return;
	if (!(conn->flags & TCP_CONN_ECN_ECE)) /* the sooner the peer hears, the shorter the queue */
		conn->flags |= TCP_CONN_ACK_NOW;
	conn->flags |= TCP_CONN_ECN_ECE;
}

/* The data of an acceptable segment, with its FIN; ACK is already dealt with. */
static void data(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg)
{
	uint32_t from = seg->seq, end = seg->seq + seg->length, limit, sum, n;
	const uint8_t *p = seg->payload;

	if (conn->flags & TCP_CONN_ORPHAN && seq_after(end, conn->rcv_nxt)) {
		if (!(conn->flags & TCP_CONN_FIN_TAKEN)) { /* RFC 1122 4.2.2.13 */
			conn->flags |= TCP_CONN_RESET_BARE;
			conn_reset(stack, conn, -ECONNABORTED);
		}
		return;
	}
	if (seg->flags & TCP_FLAG_FIN && !(conn->flags & TCP_CONN_FIN_SEEN) &&
	    !seq_after(end, conn->rcv_adv) &&
	    !(conn->ranges && seq_after(conn->range[conn->ranges - 1].to, end))) {
		conn->flags |= TCP_CONN_FIN_SEEN;
		conn->rcv_fin = end;
	}
	if (seq_before(from, conn->rcv_nxt)) {
		if (from != end)
			duplicate(stack, conn, from, seq_min(end, conn->rcv_nxt));
		n = min_u32(conn->rcv_nxt - from, seg->length);
		from += n;
		p += n;
		conn->flags |= TCP_CONN_ACK_NOW;
		output_later(stack, conn);
	}
	limit = conn->flags & TCP_CONN_FIN_SEEN ? seq_min(conn->rcv_fin, conn->rcv_adv) : conn->rcv_adv;
	if (seq_after(end, limit)) {
		end = limit;
		conn->flags |= TCP_CONN_ACK_NOW; /* the peer goes beyond what it may: tell it */
		output_later(stack, conn);
	}
	if (!seq_before(from, end)) {
		if (conn->flags & TCP_CONN_FIN_SEEN && !(conn->flags & TCP_CONN_FIN_TAKEN)) {
			if (conn->rcv_nxt == conn->rcv_fin)
				close_fin_received(stack, conn);
			else
				output_ack(stack, conn);
		}
		return;
	}
	if (from == conn->rcv_nxt) {
		n = conn->ranges && seq_after(end, conn->range[0].from) ? conn->range[0].from - from
									: end - from;
		if (!receive_append(stack, conn, p, n, &sum))
			return;
		if (from + n != end && !reassembly_add(stack, conn, from + n, p + n, end - from - n))
			stack->counters.no_memory++;
		received(stack, conn, seg, n);
		return;
	}
	stack->counters.out_of_order++;
	conn->quick =
		TCP_QUICK_ACKS; /* who repairs a loss has few segments on the way: no ACK of them may wait */
	if (!reassembly_add(stack, conn, from, p, end - from))
		stack->counters.no_memory++;
	output_ack(stack, conn);
}

/* And what a sender meets: an acknowledgement alone, in order. */
static inline bool is_bare(const struct tcp_conn *conn, const struct tcp_segment *seg)
{
	if ((seg->flags & ~TCP_FLAG_PSH) != TCP_FLAG_ACK || seg->seq != conn->rcv_nxt || seg->length ||
	    conn->flags & TCP_CONN_RESET_OWED)
		return false;
	return !(conn->options & seg->options & TCP_HAS_TIMESTAMPS) ||
	       (int32_t)(seg->tsval - conn->ts_recent) >= 0;
}

int tcp_input(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg)
{
	if (conn->flags & TCP_CONN_DONE)
		return 0;
	conn->segments_in++;
	stack->counters.segments_in++;
	if (__builtin_expect(is_plain(conn, seg), 1))
		return plain(stack, conn, seg);
	if (!sum_right(seg)) {
		stack->counters.refused_checksum++;
		return -EBADMSG;
	}
	if (is_bare(conn, seg)) {
		if (ack_input(stack, conn, seg))
			believed(stack, conn, seg);
		return 0;
	}
	if (conn->flags & TCP_CONN_RESET_OWED)
		return 0;
	if (!(seg->flags & TCP_FLAG_RST) && paws_refuses(stack, conn, seg)) {
		stack->counters.paws++;
		refuse(stack, conn, seg);
		return 0;
	}
	if (seg->flags & TCP_FLAG_RST) {
		reset_received(stack, conn, seg);
		return 0;
	}
	if (seg->flags & TCP_FLAG_SYN) { /* RFC 5961 4.2 */
		ack_challenge(stack, conn);
		return 0;
	}
	if (!acceptable(conn, seg)) {
		refuse(stack, conn, seg);
		return 0;
	}
	if (!(seg->flags & TCP_FLAG_ACK))
		return 0;
	if (!ack_input(stack, conn, seg))
		return 0;
	believed(stack, conn, seg);
	if (conn->flags & TCP_CONN_DONE)
		return 0;
	if (conn->flags & TCP_CONN_ECN_OK)
		congestion_met(conn, seg);
	if (seg->length || seg->flags & TCP_FLAG_FIN)
		data(stack, conn, seg);
	return 0;
}
