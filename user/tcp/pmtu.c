// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What fits into one packet on this path. */
#include "tcp/internal.h"

#define MTU_BLACK_HOLE_4 576
#define MTU_MIN_6 1280

/* Octets of payload that a packet of `mtu` octets carries, our options deducted. */
uint32_t mtu_payload(const struct tcp_conn *conn, uint32_t mtu)
{
	uint32_t ip = conn->family == 4 ? 20 : 40, options = conn->options & TCP_OPT_TIMESTAMPS ? 12 : 0;

	return mtu > ip + 20 + options ? mtu - ip - 20 - options : 0;
}

/* RFC 6691, 879: the MSS a peer announces does not count options. */
void mtu_set(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t mtu)
{
	uint32_t options = conn->options & TCP_OPT_TIMESTAMPS ? 12 : 0, mss;

	conn->mtu = (uint16_t)min_u32(mtu, 65535);
	mss = max_u32(conn->peer_mss, TCP_MSS_MIN) - options;
	mss = min_u32(mss, mtu_payload(conn, mtu));
	mss = min_u32(mss, stack->frame_size - frame_room(conn));
	conn->mss = (uint16_t)max_u32(mss, TCP_MSS_MIN - 12);
}

/*
 * RFC 4821 7.7: full segments time out again and again, and nobody says why. A
 * smaller one may pass where ICMP is filtered.
 */
void mtu_timeout(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint32_t least = conn->family == 4 ? MTU_BLACK_HOLE_4 : MTU_MIN_6, next;

	if (conn->backoff < 2 || conn->mtu <= least || conn->rec_head == conn->rec_tail ||
	    record_at(conn, conn->rec_head)->length * 2u <= conn->mss)
		return;
	next = conn->mtu > 1400 ? 1400 : conn->mtu > 1280 ? 1280 : conn->mtu > 1024 ? 1024 : least;
	mtu_set(stack, conn, max_u32(next, least));
}
