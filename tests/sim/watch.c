// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Why was a segment sent again? What was sent is kept with its time; what comes
 * in says what of it has arrived. A retransmission has a cause if, since those
 * octets were sent last, the timer ran out, something sent no earlier arrived
 * (RFC 8985), the peer said three times that something is missing or acknowledged
 * a part of what was being repaired (RFC 6582), or the path became narrower.
 * A loss probe has none, and is counted: laws.c.
 */
#include "tests/sim/sim.h"

#include <stdlib.h>

static struct sent *at(const struct watch *w, uint32_t i)
{
	return &w->sent[(w->head + i) & (w->room - 1)];
}

static void make_room(struct watch *w)
{
	uint32_t room = w->room ? 2 * w->room : 64, i;
	struct sent *sent;

	if (w->count < w->room)
		return;
	sent = malloc(room * sizeof(*sent));
	if (!sent)
		abort();
	for (i = 0; i < w->count; i++)
		sent[i] = *at(w, i);
	free(w->sent);
	w->sent = sent;
	w->head = 0;
	w->room = room;
}

/* First that ends after seq. */
static uint32_t find(const struct watch *w, uint32_t seq)
{
	uint32_t low = 0, high = w->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (seq_after(at(w, middle)->end, seq))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* From now on one of them begins at seq. */
static void split(struct watch *w, uint32_t seq)
{
	uint32_t i = find(w, seq), k;

	if (i == w->count || !seq_before(at(w, i)->seq, seq))
		return;
	make_room(w);
	for (k = w->count++; k > i; k--)
		*at(w, k) = *at(w, k - 1);
	at(w, i)->end = seq;
	at(w, i + 1)->seq = seq;
}

static bool has_cause(const struct end *e, const struct sent *s, uint32_t seq)
{
	const struct watch *w = &e->watch;
	const struct tcp_conn *c = &e->conn;

	if (e->stack.counters.timeouts != s->timeouts || c->mtu < s->mtu)
		return true;
	if (e->stack.counters.undone != s->undone) /* what was found again counts as sent then */
		return true;
	if (c->options & TCP_OPT_SACK)
		return w->delivered >= s->at;
	if (w->duplicates - max_u64(s->duplicates, w->since_una) >= 3)
		return true;
	return c->recovery == TCP_RECOVERY_FAST && seq == w->una && w->moved >= s->at;
}

/* What was SACKed may have been taken back (RFC 2018 8). */
static void forget(struct end *e)
{
	uint32_t i;

	for (i = 0; i < e->watch.count; i++)
		at(&e->watch, i)->arrived = false;
	memset(e->watch.seen, 0, sizeof(e->watch.seen));
}

void watch_sent(struct end *e, const struct tcp_segment *s)
{
	struct watch *w = &e->watch;
	uint32_t end = s->seq + s->length + !!(s->flags & TCP_FLAG_FIN), i;
	struct sent now = {
		.seq = seq_max(s->seq, e->highest),
		.end = end,
		.at = e->world->now,
		.timeouts = e->stack.counters.timeouts,
		.undone = e->stack.counters.undone,
		.duplicates = w->duplicates,
		.mtu = e->conn.mtu,
	};
	bool caused = true, arrived = seq_before(w->una, end);

	if (end == s->seq)
		return;
	if (e->stack.counters.timeouts != w->counters.timeouts && w->count && at(w, 0)->arrived)
		forget(e);
	if (seq_before(s->seq, e->highest)) {
		split(w, s->seq);
		split(w, end);
		for (i = find(w, s->seq); i < w->count && seq_before(at(w, i)->seq, end); i++) {
			struct sent *was = at(w, i);

			caused = caused && has_cause(e, was, s->seq);
			arrived = arrived && was->arrived;
			was->at = now.at;
			was->timeouts = now.timeouts;
			was->undone = now.undone;
			was->duplicates = now.duplicates;
			was->mtu = now.mtu;
		}
		w->unexplained += !caused;
		w->needless += arrived;
	}
	if (seq_after(end, e->highest)) {
		make_room(w);
		*at(w, w->count++) = now;
	}
}

/* [from, to) has arrived, as a SACK block says; what the ACK before said already is not gone through. */
static void sacked(struct watch *w, uint32_t from, uint32_t to, bool taken)
{
	uint32_t i;

	for (i = 0; i < 4; i++)
		if (w->seen[i][0] != w->seen[i][1] && !seq_before(from, w->seen[i][0]) &&
		    seq_before(from, w->seen[i][1]))
			from = w->seen[i][1];
	for (i = find(w, from); i < w->count && seq_before(at(w, i)->seq, to); i++) {
		w->delivered = max_u64(w->delivered, at(w, i)->at);
		at(w, i)->arrived |=
			taken && !seq_before(at(w, i)->seq, from) && !seq_after(at(w, i)->end, to);
	}
}

/* RFC 9293 3.10.7.4, 7323 5.2. */
bool watch_acceptable(const struct end *e, const struct tcp_segment *s)
{
	uint32_t end = s->seq + s->length + !!(s->flags & TCP_FLAG_FIN);

	if (!(s->flags & TCP_FLAG_ACK) || s->flags & (TCP_FLAG_RST | TCP_FLAG_SYN) ||
	    seq_after(s->ack, e->highest))
		return false;
	if (e->conn.options & s->options & TCP_OPT_TIMESTAMPS && (int32_t)(s->tsval - e->conn.ts_recent) < 0)
		return false;
	return !seq_after(s->seq, e->promised) && !seq_before(end, e->watch.acked);
}

void watch_heard(struct end *e, const struct tcp_segment *s)
{
	struct watch *w = &e->watch;
	uint32_t seen[4][2] = { 0 }, i;
	bool taken = watch_acceptable(e, s);

	if (!(s->flags & TCP_FLAG_ACK) || s->flags & (TCP_FLAG_RST | TCP_FLAG_SYN) ||
	    seq_after(s->ack, e->highest))
		return;
	if (seq_after(s->ack, w->una)) {
		while (w->count && seq_before(at(w, 0)->seq, s->ack)) {
			w->delivered = max_u64(w->delivered, at(w, 0)->at);
			if (seq_after(at(w, 0)->end, s->ack)) {
				at(w, 0)->seq = s->ack;
				break;
			}
			w->head++;
			w->count--;
		}
		w->una = s->ack;
		w->since_una = w->duplicates;
		w->moved = e->world->now;
	} else if (s->ack == w->una && w->count && !s->length && !(s->flags & TCP_FLAG_FIN)) {
		w->duplicates++;
	}
	for (i = 0; s->options & TCP_HAS_SACK && i < s->sack_blocks; i++) {
		uint32_t from = seq_max(s->sack[i][0], w->una), to = s->sack[i][1];

		if (!seq_before(from, to) || seq_after(to, e->highest))
			continue;
		sacked(w, from, to, taken);
		seen[i][0] = from;
		seen[i][1] = to;
	}
	memcpy(w->seen, seen, sizeof(seen));
}

void watch_open(struct end *e)
{
	e->watch.una = e->highest;
	e->watch.moved = e->world->now;
}

/* The connection has moved: what is in flight counts as sent now. */
void watch_again(struct end *e)
{
	uint32_t i;

	for (i = 0; i < e->watch.count; i++)
		at(&e->watch, i)->at = e->world->now;
	forget(e);
}

void watch_free(struct end *e)
{
	free(e->watch.sent);
	e->watch.sent = NULL;
}
