// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* RST for a segment of no connection, made of that segment alone (RFC 9293 3.10.7.1). */
#include "tcp/internal.h"

static void put32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

uint32_t tcp_reset_for(const void *received, uint32_t length, uint32_t l3, uint32_t l4, uint32_t octets,
		       void *frame, uint32_t size)
{
	struct tcp_segment seg;
	const uint8_t *from = received, *ip;
	uint8_t *p = frame, *tcp;
	uint32_t n, seq = 0, ack = 0, header, sum;
	uint16_t folded, flags;

	if (tcp_parse(received, length, l3, l4, octets, &seg) || seg.flags & TCP_FLAG_RST)
		return 0;
	if (csum_fold(csum_add(seg.pseudo, tcp_csum(seg.payload, seg.length))))
		return 0;
	ip = from + l3;
	header = ip[0] >> 4 == 4 ? 20 : 40;
	if (size < 22 + header + 20)
		return 0;
	if (seg.flags & TCP_FLAG_ACK) {
		seq = seg.ack;
		flags = TCP_FLAG_RST;
	} else {
		ack = seg.seq + seg.length + !!(seg.flags & TCP_FLAG_SYN) + !!(seg.flags & TCP_FLAG_FIN);
		flags = TCP_FLAG_RST | TCP_FLAG_ACK;
	}
	n = frame_link(p, from, seg.tags, header == 20 ? 0x0800 : 0x86dd);
	p += n;
	memset(p, 0, header + 20);
	if (header == 20) {
		put32(p, 0x45000028);
		put32(p + 4, 0x00004000);
		put32(p + 8, 0x40060000);
		memcpy(p + 12, ip + 16, 4);
		memcpy(p + 16, ip + 12, 4);
		folded = csum_fold(csum_words(p, 5));
		memcpy(p + 10, &folded, 2);
		sum = csum_words(p + 12, 2);
	} else {
		put32(p, 0x60000000);
		put32(p + 4, 20u << 16 | 6u << 8 | 64);
		memcpy(p + 8, ip + 24, 16);
		memcpy(p + 24, ip + 8, 16);
		sum = csum_words(p + 8, 8);
	}
	tcp = p + header;
	memcpy(tcp, from + l4 + 2, 2);
	memcpy(tcp + 2, from + l4, 2);
	put32(tcp + 4, seq);
	put32(tcp + 8, ack);
	put32(tcp + 12, 5u << 28 | (uint32_t)flags << 16);
	sum = csum_add(sum, csum_add(__builtin_bswap16(20), __builtin_bswap16(6)));
	folded = csum_fold(csum_add(sum, csum_words(tcp, 5)));
	memcpy(tcp + 16, &folded, 2);
	return n + header + 20;
}
