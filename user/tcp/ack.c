// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What an acceptable segment's ACK and window tell the sending side. */
#include "tcp/internal.h"

/* RFC 9293 3.10.7.4, and a window that only grows needs no newer segment. */
static bool update_window(struct tcp_conn *conn, const struct tcp_segment *seg)
{
	uint32_t window = (uint32_t)seg->window << conn->wscale_snd;
	bool changed = window != conn->snd_wnd;

	if (!(seq_after(seg->ack, conn->snd_una) || seq_after(seg->seq, conn->snd_wl1) ||
	      (seg->seq == conn->snd_wl1 && window > conn->snd_wnd)))
		return false;
	conn->snd_wl1 = seg->seq;
	conn->snd_wnd = window;
	if (window > conn->snd_max_wnd)
		conn->snd_max_wnd = window;
	return changed;
}

/* A record has arrived at the peer, as cumulative ACK or SACK says. */
void delivered(struct tcp_stack *stack, struct tcp_conn *conn, struct tcp_record *r, struct tcp_delivery *d)
{
	uint32_t end = r->seq + r->length;
	uint64_t rtt = stack->now - r->sent;

	if (!(r->flags & TCP_RECORD_EVER)) {
		if (!d->rtt_first)
			d->rtt_first = rtt | 1;
		d->rtt_last = rtt | 1;
		if (seq_before(end, conn->recover))
			d->head_original = true;
		if (seq_before(end, conn->rack_fack))
			recovery_reordered(stack, conn);
	} else {
		d->any_resent = true;
		/* RFC 8985 6.2 step 2: which of the copies was it? */
		if (rtt < (uint64_t)conn->min_rtt_us * 1000)
			goto out;
		if (d->echo && (int32_t)(d->tsecr - ((uint32_t)(r->sent / TCP_MS) + conn->ts_offset)) < 0)
			goto out;
	}
	if (r->sent > d->sent || (r->sent == d->sent && seq_after(end, d->sent_end))) {
		d->sent = r->sent;
		d->sent_end = end;
	}
out:
	if (seq_after(end, conn->rack_fack))
		conn->rack_fack = end;
}

/* Of a record, its first n octets are no longer in flight. */
static void uncount(struct tcp_conn *conn, const struct tcp_record *r, uint32_t n)
{
	if (r->flags & TCP_RECORD_SACKED)
		conn->sacked -= n;
	if (r->flags & TCP_RECORD_LOST)
		conn->lost -= n;
	if (r->flags & TCP_RECORD_RESENT)
		conn->resent -= n;
}

static void clean(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t ack, struct tcp_delivery *d)
{
	while (conn->rec_head != conn->rec_tail) {
		struct tcp_record *r = record_at(conn, conn->rec_head);
		uint32_t n = ack - r->seq;

		if ((int32_t)n < (int32_t)r->length) {
			if ((int32_t)n <= 0)
				break;
			/* the peer, or something on the way, has cut it elsewhere */
			uncount(conn, r, n);
			r->seq = ack;
			r->length -= n;
			while (r->block && ack - r->block->base >= r->block->used)
				r->block = r->block->next;
			if (r->length == 1 && r->flags & TCP_RECORD_FIN)
				r->block = NULL;
			break;
		}
		uncount(conn, r, r->length);
		if (__builtin_expect(conn->mtu_probe && r->seq == conn->mtu_probe_seq, 0) &&
		    !(r->flags & TCP_RECORD_EVER))
			mtu_probe_passed(stack, conn);
		if (!(r->flags & TCP_RECORD_SACKED)) {
			if ((r->flags & (TCP_RECORD_LOST | TCP_RECORD_RESENT)) != TCP_RECORD_LOST)
				record_unlink(conn, conn->rec_head);
			delivered(stack, conn, r, d);
		}
		record_drop_head(stack, conn);
	}
	if ((int32_t)(conn->rec_resend - conn->rec_head) < 0)
		conn->rec_resend = conn->rec_head;
}

