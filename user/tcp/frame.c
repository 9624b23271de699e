// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Frames as they leave: Ethernet, tags, IPv4 or IPv6, TCP with options, payload, sums. */
#include "tcp/internal.h"

static inline void put16(uint8_t *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	memcpy(p, &v, 2);
}

static inline void put32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

static inline uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}

static void put_tag(uint8_t *p, uint16_t tag)
{
	put16(p, tag & TCP_TAG_8021AD ? 0x88a8 : 0x8100);
	put16(p + 2, tag & ~TCP_TAG_8021AD);
}

uint32_t frame_link(void *frame, const uint8_t *mac, const uint16_t *tags, uint16_t ethertype)
{
	uint8_t *p = frame;
	uint32_t n = 12;

	memcpy(p, mac + 6, 6); /* back to whom it came from */
	memcpy(p + 6, mac, 6);
	if (tags[0] != TCP_TAG_NONE) {
		put_tag(p + n, tags[0]);
		n += 4;
	}
	if (tags[1] != TCP_TAG_NONE) {
		put_tag(p + n, tags[1]);
		n += 4;
	}
	put16(p + n, ethertype);
	return n + 2;
}

/* `octets` behind the IP header. */
static uint32_t build_ip(const struct tcp_conn *conn, uint8_t *p, uint32_t octets, uint8_t ecn)
{
	uint16_t sum;

	if (conn->family == 4) {
		put32(p, 0x45000000u | (uint32_t)ecn << 16 | (octets + 20));
		put32(p + 4, 0x00004000); /* atomic: no identification (RFC 6864), DF */
		put16(p + 8, 0x4006);
		memcpy(p + 12, conn->local + 12, 4);
		memcpy(p + 16, conn->remote + 12, 4);
		/* addresses and protocol are in the sum of the pseudo-header already */
		sum = csum_fold(csum_add(conn->pseudo, __builtin_bswap16((uint16_t)(octets + 20)) +
							       __builtin_bswap16(0x4500 | ecn) +
							       __builtin_bswap16(0x4000) * 2u));
		memcpy(p + 10, &sum, 2);
		return 20;
	}
	put32(p, 0x60000000u | (uint32_t)ecn << 20);
	put16(p + 4, (uint16_t)octets);
	p[6] = 6;
	p[7] = 64;
	memcpy(p + 8, conn->local, 16);
	memcpy(p + 24, conn->remote, 16);
	return 40;
}

static void put_range(uint8_t *p, const struct tcp_range *r)
{
	put32(p, r->from);
	put32(p + 4, r->to);
}

static bool is_said(const uint32_t *said, uint32_t n, uint32_t i)
{
	while (n--) {
		if (said[n] == i)
			return true;
	}
	return false;
}

/* RFC 2018, 2883: the duplicate first, then the ranges that changed last, then the others. */
static uint32_t put_sack(struct tcp_conn *conn, uint8_t *p, uint32_t room)
{
	uint32_t most = (room - 4) / 8, n = 0, said[4], told = 0, i, j;

	if (room < 12)
		return 0;
	if (most > 4)
		most = 4;
	if (conn->dsack) {
		put32(p + 4, conn->dsack_from);
		put32(p + 8, conn->dsack_to);
		conn->dsack = 0;
		n = 1;
	}
	for (j = 0; j < 4 && n < most && told < conn->ranges; j++) {
		i = reassembly_find(conn, conn->sack_recent[j]);
		if (i == conn->ranges || is_said(said, told, i))
			continue;
		put_range(p + 4 + 8 * n++, conn->range + i);
		said[told++] = i;
	}
	for (i = 0; i < conn->ranges && n < most; i++) {
		if (!is_said(said, told, i))
			put_range(p + 4 + 8 * n++, conn->range + i);
	}
	if (!n)
		return 0;
	p[0] = p[1] = 1;
	p[2] = 5;
	p[3] = (uint8_t)(2 + 8 * n);
	return 4 + 8 * n;
}

uint32_t frame_room(const struct tcp_conn *conn)
{
	return 22 + (conn->family == 4 ? 20 : 40) + 20 + (conn->options & TCP_OPT_TIMESTAMPS ? 12 : 0);
}

