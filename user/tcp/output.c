// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What may be sent now, and in which segments. */
#include "tcp/internal.h"

enum verdict { SENT, HELD, NO_FRAME };

/* Of one call of output(): the division is made once. */
struct pace {
	uint64_t octet; /* nanoseconds << 16 that an octet takes; 0: not paced */
};

/* Leaky bucket: a millisecond's worth, 16 to 64 segments, may go at once before the pace counts. */
static struct pace pace_begin(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint64_t rate = cc_pace_rate(conn), burst, octets;
	struct pace pace = { 0 };

	if (!rate)
		return pace;
	pace.octet = max_u64((TCP_SECOND << 16) / rate, 1);
	octets = min_u64(max_u64(rate / 1000, 16ull * conn->mss), 64ull * conn->mss);
	burst = octets * pace.octet >> 16;
	if (stack->now > burst)
		conn->pace_next = max_u64(conn->pace_next, stack->now - burst);
	return pace;
}

/* One segment's share of it; false: not before conn->pace_next. */
static bool pace_take(struct tcp_stack *stack, struct tcp_conn *conn, struct pace pace, uint32_t length)
{
	if (!pace.octet)
		return true;
	if (conn->pace_next > stack->now) {
		deadline_set(stack, conn, TCP_DEADLINE_PACE, conn->pace_next);
		return false;
	}
	conn->pace_next += length * pace.octet >> 16;
	return true;
}

/*
 * Records i to i + n - 1 once more: in pieces if the path has become narrower,
 * as one segment if they fit into one.
 */
static bool send_records(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t i, uint32_t n)
{
	struct tcp_record *r = record_at(conn, i), *last = record_at(conn, i + n - 1);
	bool fin = last->flags & TCP_RECORD_FIN;
	uint32_t data = last->seq + last->length - r->seq - fin, at = 0;
	struct tcp_block *block = r->block;

	do {
		uint32_t part = min_u32(data - at, conn->mss);
		struct tcp_frame f = {
			.seq = r->seq + at,
			.flags = TCP_FLAG_ACK,
			.length = (uint16_t)part,
		};

		while (part && f.seq - block->base >= block->used)
			block = block->next;
		f.block = block;
		at += part;
		if (at == data)
			f.flags |= (data && f.seq + part == conn->snd_end ? TCP_FLAG_PSH : 0) |
				   (fin ? TCP_FLAG_FIN : 0);
		if (!frame_output(stack, conn, &f))
			return false;
		conn->retransmits++;
		stack->counters.retransmits++;
		if (conn->undo_resent >= 0)
			conn->undo_resent++;
	} while (at < data);
	if (!conn->resend_ts)
		conn->resend_ts = clock_ms(stack) + conn->ts_offset;
	conn->last_sent = stack->now;
	for (; n--; i++) {
		r = record_at(conn, i);
		r->flags |= TCP_RECORD_EVER;
		r->times += r->times < 255;
	}
	return true;
}

static inline bool is_waiting(const struct tcp_record *r)
{
	return (r->flags & (TCP_RECORD_LOST | TCP_RECORD_RESENT)) == TCP_RECORD_LOST;
}

/* Lost segments first (RFC 6675 4, NextSeg rule 1); small ones together. */
static enum verdict resend_lost(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct pace pace = pace_begin(stack, conn);

	while (conn->lost > conn->resent && conn->rec_resend != conn->rec_tail) {
		uint32_t i = conn->rec_resend, n = 1, pipe = conn_pipe(conn), length;

		if (!is_waiting(record_at(conn, i))) {
			conn->rec_resend++;
			continue;
		}
		length = record_at(conn, i)->length;
		if (pipe && pipe + length > conn->cwnd)
			return HELD;
		while (i + n != conn->rec_tail && is_waiting(record_at(conn, i + n)) &&
		       length + record_at(conn, i + n)->length <= min_u32(conn->mss, conn->cwnd - pipe))
			length += record_at(conn, i + n++)->length;
		if (!pace_take(stack, conn, pace, length))
			return HELD;
		if (!send_records(stack, conn, i, n))
			return NO_FRAME;
		conn->resent += length;
		conn->prr_out += length;
		for (; n--; i++) {
			record_at(conn, i)->flags |= TCP_RECORD_RESENT;
			record_sent(stack, conn, i);
		}
		conn->rec_resend = i;
	}
	return SENT;
}