/* RFC 7323 4.3: the echo tells the time even of what was sent twice. */
static uint64_t sample(struct tcp_stack *stack, const struct tcp_conn *conn, const struct tcp_segment *seg,
		       const struct tcp_delivery *d)
{
	uint32_t ms;

	/* what was sent once may have waited at the peer for what was sent twice (Karn) */
	if (d->rtt_first && !d->any_resent)
		return d->rtt_first;
	if (!d->echo || !d->acked)
		return 0;
	ms = clock_ms(stack) + conn->ts_offset - d->tsecr;
	return ms > TCP_RTO_MAX_US / 1000 ? 0 : max_u64(ms, 1) * TCP_MS;
}

static void progress(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t ack)
{
	conn->rto_base = conn->stalled = stack->now;
	conn->backoff = 0;
	conn->unreachable = false;
	conn->snd_una = ack;
	/* old marks must not come to lie ahead when numbers wrap */
	if (seq_before(conn->snd_small, ack))
		conn->snd_small = ack;
	if (seq_before(conn->rack_round, ack))
		conn->rack_round = ack;
	if (conn->recovery == TCP_RECOVERY_NONE && seq_before(conn->recover, ack - 1))
		conn->recover = ack - 1;
	if (conn->snd_head && !seq_after(conn->snd_head->base + conn->snd_head->used, ack))
		send_trim(stack, conn);
	if (conn->flags & TCP_CONN_OUT_WANTED)
		conn_notify(stack, conn);
}

/*
 * What nearly every ACK does: it takes the oldest in flight, sent once, in order,
 * while nothing is marked and nothing awaited; what is left was sent after it. Their
 * links in the order of sending are those of the ring, so that they go all at once.
 * False: it is not so plain, and nothing has changed.
 */
static bool ack_plain(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg)
{
	const struct tcp_record *first = NULL, *last = NULL;
	uint32_t ack = seg->ack, acked = ack - conn->snd_una, end, i = conn->rec_head;
	uint64_t now = stack->now, rtt, sent;
	bool small = conn->rec_level < 2;
	uint32_t mask = conn->rec_level ? TCP_BLOCK / sizeof(*first) - 1 : TCP_INLINE_RECORDS - 1;
	const struct tcp_record *ring = conn->rec_level ? conn->rec_memory : conn->rec_inline;

	if (acked - 1 >= conn_flight(conn) || seg->options & TCP_HAS_SACK || seg->flags & TCP_FLAG_ECE ||
	    conn->recovery | conn->sacked | conn->lost | conn->resent | conn->mtu_probe ||
	    conn->flags & (TCP_CONN_TLP | TCP_CONN_FRTO | TCP_CONN_FIN_SENT) || !conn->rec_any ||
	    conn->rec_oldest != i)
		return false;
	for (; i != conn->rec_tail; i++) {
		const struct tcp_record *r =
			__builtin_expect(small, 1) ? ring + (i & mask) : record_at(conn, i);

		if (seq_after(r->seq + r->length, ack)) {
			if (r->seq != ack)
				return false;
			break;
		}
		if (r->flags & TCP_RECORD_EVER || r->newer - i > 1 ||
		    (r->newer == i && i + 1 != conn->rec_tail))
			return false;
		if (!first)
			first = r;
		last = r;
	}
	if (!first)
		return false;
	sent = last->sent;
	end = last->seq + last->length;
	rtt = now - first->sent;
	if (seq_after(end, conn->rack_fack))
		conn->rack_fack = end;
	if (sent > conn->rack_sent || (sent == conn->rack_sent && seq_after(end, conn->rack_end))) {
		conn->rack_sent = sent;
		conn->rack_end = end;
		conn->rack_rtt_us = (uint32_t)min_u64((now - sent) / 1000, 0x7fffffff);
	}
	if (i == conn->rec_tail) {
		records_free(stack, conn);
	} else {
		while (conn->rec_level == 2 && conn->rec_head != i)
			record_drop_head(stack, conn);
		conn->rec_head = conn->rec_oldest = i;
		record_at(conn, i)->older = i;
		if ((int32_t)(conn->rec_resend - i) < 0)
			conn->rec_resend = i;
	}
	conn->probes = 0;
	conn->duplicates = 0;
	conn->snd_wl1 = seg->seq;
	conn->snd_wnd = (uint32_t)seg->window << conn->wscale_snd;
	conn->snd_max_wnd = max_u32(conn->snd_max_wnd, conn->snd_wnd);
	progress(stack, conn, ack);
	rtt_sample(stack, conn, rtt);
	if (conn->cwnd < conn->ssthresh && !conn->hystart.done)
		hystart_sample(conn, (uint32_t)min_u64((now - sent) / 1000, 0xffffffff));
	cc_acked(stack, conn, acked);
	send_timer(stack, conn);
	if (conn_unsent(conn))
		output_later(stack, conn);
	return true;
}

