// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What fits into one packet on this path. It shrinks when ICMP says so (icmp.c)
 * or when full segments vanish and nobody says why; ten minutes later a single
 * larger segment tries whether it passes again (RFC 4821, 8899).
 */
#include "tcp/internal.h"

#define BLACK_HOLE_4 576
#define LEAST_6	     1280
#define RAISE_S	     600

static uint32_t clock_s(const struct tcp_stack *stack)
{
	return (uint32_t)(stack->now / TCP_SECOND);
}

/* Octets of payload that a packet of `mtu` octets carries, our options deducted. */
uint32_t mtu_payload(const struct tcp_conn *conn, uint32_t mtu)
{
	uint32_t ip = conn->family == 4 ? 20 : 40, options = conn->options & TCP_OPT_TIMESTAMPS ? 12 : 0;

	return mtu > ip + 20 + options ? mtu - ip - 20 - options : 0;
}

/* RFC 6691, 879: the MSS a peer announces does not count options. */
static uint32_t payload_allowed(const struct tcp_stack *stack, const struct tcp_conn *conn, uint32_t mtu)
{
	uint32_t options = conn->options & TCP_OPT_TIMESTAMPS ? 12 : 0, mss;

	mss = max_u32(conn->peer_mss, TCP_MSS_MIN) - options;
	mss = min_u32(mss, mtu_payload(conn, mtu));
	mss = min_u32(mss, stack->frame_size - frame_room(conn));
	return max_u32(mss, TCP_MSS_MIN - 12);
}

void mtu_set(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t mtu)
{
	conn->mtu = (uint16_t)min_u32(mtu, 65535);
	conn->mss = (uint16_t)payload_allowed(stack, conn, mtu);
	conn->mtu_probe = 0;
	conn->mtu_probe_s = clock_s(stack) + RAISE_S;
}

static uint32_t smaller(uint32_t mtu)
{
	static const uint16_t sizes[] = { 4352, 2002, 1492, 1400, 1280, 1024, BLACK_HOLE_4 };
	uint32_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i] < mtu)
			return sizes[i];
	return BLACK_HOLE_4;
}

/* RFC 4821 7.7: more than any path takes times out again and again; small segments are sent again as one. */
void mtu_timeout(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint32_t least = conn->family == 4 ? BLACK_HOLE_4 : LEAST_6;
	uint32_t length = min_u32(conn_flight(conn), conn->mss);

	if (conn->backoff < 2 || conn->mtu <= least || length <= mtu_payload(conn, least))
		return;
	mtu_set(stack, conn, max_u32(smaller(conn->mtu - mtu_payload(conn, conn->mtu) + length), least));
}

/* Payload of a probe to be sent now in place of a full segment; 0: none. */
uint32_t mtu_probe_length(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t queued)
{
	uint32_t size, length;

	if (conn->mtu >= conn->mtu_link || conn->mtu_probe || conn->recovery != TCP_RECOVERY_NONE ||
	    conn->lost || (int32_t)(clock_s(stack) - conn->mtu_probe_s) < 0)
		return 0;
	/* half way up, at least an eighth; what is nearly all is all */
	size = conn->mtu + max_u32((conn->mtu_link - conn->mtu) / 2, conn->mtu / 8);
	if (size + 64 > conn->mtu_link)
		size = conn->mtu_link;
	length = payload_allowed(stack, conn, size);
	if (length <= conn->mss) { /* something else limits it */
		conn->mtu_probe_s = clock_s(stack) + RAISE_S;
		return 0;
	}
	/* enough behind it that a loss is seen without a timeout */
	if (queued < length + 4u * conn->mss || conn->cwnd < conn_pipe(conn) + length + 4u * conn->mss)
		return 0;
	conn->mtu_probe = (uint16_t)size;
	conn->mtu_probe_seq = conn->snd_nxt;
	return length;
}

/* The probe is acknowledged. */
void mtu_probe_passed(struct tcp_stack *stack, struct tcp_conn *conn)
{
	mtu_set(stack, conn, conn->mtu_probe);
	conn->mtu_probe_s = clock_s(stack); /* and further up */
}

/* True: this was the probe, and its loss says nothing of congestion (RFC 4821 7.6.2). */
bool mtu_probe_lost(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_record *record)
{
	if (!conn->mtu_probe || record->seq != conn->mtu_probe_seq)
		return false;
	conn->mtu_probe = 0;
	conn->mtu_probe_s = clock_s(stack) + RAISE_S;
	return true;
}
