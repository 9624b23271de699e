// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The scoreboard: RFC 2018 as sender, RFC 2883. A record counts as SACKed only
 * when a block covers it whole. Blocks are compared with those of the ACK before,
 * so that a list repeated with every ACK is not gone through every time.
 */
#include "tcp/internal.h"

/* RFC 2883 4: below the ACK, or within the block behind it. */
static bool is_dsack(const struct tcp_segment *seg)
{
	if (seq_before(seg->sack[0][0], seg->ack))
		return !seq_after(seg->sack[0][1], seg->ack);
	return seg->sack_blocks > 1 && !seq_before(seg->sack[0][0], seg->sack[1][0]) &&
	       !seq_after(seg->sack[0][1], seg->sack[1][1]);
}

/* [from, to), less what the last ACK said of it already. */
static bool unseen(const struct tcp_conn *conn, uint32_t *from, uint32_t to)
{
	uint32_t i;

	for (i = 0; i < 4; i++) {
		const uint32_t *seen = conn->sack_seen[i];

		if (seen[0] == seen[1] || seq_before(*from, seen[0]) || !seq_before(*from, seen[1]))
			continue;
		if (!seq_after(to, seen[1]))
			return false;
		*from = seen[1];
	}
	return true;
}

static void take_block(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t from, uint32_t to,
		       struct tcp_delivery *d)
{
	uint32_t i;

	/* the record that ends at `from` was not covered whole if the block ended within */
	for (i = record_find(conn, from); i != conn->rec_tail; i++) {
		struct tcp_record *r = record_at(conn, i);

		if (seq_after(r->seq + r->length, to))
			break;
		if (seq_before(r->seq, from) || r->flags & TCP_RECORD_SACKED)
			continue;
		if ((r->flags & (TCP_RECORD_LOST | TCP_RECORD_RESENT)) != TCP_RECORD_LOST)
			record_unlink(conn, i);
		if (r->flags & TCP_RECORD_LOST)
			conn->lost -= r->length;
		if (r->flags & TCP_RECORD_RESENT)
			conn->resent -= r->length;
		delivered(stack, conn, r, d);
		r->flags &= ~(TCP_RECORD_LOST | TCP_RECORD_RESENT);
		r->flags |= TCP_RECORD_SACKED;
		conn->sacked += r->length;
		d->sacked += r->length;
	}
}

void sack_input(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg,
		struct tcp_delivery *d)
{
	uint32_t seen[4][2] = { 0 }, i, first = 0;

	if (seg->sack_blocks && seq_before(seg->sack[0][0], seg->sack[0][1]) && is_dsack(seg)) {
		first = 1;
		/* it must be of something we have sent, and not long ago */
		if (conn->snd_nxt - seg->sack[0][0] <= max_u32(2 * conn->snd_max_wnd, 65535)) {
			d->dsack = true;
			if (conn->undo_resent > 0)
				conn->undo_resent--;
		}
	}
	for (i = first; i < seg->sack_blocks; i++) {
		uint32_t from = seg->sack[i][0], to = seg->sack[i][1], start;

		if (!seq_before(from, to) || seq_after(to, conn->snd_nxt) || !seq_after(to, conn->snd_una))
			continue;
		if (seq_before(from, conn->snd_una))
			from = conn->snd_una;
		/* a record that the edge cuts must be seen whole when the block has grown over it */
		seen[i][0] = from;
		seen[i][1] = to;
		start = from;
		if (unseen(conn, &start, to)) {
			uint32_t at = record_find(conn, start);

			if (at != conn->rec_tail && !seq_before(record_at(conn, at)->seq, from))
				start = seq_min(start, record_at(conn, at)->seq);
			take_block(stack, conn, start, to, d);
		}
	}
	memcpy(conn->sack_seen, seen, sizeof(seen));
}

/* To be sent again. */
void record_lose(struct tcp_conn *conn, uint32_t i)
{
	struct tcp_record *r = record_at(conn, i);

	record_unlink(conn, i);
	if (r->flags & TCP_RECORD_RESENT) {
		r->flags &= ~TCP_RECORD_RESENT;
		conn->resent -= r->length;
	} else {
		r->flags |= TCP_RECORD_LOST;
		conn->lost += r->length;
		if (!(conn->options & TCP_OPT_SACK)) /* there it is an estimate, of what is not lost */
			conn->sacked = min_u32(conn->sacked, conn_flight(conn) - conn->lost);
	}
	if ((int32_t)(i - conn->rec_resend) < 0)
		conn->rec_resend = i;
}