/* The window counts octets, but what is on the way has room for packets: no more of them than if all were
 * full. */
static bool too_many(const struct tcp_conn *conn)
{
	uint32_t n = conn->rec_tail - conn->rec_head;

	return n > 2 && (uint64_t)(n - 1) * conn->mss > (uint64_t)conn->cwnd + conn->sacked + conn->lost;
}

/* RFC 9293 3.7.4 (Nagle, as refined by Minshall) and 3.8.6.2.1 (silly windows). */
static bool worth_sending(const struct tcp_conn *conn, uint32_t length, uint32_t queued, bool fin)
{
	if (length >= conn->mss || fin)
		return true;
	if (length < queued) /* the window is small */
		return length >= conn->snd_max_wnd / 2;
	/* a cork; but the buffer may hold less than a segment */
	if (conn->flags & TCP_CONN_CORK &&
	    !(conn->flags & (TCP_CONN_FIN_QUEUED | TCP_CONN_UNCORKED)))
		return conn->flags & TCP_CONN_OUT_WANTED && conn->snd_una == conn->snd_nxt;
	if (conn->flags & TCP_CONN_NODELAY || conn->snd_una == conn->snd_nxt)
		return true;
	return !seq_after(conn->snd_small, conn->snd_una);
}

static enum verdict send_segment(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t length, bool fin,
				 bool push)
{
	struct tcp_block *block = length ? send_block(conn, conn->snd_nxt) : NULL;
	struct tcp_record *r = record_add(stack, conn);
	struct tcp_frame f = {
		.seq = conn->snd_nxt,
		.flags = TCP_FLAG_ACK | (push ? TCP_FLAG_PSH : 0) | (fin ? TCP_FLAG_FIN : 0),
		.length = (uint16_t)length,
		.block = block,
	};
	bool owed = conn->flags & TCP_CONN_ACK_OWED;

	if (!r)
		return HELD;
	if (conn->flags & TCP_CONN_ECN_OK && length) { /* RFC 3168 6.1.5: never what is sent again */
		f.ecn = 2;
		if (conn->flags & TCP_CONN_ECN_CWR)
			f.flags |= TCP_FLAG_CWR;
	}
	if (!frame_output(stack, conn, &f)) {
		conn->rec_tail--;
		if (conn->rec_tail == conn->rec_head)
			records_free(stack, conn);
		return NO_FRAME;
	}
	*r = (struct tcp_record){
		.block = block,
		.seq = conn->snd_nxt,
		.length = (uint16_t)(length + fin),
		.flags = fin ? TCP_RECORD_FIN : 0,
	};
	record_sent(stack, conn, conn->rec_tail - 1);
	if (conn->snd_una == conn->snd_nxt) {
		conn->rto_base = conn->stalled = stack->now;
	}
	if (block) {
		conn->snd_cursor = block;
		conn->flags &= ~TCP_CONN_ECN_CWR;
	}
	conn->snd_nxt += length + fin;
	conn->octets_out += length;
	if (length && length < conn->mss)
		conn->snd_small = conn->snd_nxt;
	if (fin)
		conn->flags |= TCP_CONN_FIN_SENT;
	if (owed && length)
		conn->flags |= TCP_CONN_INTERACTIVE;
	conn->last_sent = stack->now;
	conn->prr_out += length + fin;
	return SENT;
}

