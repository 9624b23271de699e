// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * RFC 8985: a segment is lost when one sent sufficiently later was delivered.
 * "Sufficiently" adapts to the reordering seen, and is nothing at all while none
 * has been and three segments' worth were SACKed, or recovery is under way.
 */
#include "tcp/internal.h"

#define DUPLICATES 3

void rack_update(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_delivery *d)
{
	if (d->dsack && seq_before(conn->rack_round, conn->snd_una + 1)) {
		/* reordering beyond the window we gave it: 6.2 step 4, once a round trip */
		conn->rack_multiplier += conn->rack_multiplier < 254;
		conn->rack_persist = 16;
		conn->rack_round = conn->snd_nxt;
	}
	if (!d->sent)
		return;
	if (d->sent < conn->rack_sent ||
	    (d->sent == conn->rack_sent && !seq_after(d->sent_end, conn->rack_end)))
		return;
	conn->rack_sent = d->sent;
	conn->rack_end = d->sent_end;
	conn->rack_rtt_us = (uint32_t)min_u64((stack->now - d->sent) / 1000, 0x7fffffff);
}

static uint64_t reorder_window(const struct tcp_conn *conn)
{
	uint64_t wait = (uint64_t)conn->min_rtt_us * (conn->rack_multiplier + 1) / 4;

	if (!conn->rack_reordered &&
	    (conn->recovery >= TCP_RECOVERY_FAST || conn->sacked >= DUPLICATES * (uint32_t)conn->mss))
		return 0;
	return min_u64(wait, conn->srtt_us) * 1000;
}

uint64_t rack_detect(struct tcp_stack *stack, struct tcp_conn *conn, struct tcp_delivery *d)
{
	uint64_t wait = (uint64_t)conn->rack_rtt_us * 1000 + reorder_window(conn), latest = 0;

	if (!conn->rack_sent)
		return 0;
	while (conn->rec_any) {
		uint32_t i = conn->rec_oldest;
		struct tcp_record *r = record_at(conn, i);

		if (r->sent > conn->rack_sent ||
		    (r->sent == conn->rack_sent && !seq_before(r->seq + r->length, conn->rack_end)))
			return 0;
		if (r->sent + wait > stack->now) {
			latest = r->sent + wait - stack->now;
			break;
		}
		record_lose(conn, i);
		if (!mtu_probe_lost(stack, conn, r))
			d->lost += r->length;
	}
	return latest;
}