/* Octets of options at `p`; their words, in host order, are added to *words. */
static uint32_t build_options(struct tcp_stack *stack, struct tcp_conn *conn, uint8_t *p,
			      const struct tcp_frame *f, uint64_t *words)
{
	uint32_t n = 0, end;

	if (conn->options & TCP_OPT_TIMESTAMPS) {
		uint32_t tsval = clock_ms(stack) + conn->ts_offset;

		put32(p, 0x0101080a);
		put32(p + 4, tsval);
		put32(p + 8, conn->ts_recent);
		*words += 0x0101080aull + tsval + conn->ts_recent;
		n = 12;
	}
	if ((conn->ranges || conn->dsack) && conn->options & TCP_OPT_SACK && !(f->flags & TCP_FLAG_RST)) {
		/* never at the cost of payload */
		uint32_t room = min_u32(40 - n, conn->mss > f->length ? conn->mss - f->length : 0);

		for (end = n + put_sack(conn, p + n, f->length ? room : 40 - n); n < end; n += 4)
			*words += get32(p + n);
	}
	return n;
}

/* What any segment but a reset settles. */
static void acknowledged(struct tcp_stack *stack, struct tcp_conn *conn)
{
	conn->rcv_acked = conn->rcv_nxt;
	conn->flags &= ~(TCP_CONN_ACK_NOW | TCP_CONN_ACK_OWED);
	deadline_clear(conn, TCP_DEADLINE_ACK);
}

/* What goes into the sum field, `sum` being that of both headers. */
static inline uint16_t payload_and_sum(const struct tcp_frame *f, uint8_t *payload, uint32_t sum)
{
	if (f->octet) {
		*payload = *f->octet;
		sum = csum_add(sum, tcp_csum(payload, 1));
	} else if (f->length) {
		sum = csum_add(sum, send_copy(f->block, f->seq, payload, f->length));
	}
	return csum_fold(sum);
}

/* The same where somebody else makes the sum, `sum` being that of the pseudo-header. */
static uint16_t payload_only(const struct tcp_frame *f, uint8_t *payload, uint32_t sum)
{
	if (f->octet)
		*payload = *f->octet;
	else if (f->length)
		send_copy_only(f->block, f->seq, payload, f->length);
	return csum_fold16(sum);
}

/*
 * Of the TCP header, `words` being that of its options: from what was written, for reading
 * back what was just stored in other sizes makes the processor wait.
 */
static inline uint32_t header_sum(const struct tcp_conn *conn, const struct tcp_frame *f, uint64_t words,
				  uint16_t flags, uint16_t window)
{
	words += (uint32_t)conn->local_port << 16 | conn->remote_port;
	words += f->seq;
	words += conn->rcv_nxt;
	words += (uint32_t)flags << 16 | window;
	return __builtin_bswap16(csum_fold16(csum_add((uint32_t)words, (uint32_t)(words >> 32))));
}

bool frame_output(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_frame *f)
{
	uint8_t *frame = stack->ops->frame_get(stack, conn), *ip, *tcp;
	uint32_t l3, l4, header, sum;
	uint16_t folded, flags, window;
	uint64_t words = 0;

	if (!frame) {
		stack->counters.tx_full++;
		output_later(stack, conn);
		return false;
	}
	l3 = frame_link(frame, conn->local_mac, conn->tags, conn->family == 4 ? 0x0800 : 0x86dd);
	ip = frame + l3;
	l4 = l3 + (conn->family == 4 ? 20 : 40);
	tcp = frame + l4;
	header = 20 + build_options(stack, conn, tcp + 20, f, &words);
	build_ip(conn, ip, header + f->length, f->ecn);
	put16(tcp, conn->local_port);
	put16(tcp + 2, conn->remote_port);
	put32(tcp + 4, f->seq);
	put32(tcp + 8, conn->rcv_nxt);
	flags = (uint16_t)(header << 10 | f->flags | (conn->flags & TCP_CONN_ECN_ECE ? TCP_FLAG_ECE : 0));
	window = window_announce(stack, conn);
	put16(tcp + 12, flags);
	put16(tcp + 14, window);
	put32(tcp + 16, 0);
	sum = csum_add(conn->pseudo, __builtin_bswap16((uint16_t)(header + f->length)));
	if (__builtin_expect(stack->leave_sum, 0))
		folded = payload_only(f, tcp + header, sum);
	else
		folded = payload_and_sum(f, tcp + header,
					 csum_add(sum, header_sum(conn, f, words, flags, window)));
	memcpy(tcp + 16, &folded, 2);
	if (!(f->flags & TCP_FLAG_RST))
		acknowledged(stack, conn);
	conn->segments_out++;
	stack->counters.segments_out++;
	stack->ops->frame_send(stack, conn, frame, l4 + header + f->length);
	return true;
}