/*
 * RFC 9293 3.9.1.2: PSH where what was written ends. And where a burst does that is held
 * back by a window: a receiver that gathers segments before it looks at them need not
 * wait for one more.
 */
static inline bool pushes(const struct tcp_conn *conn, uint32_t length, uint32_t queued, uint32_t pipe,
			  uint32_t window, uint32_t sent)
{
	if (length == queued)
		return length;
	return sent && (pipe + 2 * length > conn->cwnd || window < 2 * length);
}

static enum verdict send_new(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct pace pace = pace_begin(stack, conn);
	uint32_t sent = 0;
	enum verdict v = SENT;

	while (!(conn->flags & TCP_CONN_FIN_SENT)) {
		uint32_t queued = conn->snd_end - conn->snd_nxt, pipe = conn_pipe(conn), length, window;
		bool fin = conn->flags & TCP_CONN_FIN_QUEUED;

		if (!queued && !fin)
			break;
		window = conn->snd_una + conn->snd_wnd - conn->snd_nxt;
		if ((int32_t)window <= 0)
			break;
		length = min_u32(min_u32(queued, conn->mss), window);
		if (__builtin_expect(conn->mtu < conn->mtu_link, 0) && window > 4u * conn->mss)
			length = max_u32(length, mtu_probe_length(stack, conn, min_u32(queued, window)));
		fin = fin && length == queued && length < window;
		if (!length && !fin)
			break;
		if (!worth_sending(conn, length, queued, fin))
			break;
		if (pipe && (pipe + length > conn->cwnd || too_many(conn))) {
			conn->flags |= TCP_CONN_CWND_FULL;
			break;
		}
		if (!sent && conn->snd_una == conn->snd_nxt)
			cc_idle(stack, conn);
		if (!pace_take(stack, conn, pace, length + fin))
			break;
		v = send_segment(stack, conn, length, fin, pushes(conn, length, queued, pipe, window, sent));
		if (v != SENT)
			break;
		sent += length + fin;
	}
	if (sent) {
		cc_after_output(stack, conn);
		send_timer_as_is(stack, conn);
	} else if (conn->snd_una == conn->snd_nxt && conn->deadline[TCP_DEADLINE_SEND] == TCP_NEVER &&
		   v != NO_FRAME) {
		send_timer(stack, conn); /* a closed window may be what held it back */
	}
	return v;
}

bool output_ack(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct tcp_frame f = { .seq = conn->snd_nxt, .flags = TCP_FLAG_ACK, .sack = true };

	if (!frame_output(stack, conn, &f)) {
		conn->flags |= TCP_CONN_ACK_NOW;
		return false;
	}
	stack->counters.acks_bare++;
	return true;
}

/* Data has been received: does its ACK go now, or wait for company? */
static bool ack_due(struct tcp_stack *stack, struct tcp_conn *conn)
{
	if (conn->flags & TCP_CONN_ACK_NOW)
		return true;
	if (!(conn->flags & TCP_CONN_ACK_OWED))
		return false;
	if (conn->rcv_nxt - conn->rcv_acked >= 2u * conn->rcv_mss)
		return true;
	if (conn->quick && !(conn->flags & TCP_CONN_INTERACTIVE)) {
		conn->quick--;
		return true;
	}
	if (conn->deadline[TCP_DEADLINE_ACK] == TCP_NEVER) {
		stack->counters.acks_delayed++;
		deadline_set(stack, conn, TCP_DEADLINE_ACK, stack->now + TCP_DELAYED_ACK);
	}
	return false;
}

/* Just outside the window, so that any peer answers with what it expects. */
bool output_probe(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct tcp_frame f = { .seq = conn->snd_una - 1, .flags = TCP_FLAG_ACK };

	if (!frame_output(stack, conn, &f)) {
		conn->flags |= TCP_CONN_PROBE_OWED;
		return false;
	}
	conn->flags &= ~TCP_CONN_PROBE_OWED;
	return true;
}

