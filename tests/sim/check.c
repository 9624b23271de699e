// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What must hold of every frame, after every event, and at the end. */
#include "tests/sim/sim.h"

#include <stdarg.h>

void sim_fail(struct world *w, const char *format, ...)
{
	va_list args;

	if (w->failure)
		return;
	va_start(args, format);
	vsnprintf(w->text, sizeof(w->text), format, args);
	va_end(args);
	w->failure = w->text;
}

static void talk(struct end *e, const struct tcp_segment *s)
{
	struct world *w = e->world;
	uint32_t base = w->plan.iss[e->index], other = w->plan.iss[!e->index], i;

	printf("%12.6f %d> %s%s%s%s%s seq %u+%u ack %u win %u", (double)(w->now - SIM_START) / 1e9, e->index,
	       s->flags & TCP_FLAG_FIN ? "F" : "", s->flags & TCP_FLAG_RST ? "R" : "",
	       s->flags & TCP_FLAG_PSH ? "P" : "", s->flags & TCP_FLAG_ACK ? "." : "",
	       s->flags & TCP_FLAG_SYN ? "S" : "", s->seq - base, s->length, s->ack - other, s->window);
	if (s->options & TCP_HAS_TIMESTAMPS)
		printf(" ts %u %u", s->tsval, s->tsecr);
	for (i = 0; i < s->sack_blocks; i++)
		printf(" [%u-%u]", s->sack[i][0] - other, s->sack[i][1] - other);
	printf("  | cwnd %u pipe %u sacked %u lost %u resent %u rec %u\n", e->conn.cwnd, conn_pipe(&e->conn),
	       e->conn.sacked, e->conn.lost, e->conn.resent, e->conn.recovery);
}

/* A frame as it leaves. */
void check_sent(struct end *e, const uint8_t *frame, uint32_t length)
{
	struct world *w = e->world;
	uint32_t l3 = w->plan.tagged ? 18 : 14, l4 = l3 + (w->plan.six ? 40 : 20), edge, end, i;
	struct tcp_segment s;

	if (tcp_parse(frame, length, l3, l4, length - l4, &s)) {
		sim_fail(w, "end %d sent what cannot be parsed", e->index);
		return;
	}
	if (w->talk)
		talk(e, &s);
	if (csum_fold(csum_add(s.pseudo, tcp_csum_scalar(s.payload, s.length))))
		sim_fail(w, "end %d: wrong checksum", e->index);
	if (length - l3 > w->plan.mtu)
		sim_fail(w, "end %d: larger than the interface takes", e->index);
	if (s.length >
	    max_u32(w->plan.mss[!e->index] ? w->plan.mss[!e->index] : TCP_MSS_DEFAULT, TCP_MSS_MIN))
		sim_fail(w, "end %d: %u octets for an MSS of %u", e->index, s.length, w->plan.mss[!e->index]);
	if (s.flags & TCP_FLAG_RST)
		return;
	edge = s.ack + s.window * e->unit;
	if (seq_before(edge + e->unit - 1, e->promised))
		sim_fail(w, "end %d: window edge back by %u", e->index, e->promised - edge);
	e->promised = seq_max(e->promised, edge);
	end = s.seq + s.length + !!(s.flags & TCP_FLAG_FIN);
	if (seq_after(end, e->permitted) && end != s.seq)
		sim_fail(w, "end %d: %u beyond the window", e->index, end - e->permitted);
	if (seq_after(s.seq, e->highest))
		sim_fail(w, "end %d: a hole of %u in what was sent", e->index, s.seq - e->highest);
	e->highest = seq_max(e->highest, end);
	for (i = 0; i < s.length; i++) {
		uint32_t offset = s.seq + i - w->plan.iss[e->index] - 1;

		if (s.payload[i] != sim_octet(e->index, offset)) {
			sim_fail(w, "end %d: wrong octet %u sent", e->index, offset);
			return;
		}
	}
}

/* The scoreboard adds up. */
static void check_records(struct end *e)
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

void check_end(struct end *e)
{
	struct plan *p = &e->world->plan;
	struct tcp_conn *c = &e->conn;
	uint32_t most, i;

	if (e->released)
		return;
	if (!(c->flags & TCP_CONN_DONE))
		check_records(e);
	if (c->cwnd < c->mss || c->cwnd > TCP_SSTHRESH_INFINITE)
		sim_fail(e->world, "end %d: cwnd %u", e->index, c->cwnd);
	if (receive_unread(c) > max_u32(p->recv_buffer[e->index], 65535) + e->unit)
		sim_fail(e->world, "end %d: %u unread", e->index, receive_unread(c));
	for (i = 0; i < c->ranges; i++)
		if (!seq_before(c->range[i].from, c->range[i].to) ||
		    !seq_before(c->rcv_nxt, c->range[i].from) ||
		    (i && !seq_before(c->range[i - 1].to, c->range[i].from)))
			sim_fail(e->world, "end %d: range %u", e->index, i);
	/* buffers, two partly filled blocks each, records, ranges */
	most = (max_u32(p->recv_buffer[e->index], 65535) + e->unit) / TCP_BLOCK_DATA + 3 +
	       p->send_buffer[e->index] * (p->pieces[e->index] ? 2 : 1) / TCP_BLOCK_DATA + 3 +
	       (c->rec_tail - c->rec_head) / 128 + 4;
	if (e->blocks_used > most)
		sim_fail(e->world, "end %d: %u blocks, at most %u", e->index, e->blocks_used, most);
	if (c->flush_pprev && !(c->flags & TCP_CONN_DONE) && !e->world->plan.frame_refusals)
		sim_fail(e->world, "end %d: still something to send after its turn", e->index);
}

/* On a link that does nothing to frames, nothing is sent twice and nothing is refused. */
void check_clean(struct world *w)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct tcp_counters *c = &w->end[i].stack.counters;

		if (!w->plan.clean || w->plan.frame_refusals || w->plan.blocks[0] != UINT32_MAX ||
		    w->plan.blocks[1] != UINT32_MAX)
			continue;
		if (c->timeouts || c->fast_recoveries)
			sim_fail(w, "end %d: %llu timeouts, %llu recoveries on a clean link", i,
				 (unsigned long long)c->timeouts, (unsigned long long)c->fast_recoveries);
		if (c->retransmits > c->loss_probes)
			sim_fail(w, "end %d: %llu retransmissions on a clean link", i,
				 (unsigned long long)c->retransmits);
	}
}
