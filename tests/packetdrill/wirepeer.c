// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "wirepeer.h"

const uint8_t peer_address[2][16] = { { 192, 0, 2, 1 }, { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
const uint8_t host_address[2][16] = { { 192, 168, 3, 4 }, { 0xfd, 0x3d, 0xfa, 0x7b, 0xd1, 0x7d, [15] = 9 } };

static uint32_t get(const uint8_t *p, int octets)
{
	uint32_t v = 0;

	while (octets--)
		v = v << 8 | *p++;
	return v;
}

static void put(uint8_t *p, int octets, uint32_t v)
{
	while (octets--) {
		p[octets] = (uint8_t)v;
		v >>= 8;
	}
}

static uint32_t sum(const uint8_t *p, uint32_t n)
{
	uint32_t s = 0;

	for (uint32_t i = 0; i < n; i++)
		s += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static uint32_t pseudo(const uint8_t *ip, bool v6, uint32_t tcp_length)
{
	return (v6 ? sum(ip + 8, 32) : sum(ip + 12, 8)) + 6 + tcp_length;
}

static uint32_t options_build(const struct packet *p, uint8_t *o)
{
	uint8_t *at = o;

	if (p->mss) {
		put(at, 2, 0x0204);
		put(at + 2, 2, p->mss);
		at += 4;
	}
	if (p->sack_permitted) {
		put(at, 4, 0x01010402);
		at += 4;
	}
	if (p->has_ts) {
		put(at, 4, 0x0101080a);
		put(at + 4, 4, p->tsval);
		put(at + 8, 4, p->tsecr);
		at += 12;
	}
	if (p->has_wscale) {
		put(at, 4, 0x01030300u | p->wscale);
		at += 4;
	}
	return (uint32_t)(at - o);
}

uint32_t peer_build(const struct packet *p, bool v6, uint8_t *bytes)
{
	uint32_t l4 = v6 ? 40 : 20, header, total;
	uint8_t *tcp = bytes + l4;

	memset(bytes, 0, l4 + 20);
	header = 20 + options_build(p, tcp + 20);
	total = l4 + header + p->length;
	put(tcp, 2, p->sport ? p->sport : PEER_PORT);
	put(tcp + 2, 2, p->dport ? p->dport : HOST_PORT);
	put(tcp + 4, 4, p->seq);
	put(tcp + 8, 4, p->ack);
	tcp[12] = (uint8_t)(header << 2);
	tcp[13] = p->flags;
	put(tcp + 14, 2, p->window);
	memcpy(tcp + header, p->payload, p->length);
	if (v6) {
		bytes[0] = 0x60;
		put(bytes + 4, 2, total - 40);
		bytes[6] = 6;
		bytes[7] = 64;
		memcpy(bytes + 8, peer_address[1], 16);
		memcpy(bytes + 24, host_address[1], 16);
	} else {
		bytes[0] = 0x45;
		put(bytes + 2, 2, total);
		bytes[8] = 64;
		bytes[9] = 6;
		memcpy(bytes + 12, peer_address[0], 4);
		memcpy(bytes + 16, host_address[0], 4);
		put(bytes + 10, 2, fold(sum(bytes, 20)));
	}
	put(tcp + 16, 2, fold(pseudo(bytes, v6, total - l4) + sum(tcp, total - l4)));
	return total;
}

static bool options_parse(const uint8_t *o, const uint8_t *end, struct packet *p)
{
	while (o < end && *o) {
		if (*o == 1) {
			o++;
			continue;
		}
		if (end - o < 2 || o[1] < 2 || o[1] > end - o)
			return false;
		switch (*o << 8 | o[1]) {
		case 0x0204:
			p->mss = (uint16_t)get(o + 2, 2);
			break;
		case 0x0303:
			p->has_wscale = true;
			p->wscale = o[2];
			break;
		case 0x0402:
			p->sack_permitted = true;
			break;
		case 0x080a:
			p->has_ts = true;
			p->tsval = get(o + 2, 4);
			p->tsecr = get(o + 6, 4);
			break;
		}
		o += o[1];
	}
	return true;
}

bool peer_parse(const uint8_t *bytes, uint32_t n, bool v6, struct packet *ret)
{
	uint32_t l4 = v6 ? 40 : 20, header;
	const uint8_t *tcp = bytes + l4;

	*ret = (struct packet){};
	if (n < l4 + 20 || bytes[0] != (v6 ? 0x60 : 0x45) || bytes[v6 ? 6 : 9] != 6)
		return false;
	if (get(bytes + (v6 ? 4 : 2), 2) + (v6 ? 40 : 0) != n || (!v6 && fold(sum(bytes, 20))))
		return false;
	if (v6 ? memcmp(bytes + 8, host_address[1], 16) || memcmp(bytes + 24, peer_address[1], 16)
	       : memcmp(bytes + 12, host_address[0], 4) || memcmp(bytes + 16, peer_address[0], 4))
		return false;
	header = (tcp[12] >> 4) * 4;
	if (header < 20 || l4 + header > n || fold(pseudo(bytes, v6, n - l4) + sum(tcp, n - l4)))
		return false;
	*ret = (struct packet){
		.sport = (uint16_t)get(tcp, 2),
		.dport = (uint16_t)get(tcp + 2, 2),
		.seq = get(tcp + 4, 4),
		.ack = get(tcp + 8, 4),
		.flags = tcp[13],
		.window = (uint16_t)get(tcp + 14, 2),
		.length = n - l4 - header,
	};
	memcpy(ret->payload, tcp + header, ret->length);
	return options_parse(tcp + 20, tcp + header, ret);
}
