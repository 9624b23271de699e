/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A peer for the smoke test: IP packets with TCP in them, made and taken apart
 * by hand, so that no code under test has a part in it. Numbers in host order.
 */
#ifndef PORCH_PACKETDRILL_WIREPEER_H
#define PORCH_PACKETDRILL_WIREPEER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PEER_PORT  40000
#define HOST_PORT  8080
#define PACKET_MAX 2048

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct packet {
	uint32_t seq, ack;
	uint16_t sport, dport, window, mss; /* mss: only in a SYN, 0: no option */
	uint8_t flags;
	bool sack_permitted, has_wscale, has_ts;
	uint8_t wscale;
	uint32_t tsval, tsecr;
	uint32_t length; /* of the payload */
	uint8_t payload[1500];
};

/* `bytes` has room for PACKET_MAX; returns the length. */
uint32_t peer_build(const struct packet *p, bool v6, uint8_t *bytes);
/* False: not a well-formed packet of TCP from us to the peer, or a sum is wrong. */
bool peer_parse(const uint8_t *bytes, uint32_t n, bool v6, struct packet *ret);
extern const uint8_t peer_address[2][16], host_address[2][16]; /* [v6]; IPv4: the first four octets */

#endif /* PORCH_PACKETDRILL_WIREPEER_H */
