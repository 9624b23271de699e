// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The frame a flood repeats: headers, option layouts, and the checksum of all that stays the same. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "tests/bench/flood.h"

#define ETHER 14
#define TCP   20

struct layout {
	const char *name;
	__u8 bytes[40];
	__u8 length;
	__s8 ts;  /* where TSval lies, -1: nowhere */
	bool ack; /* for segments that are no SYN */
};

/* A SYN as each system sends it; the last ones as nobody does. */
static const struct layout layouts[] = {
	{ "linux", { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7 }, 20, 8, false },
	{ "windows", { 2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2 }, 12, -1, false },
	{ "apple",
	  { 2, 4, 5, 0xb4, 1, 3, 3, 6, 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 4, 2, 0, 0 },
	  24,
	  12,
	  false },
	{ "none", { 0 }, 0, -1, false },
	{ "mss-only", { 2, 4, 5, 0xb4 }, 4, -1, false },
	/* the usual options in an order nobody uses */
	{ "shuffled",
	  { 3, 3, 7, 1, 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 4, 2, 2, 4, 5, 0xb4, 1, 0 },
	  24,
	  8,
	  false },
	/* as many options as fit: every octet is one, until the MSS at the end */
	{ "nops",
	  { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 5, 0xb4 },
	  40,
	  -1,
	  false },
	{ "ts", { 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 4, true },
	{ "plain", { 0 }, 0, -1, true },
};

/* Sum of 16-bit words as they lie in memory; a checksum does not mind the byte order. */
static __u64 sum_words(const __u8 *p, size_t length)
{
	__u64 sum = 0;
	__u16 word;

	for (size_t i = 0; i + 1 < length; i += 2) {
		memcpy(&word, p + i, 2);
		sum += word;
	}
	return sum;
}

int frame_build(const struct flood *flood, struct generator_config *config)
{
	const size_t l4 = ETHER + (flood->v6 ? 40 : 20);
	const struct layout *layout = NULL;
	__u8 frame[GENERATOR_FRAME_MAX] = {};
	size_t tcp_length, length;
	__u8 *ip = frame + ETHER, *tcp = frame + l4;

	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
		if (!strcmp(layouts[i].name, flood->layout))
			layout = &layouts[i];
	if (!layout || layout->ack != (flood->kind != GENERATOR_SYN))
		return -EINVAL;
	tcp_length = TCP + layout->length + flood->payload;
	length = l4 + tcp_length;
	if (length > sizeof(frame) || length & 1)
		return -EINVAL;

	memcpy(frame, flood->destination_mac, 6);
	memcpy(frame + 6, flood->source_mac, 6);
	if (flood->v6) {
		frame[12] = 0x86;
		frame[13] = 0xdd;
		ip[0] = 0x60;
		ip[4] = tcp_length >> 8;
		ip[5] = tcp_length;
		ip[6] = 6;
		ip[7] = 64;
		memcpy(ip + 8, flood->source, 8); /* the low half varies */
		memcpy(ip + 24, flood->destination, 16);
	} else {
		frame[12] = 0x08;
		ip[0] = 0x45;
		ip[2] = (20 + tcp_length) >> 8;
		ip[3] = 20 + tcp_length;
		ip[6] = 0x40; /* DF */
		ip[8] = 64;
		ip[9] = 6;
		memcpy(ip + 16, flood->destination + 12, 4);
	}
	tcp[2] = flood->port >> 8;
	tcp[3] = flood->port;
	tcp[12] = (TCP + layout->length) << 2;
	tcp[13] = flood->kind == GENERATOR_SYN ? 0x02 : flood->payload ? 0x18 : 0x10;
	tcp[14] = 0xfa;
	tcp[15] = 0xf0;
	memcpy(tcp + TCP, layout->bytes, layout->length);
	memset(tcp + TCP + layout->length, 'x', flood->payload);

	memset(config->frame, 0, sizeof(config->frame));
	memcpy(config->frame, frame, length);
	config->length = length;
	config->ts_at = layout->ts < 0 ? 0 : l4 + TCP + layout->ts;
	memcpy(&config->source, flood->source + 12, 4);
	config->source_mask = flood->source_bits >= 32 ? ~0u : (1u << flood->source_bits) - 1;
	config->source = ntohl(config->source) & ~(flood->v6 ? 0 : config->source_mask);
	config->ip_sum = flood->v6 ? 0 : sum_words(ip, 20);
	config->tcp_sum = sum_words(tcp, tcp_length) + htons(6) + htons(tcp_length) +
			  (flood->v6 ? sum_words(ip + 8, 32) : sum_words(ip + 16, 4));
	config->mss = 1460;
	config->wscale = 7;
	return 0;
}