/* RFC 8985 7.3: new data if there is some and the window has room, else the last segment again. */
bool output_loss_probe(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint32_t last = conn->rec_tail - 1, queued = conn->snd_end - conn->snd_nxt, window, length;
	bool resent = false;

	conn->flags &= ~TCP_CONN_TLP_OWED;
	if (conn->recovery != TCP_RECOVERY_NONE || conn->sacked || conn->lost)
		return true; /* overtaken: something else repairs it by now */
	conn->flags |= TCP_CONN_TLP_OWED;
	window = conn->snd_una + conn->snd_wnd - conn->snd_nxt;
	length = min_u32(queued, conn->mss);
	if (!(conn->flags & TCP_CONN_FIN_SENT) && length && (int32_t)window >= (int32_t)length) {
		bool fin = conn->flags & TCP_CONN_FIN_QUEUED && length == queued && length < window;
		enum verdict v = send_segment(stack, conn, length, fin, length && length == queued);

		if (v == NO_FRAME)
			return false;
		if (v == HELD)
			goto again;
	} else {
	again:
		if (!send_records(stack, conn, last, 1))
			return false;
		record_unlink(conn, last);
		record_sent(stack, conn, last);
		resent = true;
	}
	stack->counters.loss_probes++;
	conn->flags &= ~(TCP_CONN_TLP_OWED | TCP_CONN_TLP_RESENT);
	conn->flags |= TCP_CONN_TLP | (resent ? TCP_CONN_TLP_RESENT : 0);
	/* RFC 8985 7.3; not again and again where nothing is acknowledged */
	if (conn->rto_base == conn->stalled)
		conn->rto_base = stack->now;
	conn->tlp_end = conn->snd_nxt;
	return true;
}

bool output_reset(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct tcp_frame f = { .seq = conn->snd_nxt, .flags = TCP_FLAG_RST };

	if (conn->flags & TCP_CONN_RESET_BARE)
		f.seq = conn->snd_una; /* RFC 9293 3.10.7.1: the ACK that it answers */
	else
		f.flags |= TCP_FLAG_ACK;
	conn->flags |= TCP_CONN_RESET_OWED;
	if (!frame_output(stack, conn, &f))
		return false;
	stack->counters.resets_out++;
	conn->flags &= ~TCP_CONN_RESET_OWED;
	return true;
}

/* RFC 5961 7: so many are enough for an honest peer. */
void ack_challenge(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint32_t now = clock_ms(stack);

	if (conn->challenge_ms && now - conn->challenge_ms < TCP_CHALLENGE_MS)
		return;
	conn->challenge_ms = now ? now : 1;
	stack->counters.challenge_acks++;
	output_ack(stack, conn);
}

bool output(struct tcp_stack *stack, struct tcp_conn *conn)
{
	if (conn->flags & TCP_CONN_RESET_OWED) {
		if (!output_reset(stack, conn))
			return false;
		conn_done(stack, conn, conn->error);
		return true;
	}
	if (conn->flags & TCP_CONN_DONE)
		return true;
	if (conn->lost > conn->resent) {
		enum verdict v = resend_lost(stack, conn);

		if (v == NO_FRAME)
			return false;
		if (v == SENT && conn->deadline[TCP_DEADLINE_SEND] == TCP_NEVER)
			send_timer(stack, conn);
	}
	if (conn->flags & TCP_CONN_TLP_OWED && conn->snd_una != conn->snd_nxt &&
	    !output_loss_probe(stack, conn))
		return false;
	if (conn->lost <= conn->resent && conn_unsent(conn) && send_new(stack, conn) == NO_FRAME)
		return false;
	if (conn->flags & TCP_CONN_PROBE_OWED && !output_probe(stack, conn))
		return false;
	if (conn->flags & (TCP_CONN_ACK_NOW | TCP_CONN_ACK_OWED) && ack_due(stack, conn))
		return output_ack(stack, conn);
	return true;
}
