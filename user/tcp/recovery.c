// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Loss recovery: when it begins and ends, what the window is meanwhile (PRR, RFC
 * 6937 and its successor), and when it was a mistake (RFC 3522, 5682, 3708).
 * With SACK losses are found by rack.c; without by duplicate ACKs (RFC 6582).
 */
#include "tcp/internal.h"

#define DUPLICATES 3

static void save_for_undo(struct tcp_conn *conn)
{
	conn->prior_cwnd = conn->cwnd;
	conn->prior_ssthresh = conn->ssthresh;
	conn->undo_resent = 0;
	conn->resend_ts = 0;
}

void recovery_enter(struct tcp_stack *stack, struct tcp_conn *conn, enum tcp_recovery how)
{
	if (conn->recovery == TCP_RECOVERY_NONE || how == TCP_RECOVERY_CWR) {
		save_for_undo(conn);
		conn->ssthresh = conn->cc->reduce(stack, conn);
	}
	if (how == TCP_RECOVERY_CWR)
		conn->undo_resent = -1;
	conn->prr_flight = max_u32(conn_flight(conn), conn->mss);
	conn->prr_delivered = conn->prr_out = 0;
	conn->recover = conn->snd_nxt;
	conn->recovery = how;
	conn->hystart.done = true;
	stack->counters.fast_recoveries += how == TCP_RECOVERY_FAST;
}

/* RFC 8985 6.2 step 3. */
void recovery_reordered(struct tcp_stack *stack, struct tcp_conn *conn)
{
	conn->rack_reordered = true;
}

/* All that was thought lost is in flight after all. */
static void find_again(struct tcp_conn *conn)
{
	uint32_t i;

	for (i = conn->rec_head; i != conn->rec_tail; i++) {
		struct tcp_record *r = record_at(conn, i);

		if ((r->flags & (TCP_RECORD_LOST | TCP_RECORD_RESENT)) == TCP_RECORD_LOST) {
			/* back into the order of sending, as the newest: it will be looked at again later */
			uint64_t sent = r->sent;

			r->older = r->newer = i;
			if (conn->rec_any) {
				r->older = conn->rec_newest;
				record_at(conn, conn->rec_newest)->newer = i;
				sent = max_u64(sent, record_at(conn, conn->rec_newest)->sent);
			} else {
				conn->rec_oldest = i;
				conn->rec_any = 1;
			}
			conn->rec_newest = i;
			r->sent = sent;
		}
		r->flags &= ~(TCP_RECORD_LOST | TCP_RECORD_RESENT);
	}
	conn->lost = conn->resent = 0;
	conn->rec_resend = conn->rec_tail;
}

static void undo(struct tcp_stack *stack, struct tcp_conn *conn)
{
	find_again(conn);
	conn->cc->undo(conn);
	conn->cwnd = max_u32(conn->cwnd, conn->prior_cwnd);
	conn->ssthresh = max_u32(conn->ssthresh, conn->prior_ssthresh);
	conn->recovery = TCP_RECOVERY_NONE;
	conn->flags &= ~TCP_CONN_FRTO;
	conn->undo_resent = -1;
	stack->counters.undone++;
}

/* Did the original arrive after all? */
static bool was_needless(const struct tcp_conn *conn, const struct tcp_delivery *d, uint32_t prior_una)
{
	if (conn->undo_resent < 0 || conn->recovery < TCP_RECOVERY_FAST)
		return false;
	/* Eifel: this ACK answers something sent before the first retransmission */
	if (d->acked && d->echo && conn->resend_ts && (int32_t)(d->tsecr - conn->resend_ts) < 0)
		return true;
	/* the lost one turned up before it was sent again */
	if (d->acked && !conn->resend_ts && conn->undo_resent == 0)
		return true;
	/* F-RTO with SACK: delivered though sent but once, and thought lost */
	if (conn->flags & TCP_CONN_FRTO && d->head_original)
		return true;
	/* every retransmission was a duplicate to the peer */
	return d->dsack && conn->resend_ts && conn->undo_resent == 0;
}

static void proportional(struct tcp_conn *conn, const struct tcp_delivery *d, uint32_t got)
{
	uint32_t pipe = conn_pipe(conn);
	int64_t may;

	conn->prr_delivered += got;
	if (pipe > conn->ssthresh) {
		may = (int64_t)(((uint64_t)conn->prr_delivered * conn->ssthresh + conn->prr_flight - 1) /
				conn->prr_flight) -
		      conn->prr_out;
	} else {
		may = (int64_t)conn->prr_delivered - conn->prr_out;
		if (may < (int64_t)got)
			may = got;
		if (d->acked && !d->lost)
			may += conn->mss;
		if (may > (int64_t)conn->ssthresh - pipe)
			may = (int64_t)conn->ssthresh - pipe;
	}
	if (!conn->prr_out && may < conn->mss)
		may = conn->mss;
	if (may < 0)
		may = 0;
	conn->cwnd = max_u32(pipe + (uint32_t)may, conn->mss);
}