static __attribute__((noinline)) bool ack_any(struct tcp_stack *stack, struct tcp_conn *conn,
					      const struct tcp_segment *seg)
{
	uint32_t ack = seg->ack, prior_una = conn->snd_una, prior_sacked = conn->sacked;
	struct tcp_delivery d = { .tsecr = seg->tsecr };
	bool duplicate, window = false;
	uint64_t rtt;

	if (seq_after(ack, conn->snd_nxt)) {
		ack_challenge(stack, conn);
		return false;
	}
	if (seq_before(ack, conn->snd_una) && conn->snd_una - ack > max_u32(conn->snd_max_wnd, 65535)) {
		ack_challenge(stack, conn); /* RFC 5961 5.2 */
		return false;
	}
	conn->probes = 0;
	d.echo = conn->options & TCP_OPT_TIMESTAMPS && seg->options & TCP_HAS_TIMESTAMPS && seg->tsecr;
	duplicate = ack == conn->snd_una && conn->snd_una != conn->snd_nxt && !seg->length &&
		    !(seg->flags & TCP_FLAG_FIN);
	if (!seq_before(ack, conn->snd_una) && update_window(conn, seg)) {
		duplicate = false;
		window = true;
	}
	if (seq_after(ack, conn->snd_una)) {
		d.acked = ack - conn->snd_una;
		clean(stack, conn, ack, &d);
		progress(stack, conn, ack);
	}
	if (seg->options & TCP_HAS_SACK && conn->options & TCP_OPT_SACK)
		sack_input(stack, conn, seg, &d);
	if (!d.acked && !d.sacked && !duplicate && !d.dsack) {
		if (window && conn->snd_una == conn->snd_nxt && conn->send_kind == TCP_SEND_WINDOW_PROBE) {
			conn->backoff = 0;
			deadline_clear(conn, TCP_DEADLINE_SEND); /* of window probes */
		} else if (!conn->snd_wnd && conn->snd_una == conn->snd_nxt &&
			   conn->send_kind == TCP_SEND_WINDOW_PROBE &&
			   conn->deadline[TCP_DEADLINE_SEND] != TCP_NEVER) {
			/* from its answer on */
			deadline_set(stack, conn, TCP_DEADLINE_SEND, stack->now + rtt_rto(conn));
		}
		if (conn_unsent(conn))
			output_later(stack, conn);
		return true;
	}
	rtt = sample(stack, conn, seg, &d);
	if (rtt)
		rtt_sample(stack, conn, rtt);
	if (conn->cwnd < conn->ssthresh && d.rtt_last && !d.any_resent)
		hystart_sample(conn, (uint32_t)min_u64(d.rtt_last / 1000, 0xffffffff));
	recovery_ack(stack, conn, &d, duplicate, prior_una, prior_sacked, seg);
	if (conn->flags & TCP_CONN_FIN_SENT && conn->snd_una == conn->snd_end + 1)
		close_fin_acked(stack, conn);
	if (conn_unsent(conn) || conn->lost > conn->resent)
		output_later(stack, conn);
	return true;
}

bool ack_input(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg)
{
	return __builtin_expect(ack_plain(stack, conn, seg), 1) || ack_any(stack, conn, seg);
}
