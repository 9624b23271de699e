// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ICMP errors that quote a segment of a connection. Anybody can send one, so it
 * must quote a sequence number in flight (RFC 5927 4.1), and it only ever makes
 * segments smaller or explains a timeout that happens anyway (5.2).
 */
#include "tcp/internal.h"

#define MTU_LEAST_4 552 /* below, RFC 1191 tables end and abuse begins; as Linux' min_pmtu */
#define MTU_LEAST_6 1280

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* The quoted TCP header's first eight octets; NULL: not of this connection. */
static const uint8_t *quoted(const struct tcp_conn *conn, const uint8_t *p, uint32_t n)
{
	const uint8_t *tcp;
	uint32_t header;

	if (conn->family == 4) {
		if (n < 28 || p[0] >> 4 != 4)
			return NULL;
		header = (p[0] & 15) * 4;
		if (header < 20 || n < header + 8 || p[9] != 6 || memcmp(p + 12, conn->local + 12, 4) ||
		    memcmp(p + 16, conn->remote + 12, 4))
			return NULL;
	} else {
		header = 40;
		if (n < 48 || p[0] >> 4 != 6 || p[6] != 6 || memcmp(p + 8, conn->local, 16) ||
		    memcmp(p + 24, conn->remote, 16))
			return NULL;
	}
	tcp = p + header;
	if (get16(tcp) != conn->local_port || get16(tcp + 2) != conn->remote_port)
		return NULL;
	return tcp;
}

/* Segments larger than the path are sent again at once, smaller. */
static void too_big(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t mtu, uint32_t seq)
{
	uint32_t i, was = conn->mss;

	mtu = max_u32(mtu, conn->family == 4 ? MTU_LEAST_4 : MTU_LEAST_6);
	if (mtu >= conn->mtu)
		return;
	stack->counters.icmp++;
	mtu_set(stack, conn, mtu);
	if (conn->mss >= was)
		return;
	for (i = conn->rec_head; i != conn->rec_tail; i++) {
		struct tcp_record *r = record_at(conn, i);

		if (r->length > conn->mss && !seq_before(r->seq, seq) &&
		    !(r->flags & (TCP_RECORD_SACKED | TCP_RECORD_LOST)))
			record_lose(conn, i);
	}
	output_later(stack, conn);
}

void tcp_icmp(struct tcp_stack *stack, struct tcp_conn *conn, const void *frame, uint32_t length, uint32_t l3,
	      uint32_t l4)
{
	const uint8_t *p = frame, *icmp, *tcp;
	uint32_t seq, mtu = 0;

	if (conn->flags & TCP_CONN_DONE || l3 >= l4 || l4 + 8 > length)
		return;
	icmp = p + l4;
	tcp = quoted(conn, icmp + 8, length - l4 - 8);
	if (!tcp)
		return;
	seq = get32(tcp + 4);
	if (seq_before(seq, conn->snd_una) || !seq_before(seq, conn->snd_nxt))
		return;
	if (conn->family == 4) {
		if (icmp[0] != 3)
			return;
		if (icmp[1] == 4)
			mtu = get16(icmp + 6);
	} else {
		if (icmp[0] != 1 && icmp[0] != 2)
			return;
		if (icmp[0] == 2)
			mtu = get32(icmp + 4);
	}
	if (icmp[0] == (conn->family == 4 ? 3 : 2) && (conn->family == 6 || icmp[1] == 4))
		too_big(stack, conn, mtu, seq);
	else
		conn->unreachable = true; /* soft: names the error if it comes to one */
}