/* Without SACK each duplicate ACK says that one more segment has left the network. */
static void count_duplicates(struct tcp_stack *stack, struct tcp_conn *conn, struct tcp_delivery *d,
			     bool duplicate)
{
	uint32_t flight = conn_flight(conn), room;

	if (d->acked) {
		uint32_t beyond = d->acked > conn->mss ? d->acked - conn->mss : 0;

		conn->duplicates = 0;
		conn->sacked -= min_u32(conn->sacked, beyond);
		room = flight > conn->lost ? flight - conn->lost : 0;
		conn->sacked = min_u32(conn->sacked, room > conn->mss ? room - conn->mss : 0);
	} else if (duplicate) {
		conn->duplicates++;
		room = flight > conn->lost + conn->sacked ? flight - conn->lost - conn->sacked : 0;
		if (room > conn->mss) {
			conn->sacked += conn->mss;
			d->sacked += conn->mss;
		}
	}
	if (conn->recovery == TCP_RECOVERY_FAST) {
		struct tcp_record *head = record_at(conn, conn->rec_head);

		/* a partial ACK: the next one is lost too (RFC 6582 3.2 step 5) */
		if (d->acked && seq_before(conn->snd_una, conn->recover) &&
		    conn->rec_head != conn->rec_tail && !(head->flags & TCP_RECORD_LOST)) {
			record_lose(conn, conn->rec_head);
			if (!mtu_probe_lost(stack, conn, head))
				d->lost += head->length;
			conn->sacked -= min_u32(conn->sacked, head->length);
		}
	} else if (conn->duplicates >= DUPLICATES && conn->recovery < TCP_RECOVERY_FAST &&
		   seq_after(conn->snd_una, conn->recover) && conn->rec_any &&
		   !(record_at(conn, conn->rec_head)->flags & TCP_RECORD_LOST)) {
		record_lose(conn, conn->rec_head);
		if (!mtu_probe_lost(stack, conn, record_at(conn, conn->rec_head)))
			d->lost += record_at(conn, conn->rec_head)->length;
	}
	room = conn_flight(conn) - conn->lost;
	conn->sacked = min_u32(conn->sacked, room);
}

/* RFC 8985 7.4: what a loss probe's answer says. */
static void loss_probe_answered(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_delivery *d,
				bool duplicate)
{
	if (!(conn->flags & TCP_CONN_TLP) || seq_before(conn->snd_una, conn->tlp_end)) {
		/* no new data was in it, and it was a duplicate: the original had arrived */
		if (conn->flags & TCP_CONN_TLP && d->dsack)
			conn->flags &= ~TCP_CONN_TLP;
		return;
	}
	/* as far as the probe and no further: it may have been late, not lost; what comes next tells */
	if (conn->flags & TCP_CONN_TLP_RESENT && conn->snd_una == conn->tlp_end && !d->dsack && !duplicate)
		return;
	conn->flags &= ~TCP_CONN_TLP;
	if (!(conn->flags & TCP_CONN_TLP_RESENT) || d->dsack || conn->recovery != TCP_RECOVERY_NONE)
		return;
	if (d->echo && conn->resend_ts && (int32_t)(d->tsecr - conn->resend_ts) < 0)
		return;
	if (conn->snd_una == conn->tlp_end)
		return;
	/* the probe repaired a loss: the window pays for it all the same */
	recovery_enter(stack, conn, TCP_RECOVERY_CWR);
}

