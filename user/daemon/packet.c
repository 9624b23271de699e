// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <arpa/inet.h>

#include <porch/maps.h>

#include "daemon/packet.h"
#include "tcp/csum.h"

#define NO_TAG 0xffff

static uint8_t *put(uint8_t *p, const void *from, uint32_t n)
{
	memcpy(p, from, n);
	return p + n;
}

bool packet_is_v6(const struct packet_path *path)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(path->remote, mapped, sizeof(mapped));
}

static uint8_t *put_tag(uint8_t *p, uint16_t tag)
{
	p = put16(p, tag & PORCH_VLAN_8021AD ? 0x88a8 : 0x8100);
	return put16(p, tag & ~PORCH_VLAN_8021AD);
}

uint8_t *packet_ethernet(const struct packet_path *path, uint8_t *frame)
{
	bool one = path->tags[0] != NO_TAG, two = one && path->tags[1] != NO_TAG;
	uint8_t *p = put(put(frame, path->remote_mac, 6), path->local_mac, 6);

	if (one)
		p = put_tag(p, path->tags[0]);
	if (two)
		p = put_tag(p, path->tags[1]);
	return put16(p, packet_is_v6(path) ? 0x86dd : 0x0800);
}

/* Pseudo-header and segment. */
static uint16_t tcp_sum(const uint8_t *addresses, uint32_t n, const uint8_t *tcp, uint32_t octets)
{
	uint32_t s = csum_add(tcp_csum(addresses, n), tcp_csum(tcp, octets));

	return csum_fold(csum_add(s, csum_add(htons(IPPROTO_TCP), htons(octets))));
}

static void put_ipv4(const struct packet_path *path, uint8_t *ip, uint32_t octets)
{
	uint8_t *p = put32(put16(put16(ip, 0x4500), 20 + octets), 0x00004000); /* DF */
	uint16_t s;

	*p++ = path->ttl;
	*p++ = IPPROTO_TCP;
	put(put(put16(p, 0), path->local + 12, 4), path->remote + 12, 4);
	s = csum_fold(csum_words(ip, 5));
	memcpy(ip + 10, &s, 2);
}

static void put_ipv6(const struct packet_path *path, uint8_t *ip, uint32_t octets)
{
	uint8_t *p = put16(put32(ip, 0x60000000), octets);

	*p++ = IPPROTO_TCP;
	*p++ = path->ttl;
	put(put(p, path->local, 16), path->remote, 16);
}

void packet_close(const struct packet_path *path, uint8_t *ip, uint32_t octets)
{
	uint8_t *tcp = ip + packet_ip_length(path);
	uint16_t s;

	memset(tcp + 16, 0, 2);
	if (packet_is_v6(path)) {
		put_ipv6(path, ip, octets);
		s = tcp_sum(ip + 8, 32, tcp, octets);
	} else {
		put_ipv4(path, ip, octets);
		s = tcp_sum(ip + 12, 8, tcp, octets);
	}
	memcpy(tcp + 16, &s, 2);
}

bool packet_sum_right(const uint8_t *frame, uint32_t l3, uint32_t l4, uint32_t octets)
{
	return !(frame[l3] >> 4 == 6 ? tcp_sum(frame + l3 + 8, 32, frame + l4, octets)
				     : tcp_sum(frame + l3 + 12, 8, frame + l4, octets));
}
