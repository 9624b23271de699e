// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Laws of the congestion window, of timers and of ACKs, looked at after every
 * event: what the engine holds against what it held before, and what has come
 * and gone in between.
 */
#include "tests/sim/sim.h"

#define BURST 66 /* segments at one time, at most */

/* A frame with data or FIN, before it counts. */
void laws_sent(struct end *e, const struct tcp_segment *s, bool again)
{
	struct watch *w = &e->watch;
	const struct tcp_conn *c = &e->conn;
	uint32_t pipe = conn_pipe(c), length = s->length + !!(s->flags & TCP_FLAG_FIN);
	bool ecn = c->flags & TCP_CONN_ECN_OK;

	if (pipe && length && pipe + s->length > c->cwnd)
		w->beyond++;
	w->burst += s->length;
	/* RFC 9293 3.7.4, as Minshall has it: one small segment at a time, but for the window's sake */
	if (!again && s->length && s->length < c->mss && !(s->flags & TCP_FLAG_FIN)) {
		if (!(c->flags & (TCP_CONN_NODELAY | TCP_CONN_CORK)) && seq_after(w->small_end, c->snd_una) &&
		    c->snd_una + c->snd_wnd != s->seq + s->length)
			w->eager++;
		w->small_end = s->seq + s->length;
	}
	/* many small ones fill a window too */
	w->pipe_most = max_u32(w->pipe_most, max_u32(pipe + length, (c->rec_tail - c->rec_head) * c->mss));
	/* RFC 3168 6.1.2, 6.1.4, 6.1.5 */
	if (s->ecn != (ecn && s->length && !again ? 2 : 0))
		sim_fail(e->world, "end %d: ECN field %u, %s", e->index, s->ecn,
			 again	     ? "sent again"
			 : s->length ? "new data"
				     : "no data");
	if (!(s->flags & TCP_FLAG_ECE) != !(ecn && w->echo_owed))
		sim_fail(e->world, "end %d: a mark is %s", e->index,
			 w->echo_owed ? "not echoed" : "echoed that nobody made");
	if (s->flags & TCP_FLAG_CWR) {
		if (!w->echo_seen || again || !s->length)
			sim_fail(e->world, "end %d: CWR %s", e->index,
				 w->echo_seen ? "where it does not belong" : "for no mark");
		w->echo_heard = w->echo_seen = false;
	} else if (ecn && w->echo_heard && s->length && !again) {
		sim_fail(e->world, "end %d: no CWR with the data after a mark", e->index);
	}
	w->acked = s->ack;
}

/* A frame that has come whole, before the engine takes it. */
void laws_heard(struct end *e, const struct tcp_segment *s)
{
	struct watch *w = &e->watch;

	if (!(e->conn.flags & TCP_CONN_ECN_OK) || !watch_acceptable(e, s))
		return;
	if (s->flags & TCP_FLAG_CWR)
		w->echo_owed = false;
	if (s->ecn == 3 && s->length)
		w->echo_owed = true;
	if (!(s->flags & TCP_FLAG_ECE))
		return;
	w->echo_seen = true;
	if (seq_after(s->ack, w->snd_una))
		w->echo_heard = true; /* one that says nothing new may be passed over */
}

static uint64_t since(const struct end *e, size_t counter)
{
	uint64_t now, then;

	memcpy(&now, (const char *)&e->stack.counters + counter, sizeof(now));
	memcpy(&then, (const char *)&e->watch.counters + counter, sizeof(then));
	return now - then;
}
#define SINCE(e, counter) since(e, offsetof(struct tcp_counters, counter))

/* RFC 6298: not before 200 ms, twice as long each time. */
static void timer(struct end *e)
{
	struct watch *w = &e->watch;
	const struct tcp_conn *c = &e->conn;
	uint64_t now = e->world->now, least;

	if (c->snd_una != w->snd_una || w->snd_una == w->snd_nxt) {
		w->timer_base = now;
		w->in_row = 0;
	}
	if (!SINCE(e, timeouts))
		return;
	least = (uint64_t)min_u32(c->rto_us, w->rto_us) * 1000 << min_u32(w->in_row, 12);
	least = min_u64(max_u64(least, TCP_RTO_MIN_US * 1000), TCP_RTO_MAX_US * 1000ull);
	if (now - w->timer_base < least)
		sim_fail(e->world, "end %d: retransmission timeout %u after %llu us, not %llu", e->index,
			 w->in_row, (unsigned long long)(now - w->timer_base) / 1000,
			 (unsigned long long)least / 1000);
	w->in_row++;
	w->timer_base = now;
}

