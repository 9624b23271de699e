/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TCP segments as octets on the wire, both families, with and without VLAN tags. */
#ifndef PORCH_NET_FRAME_H
#define PORCH_NET_FRAME_H

#include "common.h"

#define FRAME_MAX 1600
#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define ECE 0x40
#define CWR 0x80

struct segment {
	uint8_t smac[6], dmac[6];
	int n_tags;
	uint16_t tags[2];	/* VLAN ids, outer first */
	struct address from, to;
	uint8_t ttl, ecn;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;
	uint8_t options[40];
	size_t n_options;	/* a multiple of 4 */
	const uint8_t *payload;
	size_t n_payload;
	bool sums_right;	/* parsed: both checksums are */
};

/* Options as a peer reads them. */
struct options {
	bool has_mss, has_wscale, sack, has_ts;
	uint16_t mss;
	uint8_t wscale;
	uint32_t tsval, tsecr;
};

size_t frame_build(const struct segment *s, uint8_t frame[FRAME_MAX]);
/* 0, or -1: no TCP over IPv4 or IPv6 behind at most two tags. `payload` points into the frame. */
int frame_parse(const uint8_t *frame, size_t n, struct segment *ret);
void options_parse(const struct segment *s, struct options *ret);
/* "syn,ack" -> bits; 0 if any word is unknown. */
uint8_t flags_parse(const char *text);
const char *flags_text(uint8_t flags, char buf[32]);

#endif /* PORCH_NET_FRAME_H */
