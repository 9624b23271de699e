/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The frames that porchd writes itself: SYN-ACKs once more, resets, challenges. A TCP header, no payload. */
#ifndef PORCH_DAEMON_PACKET_H
#define PORCH_DAEMON_PACKET_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Where it goes; addresses as in maps.h. */
struct packet_path {
	const uint8_t *remote, *local;		/* 16 octets each */
	const uint8_t *remote_mac, *local_mac;	/* 6 octets each */
	const uint16_t *tags;			/* two, as in struct porch_steer */
	uint8_t ttl;				/* or hop limit */
};

static inline uint8_t *put16(uint8_t *p, uint16_t v)
{
	*p++ = v >> 8;
	*p++ = v;
	return p;
}

static inline uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v >> 16), v);
}

bool packet_is_v6(const struct packet_path *path);
/* Ethernet header and tags. Returns where the IP header begins; the TCP header is packet_ip_length() further. */
uint8_t *packet_ethernet(const struct packet_path *path, uint8_t *frame);
static inline uint32_t packet_ip_length(const struct packet_path *path)
{
	return packet_is_v6(path) ? 40 : 20;
}
/* The TCP header, of so many octets, is written but for its checksum: adds that, and the IP header at `ip`. */
void packet_close(const struct packet_path *path, uint8_t *ip, uint32_t octets);
/* Is the TCP checksum of a frame right? Offsets and octets as in struct porch_record. */
bool packet_sum_right(const uint8_t *frame, uint32_t l3, uint32_t l4, uint32_t octets);

#endif /* PORCH_DAEMON_PACKET_H */