/* RFC 5681 3.1, RFC 3465: by no more than was acknowledged, and not at all by duplicates. */
static void growth(struct end *e)
{
	struct watch *w = &e->watch;
	const struct tcp_conn *c = &e->conn;
	uint64_t acked = c->snd_una - w->snd_una, most = w->cwnd + acked, full;
	int64_t sacked = (int32_t)(c->sacked - w->sacked), delivered = (int64_t)acked + sacked;
	bool recovers = w->recovery == TCP_RECOVERY_FAST || w->recovery == TCP_RECOVERY_CWR ||
			c->recovery == TCP_RECOVERY_FAST || c->recovery == TCP_RECOVERY_CWR;

	if (!(c->options & TCP_OPT_SACK) && sacked < 0)
		delivered = (int64_t)acked; /* it was but an estimate */
	if (w->recovery != TCP_RECOVERY_FAST && w->recovery != TCP_RECOVERY_CWR)
		w->credit = 0;
	w->credit += (delivered > 0 ? delivered : 0) - (int64_t)w->burst;
	if (c->cwnd <= w->cwnd)
		return;
	if (recovers) { /* RFC 6937, and back to ssthresh behind it */
		most = max_u32(w->cwnd, w->pipe) + (delivered > 0 ? (uint64_t)delivered : 0) + c->mss;
		if (w->credit > 0) /* what was delivered since it began, and not yet sent */
			most = max_u64(most, conn_pipe(c) + (uint64_t)w->credit);
		most = max_u64(most, (c->ssthresh == TCP_SSTHRESH_INFINITE ? 0 : c->ssthresh) + acked);
	} else if (c->cwnd >= c->ssthresh)
		most += c->mss; /* the end of a count that began earlier */
	if (SINCE(e, undone))	/* all that was thought lost is in flight after all */
		most = max_u64(most, max_u32(w->cwnd_most, conn_pipe(c)) + acked);
	if (c->cwnd > most)
		sim_fail(e->world,
			 "end %d: cwnd from %u to %u, recovery %u to %u: %llu acknowledged, %lld delivered",
			 e->index, w->cwnd, c->cwnd, w->recovery, c->recovery, (unsigned long long)acked,
			 (long long)delivered);
	/* congestion avoidance: a segment a round trip (RFC 5681 3.1), half a window (RFC 9438 4.2) */
	if (!recovers && !SINCE(e, undone) && w->cwnd >= w->ssthresh && w->ssthresh == c->ssthresh) {
		if (e->world->plan.newreno[e->index])
			most = w->cwnd + c->mss * (acked / w->cwnd + 1);
		else
			most = w->cwnd + acked / 2 + 2u * c->mss;
		if (c->cwnd > most)
			sim_fail(e->world,
				 "end %d: cwnd from %u to %u in congestion avoidance, %llu acknowledged",
				 e->index, w->cwnd, c->cwnd, (unsigned long long)acked);
	}
	/* RFC 7661: a window that was never used says nothing */
	full = max_u64(w->cwnd_most, 2ull * w->pipe_most + acked + c->mss);
	if (c->cwnd > full && !recovers)
		sim_fail(e->world, "end %d: cwnd %u, and never more than %u in flight", e->index, c->cwnd,
			 w->pipe_most);
}

/* RFC 5681 3.1, 9438 4.6, 6298 5.5: what a loss costs, once a window. */
static void losses(struct end *e)
{
	struct watch *w = &e->watch;
	const struct tcp_conn *c = &e->conn;
	uint64_t fast = SINCE(e, fast_recoveries), timeouts = SINCE(e, timeouts), undone = SINCE(e, undone),
		 most;

	if (undone || timeouts)
		w->recovered = c->snd_una;
	if (timeouts && c->cwnd > c->mss)
		sim_fail(e->world, "end %d: cwnd %u after a timeout", e->index, c->cwnd);
	if (fast == 1 && !undone && !timeouts) {
		if (seq_before(c->snd_una, w->recovered))
			sim_fail(e->world, "end %d: two recoveries in one window", e->index);
		w->recovered = w->snd_nxt;
	}
	if ((fast || timeouts) && !undone) {
		most = max_u64(w->cwnd + (c->snd_una - w->snd_una), w->snd_nxt - w->snd_una);
		most = max_u64(
			most * (e->world->plan.newreno[e->index] && c->cc != &tcp_cc_cubic ? 5 : 7) / 10 + 1,
			2u * max_u32(c->mss, w->mss));
		if (c->ssthresh > most && c->ssthresh > w->ssthresh)
			sim_fail(e->world, "end %d: ssthresh up to %u by a loss", e->index, c->ssthresh);
		if (c->ssthresh > most && (w->recovery == TCP_RECOVERY_NONE))
			sim_fail(e->world, "end %d: ssthresh %u after a loss, cwnd was %u", e->index,
				 c->ssthresh, w->cwnd);
	}
}