void recovery_ack(struct tcp_stack *stack, struct tcp_conn *conn, struct tcp_delivery *d, bool duplicate,
		  uint32_t prior_una, uint32_t prior_sacked, const struct tcp_segment *seg)
{
	bool sack = conn->options & TCP_OPT_SACK;
	bool ended = false;
	uint32_t got = d->acked;
	uint64_t again = 0;
	uint8_t was = conn->recovery;

	/* nothing is marked, nothing awaited: what is left in flight was sent after this */
	if (conn->recovery == TCP_RECOVERY_NONE && d->acked && !(conn->sacked | conn->lost) && !d->sacked &&
	    !d->dsack && !(seg->flags & TCP_FLAG_ECE) && !(conn->flags & (TCP_CONN_TLP | TCP_CONN_FRTO))) {
		conn->duplicates = 0;
		rack_update(stack, conn, d);
		cc_acked(stack, conn, d->acked);
		send_timer(stack, conn);
		return;
	}
	if (was_needless(conn, d, prior_una))
		undo(stack, conn);
	if (conn->flags & TCP_CONN_FRTO && d->acked)
		conn->flags &= ~TCP_CONN_FRTO;
	loss_probe_answered(stack, conn, d, duplicate);
	if (sack) {
		rack_update(stack, conn, d);
		if (conn->rec_any)
			again = rack_detect(stack, conn, d);
		/* what was SACKed before is not delivered a second time */
		got = d->acked + (conn->sacked - prior_sacked);
	} else {
		count_duplicates(stack, conn, d, duplicate);
		got += d->sacked;
	}
	if (conn->recovery != TCP_RECOVERY_NONE && !seq_before(conn->snd_una, conn->recover)) {
		if (conn->recovery != TCP_RECOVERY_TIMEOUT) /* the pace keeps this from being a burst */
			conn->cwnd = max_u32(conn->ssthresh, conn->mss);
		ended = conn->recovery != TCP_RECOVERY_TIMEOUT;
		conn->recovery = TCP_RECOVERY_NONE;
		conn->flags &= ~TCP_CONN_FRTO;
		if (conn->rack_persist && !--conn->rack_persist)
			conn->rack_multiplier = 0;
	}
	if (d->lost && conn->recovery < TCP_RECOVERY_FAST)
		recovery_enter(stack, conn, TCP_RECOVERY_FAST);
	if (seg->flags & TCP_FLAG_ECE && conn->flags & TCP_CONN_ECN_OK) {
		/* once a round trip (RFC 3168 6.1.2), and a loss has the same effect; what bore our CWR lies
		 * behind `recover` */
		if (conn->recovery == TCP_RECOVERY_NONE && !ended && conn_flight(conn) &&
		    seq_after(conn->snd_una, conn->recover))
			recovery_enter(stack, conn, TCP_RECOVERY_CWR);
		conn->flags |= TCP_CONN_ECN_CWR;
	}
	if (was < TCP_RECOVERY_CWR && conn->recovery != was) /* in flight before this ACK */
		conn->prr_flight += d->acked;
	if (conn->recovery == TCP_RECOVERY_FAST || conn->recovery == TCP_RECOVERY_CWR)
		proportional(conn, d, got);
	else if (d->acked && !ended)
		cc_acked(stack, conn, d->acked);
	if (again && conn_flight(conn)) {
		conn->send_kind = TCP_SEND_REORDER;
		deadline_set(stack, conn, TCP_DEADLINE_SEND, stack->now + again);
	} else {
		send_timer(stack, conn);
	}
}

/* The retransmission timer: everything not SACKed is sent again, from one segment on. */
void recovery_timeout(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint32_t i;
	bool reneged;

	if (conn->recovery < TCP_RECOVERY_FAST || !seq_before(conn->snd_una, conn->recover)) {
		save_for_undo(conn);
		conn->ssthresh = conn->cc->reduce(stack, conn);
		conn->flags |= TCP_CONN_FRTO;
	} else if (conn->recovery == TCP_RECOVERY_FAST) {
		conn->undo_resent = -1;
	}
	/* RFC 2018 8: the head SACKed but not acknowledged in all this time is a promise broken */
	reneged =
		!(conn->options & TCP_OPT_SACK) || record_at(conn, conn->rec_head)->flags & TCP_RECORD_SACKED;
	if (reneged) {
		conn->sacked = 0;
		conn->duplicates = 0;
		memset(conn->sack_seen, 0, sizeof(conn->sack_seen));
	}
	conn->lost = conn->resent = 0;
	for (i = conn->rec_head; i != conn->rec_tail; i++) {
		struct tcp_record *r = record_at(conn, i);

		if (reneged)
			r->flags &= ~TCP_RECORD_SACKED;
		r->flags &= ~(TCP_RECORD_RESENT | TCP_RECORD_LOST);
		if (r->flags & TCP_RECORD_SACKED)
			continue;
		r->flags |= TCP_RECORD_LOST;
		conn->lost += r->length;
	}
	conn->rec_any = 0;
	conn->rec_resend = conn->rec_head;
	conn->cwnd = conn->mss;
	conn->cc->restart(conn);
	conn->recover = conn->snd_nxt;
	conn->recovery = TCP_RECOVERY_TIMEOUT;
	conn->mtu_probe = 0;
	conn->hystart.done = true;
	conn->flags &= ~(TCP_CONN_TLP | TCP_CONN_TLP_OWED);
	stack->counters.timeouts++;
}
