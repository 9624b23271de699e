// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The scoreboard adds up: records, their marks, their sums, their order of sending. */
#include "tests/sim/sim.h"

void check_records(struct end *e)
{
	struct tcp_conn *c = &e->conn;
	uint32_t sacked = 0, lost = 0, resent = 0, at = c->snd_una, linked = 0, i, n;

	for (i = c->rec_head; i != c->rec_tail; i++) {
		struct tcp_record *r = record_at(c, i);

		if (r->seq != at)
			sim_fail(e->world, "end %d: record at %u, not %u", e->index, r->seq, at);
		at += r->length;
		sacked += r->flags & TCP_RECORD_SACKED ? r->length : 0;
		lost += r->flags & TCP_RECORD_LOST ? r->length : 0;
		resent += r->flags & TCP_RECORD_RESENT ? r->length : 0;
		if (r->flags & TCP_RECORD_SACKED && r->flags & (TCP_RECORD_LOST | TCP_RECORD_RESENT))
			sim_fail(e->world, "end %d: SACKed and lost", e->index);
		if (r->flags & TCP_RECORD_RESENT && !(r->flags & TCP_RECORD_LOST))
			sim_fail(e->world, "end %d: resent, but not lost", e->index);
		linked += !(r->flags & TCP_RECORD_SACKED) &&
			  (r->flags & (TCP_RECORD_LOST | TCP_RECORD_RESENT)) != TCP_RECORD_LOST;
		if ((r->flags & (TCP_RECORD_LOST | TCP_RECORD_RESENT)) == TCP_RECORD_LOST &&
		    (int32_t)(i - c->rec_resend) < 0)
			sim_fail(e->world, "end %d: lost, and never sent again", e->index);
	}
	if (at != c->snd_nxt)
		sim_fail(e->world, "end %d: records end at %u, not %u", e->index, at, c->snd_nxt);
	if (c->options & TCP_OPT_SACK && sacked != c->sacked)
		sim_fail(e->world, "end %d: sacked %u, not %u", e->index, c->sacked, sacked);
	if (lost != c->lost || resent != c->resent)
		sim_fail(e->world, "end %d: lost %u/%u resent %u/%u", e->index, c->lost, lost, c->resent,
			 resent);
	if (c->sacked + c->lost > conn_flight(c))
		sim_fail(e->world, "end %d: sacked %u, lost %u of %u", e->index, c->sacked, c->lost,
			 conn_flight(c));
	n = 0;
	if (c->rec_any)
		for (i = c->rec_oldest;; i = record_at(c, i)->newer) {
			struct tcp_record *r = record_at(c, i);

			n++;
			if (n > linked || r->newer == i)
				break;
			if (record_at(c, r->newer)->older != i || record_at(c, r->newer)->sent < r->sent) {
				sim_fail(e->world, "end %d: order of sending", e->index);
				break;
			}
		}
	if (n != linked)
		sim_fail(e->world, "end %d: %u in the order of sending, not %u", e->index, n, linked);
}