/* RFC 9293 3.8.6.3: for every second segment, and within half a second. */
static void acks(struct end *e)
{
	struct watch *w = &e->watch;
	const struct tcp_conn *c = &e->conn;

	if (c->rcv_nxt == w->acked) {
		w->unacked_since = 0;
		return;
	}
	if (!w->unacked_since)
		w->unacked_since = e->world->now;
	if (e->world->now - w->unacked_since > 500 * TCP_MS)
		sim_fail(e->world, "end %d: no ACK for half a second", e->index);
	if (!e->world->plan.frame_refusals && c->rcv_nxt - w->acked >= 2u * c->rcv_mss + 1)
		sim_fail(e->world, "end %d: no ACK for %u octets", e->index, c->rcv_nxt - w->acked);
}

static void hold(struct end *e)
{
	struct watch *w = &e->watch;
	const struct tcp_conn *c = &e->conn;

	w->snd_una = c->snd_una;
	w->snd_nxt = c->snd_nxt;
	w->sacked = c->sacked;
	w->pipe = conn_pipe(c);
	w->cwnd = c->cwnd;
	w->ssthresh = c->ssthresh;
	w->recovery = c->recovery;
	w->mss = c->mss;
	w->rto_us = c->rto_us;
	w->cwnd_most = max_u32(w->cwnd_most, c->cwnd);
	w->counters = e->stack.counters;
	w->edge = c->snd_una + c->snd_wnd;
	w->unexplained = w->needless = w->beyond = w->burst = w->eager = 0;
}

void laws_hold(struct end *e)
{
	struct watch *w = &e->watch;
	const struct tcp_conn *c = &e->conn;
	const struct plan *p = &e->world->plan;
	bool moves = p->handback[0] || p->handback[1];

	/* without frames the pieces of a segment may be sent more than once */
	if (w->unexplained > SINCE(e, loss_probes) && !e->world->plan.frame_refusals)
		sim_fail(e->world, "end %d: %u segments sent again without cause", e->index, w->unexplained);
	/* of a segment sent again in pieces, and of those of a connection that has moved, the parts that
	 * arrive are not known */
	if (w->needless && c->mtu == p->mtu && !moves && !p->manners.reneges)
		sim_fail(e->world, "end %d: %u segments sent again that have arrived", e->index, w->needless);
	if (w->eager > SINCE(e, loss_probes))
		sim_fail(e->world, "end %d: %u small segments did not wait", e->index, w->eager);
	/* RFC 9293 3.10.7.4: an old segment says nothing of the window */
	if (!p->manners.model && !moves &&
	    seq_before(c->snd_una + c->snd_wnd + (1u << c->wscale_snd) - 1, w->edge))
		sim_fail(e->world, "end %d: the peer's window went back by %u", e->index,
			 w->edge - c->snd_una - c->snd_wnd);
	if (w->beyond > SINCE(e, loss_probes))
		sim_fail(e->world, "end %d: %u segments beyond cwnd", e->index, w->beyond);
	if (w->burst > BURST * max_u32(c->mss, w->mss))
		sim_fail(e->world, "end %d: a burst of %u octets", e->index, w->burst);
	timer(e);
	growth(e);
	losses(e);
	acks(e);
	hold(e);
}

/* A new beginning: nothing is known of what was before. */
void laws_open(struct end *e)
{
	struct watch *w = &e->watch;

	w->pipe_most = conn_flight(&e->conn);
	w->cwnd_most = 0;
	w->small_end = e->conn.snd_una;
	w->recovered = e->conn.snd_una;
	w->timer_base = e->world->now;
	w->in_row = 0;
	w->acked = e->conn.rcv_acked;
	w->unacked_since = 0;
	w->echo_owed = w->echo_heard = w->echo_seen = false;
	hold(e);
}
