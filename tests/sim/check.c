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
	printf("  | cwnd %u pipe %u sacked %u lost %u resent %u rec %u ssthresh %u undone %llu\n",
	       e->conn.cwnd, conn_pipe(&e->conn), e->conn.sacked, e->conn.lost, e->conn.resent,
	       e->conn.recovery, e->conn.ssthresh, (unsigned long long)e->stack.counters.undone);
}

/* A frame as it leaves. */
void check_sent(struct end *e, const uint8_t *frame, uint32_t length)
{
	struct world *w = e->world;
	uint32_t l3 = w->plan.tagged ? 18 : 14, l4 = l3 + (w->plan.six ? 40 : 20), edge, end;
	struct tcp_segment s;

	if (tcp_parse(frame, length, l3, l4, length - l4, &s)) {
		sim_fail(w, "end %d sent what cannot be parsed", e->index);
		return;
	}
	if (w->talk)
		talk(e, &s);
	if (csum_fold(csum_add(s.pseudo, tcp_csum(s.payload, s.length))))
		sim_fail(w, "end %d: wrong checksum", e->index);
	if (length - l3 > w->plan.mtu)
		sim_fail(w, "end %d: larger than the interface takes", e->index);
	if (s.length >
	    max_u32(w->plan.mss[!e->index] ? w->plan.mss[!e->index] : TCP_MSS_DEFAULT, TCP_MSS_MIN))
		sim_fail(w, "end %d: %u octets for an MSS of %u", e->index, s.length, w->plan.mss[!e->index]);
	if (s.flags & TCP_FLAG_RST || e->released) /* RST, or somebody else's answer in TIME-WAIT */
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
	watch_sent(e, &s);
	laws_sent(e, &s, seq_before(s.seq, e->highest));
	e->highest = seq_max(e->highest, end);
	if (memcmp(s.payload, sim_stream(e->index, s.seq - w->plan.iss[e->index] - 1), s.length))
		sim_fail(w, "end %d: wrong octets sent", e->index);
}

void check_end(struct end *e)
{
	struct plan *p = &e->world->plan;
	struct tcp_conn *c = &e->conn;
	uint32_t most, i;

	if (e->released)
		return;
	if (!(c->flags & TCP_CONN_DONE)) {
		check_records(e);
		laws_hold(e);
	}
	if (c->cwnd < c->mss || c->cwnd > TCP_SSTHRESH_INFINITE)
		sim_fail(e->world, "end %d: cwnd %u", e->index, c->cwnd);
	if (receive_unread(c) > max_u32(p->recv_buffer[e->index], 65535) + e->unit)
		sim_fail(e->world, "end %d: %u unread", e->index, receive_unread(c));
	if (seq_after(c->rcv_nxt - !!(c->flags & TCP_CONN_FIN_TAKEN), e->promised) ||
	    (c->ranges && seq_after(c->range[c->ranges - 1].to, e->promised)))
		sim_fail(e->world, "end %d: took octets beyond its window", e->index);
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
