// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A frame's TCP segment, found and checked: nothing that was said of it is believed. */
#include "tcp/internal.h"

static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}

/* RFC 9293 3.1, 7323, 2018. A malformed option ends the list. */
static void parse_options(const uint8_t *p, uint32_t n, struct tcp_segment *ret)
{
	uint32_t i, size;

	/* what nearly every segment carries: NOP, NOP, timestamps */
	if (n == 12 && p[0] == 1 && p[1] == 1 && p[2] == 8 && p[3] == 10) {
		ret->options = TCP_HAS_TIMESTAMPS;
		ret->tsval = get32(p + 4);
		ret->tsecr = get32(p + 8);
		return;
	}
	while (n) {
		if (p[0] == 0)
			return;
		if (p[0] == 1) {
			p++;
			n--;
			continue;
		}
		if (n < 2 || p[1] < 2 || p[1] > n)
			return;
		size = p[1];
		if (p[0] == 8 && size == 10) {
			ret->options |= TCP_HAS_TIMESTAMPS;
			ret->tsval = get32(p + 2);
			ret->tsecr = get32(p + 6);
		} else if (p[0] == 5 && size >= 10 && size <= 34 && (size - 2) % 8 == 0) {
			ret->options |= TCP_HAS_SACK;
			ret->sack_blocks = (size - 2) / 8;
			for (i = 0; i < ret->sack_blocks; i++) {
				ret->sack[i][0] = get32(p + 2 + 8 * i);
				ret->sack[i][1] = get32(p + 6 + 8 * i);
			}
		}
		p += size;
		n -= size;
	}
}

static uint16_t parse_tag(const uint8_t *p)
{
	return (get16(p + 2) & ~TCP_TAG_8021AD) | (get16(p) == 0x88a8 ? TCP_TAG_8021AD : 0);
}

/* Outer tag first; `l3` is behind them. False: that is not how the frame looks. */
static bool parse_link(const uint8_t *p, uint32_t l3, uint16_t tags[2])
{
	tags[0] = tags[1] = TCP_TAG_NONE;
	if (l3 == 14)
		return true;
	if (l3 != 18 && l3 != 22)
		return false;
	tags[0] = parse_tag(p + 12);
	if (l3 == 22)
		tags[1] = parse_tag(p + 16);
	return true;
}

int tcp_parse(const void *frame, uint32_t length, uint32_t l3, uint32_t l4, uint32_t octets,
	      struct tcp_segment *ret)
{
	const uint8_t *p = frame, *ip, *tcp;
	uint32_t sum, header;

	if (length > 65536 || l3 >= length || l4 <= l3 || l4 > length || octets < 20 || octets > length - l4)
		return -EBADMSG;
	ip = p + l3;
	tcp = p + l4;
	ret->mac = p;
	if (!parse_link(p, l3, ret->tags))
		return -EBADMSG;
	if (ip[0] >> 4 == 4 && l4 - l3 >= 20) {
		ret->ecn = ip[1] & 3;
		sum = csum_words(ip + 12, 2);
	} else if (ip[0] >> 4 == 6 && l4 - l3 >= 40) {
		ret->ecn = ip[1] >> 4 & 3;
		sum = csum_words(ip + 8, 8);
	} else {
		return -EBADMSG;
	}
	header = (tcp[12] >> 4) * 4;
	if (header < 20 || header > octets)
		return -EBADMSG;
	sum = csum_add(sum, csum_words(tcp, header / 4));
	sum = csum_add(sum, __builtin_bswap16((uint16_t)octets));
	sum = csum_add(sum, __builtin_bswap16(6));
	ret->pseudo = sum;
	ret->checked = 0;
	ret->seq = get32(tcp + 4);
	ret->ack = get32(tcp + 8);
	ret->flags = get16(tcp + 12) & 0x1ff;
	ret->window = get16(tcp + 14);
	ret->payload = tcp + header;
	ret->length = octets - header;
	ret->options = 0;
	ret->sack_blocks = 0;
	ret->tsval = ret->tsecr = 0;
	if (header > 20)
		parse_options(tcp + 20, header - 20, ret);
	return 0;
}
